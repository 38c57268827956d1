//! Runs the engine over many slides: finds them, does what is missing, and keeps the records.
//!
//! One slide that fails is one slide that fails: it is recorded with its reason and the rest goes on. A slide's folder
//! is built under a temporary name and renamed whole, so a folder under its final name is always complete.

mod begun;
mod discover;
mod error;
mod event;
mod failure;
mod ids;
mod kept;
mod ledger;
mod leftovers;
mod lock;
mod manifest;
mod merge;
mod one;
mod provenance;
mod report;
mod rows;
mod run;
mod settle;
mod shard;
mod source;
mod survey;
mod turns;
pub mod volatile;
mod watch;
mod write;

pub use discover::{Job, discover};
pub use error::BatchError;
pub use event::Event;
pub use ftuseg_records::{ShardNote, SlideStatus, State, Status};
pub use lock::Locking;
pub use manifest::Manifest;
pub use merge::{Merged, merge};
pub use report::Summary;
pub use run::{Again, Batch};
pub use shard::{MAX_SHARDS, Shard};

pub use watch::Opener;
pub use write::Outputs;
