//! Runs the engine over many slides: finds them, does what is missing, and keeps the records.
//!
//! One slide that fails is one slide that fails: it is recorded with its reason and the rest goes on. A slide's folder
//! is built under a temporary name and renamed whole, so a folder under its final name is always complete.

mod discover;
mod error;
mod ids;
mod kept;
mod manifest;
mod report;
mod run;
mod write;

pub use discover::{Job, discover};
pub use error::BatchError;
pub use manifest::Manifest;
pub(crate) use manifest::image_of;
pub(crate) use report::replace;
pub use report::{SlideStatus, Status, Summary};
pub use run::{Batch, Event};
pub use write::Outputs;
