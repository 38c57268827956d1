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
mod curve;
mod error;
mod geojson;
mod mask_file;
mod objects;
mod overlap;
mod page;
mod picture;
mod prediction;
mod record;
mod report;
mod routing;
mod score;
mod staged;
mod statistics;
mod sweep;
mod truth;
mod write;

pub use boundary::hausdorff95;
pub use classes::Classes;
pub use error::EvaluateError;
pub use objects::{MATCH_IOU, ObjectFigures, compare, compare_objects};
pub use overlap::{Overlap, PixelFigures, dice};
pub use picture::{Gallery, Pictures};
pub use prediction::Prediction;
pub use record::Routed;
pub use report::{
    Comparison, Difference, Figures, OrganDifference, OrganFigures, Report, RunReport,
};
pub use routing::{ConfusionRow, Cost, OrganCost, ReliabilityStep, Routing, RoutingCost};
pub use score::{RunScores, Score, Scored, score};
pub use statistics::{Ratio, Summary};
pub use sweep::{LeaveOneOut, OrganSweep, Sweep, TargetSweep, Thresholds};
pub use truth::{Problem, Truth, read_truth};
pub use write::write;
