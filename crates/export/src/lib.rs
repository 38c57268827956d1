//! Writes finished runs in the formats of other tools.
//!
//! A [`Run`] is a results folder of `ftuseg segment`; its [`FinishedSlide`]s hand out their objects one by one, each with
//! its outline and with all that `objects.csv` says of it. Every format is made from these, so that all of one run have the
//! same ids, the same px and the same um. No model is needed and no slide is opened.

#[cfg(feature = "coco")]
pub mod coco;
#[cfg(feature = "epic")]
pub mod epic;
mod error;
mod objects;
mod outline;
mod output;
mod run;
#[cfg(feature = "spatialdata")]
pub mod spatialdata;
mod table;

pub use error::ExportError;
pub use objects::{ExportedObject, Objects, ObjectsByRow};
pub use output::Replace;
pub use run::{FinishedSlide, Run, RunSlide};
pub use table::{Field, Kind};

/// What came of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// How many slides were written.
    pub slides: u64,
    /// How many objects.
    pub objects: u64,
    /// What the format could not hold, or what is left for the user to do.
    pub doubts: Vec<String>,
}

impl Exported {
    /// Adds what came of another export.
    pub fn add(&mut self, other: Exported) {
        self.slides += other.slides;
        self.objects += other.objects;
        self.doubts.extend(other.doubts);
    }
}
