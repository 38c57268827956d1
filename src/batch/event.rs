//! What a batch tells while it runs.

use super::{Job, SlideStatus};
use crate::pipeline::TileCount;

/// What happens while a batch runs, for whoever shows it.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// Something that the user should know.
    Note(&'a str),
    /// A slide begins.
    Started {
        /// Its place in the batch, from 0.
        index: usize,
        /// Slides in the batch.
        total: usize,
        /// The slide.
        job: &'a Job,
    },
    /// The slide that began was opened.
    Opened {
        /// Full-size width, px.
        width: u32,
        /// Full-size height, px.
        height: u32,
    },
    /// A slide goes on.
    Tiles(TileCount),
    /// A slide has ended. Its writing may end after the next slide began.
    Ended {
        /// Its place in the batch, from 0.
        index: usize,
        /// Slides in the batch.
        total: usize,
        /// What became of it.
        status: &'a SlideStatus,
    },
}
