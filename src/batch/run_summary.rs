//! How a run stands, and the `run.json` that says so.

use std::path::Path;

use ftuseg_files::whole::replace;
use ftuseg_records::{
    DeviceRecord, Provenance, RUN_SCHEMA, RunRecord, RunState, ShardNote, SlideStatus, Status,
    SubmissionRecord, TileCount, Totals, Versions,
};

use super::{BatchError, Job};
use crate::slide::warning::{Warning, WarningKind};

/// The entry of a job, with nothing found yet.
pub(super) fn entry(job: &Job, status: Status) -> SlideStatus {
    SlideStatus {
        folder: Some(format!("slides/{}", job.folder)),
        warnings: job.warnings.clone(),
        ..SlideStatus::new(&job.id, job.path.display().to_string(), status)
    }
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunSummary {
    /// How far it has come.
    pub state: RunState,
    /// The slides: this run's in the order of the inputs, then those that earlier runs left.
    pub slides: Vec<SlideStatus>,
    /// Seconds the run took.
    pub seconds: f64,
    /// What looks doubtful about the run as a whole.
    pub warnings: Vec<Warning>,
}

/// What a report says beside the slides.
pub(super) struct Heading {
    pub provenance: Provenance,
    pub shard: Option<ShardNote>,
    /// The folders that were joined.
    pub merged: Option<Vec<String>>,
    /// Rows in `submission.csv`, where there is one.
    pub rows: Option<usize>,
    /// What looks doubtful about the run as a whole.
    pub warnings: Vec<Warning>,
}

impl Heading {
    pub(super) fn of_run(provenance: Provenance, shard: Option<ShardNote>) -> Self {
        let slower = provenance.runtime.warning.iter();
        Heading {
            warnings: slower
                .map(|text| Warning::new(WarningKind::Slower, text.as_str()))
                .collect(),
            provenance,
            shard,
            merged: None,
            rows: None,
        }
    }
}

impl RunSummary {
    /// How many slides of this run's inputs have a status.
    pub fn count(&self, status: Status) -> usize {
        self.ours().filter(|s| s.status == status).count()
    }

    /// How many warnings there are: the run's own, and those of its inputs.
    pub fn warning_count(&self) -> usize {
        self.warnings.len() + self.ours().map(|s| s.warnings.len()).sum::<usize>()
    }

    /// The slides of this run's inputs.
    pub fn ours(&self) -> impl Iterator<Item = &SlideStatus> {
        self.slides.iter().filter(|s| !s.earlier)
    }

    /// `run.json` of this summary.
    fn record(&self, heading: &Heading) -> RunRecord {
        let made_by = heading.provenance.clone();
        let tiles = self
            .slides
            .iter()
            .fold(TileCount::default(), |sum, s| TileCount {
                planned: sum.planned.saturating_add(s.tiles.planned),
                inferred: sum.inferred.saturating_add(s.tiles.inferred),
            });
        RunRecord {
            schema: RUN_SCHEMA.to_owned(),
            state: self.state,
            versions: Versions {
                ftuseg: made_by.version,
                runtime: made_by.runtime.version.clone(),
            },
            bundle: made_by.bundle,
            device: DeviceRecord {
                name: made_by.runtime.device.clone(),
                proof: made_by.runtime.proof.clone(),
            },
            runtime: made_by.runtime,
            settings: made_by.settings,
            totals: Totals {
                slides: self.slides.len(),
                done: self.count(Status::Done),
                failed: self.count(Status::Failed),
                skipped: self.count(Status::Skipped),
                pending: self.count(Status::Pending),
                done_again: self.ours().filter(|s| s.done_again.is_some()).count(),
                earlier: self.slides.len() - self.ours().count(),
                warnings: self.warning_count(),
                tiles,
                seconds: self.seconds,
            },
            shard: heading.shard.clone(),
            merged: heading.merged.clone(),
            submission: heading.rows.map(|rows| SubmissionRecord { rows }),
            warnings: self.warnings.clone(),
            slides: self.slides.clone(),
        }
    }
}

/// Writes a summary as `run.json` into a folder.
pub(super) fn write_report(
    out: &Path,
    summary: &RunSummary,
    heading: &Heading,
) -> Result<(), BatchError> {
    let report = summary.record(heading);
    replace(&out.join("run.json"), |out| {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        out.write_all(b"\n")
    })?;
    Ok(())
}
