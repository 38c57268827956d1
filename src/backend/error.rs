//! What can go wrong with a runtime or a network.

#[cfg(feature = "onnxruntime")]
use ftuseg_provision::onnxruntime::LibraryError;

use super::FloatFormat;

/// Errors of the backend room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No usable runtime library.
    #[cfg(feature = "onnxruntime")]
    #[error(transparent)]
    Runtime(#[from] LibraryError),
    /// The runtime library was found but did not start.
    #[error("ONNX Runtime at {library} does not start: {reason}")]
    Start {
        /// The library.
        library: String,
        /// The runtime's reason.
        reason: String,
    },
    /// The device that was asked for cannot be used. Nothing else is used instead.
    #[error("the device {device} cannot be used: {reason}")]
    Device {
        /// The device, as it is typed.
        device: String,
        /// The runtime's reason.
        reason: String,
    },
    /// `rten` was chosen for a device that it does not run on.
    #[error("rten runs on the CPU only, not on {device}")]
    OnlyCpu {
        /// The device, as it is typed.
        device: String,
    },
    /// Neither the device nor the runtime computes in the precision that was asked for.
    #[error("{who} does not compute in {wanted}{}", why.map(|why| format!(" ({why})")).unwrap_or_default())]
    Precision {
        /// The device or the runtime.
        who: String,
        /// What was asked for.
        wanted: FloatFormat,
        /// What is missing, where that is known.
        why: Option<&'static str>,
        /// What it does compute in.
        instead: FloatFormat,
    },
    /// A network was to be computed in fp16, and its file cannot.
    #[error(
        "the network {name:?} cannot be computed in fp16: its file has no Cast whose name begins with `half:`, as \
         ftuseg-models exports them"
    )]
    NoFp16 {
        /// The network.
        name: String,
    },
    /// A network could not be loaded.
    #[error("the network {name:?} cannot be loaded by {backend}: {reason}")]
    Load {
        /// The network.
        name: String,
        /// The backend.
        backend: &'static str,
        /// The runtime's reason.
        reason: String,
    },
    /// A network could not be run.
    #[error("the network {name:?} failed in {backend}: {reason}")]
    Run {
        /// The network.
        name: String,
        /// The backend.
        backend: &'static str,
        /// The runtime's reason.
        reason: String,
    },
    /// A network was stopped in the middle of a run, since nobody waits for its answer any more.
    #[error("the network {name:?} was stopped while it ran")]
    Stopped {
        /// The network.
        name: String,
    },
    /// A network's answer has another shape than the bundle promises.
    #[error("the network {name:?} answers {found}, but bundle.toml promises {expected}")]
    Shape {
        /// The network.
        name: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The choice of backend cannot be served.
    #[error("{0}")]
    Usage(String),
}
