//! Runs the engine over many slides: finds them, does what is missing, and keeps the records.
//!
//! One slide that fails is one slide that fails: it is recorded with its reason and the rest goes on. A slide's folder
//! is built under a temporary name and renamed whole, so a folder under its final name is always complete.

mod added_outputs;
mod cleanup;
mod crash_marker;
mod deadline;
mod discover;
mod error;
mod event;
mod failure;
mod folder_assignment;
mod folder_names;
mod lock;
mod manifest;
mod merge;
mod merge_input;
mod objects_table;
mod one_slide;
mod provenance;
mod reports;
mod resume_plan;
mod reuse;
mod run;
pub mod run_specific;
mod run_summary;
mod shard;
mod slide_folder;
mod slides_table;
mod submission;
mod survey;
mod workers;

pub use discover::{Job, discover};
pub use error::BatchError;
pub use event::{Event, Plan};
pub use ftuseg_records::{OrganFound, RunState, ShardNote, SlideStatus, Status};
pub use lock::Locking;
pub use manifest::Manifest;
pub use merge::{Merged, merge};
pub use run::{Batch, Rerun};
pub use run_summary::RunSummary;
pub use shard::{MAX_SHARDS, Shard};
pub use survey::{SurveyedSlide, survey};

pub use crate::sink::{ObjectsAs, Output, Outputs, SinkOptions};
pub use deadline::Opener;
