//! `run.json` and `submission.csv`: what a run did, slide by slide.

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::BatchError;
use crate::pipeline::TileCount;
use crate::sink::Provenance;

/// What became of a slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its folder was written in this run.
    Done,
    /// It could not be done; the reason is given.
    Failed,
    /// Its folder was there already, from the same input and settings.
    Skipped,
}

/// A line of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlideStatus {
    /// The slide's id.
    pub id: String,
    /// The slide's file.
    pub path: String,
    /// What became of it.
    pub status: Status,
    /// Why it failed or was skipped; the kind of failure stands in `kind`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Kind of failure: `format`, `unsupported`, `io`, `limits`, `no-resolution`, `backend`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Seconds it took.
    pub seconds: f64,
    /// Its tiles.
    pub tiles: TileCount,
    /// Organ with the largest share of its tissue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organ: Option<String>,
    /// Objects found.
    pub objects: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The slides, in the order of the inputs.
    pub slides: Vec<SlideStatus>,
    /// Seconds the run took.
    pub seconds: f64,
}

impl Summary {
    /// How many slides have a status.
    pub fn count(&self, status: Status) -> usize {
        self.slides.iter().filter(|s| s.status == status).count()
    }

    /// `run.json` of this summary.
    pub(super) fn to_json(&self, provenance: &Provenance) -> Value {
        let tiles = self
            .slides
            .iter()
            .fold(TileCount::default(), |sum, s| TileCount {
                planned: sum.planned + s.tiles.planned,
                inferred: sum.inferred + s.tiles.inferred,
            });
        json!({
            "schema": "ftuseg/run/1",
            "versions": { "ftuseg": provenance.version, "runtime": provenance.runtime.version },
            "bundle": provenance.bundle,
            "runtime": provenance.runtime,
            "device": { "name": provenance.runtime.device, "proof": provenance.runtime.proof },
            "settings": provenance.settings,
            "totals": {
                "slides": self.slides.len(),
                "done": self.count(Status::Done),
                "failed": self.count(Status::Failed),
                "skipped": self.count(Status::Skipped),
                "tiles": tiles,
                "seconds": self.seconds,
            },
            "slides": self.slides,
        })
    }
}

/// Replaces a file whole: written beside it under another name, then renamed.
pub(crate) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), BatchError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.part-{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut out = std::io::BufWriter::new(std::fs::File::create(&part)?);
        fill(&mut out)?;
        out.into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(&part, path)
    };
    write().map_err(|source| {
        // Nothing half-written stays behind; if even that fails, the first reason is the one to tell.
        let _ = std::fs::remove_file(&part);
        BatchError::output(
            path,
            format!("cannot be written: {source}; check the free space and the folder's rights"),
        )
    })
}
