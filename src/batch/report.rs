//! `run.json`: what a run did, slide by slide; and how a report replaces the one before.

use std::path::Path;

use ftuseg_files::whole::replace;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{BatchError, Job, ShardNote};
use crate::pipeline::TileCount;
use crate::sink::Provenance;
use crate::slide::warning::{Warning, WarningKind};

/// What became of a slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its folder was written in this run.
    Done,
    /// It could not be done; the reason is given.
    Failed,
    /// Its folder was there already, from the same input and settings.
    Skipped,
    /// Not done yet: the run goes on, or was ended before its turn came.
    Pending,
}

/// A line of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlideStatus {
    /// The slide's id, as the user gave it.
    pub id: String,
    /// The slide's file.
    pub path: String,
    /// What became of it.
    pub status: Status,
    /// Why it failed, was skipped or is pending; the kind of failure stands in `kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Kind of failure: `format`, `unsupported`, `io`, `limits`, `no-resolution`, `backend`, `timeout`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Why an earlier result of it was not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_again: Option<String>,
    /// Whether it is not among the inputs of this run: its entry says what an earlier run into this folder left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub earlier: bool,
    /// Its folder, whose name is not its id where that is not safe as a name or not the only one; where it lies, in a
    /// report that joins several. Without it, `slides/ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Seconds it took in this run.
    pub seconds: f64,
    /// Its tiles.
    pub tiles: TileCount,
    /// Organ with the largest share of its tissue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organ: Option<String>,
    /// Objects found.
    pub objects: u64,
    /// Their area in mm2, where um/px is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_mm2: Option<f64>,
    /// What looks doubtful about it.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

impl SlideStatus {
    /// An entry with nothing found yet.
    pub(super) fn new(id: &str, path: String, status: Status) -> Self {
        SlideStatus {
            id: id.to_owned(),
            path,
            status,
            reason: None,
            kind: None,
            done_again: None,
            earlier: false,
            folder: None,
            seconds: 0.0,
            tiles: TileCount::default(),
            organ: None,
            objects: 0,
            area_mm2: None,
            warnings: Vec::new(),
        }
    }

    /// The entry of a job, with nothing found yet.
    pub(super) fn of(job: &Job, status: Status) -> Self {
        SlideStatus {
            folder: Some(format!("slides/{}", job.folder)),
            warnings: job.warnings.clone(),
            ..SlideStatus::new(&job.id, job.path.display().to_string(), status)
        }
    }

    /// The name of its folder.
    pub fn folder_name(&self) -> &str {
        let name = self.folder.as_deref().unwrap_or(&self.id);
        name.rsplit(['/', '\\']).next().unwrap_or(name)
    }

    /// Whether its folder is on the disk.
    pub fn is_there(&self) -> bool {
        matches!(self.status, Status::Done | Status::Skipped)
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It goes on, or was killed: then nobody holds the folder's lock.
    Running,
    /// Every slide had its turn.
    Finished,
    /// It was told to stop.
    Interrupted,
    /// It stopped since the disk takes nothing more.
    DiskFull,
    /// Several runs, joined.
    Merged,
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How far it has come.
    pub state: State,
    /// The slides: this run's in the order of the inputs, then those that earlier runs left.
    pub slides: Vec<SlideStatus>,
    /// Seconds the run took.
    pub seconds: f64,
    /// What looks doubtful about the run as a whole.
    pub warnings: Vec<Warning>,
}

/// What a report says beside the slides.
pub(super) struct Heading<'a> {
    pub provenance: Value,
    pub shard: Option<&'a ShardNote>,
    /// The folders that were joined.
    pub merged: Option<Vec<String>>,
    /// Rows in `submission.csv`, where there is one.
    pub rows: Option<usize>,
    /// What looks doubtful about the run as a whole.
    pub warnings: Vec<Warning>,
}

impl Heading<'_> {
    pub(super) fn of_run<'a>(provenance: &Provenance, shard: Option<&'a ShardNote>) -> Heading<'a> {
        let slower = provenance.runtime.warning.iter();
        Heading {
            warnings: slower
                .map(|text| Warning::new(WarningKind::Slower, text.as_str()))
                .collect(),
            provenance: json!(provenance),
            shard,
            merged: None,
            rows: None,
        }
    }
}

impl Summary {
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
    pub(super) fn to_json(&self, heading: &Heading<'_>) -> Value {
        let made_by = &heading.provenance;
        let tiles = self
            .slides
            .iter()
            .fold(TileCount::default(), |sum, s| TileCount {
                planned: sum.planned.saturating_add(s.tiles.planned),
                inferred: sum.inferred.saturating_add(s.tiles.inferred),
            });
        let mut report = json!({
            "schema": "ftuseg/run/1",
            "state": self.state,
            "versions": { "ftuseg": made_by["version"], "runtime": made_by["runtime"]["version"] },
            "bundle": made_by["bundle"],
            "runtime": made_by["runtime"],
            "device": { "name": made_by["runtime"]["device"], "proof": made_by["runtime"]["proof"] },
            "settings": made_by["settings"],
            "totals": {
                "slides": self.slides.len(),
                "done": self.count(Status::Done),
                "failed": self.count(Status::Failed),
                "skipped": self.count(Status::Skipped),
                "pending": self.count(Status::Pending),
                "done_again": self.ours().filter(|s| s.done_again.is_some()).count(),
                "earlier": self.slides.len() - self.ours().count(),
                "warnings": self.warning_count(),
                "tiles": tiles,
                "seconds": self.seconds,
            },
        });
        if let Some(shard) = heading.shard {
            report["shard"] = json!(shard);
        }
        if let Some(merged) = &heading.merged {
            report["merged"] = json!(merged);
        }
        if let Some(rows) = heading.rows {
            report["submission"] = json!({ "rows": rows });
        }
        report["warnings"] = json!(self.warnings);
        report["slides"] = json!(self.slides);
        report
    }
}

/// Writes a summary as `run.json` into a folder.
pub(super) fn write_report(
    out: &Path,
    summary: &Summary,
    heading: &Heading<'_>,
) -> Result<(), BatchError> {
    let report = summary.to_json(heading);
    replace(&out.join("run.json"), |out| {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        out.write_all(b"\n")
    })?;
    Ok(())
}
