//! Texts that cross the border.

use std::ffi::{CStr, CString, OsString, c_char};
use std::path::PathBuf;

use super::error::Failure;
use super::guard::guard_or;

/// A text for C. What cannot stand in one, a NUL within, becomes U+FFFD.
pub(crate) fn c_text(text: &str) -> CString {
    let clean = text.replace('\0', "\u{fffd}");
    CString::new(clean).unwrap_or_default()
}

/// A text of the caller, in UTF-8; `None` for NULL.
///
/// # Safety
/// `text` is NULL or ends with a NUL, and outlives what is returned.
pub(crate) unsafe fn text_of<'a>(
    text: *const c_char,
    what: &str,
) -> Result<Option<&'a str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: as the caller promises.
    let text = unsafe { CStr::from_ptr(text) }.to_str();
    text.map(Some)
        .map_err(|_| Failure::usage(format!("{what} is not UTF-8")))
}

/// The path of a file: the system's bytes on Unix, UTF-8 elsewhere. `None` for NULL.
///
/// # Safety
/// As for [`text_of`].
pub(crate) unsafe fn path_of(text: *const c_char, what: &str) -> Result<Option<PathBuf>, Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        let _ = what;
        if text.is_null() {
            return Ok(None);
        }
        // SAFETY: as the caller promises.
        let bytes = unsafe { CStr::from_ptr(text) }.to_bytes().to_vec();
        Ok(Some(OsString::from_vec(bytes).into()))
    }
    #[cfg(not(unix))]
    {
        // SAFETY: as the caller promises.
        let text = unsafe { text_of(text, what) }?;
        Ok(text.map(|text| OsString::from(text).into()))
    }
}

/// Hands a text out: the caller owns it, and frees it with `ftuseg_string_free`. `length` may be NULL.
///
/// # Safety
/// `out` may be written to, and `length`, if it is not NULL.
pub(crate) unsafe fn give(
    text: CString,
    out: *mut *mut c_char,
    length: *mut usize,
) -> Result<(), Failure> {
    if out.is_null() {
        return Err(Failure::usage("the place for the text is NULL"));
    }
    let bytes = text.as_bytes().len();
    // SAFETY: as the caller promises.
    unsafe {
        if !length.is_null() {
            length.write(bytes);
        }
        out.write(text.into_raw());
    }
    Ok(())
}

/// Frees a text that a function gave out. NULL is nothing to free.
///
/// # Safety
/// `text` is NULL, or was given out by this library, was not changed in length and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_string_free(text: *mut c_char) {
    guard_or((), || {
        if !text.is_null() {
            // SAFETY: it came from `CString::into_raw`, as the caller promises.
            drop(unsafe { CString::from_raw(text) });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_and_go() {
        assert_eq!(c_text("a\0b").to_str(), Ok("a\u{fffd}b"));
        // SAFETY: NULL, or literals that end with a NUL.
        unsafe {
            assert_eq!(text_of(std::ptr::null(), "it").unwrap(), None);
            assert_eq!(text_of(c"x".as_ptr(), "it").unwrap(), Some("x"));
            let wrong = text_of(c"\xff".as_ptr(), "the organ").unwrap_err();
            assert_eq!(wrong.message, "the organ is not UTF-8");
            ftuseg_string_free(std::ptr::null_mut());
        }
    }
}
