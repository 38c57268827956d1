//! An allocator that remembers the most memory that was held at once.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with a count.
pub struct Counting;

// SAFETY: all calls go to the system's allocator unchanged; the counters are beside them. `realloc` and `alloc_zeroed`
// have their default bodies, which call these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on, and `alloc` above took the memory from the same allocator.
        unsafe { System.dealloc(at, layout) }
    }
}

/// The most bytes that this process has held at once, over all tests that ran so far.
pub fn peak() -> usize {
    PEAK.load(Ordering::Relaxed)
}
