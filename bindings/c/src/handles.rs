//! Handles: what the caller holds is a box, of which it sees the address alone.

use super::error::Failure;
use super::{ftuseg_cancel, ftuseg_engine, ftuseg_result};

/// What many threads may use at once, and any thread may free. The compiler proves it here; the header promises it.
const fn shared<T: Send + Sync>() {}
const _: () = shared::<ftuseg_engine>();
const _: () = shared::<ftuseg_result>();
const _: () = shared::<ftuseg_cancel>();

/// Borrows what a handle stands for.
///
/// # Safety
/// `handle` is NULL, or was given out by this library and is not freed while the reference lives.
pub(crate) unsafe fn borrow<'a, T>(handle: *const T, what: &str) -> Result<&'a T, Failure> {
    // SAFETY: as the caller promises.
    unsafe { handle.as_ref() }.ok_or_else(|| Failure::usage(format!("the {what} is NULL")))
}

/// Hands a new handle out.
///
/// # Safety
/// `out` is NULL or may be written to.
pub(crate) unsafe fn give<T>(value: T, out: *mut *mut T) -> Result<(), Failure> {
    // SAFETY: as the caller promises.
    let out = unsafe { place(out) }?;
    *out = Box::into_raw(Box::new(value));
    Ok(())
}

/// The place for a new handle, which is NULL until there is one.
///
/// # Safety
/// `out` is NULL or may be written to.
pub(crate) unsafe fn place<'a, T>(out: *mut *mut T) -> Result<&'a mut *mut T, Failure> {
    if out.is_null() {
        return Err(Failure::usage("the place for the new handle is NULL"));
    }
    // SAFETY: it is not NULL, and the caller promises that it may be written to.
    unsafe { out.write(std::ptr::null_mut()) };
    // SAFETY: as above, and it was written just now.
    Ok(unsafe { &mut *out })
}

/// Frees a handle.
///
/// # Safety
/// `handle` is NULL, or was given out by this library, and nobody uses it any more.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: it came from `Box::into_raw`, as the caller promises.
        drop(unsafe { Box::from_raw(handle) });
    }
}
