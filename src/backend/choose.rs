//! Chooses the backend, brings the runtime library if need be, and says what it does.

use super::{Arithmetic, Backend, BackendError, Device, DeviceChoice, OnnxRuntime, Trial};
use ftuseg_provision::onnxruntime::{self, Accelerator, CUDA, LibraryError, OPENVINO, Search};

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

/// As [`choose`], on a device of the user's choice.
///
/// [`DeviceChoice::Auto`] is the processor; by OpenVINO where a [`Trial`] in the cache folder has shown, with the same
/// library on the same kind of processor, that it is faster and gives the same masks. `say` is told when it is.
///
/// # Errors
/// As [`choose`]; and when the device cannot be used: nothing else is used in its place.
pub fn choose_on(
    choice: BackendChoice,
    device: DeviceChoice,
    wish: Arithmetic,
    search: &Search,
    threads: usize,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Backend>, BackendError> {
    let device = match device {
        DeviceChoice::Exactly(device) => device,
        DeviceChoice::Auto => match proven(choice, search, threads) {
            // OpenVINO does not compute in fp16, and nothing else is used in its place.
            Some((trial, located)) if wish != Arithmetic::Fp16 => {
                say(&format!(
                    "running on OpenVINO: {trial}; --device cpu does without"
                ));
                let runtime = OnnxRuntime::start_on(&located, threads, Device::OpenVino, wish)?;
                return Ok(Box::new(runtime));
            }
            _ => Device::Cpu,
        },
    };
    let accelerator: &Accelerator = match device {
        Device::Cpu => {
            let arithmetic = device.arithmetic(wish)?;
            if arithmetic == "fp32" {
                return choose(choice, search, threads, say);
            }
            if choice == BackendChoice::Rten {
                return Err(BackendError::Usage(format!(
                    "--precision {arithmetic}: --backend rten computes in fp32 only"
                )));
            }
            let located = onnxruntime::locate(search, say)?;
            let runtime = OnnxRuntime::start_on(&located, threads, device, wish)?;
            return Ok(Box::new(runtime));
        }
        Device::OpenVino => &OPENVINO,
        Device::Cuda(_) | Device::AllCuda => &CUDA,
    };
    if choice == BackendChoice::Rten {
        return Err(BackendError::Usage(format!(
            "--backend rten runs on the processor only; leave --backend out for --device {device}"
        )));
    }
    let located = onnxruntime::locate_accelerated(search, accelerator)?;
    Ok(Box::new(OnnxRuntime::start_on(
        &located, threads, device, wish,
    )?))
}

/// The trial that speaks for OpenVINO here, with the library that it was made with.
fn proven(
    choice: BackendChoice,
    search: &Search,
    threads: usize,
) -> Option<(Trial, onnxruntime::Located)> {
    // A library that the user names is the one to use.
    if choice == BackendChoice::Rten || search.option.is_some() || search.variable.is_some() {
        return None;
    }
    let trial = Trial::read(search.cache.as_deref()?)?;
    if !trial.speaks_for_it(threads) {
        return None;
    }
    let located = onnxruntime::locate_accelerated(search, &OPENVINO).ok()?;
    (located.sha256 == trial.library_sha256).then_some((trial, located))
}

/// Finds or brings the runtime and starts it with `threads` threads, on the processor.
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
    let located = onnxruntime::locate(search, say)?;
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
