//! What a batch tells while it runs.

use ftuseg_records::Provenance;

use super::{Job, SlideStatus};
use crate::pipeline::TileCount;

/// What a batch is going to do.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Plan<'a> {
    /// The slides.
    pub jobs: &'a [Job],
    /// Places of those that will be done, in order.
    pub todo: &'a [usize],
    /// Places of those of them that only get more outputs, made from what is there without a network.
    pub added_to: &'a [usize],
    /// How many are there already.
    pub kept: usize,
    /// Who makes the results, and with which settings.
    pub provenance: &'a Provenance,
}

/// What happens while a batch runs, for whoever shows it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Something that the user should know.
    Note(&'a str),
    /// The batch begins; what is there already has been looked at.
    Planned(Plan<'a>),
    /// A slide begins.
    Started {
        /// Its place in the batch, from 0.
        index: usize,
        /// Slides in the batch.
        total: usize,
        /// The slide.
        job: &'a Job,
    },
    /// A slide that began was opened.
    Opened {
        /// Its place in the batch, from 0.
        index: usize,
        /// Full-size width, px.
        width: u32,
        /// Full-size height, px.
        height: u32,
    },
    /// A slide goes on.
    Tiles {
        /// Its place in the batch, from 0.
        index: usize,
        /// Its tiles so far.
        tiles: TileCount,
    },
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
