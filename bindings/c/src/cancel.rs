//! Cancels work from another thread.

use std::sync::atomic::{AtomicBool, Ordering};

use super::error::ftuseg_status;
use super::guard::{guard, guard_or};
use super::handles;

/// A flag that ends work from another thread, or from a signal handler. One flag may stand in many requests.
#[derive(Default)]
pub struct ftuseg_cancel(AtomicBool);

impl ftuseg_cancel {
    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Makes a flag that is not raised. Free it with `ftuseg_cancel_free`, once no call uses it any more.
///
/// # Safety
/// `cancel` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_cancel_new(cancel: *mut *mut ftuseg_cancel) -> ftuseg_status {
    // SAFETY: as the caller promises.
    guard(|| unsafe { handles::give(ftuseg_cancel::default(), cancel) })
}

/// Raises the flag: calls whose request has it end with `FTUSEG_STATUS_CANCELLED`, within a fraction of a second as a
/// rule. It stays raised. May be called from any thread, and from a signal handler. NULL is nothing to raise.
///
/// # Safety
/// `cancel` is NULL or a flag that is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_cancel_raise(cancel: *const ftuseg_cancel) {
    // SAFETY: as the caller promises. It takes no lock and no memory, and cannot panic.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        cancel.0.store(true, Ordering::Relaxed);
    }
}

/// Frees a flag that no call uses any more. NULL is nothing to free.
///
/// # Safety
/// `cancel` is NULL or a flag that is not freed and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftuseg_cancel_free(cancel: *mut ftuseg_cancel) {
    // SAFETY: as the caller promises.
    guard_or((), || unsafe { handles::free(cancel) });
}
