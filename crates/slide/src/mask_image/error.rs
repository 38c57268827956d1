//! What can go wrong with a mask in an image.

use std::path::{Path, PathBuf};

use ftuseg_mask::MaskError;

use crate::SlideError;

/// Errors of reading a mask.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaskImageError {
    /// The file cannot be read.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file holds no mask whose meaning is sure.
    #[error("{}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The image cannot be read.
    #[error(transparent)]
    Image(#[from] SlideError),
    /// The image cannot be turned into a mask.
    #[error(transparent)]
    Mask(#[from] MaskError),
}

impl MaskImageError {
    pub(super) fn io(path: &Path, cause: std::io::Error) -> Self {
        MaskImageError::Io {
            path: path.to_owned(),
            cause,
        }
    }

    pub(super) fn format(path: &Path, reason: impl Into<String>) -> Self {
        MaskImageError::Format {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
