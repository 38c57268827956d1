//! Compares what runs predicted with the truth: per image, per organ, over all, and run against run.
//!
//! ```text
//! truth table -> masks -+
//!                       +-> score (every image of every run) -> Report -> report.json, report.csv, report.html,
//! results of runs ------+                                                 thresholds.toml
//! ```
//!
//! It needs no model, and works on other tools' masks too.

mod agreement;
#[cfg(feature = "annotation-store")]
mod annotation_store;
mod boundary;
mod classes;
mod dice_curve;
mod error;
mod file_set;
mod geojson;
mod identical;
mod mask_file;
mod measures;
mod object_size;
mod objects;
mod overlap;
mod page;
mod panoptic;
mod picture;
mod prediction;
mod problem_groups;
mod recorded_route;
mod report;
mod report_files;
mod routing;
mod run_source;
mod score;
mod seen;
mod statistics;
mod sweep;
mod truth;

pub use agreement::{Agreement, Limits, OrganAgreement};
pub use boundary::hausdorff95;
pub use classes::{ClassError, Classes};
pub use error::EvaluateError;
pub use measures::{MEASURES, Measure};
pub use object_size::{ObjectSizes, SizeClass};
pub use objects::{MATCH_IOU, ObjectFigures, compare, compare_objects};
pub use overlap::{Overlap, PixelFigures, dice};
pub use panoptic::{Panoptic, PanopticQuality};
pub use picture::{Gallery, Pictures};
pub use prediction::Prediction;
pub use problem_groups::{EXAMPLES, ProblemGroup, group};
pub use recorded_route::RecordedRoute;
pub use report::{
    Comparison, Figures, OrganDifference, OrganFigures, Reference, Report, ReportOptions,
    RunDifference, RunReport,
};
pub use report_files::write;
pub use routing::{ConfusionRow, Cost, OrganCost, ReliabilityStep, Routing, RoutingCost};
pub use run_source::{RunSource, SourceBundle};
pub use score::{Areas, ImageScore, RunScores, ScoredRuns, score};
pub use seen::Unseen;
pub use statistics::{Estimate, Ratio};
pub use sweep::{LeaveOneOut, OrganSweep, Sweep, TargetSweep, Thresholds};
pub use truth::{ImageProblem, Truth, read_truth};
