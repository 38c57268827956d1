//! What is to be segmented: a file, or px in an array that stays where it is.

use std::path::PathBuf;

use ftuseg::slide::ArraySlide;
use numpy::{PyArrayDescrMethods, PyReadonlyArray3, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::error::Failure;

/// What a caller hands in.
pub(crate) enum Input<'py> {
    /// A slide in a file.
    File(PathBuf),
    /// Px, `[height, width, 3 or 4]`.
    Array(PyReadonlyArray3<'py, u8>),
}

impl<'py> Input<'py> {
    /// Takes a path as it is, and whatever else as an array.
    pub fn of(slide: &Bound<'py, PyAny>) -> Result<Self, Failure> {
        let is_path = slide.is_instance_of::<PyString>() || slide.hasattr("__fspath__")?;
        if is_path {
            return Ok(Input::File(slide.extract()?));
        }
        if slide.is_instance_of::<PyBytes>() {
            return Err(Failure::usage(
                "bytes are no slide: hand in a path, or an array of px",
            ));
        }
        let numpy = slide.py().import("numpy")?;
        // An array stays what it is; what only knows how to become one becomes one.
        let array = numpy.call_method1("asarray", (slide,))?;
        let refused = |what: String| {
            Failure::usage(format!(
                "{what} is no slide: hand in a path, or an array of the shape (height, width, 3 or 4) and the dtype uint8"
            ))
        };
        let untyped = array
            .cast::<PyUntypedArray>()
            .map_err(|error| Failure::Raised(error.into()))?;
        let (shape, dtype) = (untyped.shape(), untyped.dtype());
        if shape.len() != 3 || !dtype.is_equiv_to(&numpy::dtype::<u8>(slide.py())) {
            return Err(refused(match shape.is_empty() {
                true => slide.get_type().to_string(),
                false => format!("an array of the shape {shape:?} and the dtype {dtype}"),
            }));
        }
        let array = array.extract()?;
        Ok(Input::Array(array))
    }
}

/// The px of an array as a slide.
pub(crate) fn slide_of<'a>(
    array: &'a PyReadonlyArray3<'_, u8>,
    mpp: Option<f64>,
) -> Result<ArraySlide<'a>, Failure> {
    Ok(ArraySlide::new(array.as_array(), mpp)?)
}
