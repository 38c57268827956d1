//! Runs networks: the [`Backend`] trait, its implementations, and the choice between them.
//!
//! The rest of the engine sees [`Backend`] and [`Session`] only, never a runtime's own types. A backend loads a
//! network from bytes that were already checked; a session belongs to one thread at a time.

#[cfg(feature = "onnxruntime")]
mod choose;
mod device;
mod error;
#[cfg(any(feature = "onnxruntime", feature = "rten"))]
mod external_weights;
#[cfg(feature = "onnxruntime")]
mod gpus;
#[cfg(feature = "onnxruntime")]
mod graph;
#[cfg(feature = "rten")]
mod loops;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
#[cfg(feature = "onnxruntime")]
mod openvino_trial;
#[cfg(feature = "onnxruntime")]
mod ort_session;
#[cfg(any(feature = "onnxruntime", feature = "rten"))]
mod protobuf;
#[cfg(feature = "rten")]
mod rten;

use std::sync::Arc;

use ndarray::ArrayView4;

#[cfg(feature = "onnxruntime")]
pub use choose::{choose, choose_on};
pub use device::{Arithmetic, BackendChoice, Device, DeviceChoice};
pub use error::BackendError;
pub use ftuseg_records::{About, FloatFormat};
#[cfg(feature = "onnxruntime")]
pub use onnxruntime::OnnxRuntime;
#[cfg(feature = "onnxruntime")]
pub use openvino_trial::{Trial, TrialError};
#[cfg(feature = "rten")]
pub use rten::Rten;

/// What a network is fed.
#[derive(Debug, Clone, Copy)]
pub enum NetworkInput<'a> {
    /// RGB bytes, `[n, height, width, 3]`.
    Bytes(ArrayView4<'a, u8>),
    /// Normalised floats, `[n, 3, height, width]`.
    Floats(ArrayView4<'a, f32>),
}

/// What a network answers.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkOutput {
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
    /// When the network wants another kind or size of input, answers with something other than 32-bit floats, fails, or is
    /// stopped by its [`Brake`].
    fn run(&mut self, input: NetworkInput<'_>) -> Result<NetworkOutput, BackendError>;

    /// Whether the network computes in 16-bit floats.
    fn is_fp16(&self) -> bool {
        false
    }

    /// What ends a run from another thread; `None` where the backend has no way to.
    fn brake(&self) -> Option<Arc<dyn Brake>> {
        None
    }
}

/// Ends the runs of one session from another thread.
pub trait Brake: Send + Sync {
    /// Ends the run that is under way, and every one that begins before [`Brake::release`]: they fail with
    /// [`BackendError::Stopped`]. It does not wait for that.
    fn pull(&self);

    /// Lets the session run again.
    fn release(&self);
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionOptions {
    /// Which of the backend's lanes it belongs to, from 0.
    pub lane: usize,
    /// It may compute in 16-bit floats, where that is the backend's way.
    pub fp16: bool,
    /// Its answers are probabilities, and steps of 1/240 will do, where that is the backend's way.
    pub byte_answers: bool,
}

/// Loads networks.
pub trait Backend: Send + Sync {
    /// Who runs the networks, and on what, for the record.
    fn about(&self) -> &About;

    /// How many sessions of one network can run at the same time to good effect: 1 on a processor, whose threads one
    /// session fills; 2 on each GPU, so that one computes while the other's bytes are on their way.
    fn lanes(&self) -> usize {
        1
    }

    /// Tiles that a session should be given at once, unless the user says otherwise.
    fn usual_batch(&self) -> usize {
        1
    }

    /// Loads a network from the bytes of an ONNX file. `name` is used in errors.
    ///
    /// # Errors
    /// When the runtime cannot load it.
    fn load(
        &self,
        name: &str,
        onnx: &[u8],
        how: SessionOptions,
    ) -> Result<Box<dyn Session>, BackendError>;
}
