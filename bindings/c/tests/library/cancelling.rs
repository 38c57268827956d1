//! Work that nobody wants any more ends, and the engine goes on.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ftuseg_c::*;

use super::support::*;

/// What the callback has seen, and when it wants to stop.
#[derive(Default)]
struct Seen {
    calls: AtomicUsize,
    inside: AtomicUsize,
    together: AtomicUsize,
    done: AtomicU64,
    planned: AtomicU64,
    stop_at: u64,
}

unsafe extern "C" fn progress(done: u64, planned: u64, user: *mut c_void) -> i32 {
    // SAFETY: the tests hand a `Seen` in that outlives the call.
    let seen = unsafe { &*user.cast::<Seen>() };
    if seen.inside.fetch_add(1, Ordering::SeqCst) > 0 {
        seen.together.fetch_add(1, Ordering::SeqCst);
    }
    seen.calls.fetch_add(1, Ordering::SeqCst);
    // Never backwards.
    assert!(seen.done.swap(done, Ordering::SeqCst) <= done);
    seen.planned.store(planned, Ordering::SeqCst);
    seen.inside.fetch_sub(1, Ordering::SeqCst);
    i32::from(done >= seen.stop_at)
}

fn watched(seen: &Seen) -> ftuseg_request {
    ftuseg_request {
        progress: Some(progress),
        user: ptr::from_ref(seen).cast_mut().cast(),
        ..request()
    }
}

#[test]
fn the_callback_cancels() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let rgb = pixels();
    let seen = Seen {
        stop_at: 2,
        ..Seen::default()
    };
    assert_eq!(
        engine.pixels(&given(&rgb), &watched(&seen)).unwrap_err(),
        ftuseg_status::Cancelled
    );
    assert_eq!(last_kind(), "stopped");
    assert!(seen.done.into_inner() < seen.planned.into_inner());

    // The engine goes on, and tells of every tile.
    let seen = Seen {
        stop_at: u64::MAX,
        ..Seen::default()
    };
    engine.pixels(&given(&rgb), &watched(&seen)).unwrap();
    assert_eq!(seen.together.into_inner(), 0, "called twice at once");
    let (done, planned) = (seen.done.into_inner(), seen.planned.into_inner());
    assert_eq!(done, planned);
    assert!(seen.calls.into_inner() as u64 > planned);
}

#[test]
fn a_flag_cancels_from_another_thread() {
    let scratch = Scratch::new();
    let engine = scratch.engine(&[]);
    let rgb = pixels();
    let mut flag = ptr::null_mut();
    // SAFETY: there is a place for it, and it is freed once, at the end.
    unsafe {
        assert_eq!(ftuseg_cancel_new(&mut flag), ftuseg_status::Ok);
        let wanted = ftuseg_request {
            cancel: flag,
            ..request()
        };
        engine.pixels(&given(&rgb), &wanted).unwrap();
        let address = flag as usize;
        std::thread::spawn(move || ftuseg_cancel_raise(address as *const ftuseg_cancel))
            .join()
            .unwrap();
        for _ in 0..2 {
            let refused = engine.pixels(&given(&rgb), &wanted).unwrap_err();
            assert_eq!(refused, ftuseg_status::Cancelled);
        }
        ftuseg_cancel_raise(ptr::null());
        ftuseg_cancel_free(flag);
    }
    engine.pixels(&given(&rgb), &request()).unwrap();
}
