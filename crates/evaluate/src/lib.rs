//! Compares what runs predicted with the truth: per image, per organ, over all, and run against run.
//!
//! ```text
//! truth table -> masks -+
//!                       +-> score (every image of every run) -> Report -> report.json, report.csv, report.html,
//! results of runs ------+                                                 thresholds.toml
//! ```
//!
//! It needs no model, and works on other tools' masks too.

mod boundary;
mod classes;
mod dice_curve;
mod error;
mod file_set;
mod geojson;
mod mask_file;
mod measures;
mod objects;
mod overlap;
mod picture;
mod prediction;
mod recorded_route;
mod report;
mod report_files;
mod report_page;
mod routing;
mod score;
mod statistics;
mod sweep;
mod truth;

pub use boundary::hausdorff95;
pub use classes::{ClassError, Classes};
pub use error::EvaluateError;
pub use measures::{MEASURES, Measure};
pub use objects::{MATCH_IOU, ObjectFigures, compare, compare_objects};
pub use overlap::{Overlap, PixelFigures, dice};
pub use picture::{Gallery, Pictures};
pub use prediction::Prediction;
pub use recorded_route::RecordedRoute;
pub use report::{
    Comparison, Figures, OrganDifference, OrganFigures, Report, RunDifference, RunReport,
};
pub use report_files::write;
pub use routing::{ConfusionRow, Cost, OrganCost, ReliabilityStep, Routing, RoutingCost};
pub use score::{ImageScore, RunScores, ScoredRuns, score};
pub use statistics::{Estimate, Ratio};
pub use sweep::{LeaveOneOut, OrganSweep, Sweep, TargetSweep, Thresholds};
pub use truth::{ImageProblem, Truth, read_truth};
