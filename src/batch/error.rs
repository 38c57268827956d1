//! Reasons why a batch cannot start. What happens to one slide is not an error of the batch.

use std::path::{Path, PathBuf};

/// Errors of the batch room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// An input does not exist or cannot be listed.
    #[error("{}: {source}", path.display())]
    Input {
        /// The input.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A folder or manifest names no slide.
    #[error("{}: {reason}", path.display())]
    Empty {
        /// The folder or manifest.
        path: PathBuf,
        /// What was looked for.
        reason: String,
    },
    /// A manifest cannot be understood.
    #[error("{}: {reason}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong, with the line.
        reason: String,
    },
    /// The output folder cannot be used.
    #[error("{}: {reason}", path.display())]
    Output {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A record that is there cannot be used.
    #[error(transparent)]
    Record(#[from] ftuseg_records::ReadError),
    /// A file of the output folder cannot be written.
    #[error(transparent)]
    Write(#[from] ftuseg_files::whole::WriteError),
    /// The batch was told to stop before it changed anything.
    #[error("stopped before anything was changed")]
    Stopped,
    /// The batch ran, but its last reports could not be written: those on the disk tell of an earlier moment.
    #[error("the batch ended, but its reports could not be written: {0}")]
    Report(Box<BatchError>),
}

impl BatchError {
    pub(super) fn output(path: &Path, reason: impl Into<String>) -> Self {
        BatchError::Output {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn manifest(path: &Path, reason: impl Into<String>) -> Self {
        BatchError::Manifest {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
