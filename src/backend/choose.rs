//! Chooses the backend, brings the runtime library if need be, and says what it does.

use super::runtime::{self, LibraryError, Search};
use super::{Backend, BackendError, OnnxRuntime};

/// Which backend the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendChoice {
    /// ONNX Runtime; `rten`, with a loud warning, where no library can be had.
    Auto,
    /// ONNX Runtime or an error.
    OnnxRuntime,
    /// The pure-Rust runtime.
    Rten,
}

/// Finds or brings the runtime and starts it with `threads` threads.
///
/// `say` gets a line for the user about anything that is fetched or goes another way than the usual one.
///
/// # Errors
/// When no backend can serve the choice; the error says what to type.
pub fn choose(
    choice: BackendChoice,
    search: &Search,
    threads: usize,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Backend>, BackendError> {
    match choice {
        BackendChoice::Rten => pure_rust(threads, None),
        BackendChoice::OnnxRuntime => onnxruntime(search, threads, say),
        BackendChoice::Auto => match onnxruntime(search, threads, say) {
            Ok(backend) => Ok(backend),
            // Any other error is about a library that the user named or that is broken: theirs to mend.
            Err(BackendError::Runtime(error @ LibraryError::NotFound { .. }))
                if cfg!(feature = "rten") =>
            {
                let warning = format!(
                    "WARNING: running on the pure-Rust runtime, about four times slower, because ONNX Runtime cannot be used: {error}"
                );
                say(&warning);
                pure_rust(threads, Some(warning))
            }
            Err(error) => Err(error),
        },
    }
}

fn onnxruntime(
    search: &Search,
    threads: usize,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Backend>, BackendError> {
    let located = runtime::locate(search, say)?;
    Ok(Box::new(OnnxRuntime::start(&located, threads)?))
}

#[cfg(feature = "rten")]
fn pure_rust(threads: usize, warning: Option<String>) -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(super::Rten::new(threads, warning)))
}

#[cfg(not(feature = "rten"))]
fn pure_rust(_threads: usize, _warning: Option<String>) -> Result<Box<dyn Backend>, BackendError> {
    Err(BackendError::Usage(
        "this program was built without the feature `rten`".to_owned(),
    ))
}
