//! Compares what runs predicted with the truth: per image, per organ, over all, and run against run.
//!
//! ```text
//! truth table -> masks -+
//!                       +-> score (every image of every run) -> Report -> report.json, report.csv, report.html
//! results of runs ------+
//! ```
//!
//! It needs no model, and works on other tools' masks too.

mod boundary;
mod error;
mod mask_file;
mod objects;
mod overlap;
mod page;
mod prediction;
mod report;
mod score;
mod statistics;
mod truth;
mod write;

pub use boundary::hausdorff95;
pub use error::EvaluateError;
pub use objects::{MATCH_IOU, ObjectFigures, compare};
pub use overlap::{Overlap, PixelFigures, dice};
pub use page::Gallery;
pub use prediction::{Prediction, Routed};
pub use report::{Comparison, Difference, Figures, OrganFigures, Report, Routing, RunReport};
pub use score::{RunScores, Score, score};
pub use statistics::Summary;
pub use truth::{Problem, Truth, read_truth};
pub use write::write;
