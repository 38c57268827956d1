//! What can go wrong while masks are compared with the truth.

use std::path::{Path, PathBuf};

use ftuseg_mask::{MaskError, rle::RleError};
use ftuseg_slide::SlideError;
use ftuseg_slide::mask_image::MaskImageError;

use super::ClassError;

/// Errors of the evaluation room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A table, a folder or a GeoJSON file is not what it should be.
    #[error("{}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// It cannot be said which polygons of a GeoJSON file count.
    #[error("{}: {reason}", path.display())]
    Classes {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: ClassError,
    },
    /// A mask image cannot be read.
    #[error(transparent)]
    Image(#[from] SlideError),
    /// A mask image cannot be turned into a mask.
    #[error(transparent)]
    MaskImage(#[from] MaskImageError),
    /// Two masks have different sizes, or one has an impossible size.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// An RLE that does not fit its image.
    #[error("its RLE: {0}")]
    Rle(RleError),
    /// A mask of another size than the truth.
    #[error("it is {} x {} px, but the truth is {} x {} px", found.0, found.1, truth.0, truth.1)]
    Size {
        /// Width and height of what was found.
        found: (u32, u32),
        /// Width and height of the truth.
        truth: (u32, u32),
    },
}

impl From<RleError> for EvaluateError {
    fn from(error: RleError) -> Self {
        EvaluateError::Rle(error)
    }
}

impl EvaluateError {
    pub(super) fn io(path: &Path, cause: std::io::Error) -> Self {
        EvaluateError::Io {
            path: path.to_owned(),
            cause,
        }
    }

    pub(super) fn format(path: &Path, reason: impl Into<String>) -> Self {
        EvaluateError::Format {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
