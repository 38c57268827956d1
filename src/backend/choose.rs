//! Chooses the backend, brings the runtime library if need be, and says what it does.

use super::{
    Arithmetic, Backend, BackendChoice, BackendError, Device, DeviceChoice, FloatFormat,
    OnnxRuntime, Trial,
};
use ftuseg_provision::onnxruntime::{self, Accelerator, CUDA, LibraryError, OPENVINO, Search};

/// As [`choose`], on a device of the user's choice.
///
/// [`DeviceChoice::Auto`] is the processor; by OpenVINO where a [`Trial`] in the cache folder has shown, with the same
/// library on the same kind of processor, that it is faster and gives the same masks. An OpenVINO
/// of which that is known and that cannot be used any more is passed over with a warning, which stands in the record.
///
/// # Errors
/// As [`choose`]; and when a device that is named cannot be used: nothing else is used in its place.
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
        DeviceChoice::Auto => return auto(choice, wish, search, threads, say),
    };
    let accelerator: &Accelerator = match device {
        Device::Cpu => return processor(choice, wish, search, threads, None, say),
        Device::OpenVino => &OPENVINO,
        Device::Cuda(_) | Device::AllCuda => &CUDA,
    };
    if choice == BackendChoice::Rten {
        return Err(BackendError::OnlyCpu {
            device: device.to_string(),
        });
    }
    let located = onnxruntime::locate_accelerated(search, accelerator)?;
    Ok(Box::new(OnnxRuntime::start_on(
        &located, threads, device, wish,
    )?))
}

/// What was proven to be the fastest; the processor where nothing was.
fn auto(
    choice: BackendChoice,
    wish: Arithmetic,
    search: &Search,
    threads: usize,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Backend>, BackendError> {
    let warning = |reason: &str| {
        format!(
            "WARNING: running on the CPU without OpenVINO, which was faster in a trial on this machine but cannot be used now: {}",
            reason.trim_end_matches('.')
        )
    };
    let passed_over = match proven(choice, search, threads) {
        // OpenVINO does not compute in fp16.
        _ if wish == Arithmetic::Fp16 => None,
        Ok(None) => None,
        Ok(Some((_, located))) => {
            match OnnxRuntime::start_on(&located, threads, Device::OpenVino, wish) {
                Ok(runtime) => return Ok(Box::new(runtime)),
                Err(error) => {
                    let warning = warning(&one_line(&error));
                    // A process can use only one library: where this one has started, it is the one for the processor, too.
                    let plain = OnnxRuntime::start_on(&located, threads, Device::Cpu, wish);
                    if let Ok(plain) = plain {
                        say(&warning);
                        return Ok(Box::new(plain.with_warning(Some(warning))));
                    }
                    Some(warning)
                }
            }
        }
        Err(reason) => Some(warning(&reason)),
    };
    if let Some(warning) = &passed_over {
        say(warning);
    }
    processor(choice, wish, search, threads, passed_over, say)
}

/// The processor, with a warning for the record where something faster was passed over.
fn processor(
    choice: BackendChoice,
    wish: Arithmetic,
    search: &Search,
    threads: usize,
    passed_over: Option<String>,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Backend>, BackendError> {
    let arithmetic = Device::Cpu.arithmetic(wish)?;
    if arithmetic == FloatFormat::Fp32 {
        return plain(choice, search, threads, passed_over, say);
    }
    if choice == BackendChoice::Rten {
        return Err(BackendError::Precision {
            who: "rten".to_owned(),
            wanted: arithmetic,
            why: None,
            instead: FloatFormat::Fp32,
        });
    }
    let located = onnxruntime::locate(search, say)?;
    let runtime = OnnxRuntime::start_on(&located, threads, Device::Cpu, wish)?;
    Ok(Box::new(runtime.with_warning(passed_over)))
}

/// The trial that speaks for OpenVINO here, with the library that it was made with. The error is why a library that was
/// shown to be faster cannot be used, or why nobody can know.
fn proven(
    choice: BackendChoice,
    search: &Search,
    threads: usize,
) -> Result<Option<(Trial, onnxruntime::Located)>, String> {
    // A library that the user names is the one to use.
    if choice == BackendChoice::Rten || search.option.is_some() || search.variable.is_some() {
        return Ok(None);
    }
    let trial = match search.cache.as_deref().map(Trial::find) {
        Some(found) => found?,
        None => None,
    };
    let Some(trial) = trial.filter(|trial| trial.speaks_for_it(threads)) else {
        return Ok(None);
    };
    let located =
        onnxruntime::locate_accelerated(search, &OPENVINO).map_err(|error| error.one_line())?;
    if located.sha256 != trial.library_sha256 {
        return Err(format!(
            "{} is not the library that the trial was made with",
            located.path.display()
        ));
    }
    Ok(Some((trial, located)))
}

fn one_line(error: &BackendError) -> String {
    let text = match error {
        BackendError::Device { reason, .. } => reason.clone(),
        error => error.to_string(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
    plain(choice, search, threads, None, say)
}

fn plain(
    choice: BackendChoice,
    search: &Search,
    threads: usize,
    passed_over: Option<String>,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Backend>, BackendError> {
    match choice {
        BackendChoice::Rten => pure_rust(threads, passed_over),
        BackendChoice::OnnxRuntime => onnxruntime(search, threads, passed_over, say),
        BackendChoice::Auto => match onnxruntime(search, threads, passed_over.clone(), say) {
            Ok(backend) => Ok(backend),
            // Any other error is about a library that the user named or that is broken: theirs to mend.
            Err(BackendError::Runtime(error @ LibraryError::NotFound { .. }))
                if cfg!(feature = "rten") =>
            {
                let warning = format!(
                    "WARNING: running on the pure-Rust runtime, about four times slower, because ONNX Runtime cannot be used: {error}"
                );
                say(&warning);
                let all: Vec<String> = passed_over.into_iter().chain([warning]).collect();
                pure_rust(threads, Some(all.join("\n")))
            }
            Err(error) => Err(error),
        },
    }
}

fn onnxruntime(
    search: &Search,
    threads: usize,
    passed_over: Option<String>,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Backend>, BackendError> {
    let located = onnxruntime::locate(search, say)?;
    let runtime = OnnxRuntime::start(&located, threads)?;
    Ok(Box::new(runtime.with_warning(passed_over)))
}

#[cfg(feature = "rten")]
fn pure_rust(threads: usize, warning: Option<String>) -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(super::Rten::new(threads, warning)))
}

#[cfg(not(feature = "rten"))]
fn pure_rust(_threads: usize, _warning: Option<String>) -> Result<Box<dyn Backend>, BackendError> {
    Err(BackendError::Usage(
        "this build does not include rten (its feature `rten` is off)".to_owned(),
    ))
}
