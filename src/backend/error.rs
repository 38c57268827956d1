//! What can go wrong with a runtime or a network.

#[cfg(feature = "onnxruntime")]
use ftuseg_provision::onnxruntime::LibraryError;

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
    #[error(
        "the device {device} cannot be used: {reason}. `ftuseg doctor --device {device}` shows more; --device cpu works everywhere"
    )]
    Device {
        /// The device, as it is typed.
        device: String,
        /// The runtime's reason.
        reason: String,
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
