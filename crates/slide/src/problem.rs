//! What is wrong inside a slide, before the file's name is put to it.

use std::io;
use std::path::Path;

use crate::SlideError;

/// A [`SlideError`] without its file, so that the parts that parse and decode need not know the path.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The file is broken.
    Format(String),
    /// The file uses something that cannot be read.
    Unsupported(String),
    /// The file asks for more than the limits allow.
    Limits(String),
    /// A compressed strip is larger than the caller allows.
    Strip(String),
    /// The operating system could not read.
    Io(io::Error),
}

impl Problem {
    pub(crate) fn format(reason: impl Into<String>) -> Self {
        Problem::Format(reason.into())
    }

    pub(crate) fn unsupported(reason: impl Into<String>) -> Self {
        Problem::Unsupported(reason.into())
    }

    pub(crate) fn limits(reason: impl Into<String>) -> Self {
        Problem::Limits(reason.into())
    }

    /// Says where in the file it is, in front of the reason.
    pub(crate) fn within(self, place: impl FnOnce() -> String) -> Self {
        match self {
            Problem::Format(reason) => Problem::Format(format!("{}: {reason}", place())),
            Problem::Unsupported(reason) => Problem::Unsupported(format!("{}: {reason}", place())),
            Problem::Limits(reason) => Problem::Limits(format!("{}: {reason}", place())),
            Problem::Strip(reason) => Problem::Strip(format!("{}: {reason}", place())),
            Problem::Io(source) => Problem::Io(source),
        }
    }

    pub(crate) fn of(self, path: &Path) -> SlideError {
        match self {
            Problem::Format(reason) => SlideError::format(path, reason),
            Problem::Unsupported(reason) => SlideError::unsupported(path, reason),
            Problem::Limits(reason) => SlideError::limits(path, reason),
            Problem::Strip(reason) => SlideError::StripTooLarge {
                path: path.to_owned(),
                reason,
            },
            Problem::Io(source) => SlideError::io(path, source),
        }
    }
}
