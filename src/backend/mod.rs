//! Runs networks: the [`Backend`] trait, its implementations, and the choice between them.
//!
//! The rest of the engine sees [`Backend`] and [`Session`] only, never a runtime's own types. A backend loads a
//! network from bytes that were already checked; a session belongs to one thread at a time.

mod choose;
mod device;
mod error;
mod onnxruntime;
#[cfg(feature = "rten")]
mod pure_rust;
pub mod runtime;
mod trial;

use ndarray::ArrayView4;
use serde::Serialize;

pub use choose::{BackendChoice, choose, choose_on};
pub use device::{Arithmetic, Device, DeviceChoice};
pub use error::BackendError;
pub use onnxruntime::OnnxRuntime;
#[cfg(feature = "rten")]
pub use pure_rust::Rten;
pub use trial::{Trial, TrialError};

/// What a network is fed.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// RGB bytes, `[n, height, width, 3]`.
    Bytes(ArrayView4<'a, u8>),
    /// Normalised floats, `[n, 3, height, width]`.
    Floats(ArrayView4<'a, f32>),
}

/// What a network answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The shape, outermost first.
    pub shape: Vec<usize>,
    /// The values, row-major; as many as the shape says.
    pub values: Vec<f32>,
}

/// One loaded network. `&mut`, because a session belongs to one thread at a time.
pub trait Session: Send {
    /// Runs the network on one input and returns its first output.
    ///
    /// # Errors
    /// When the network wants another kind or size of input, answers with something other than 32-bit floats, or fails.
    fn run(&mut self, input: Input<'_>) -> Result<Output, BackendError>;
}

/// Loads networks.
pub trait Backend: Send + Sync {
    /// Who runs the networks, and on what, for the record.
    fn about(&self) -> &About;

    /// Loads a network from the bytes of an ONNX file. `name` is used in errors.
    ///
    /// # Errors
    /// When the runtime cannot load it.
    fn load(&self, name: &str, onnx: &[u8]) -> Result<Box<dyn Session>, BackendError>;
}

/// Who runs the networks, and on what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct About {
    /// `onnxruntime` or `rten`.
    pub backend: String,
    /// Version of the runtime.
    pub version: String,
    /// Where the runtime's library lies, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// sha256 of the runtime's library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The device: `cpu`, `openvino`, `cuda:0`.
    pub device: String,
    /// What is computed in: `fp32` or `bf16`.
    pub arithmetic: String,
    /// How it is known that the device is used.
    pub proof: String,
    /// Threads that one run of a network may use.
    pub threads: usize,
    /// What the user should know, such as a slower backend than asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}
