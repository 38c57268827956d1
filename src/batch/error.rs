//! Reasons why a batch cannot start. What happens to one slide is not an error of the batch.

use std::path::{Path, PathBuf};

/// Errors of the batch room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// An input does not exist or cannot be listed.
    #[error("{}: {cause}", path.display())]
    Input {
        /// The input.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
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
        /// What is wrong.
        reason: String,
    },
    /// A manifest has a column `path`, and a folder of images was named as well.
    #[error("{}: it has a column path, so a folder of images has no meaning", path.display())]
    ImagesNotNeeded {
        /// The manifest.
        path: PathBuf,
    },
    /// A manifest has no column `path`, and no folder of images was named.
    #[error("{}: it has no column path, and no folder of images was named, as Kaggle's tables need it", path.display())]
    NoPaths {
        /// The manifest.
        path: PathBuf,
    },
    /// Another program is writing into the output folder.
    #[error("{}: {holder} is writing into this folder", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Who is writing.
        holder: String,
    },
    /// The output folder lies on a file system that knows no locks.
    #[error("{}: this file system cannot lock the folder ({cause})", path.display())]
    NoLocks {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// Something other than a folder is where the slides' folders belong.
    #[error("{}: it is a link or not a folder, and results are not written through it", path.display())]
    NotAFolder {
        /// What is there.
        path: PathBuf,
    },
    /// A joined report was to be written into a folder that holds results of its own.
    #[error("{}: it holds results of its own", path.display())]
    HoldsResults {
        /// The folder.
        path: PathBuf,
    },
    /// A slide's result was made with other settings, or from another file.
    #[error("{}: it was made by an earlier run {how}", path.display())]
    OtherSettings {
        /// The slide's folder.
        path: PathBuf,
        /// With which settings, old -> new, or from which file.
        how: String,
    },
    /// Results of slides that are not among the inputs were made with other settings.
    #[error(
        "{}: {differing} of {total} slides here that are not among the inputs were made with other settings ({first})",
        path.display()
    )]
    OthersDiffer {
        /// The folder of the slides' folders.
        path: PathBuf,
        /// How many differ.
        differing: usize,
        /// How many there are.
        total: usize,
        /// How the first one differs.
        first: String,
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
    #[error("the batch has ended, but its reports could not be written: {0}")]
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
