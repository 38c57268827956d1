//! Errors of the library as Python's exceptions, by kind. The classes are Python's: `ftuseg/errors.py`.

use ftuseg::PipelineError;
use ftuseg::bundle::BundleError;
use ftuseg::mask::MaskError;
use ftuseg::sink::SinkError;
use ftuseg::slide::SlideError;
use pyo3::prelude::*;

/// An error on its way to Python.
#[derive(Debug)]
pub(crate) enum Failure {
    /// One of the library's: its kind, by which the class is found, and what happened.
    Kind(&'static str, String),
    /// One that Python raised.
    Raised(PyErr),
}

impl Failure {
    pub fn usage(message: impl Into<String>) -> Self {
        Failure::Kind("usage", message.into())
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Failure::Kind("internal", message.into())
    }

    fn of(kind: &'static str, error: &dyn std::error::Error) -> Self {
        Failure::Kind(kind, with_causes(error))
    }
}

/// An error with all its causes. Many errors say their cause themselves; that is not said again.
fn with_causes(error: &dyn std::error::Error) -> String {
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

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Failure::Raised(error)
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Self {
        let kind = match error {
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

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        let kind = match &error {
            SinkError::Slide(error) => error.kind(),
            SinkError::TooManyObjects { .. } => "limits",
            _ if error.io_error().is_some() => "io",
            _ => "internal",
        };
        Failure::of(kind, &error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        let (kind, message) = match failure {
            Failure::Raised(error) => return error,
            Failure::Kind(kind, message) => (kind, message),
        };
        Python::attach(|py| {
            let raise = || {
                let errors = py.import("ftuseg.errors")?;
                errors.getattr("of_kind")?.call1((kind, message))
            };
            match raise() {
                Ok(error) => PyErr::from_value(error),
                Err(error) => error,
            }
        })
    }
}
