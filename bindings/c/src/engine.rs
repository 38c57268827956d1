//! The engine's handle.

use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;

use ftuseg::Engine;
use ftuseg::bundle::Bundle;

use super::error::{Failure, ftuseg_status};
use super::guard::{guard, guard_or};
use super::handles;
use super::options::ftuseg_options;
use super::strings::c_text;

/// A bundle of networks on a runtime. Many threads may use one engine at once, each for a slide of its own.
pub struct ftuseg_engine {
    pub(crate) engine: Engine,
    /// What results need to know of the bundle; they outlive the engine.
    pub(crate) bundle: Arc<Bundle>,
    runtime: CString,
    bundle_name: CString,
}

/// Gets a line for people: about what is fetched, what is passed over, what goes another way than usual. Called only while
/// `ftuseg_engine_new` runs, and on its thread. `line` ends with a NUL, not with a newline, and holds until the function
/// returns. It must return: no exception and no longjmp may leave it.
pub type ftuseg_log_fn = Option<unsafe extern "C" fn(line: *const c_char, user: *mut c_void)>;

impl ftuseg_engine {
    fn new(options: &ftuseg_options, say: impl FnMut(&str)) -> Result<Self, Failure> {
        let engine = options.builder()?.on_message(say).build()?;
        let about = engine.backend().about();
        let runtime = format!(
            "{} {}, {} in {}, {} threads",
            about.backend, about.version, about.device, about.arithmetic, about.threads
        );
        let bundle = Arc::new(engine.bundle().clone());
        Ok(ftuseg_engine {
            runtime: c_text(&runtime),
            bundle_name: c_text(&format!("{} {}", bundle.name, bundle.version)),
            bundle,
            engine,
        })
    }
}

/// Makes an engine: checks the bundle and its files, finds and starts the runtime, proves the device. Networks are loaded
/// when they are first needed. Where ONNX Runtime is not installed, it is fetched with pip, unless the option `offline`
/// or the environment variable FTUSEG_OFFLINE forbids it.
///
/// @param options  what it is to be; NULL for what the command does
/// @param log      gets lines for people; may be NULL
/// @param user     handed to `log` as it is
/// @param engine   the new engine, to be freed with `ftuseg_engine_free`; NULL after an error
///
/// # Errors
/// `BUNDLE` and `NO_MODEL` for the bundle; `BACKEND` for the runtime or the device: nothing else is used instead; `USAGE`
/// for options that do not fit each other.
///
/// # Safety
/// `options` is NULL or not freed; `engine` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_engine_new(
    options: *const ftuseg_options,
    log: ftuseg_log_fn,
    user: *mut c_void,
    engine: *mut *mut ftuseg_engine,
) -> ftuseg_status {
    guard(|| {
        // SAFETY: as the caller promises.
        let (place, options) = unsafe { (handles::place(engine)?, options.as_ref()) };
        let say = |line: &str| {
            if let Some(log) = log {
                let line = c_text(line);
                // SAFETY: the caller's function takes a text and what the caller wanted it to get.
                unsafe { log(line.as_ptr(), user) };
            }
        };
        let made = ftuseg_engine::new(options.unwrap_or(&ftuseg_options::default()), say)?;
        *place = Box::into_raw(Box::new(made));
        Ok(())
    })
}

/// What runs the networks, for people: "onnxruntime 1.31.1, cpu in fp32, 8 threads". It holds as long as the engine; NULL
/// if `engine` is.
///
/// # Safety
/// `engine` is NULL or not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_engine_runtime(engine: *const ftuseg_engine) -> *const c_char {
    // SAFETY: as the caller promises.
    let engine = unsafe { engine.as_ref() };
    engine.map_or(std::ptr::null(), |engine| engine.runtime.as_ptr())
}

/// The bundle's name and version: "ftuseg-cores 0.6.0". It holds as long as the engine; NULL if `engine` is.
///
/// # Safety
/// `engine` is NULL or not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_engine_bundle(engine: *const ftuseg_engine) -> *const c_char {
    // SAFETY: as the caller promises.
    let engine = unsafe { engine.as_ref() };
    engine.map_or(std::ptr::null(), |engine| engine.bundle_name.as_ptr())
}

/// Frees an engine and its networks. Its results stay. No other thread may be using it. NULL is nothing to free.
///
/// # Safety
/// `engine` is NULL, or not freed and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_engine_free(engine: *mut ftuseg_engine) {
    // SAFETY: as the caller promises.
    guard_or((), || unsafe { handles::free(engine) });
}
