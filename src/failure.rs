//! Errors as other languages get them: a kind for programs, and one text for people.

use std::error::Error;

use crate::bundle::BundleError;
use crate::mask::MaskError;
use crate::pipeline::PipelineError;
#[cfg(feature = "files")]
use crate::sink::SinkError;
use crate::slide::SlideError;

/// An error of any room, for a caller who knows none of their types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// "usage", "format", "unsupported", "io", "limits", "no-resolution", "no-model", "bundle", "backend", "stopped" or
    /// "internal". Kinds may be added.
    pub kind: &'static str,
    /// What happened, to which file, and why.
    pub message: String,
}

impl Failure {
    fn of(kind: &'static str, error: &dyn Error) -> Self {
        Failure {
            kind,
            message: with_causes(error),
        }
    }
}

/// An error with all its causes. Many errors say their cause themselves; that is not said again.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = next.source();
    }
    text
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        let kind = match error {
            // To a record both are misuse; a program can offer another bundle.
            PipelineError::NoModel(_) | PipelineError::NoRouter => "no-model",
            _ => error.kind(),
        };
        Failure::of(kind, &error)
    }
}

impl From<SlideError> for Failure {
    fn from(error: SlideError) -> Self {
        Failure::of(error.kind(), &error)
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        Failure::of("bundle", &error)
    }
}

impl From<MaskError> for Failure {
    fn from(error: MaskError) -> Self {
        let kind = match error {
            MaskError::Buffer { .. } | MaskError::Level { .. } => "usage",
            _ => "limits",
        };
        Failure::of(kind, &error)
    }
}

#[cfg(feature = "files")]
impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        let kind = match &error {
            SinkError::Slide(error) => error.kind(),
            SinkError::TooManyObjects { .. } => "limits",
            SinkError::NoResolution { .. } => "no-resolution",
            _ if error.io_error().is_some() => "io",
            _ => "internal",
        };
        Failure::of(kind, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Said(&'static str, Option<Box<Said>>);

    impl std::fmt::Display for Said {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Said {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn causes_are_said_once() {
        let cause = |text| Some(Box::new(Said(text, None)));
        let chain = Said(
            "no slide",
            Some(Box::new(Said("the disk is gone", cause("EIO")))),
        );
        assert_eq!(with_causes(&chain), "no slide: the disk is gone: EIO");
        assert_eq!(
            with_causes(&Said("no slide: EIO", cause("EIO"))),
            "no slide: EIO"
        );
    }

    #[test]
    fn a_missing_model_is_told_from_misuse() {
        assert_eq!(Failure::from(PipelineError::NoRouter).kind, "no-model");
        assert_eq!(Failure::from(PipelineError::NoOrganGiven).kind, "usage");
    }

    #[cfg(feature = "files")]
    #[test]
    fn files_that_cannot_be_written_say_why() {
        let path = || std::path::PathBuf::from("mask.tif");
        let full = SinkError::Io {
            path: path(),
            cause: std::io::ErrorKind::StorageFull.into(),
        };
        let many = SinkError::TooManyObjects {
            path: path(),
            objects: 1 << 40,
        };
        for (error, kind) in [(full, "io"), (many, "limits")] {
            let failure = Failure::from(error);
            assert_eq!(failure.kind, kind);
            assert!(failure.message.contains("mask.tif"), "{}", failure.message);
        }
    }
}
