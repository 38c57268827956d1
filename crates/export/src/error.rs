//! What can go wrong while a run is exported.

use std::path::{Path, PathBuf};

use ftuseg_files::whole::WriteError;
use ftuseg_records::ReadError;
use ftuseg_slide::tiled_tiff::TiledTiffError;

/// Errors of the export room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A record of the run cannot be used.
    #[error(transparent)]
    Record(#[from] ReadError),
    /// The folder holds no run, or one whose slides lie elsewhere.
    #[error("{}: {reason}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The run did not write what the format is made from.
    #[error("{}: it has no {file}, which the export is made from", folder.display())]
    MissingOutput {
        /// The slide's folder.
        folder: PathBuf,
        /// The file that is not there.
        file: &'static str,
        /// The output that it belongs to.
        output: &'static str,
    },
    /// The run's outlines have fewer corners than the objects have.
    #[error(
        "{}: its outlines were simplified by up to {tolerance_um} um, and the export is made from exact ones",
        folder.display()
    )]
    Simplified {
        /// The slide's folder.
        folder: PathBuf,
        /// How far they may be from the exact ones, um.
        tolerance_um: f64,
    },
    /// A file of the run cannot be read.
    #[error("{}: cannot be read: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// A file of the run is not what the run wrote, or two of them contradict each other.
    #[error("{}: {reason}; segment the slide again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The slide has more px than the format counts.
    #[error("{}: a slide of {width} x {height} px has more px than a run-length encoding of COCO can count", path.display())]
    TooManyPixels {
        /// The slide's folder.
        path: PathBuf,
        /// Its width, px.
        width: u32,
        /// Its height, px.
        height: u32,
    },
    /// The slide's um/px is not known, and the format must state it.
    #[error("{}: its um/px is not known, which the format must state", path.display())]
    NoResolution {
        /// The slide's folder.
        path: PathBuf,
    },
    /// The format has no room for the slide.
    #[error("{}: {reason}", path.display())]
    Unsupported {
        /// The slide's folder.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// Something is there already.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// An image of labels could not be written.
    #[error(transparent)]
    Tiff(#[from] TiledTiffError),
}

impl ExportError {
    pub(crate) fn io(path: &Path, cause: std::io::Error) -> Self {
        ExportError::Io {
            path: path.to_owned(),
            cause,
        }
    }

    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        ExportError::Damaged {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    #[cfg(any(feature = "epic", feature = "spatialdata"))]
    pub(crate) fn unsupported(path: &Path, reason: impl Into<String>) -> Self {
        ExportError::Unsupported {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn write(path: &Path, cause: std::io::Error) -> Self {
        ExportError::Write(WriteError {
            path: path.to_owned(),
            cause,
        })
    }
}
