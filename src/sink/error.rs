//! What can go wrong while writing results.

use std::path::{Path, PathBuf};

use ftuseg_router::Target;

use super::Output;
use crate::mask::MaskError;
use crate::slide::SlideError;
use crate::slide::mask_image::MaskImageError;
use crate::slide::tiled_tiff;

/// Errors of the sink room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// A file could not be written.
    #[error("{}: cannot be written: {cause}; check the free space and the folder's permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The mask could not be written as TIFF.
    #[error(transparent)]
    Tiff(#[from] tiled_tiff::TiledTiffError),
    /// The slide could not be read for the picture.
    #[error(transparent)]
    Slide(#[from] SlideError),
    /// The picture could not be encoded.
    #[error("{}: the picture cannot be encoded: {reason}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// The encoder's reason.
        reason: String,
    },
    /// The probabilities are to be written, but were not kept.
    #[error("{}: the probabilities of {} were not kept; ask for them before the slide is segmented", path.display(), target.label())]
    NoProbabilities {
        /// The file.
        path: PathBuf,
        /// Whose they would be.
        target: Target,
    },
    /// Nobody knows how large a px is, which an output states or needs: see [`Output::needs_resolution`].
    #[error("{}: {}", path.display(), without_resolution(*output))]
    NoResolution {
        /// The file.
        path: PathBuf,
        /// What was to be written.
        output: Output,
    },
    /// A DICOM file cannot be made.
    #[error("{}: it cannot be written: {reason}", path.display())]
    Dicom {
        /// The file.
        path: PathBuf,
        /// What is in the way.
        reason: String,
    },
    /// What is known of the objects could not be put into a file of the temporary folder, or not be read from it.
    #[error("a temporary file cannot be used: {0}; check the temporary folder's free space")]
    Temporary(std::io::Error),
    /// There are more objects than the file has numbers for.
    #[error("{}: it cannot tell {objects} objects apart, only {}", path.display(), u32::MAX)]
    TooManyObjects {
        /// The file.
        path: PathBuf,
        /// How many there are.
        objects: u64,
    },
    /// A finished mask could not be read again.
    #[error(transparent)]
    MaskImage(#[from] MaskImageError),
    /// A mask could not be handled.
    #[error(transparent)]
    Mask(#[from] MaskError),
}

#[cfg(feature = "zarr")]
impl From<ftuseg_files::whole::WriteError> for SinkError {
    fn from(error: ftuseg_files::whole::WriteError) -> Self {
        SinkError::Io {
            path: error.path,
            cause: error.cause,
        }
    }
}

/// Why an output cannot be written of a slide whose um/px is not known, and what to do.
fn without_resolution(output: Output) -> &'static str {
    match output {
        #[cfg(feature = "dicom-seg")]
        Output::DicomSeg => {
            "a DICOM segmentation states the size of its px, and the slide's um/px is not known; give it, or leave this output out"
        }
        _ => {
            "outlines cannot be simplified by a tolerance in um, since the slide's um/px is not known; give it, or write exact outlines"
        }
    }
}

impl SinkError {
    /// What the system said, where it is the system that refused.
    pub fn io_error(&self) -> Option<&std::io::Error> {
        match self {
            SinkError::Io { cause, .. } | SinkError::Temporary(cause) => Some(cause),
            SinkError::Tiff(error) => error.io_error(),
            _ => None,
        }
    }

    pub(super) fn io(path: &Path, cause: std::io::Error) -> Self {
        SinkError::Io {
            path: path.to_owned(),
            cause,
        }
    }
}
