//! What can go wrong with a slide, in kinds a caller can act on.

use std::path::{Path, PathBuf};

/// Errors of the slide room. Every one names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlideError {
    /// The file is not what it claims, or is broken.
    #[error("{}: not a readable slide: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is sound but uses something the program cannot read.
    #[error("{}: not supported: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not supported, and what to do.
        reason: String,
    },
    /// The file needs OpenSlide, which is not here.
    #[error("{}: not supported: {reason}", path.display())]
    NoOpenSlide {
        /// The file.
        path: PathBuf,
        /// What it is needed for, and why it is not here.
        reason: String,
    },
    /// The operating system could not read the file.
    #[error("{}: cannot be read: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The file asks for more memory or pixels than the limits allow.
    #[error("{}: over the limits: {reason}", path.display())]
    LimitsExceeded {
        /// The file.
        path: PathBuf,
        /// Which limit.
        reason: String,
    },
    /// A compressed strip takes more memory than [`limit_strips`](crate::limit_strips) allows.
    #[error("{}: over the limits: {reason}", path.display())]
    StripTooLarge {
        /// The file.
        path: PathBuf,
        /// How much it takes, and how much it may.
        reason: String,
    },
    /// The caller asked for something that does not exist.
    #[error("{}: {reason}", path.display())]
    Usage {
        /// The file.
        path: PathBuf,
        /// What was asked.
        reason: String,
    },
}

impl SlideError {
    /// A file that is not what it claims, or is broken.
    pub fn format(path: &Path, reason: impl Into<String>) -> Self {
        SlideError::Format {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// A file that is sound, but uses something that cannot be read.
    pub fn unsupported(path: &Path, reason: impl Into<String>) -> Self {
        SlideError::Unsupported {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// A file that the system could not read.
    pub fn io(path: &Path, cause: std::io::Error) -> Self {
        SlideError::Io {
            path: path.to_owned(),
            cause,
        }
    }

    /// A file that asks for more memory or px than the limits allow.
    pub fn limits(path: &Path, reason: impl Into<String>) -> Self {
        SlideError::LimitsExceeded {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// Something was asked for that the file does not have.
    pub fn usage(path: &Path, reason: impl Into<String>) -> Self {
        SlideError::Usage {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// A short name of the kind, for records: `format`, `unsupported`, `io`, `limits`, `usage`.
    pub fn kind(&self) -> &'static str {
        match self {
            SlideError::Format { .. } => "format",
            SlideError::Unsupported { .. } | SlideError::NoOpenSlide { .. } => "unsupported",
            SlideError::Io { .. } => "io",
            SlideError::LimitsExceeded { .. } | SlideError::StripTooLarge { .. } => "limits",
            SlideError::Usage { .. } => "usage",
        }
    }
}
