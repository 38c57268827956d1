//! What went wrong: a code by kind, and for each thread the message of its last error.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use ftuseg::PipelineError;
use ftuseg::bundle::BundleError;
use ftuseg::mask::MaskError;
use ftuseg::sink::SinkError;
use ftuseg::slide::SlideError;

use super::strings::c_text;

/// How a call ended: 0, or what kind of error it was. Codes may be added.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ftuseg_status {
    /// All went well.
    Ok = 0,
    /// Something was asked for that does not exist or makes no sense: a NULL, an unknown option, a buffer that is too
    /// small, a region that is not within the slide.
    Usage = 1,
    /// The file is no slide, or is broken.
    Format = 2,
    /// The file is sound, but uses something that cannot be read here.
    Unsupported = 3,
    /// The system could not read or write a file.
    Io = 4,
    /// The slide, or a number in it, is larger than the library allows.
    Limits = 5,
    /// The um/px of the slide is needed and not known.
    NoResolution = 6,
    /// The bundle has no model, or no router, for what was asked.
    NoModel = 7,
    /// There is no bundle, or it is broken.
    Bundle = 8,
    /// The runtime, the device or a network failed.
    Backend = 9,
    /// The caller cancelled the work.
    Cancelled = 10,
    /// An error in the library itself; please report it.
    Internal = 11,
}

impl ftuseg_status {
    /// The kind as the records of the command name it.
    fn name(self) -> &'static std::ffi::CStr {
        match self {
            ftuseg_status::Ok => c"ok",
            ftuseg_status::Usage => c"usage",
            ftuseg_status::Format => c"format",
            ftuseg_status::Unsupported => c"unsupported",
            ftuseg_status::Io => c"io",
            ftuseg_status::Limits => c"limits",
            ftuseg_status::NoResolution => c"no-resolution",
            ftuseg_status::NoModel => c"no-model",
            ftuseg_status::Bundle => c"bundle",
            ftuseg_status::Backend => c"backend",
            ftuseg_status::Cancelled => c"stopped",
            ftuseg_status::Internal => c"internal",
        }
    }

    /// The code of a kind that the library names.
    fn of_kind(kind: &str) -> Self {
        match kind {
            "usage" => ftuseg_status::Usage,
            "format" => ftuseg_status::Format,
            "unsupported" => ftuseg_status::Unsupported,
            "io" => ftuseg_status::Io,
            "limits" => ftuseg_status::Limits,
            "no-resolution" => ftuseg_status::NoResolution,
            "no-model" => ftuseg_status::NoModel,
            "bundle" => ftuseg_status::Bundle,
            "backend" => ftuseg_status::Backend,
            "stopped" => ftuseg_status::Cancelled,
            _ => ftuseg_status::Internal,
        }
    }
}

/// An error on its way to the caller.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub status: ftuseg_status,
    pub message: String,
}

impl Failure {
    pub fn new(status: ftuseg_status, message: impl Into<String>) -> Self {
        Failure {
            status,
            message: message.into(),
        }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Failure::new(ftuseg_status::Usage, message)
    }
}

impl From<ftuseg::Failure> for Failure {
    fn from(failure: ftuseg::Failure) -> Self {
        Failure::new(ftuseg_status::of_kind(failure.kind), failure.message)
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

thread_local! {
    static LAST: RefCell<Option<(ftuseg_status, CString)>> = const { RefCell::new(None) };
}

/// Keeps an error as this thread's last one.
pub(crate) fn keep(failure: &Failure) {
    let kept = (failure.status, c_text(&failure.message));
    // A thread that ends has nobody who would ask.
    let _ = LAST.try_with(|last| {
        // Nothing that is called while it is borrowed comes back here.
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = Some(kept);
        }
    });
}

/// What went wrong in the last call of this thread that failed, for people, with all causes: "" if none has failed. Never
/// NULL and never to be freed; it holds until the next call of this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn ftuseg_last_error() -> *const c_char {
    let text = LAST.try_with(|last| {
        let last = last.try_borrow().ok()?;
        last.as_ref().map(|(_, text)| text.as_ptr())
    });
    text.ok().flatten().unwrap_or(c"".as_ptr())
}

/// The code of the error that `ftuseg_last_error` tells of; `FTUSEG_STATUS_OK` if no call of this thread has failed.
#[unsafe(no_mangle)]
pub extern "C" fn ftuseg_last_error_status() -> ftuseg_status {
    let status = LAST.try_with(|last| {
        let last = last.try_borrow().ok()?;
        last.as_ref().map(|&(status, _)| status)
    });
    status.ok().flatten().unwrap_or(ftuseg_status::Ok)
}

/// The kind of the error that `ftuseg_last_error` tells of, in a word: "usage", "format", "unsupported", "io", "limits",
/// "no-resolution", "no-model", "bundle", "backend", "stopped", "internal", or "ok". Never NULL and never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ftuseg_last_error_kind() -> *const c_char {
    ftuseg_last_error_status().name().as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_the_library_names_has_a_code() {
        for kind in [
            "usage",
            "format",
            "unsupported",
            "io",
            "limits",
            "no-resolution",
            "no-model",
            "bundle",
            "backend",
            "stopped",
        ] {
            let status = ftuseg_status::of_kind(kind);
            assert_eq!(status.name().to_str(), Ok(kind));
        }
        assert_eq!(
            ftuseg_status::of_kind("of tomorrow"),
            ftuseg_status::Internal
        );
    }
}
