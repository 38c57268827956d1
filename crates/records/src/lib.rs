//! What a run leaves in writing, as types: `slide.json` ([`SlideRecord`]) and `run.json` ([`RunRecord`]).
//!
//! Whoever writes or reads a record does it by these types; `schemas/` says the same to other programs, and the tests hold
//! both against each other. A record states its [`SLIDE_SCHEMA`] or [`RUN_SCHEMA`]; what another version wrote is not read.

mod provenance;
#[cfg(feature = "files")]
mod read;
mod run;
mod slide;

pub use provenance::{About, BundleRecord, FloatFormat, Provenance, SettingDifference, Settings};
#[cfg(feature = "files")]
pub use read::{ReadError, read_run, read_slide};
pub use run::{
    DeviceRecord, Help, OrganFound, RUN_SCHEMA, RunRecord, RunState, ShardNote, SlideStatus,
    Status, SubmissionRecord, Totals, Versions,
};
pub use slide::{
    ComputedIn, InputRecord, OrganMapRecord, OrganRecord, SLIDE_SCHEMA, SlideRecord, TileCount,
    Timings, UsedModel,
};
