//! Looks for the series in any bytes that call themselves DICOM: no panic, no hang.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../shared/reading.rs"]
mod reading;

fuzz_target!(|bytes: &[u8]| {
    // Two copies: they are of one series, or of none.
    let kept = reading::with_copies(bytes, "dcm", ftuseg::slide::one_per_slide);
    assert!(kept.len() == 1 || kept.len() == 2);
});
