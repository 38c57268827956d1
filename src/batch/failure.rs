//! Why a slide failed: a kind that programs act on, and a reason for people.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::panic::AssertUnwindSafe;

use crate::sink::SinkError;
use ftuseg_records::Help;

use super::Job;

/// Why a slide failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// Kind, as `run.json` has it.
    pub kind: String,
    /// What happened, and to which file.
    pub reason: String,
    /// Whether no other slide could be written either, since the disk is full or read-only.
    pub is_of_the_disk: bool,
    /// What would help.
    pub help: Option<Help>,
}

impl Failure {
    pub(super) fn new(kind: &str, reason: impl std::fmt::Display) -> Self {
        Failure {
            kind: kind.to_owned(),
            reason: reason.to_string(),
            is_of_the_disk: false,
            help: None,
        }
    }

    /// The same, with what would help.
    pub(super) fn with_help(mut self, help: Option<Help>) -> Self {
        self.help = help;
        self
    }

    /// The failure of a result that could not be written.
    pub(super) fn of_output(error: &(dyn Error + 'static)) -> Self {
        Failure {
            is_of_the_disk: is_of_the_disk(error),
            ..Failure::new("output", error)
        }
    }
}

/// Whether an error comes from a disk that takes nothing more.
fn is_of_the_disk(error: &(dyn Error + 'static)) -> bool {
    let of_sink = || error.downcast_ref::<SinkError>()?.io_error();
    let io = error.downcast_ref::<io::Error>().or_else(of_sink);
    io.is_some_and(|io| {
        matches!(
            io.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem
        )
    })
}

/// An error's text with the slide's file. Most name it; those that do not are given it.
pub(super) fn named(job: &Job, error: &dyn std::fmt::Display) -> String {
    let (name, text) = (job.path.display().to_string(), error.to_string());
    if text.contains(&name) {
        text
    } else {
        format!("{name}: {text}")
    }
}

/// Runs one slide's work; a panic, in a decoder say, becomes that slide's failure.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // Nothing of the slide is used after a panic; what is shared is behind locks that survive one.
    match std::panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(Failure::new(
                "internal",
                format!("the program panicked on this slide ({text}); please report it"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slide::tiled_tiff;

    #[test]
    fn a_full_disk_is_seen_through_every_layer() {
        let io = |kind: ErrorKind| io::Error::from(kind);
        for (kind, expected) in [
            (ErrorKind::StorageFull, true),
            (ErrorKind::QuotaExceeded, true),
            (ErrorKind::ReadOnlyFilesystem, true),
            (ErrorKind::PermissionDenied, false),
            (ErrorKind::FileTooLarge, false),
        ] {
            let errors: [Box<dyn Error>; 4] = [
                Box::new(io(kind)),
                Box::new(SinkError::Io {
                    path: "x".into(),
                    cause: io(kind),
                }),
                Box::new(SinkError::Tiff(tiled_tiff::TiledTiffError::Io(io(kind)))),
                Box::new(SinkError::Tiff(tiled_tiff::TiledTiffError::File {
                    path: "x".into(),
                    cause: io(kind),
                })),
            ];
            for error in errors {
                assert_eq!(
                    Failure::of_output(error.as_ref()).is_of_the_disk,
                    expected,
                    "{error:?}"
                );
            }
        }
    }
}
