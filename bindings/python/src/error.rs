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
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Failure::Raised(error)
    }
}

impl From<ftuseg::Failure> for Failure {
    fn from(failure: ftuseg::Failure) -> Self {
        Failure::Kind(failure.kind, failure.message)
    }
}

/// The library's errors, all by the kind that it gives them.
macro_rules! from_the_library {
    ($($error:ty),+) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                ftuseg::Failure::from(error).into()
            }
        }
    )+};
}

from_the_library!(PipelineError, BundleError, MaskError, SinkError, SlideError);

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
