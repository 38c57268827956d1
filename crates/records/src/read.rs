//! Reads records, which are files that anybody can have changed: plain ones of a sane size, of this version.

use std::path::{Path, PathBuf};

use ftuseg_files::plain;
use serde::de::DeserializeOwned;

use super::{RUN_SCHEMA, RunRecord, SLIDE_SCHEMA, SlideRecord};

/// The largest `slide.json` that is read: it may hold the RLE of a large slide.
const MAX_SLIDE: u64 = 256 << 20;
/// The largest `run.json` that is read.
const MAX_RUN: u64 = 1 << 30;

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{}: is not a record: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another version wrote it.
    #[error("{}: its schema is {found}, not {known}; it was made by another version", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What it states.
        found: String,
        /// What this version reads.
        known: &'static str,
    },
}

/// Reads a `slide.json`.
///
/// # Errors
/// When the file cannot be read, is no record, or is one of another version.
pub fn read_slide(path: &Path) -> Result<SlideRecord, ReadError> {
    read(path, MAX_SLIDE, SLIDE_SCHEMA)
}

/// Reads a `run.json`.
///
/// # Errors
/// When the file cannot be read, is no record, or is one of another version.
pub fn read_run(path: &Path) -> Result<RunRecord, ReadError> {
    read(path, MAX_RUN, RUN_SCHEMA)
}

/// What every record states.
#[derive(serde::Deserialize)]
struct Stated {
    schema: Option<String>,
}

fn read<T: DeserializeOwned>(path: &Path, most: u64, known: &'static str) -> Result<T, ReadError> {
    let bytes = plain::read(path, most).map_err(|cause| ReadError::Io {
        path: path.to_owned(),
        cause,
    })?;
    let wrong = |error: serde_json::Error| ReadError::Format {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    // First the schema: whatever else another version writes is not this one's to judge.
    let stated: Stated = serde_json::from_slice(&bytes).map_err(wrong)?;
    if stated.schema.as_deref() != Some(known) {
        return Err(ReadError::Schema {
            path: path.to_owned(),
            found: stated.schema.unwrap_or_else(|| "not stated".to_owned()),
            known,
        });
    }
    serde_json::from_slice(&bytes).map_err(wrong)
}
