//! The border: no panic crosses it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::{Failure, ftuseg_status, keep};

/// Runs the body of a function that says how it went. Its error becomes the thread's last one.
pub(crate) fn guard(work: impl FnOnce() -> Result<(), Failure>) -> ftuseg_status {
    match caught(work).and_then(|done| done) {
        Ok(()) => ftuseg_status::Ok,
        Err(failure) => {
            keep(&failure);
            failure.status
        }
    }
}

/// Runs the body of a function that cannot fail. After a panic it returns `otherwise`.
pub(crate) fn guard_or<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    caught(work).unwrap_or_else(|failure| {
        keep(&failure);
        otherwise
    })
}

/// What a handle holds is not left half changed by a panic: results do not change once they are made, and whatever an
/// engine keeps between calls stands behind locks that outlast a panic (see `Engine`).
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let failure = Failure::new(
            ftuseg_status::Internal,
            format!("the library panicked: {}", message(payload.as_ref())),
        );
        // A payload of an unknown type could panic again while it is dropped.
        std::mem::forget(payload);
        failure
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it did not say why")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ftuseg_last_error, ftuseg_last_error_status};

    fn last() -> String {
        // SAFETY: the function returns a text that ends with NUL, and no call of this thread lies in between.
        let text = unsafe { std::ffi::CStr::from_ptr(ftuseg_last_error()) };
        text.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_ends_at_the_border() {
        assert_eq!(guard(|| panic!("no {}", "bread")), ftuseg_status::Internal);
        assert_eq!(last(), "the library panicked: no bread");
        assert_eq!(guard_or(7, || std::panic::panic_any(9)), 7);
        assert_eq!(last(), "the library panicked: it did not say why");
        assert_eq!(ftuseg_last_error_status(), ftuseg_status::Internal);
        // The thread goes on.
        assert_eq!(guard(|| Ok(())), ftuseg_status::Ok);
    }
}
