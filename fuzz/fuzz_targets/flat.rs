//! Opens any bytes as a PNG or JPEG and reads parts of it: no panic, no hang, no memory beyond the limits.

#![no_main]

use ftuseg::slide::PngJpegReader;
use libfuzzer_sys::fuzz_target;

#[path = "../shared/reading.rs"]
mod reading;

fuzz_target!(|bytes: &[u8]| {
    reading::with_file(bytes, |path| {
        PngJpegReader::open(path).map(|slide| reading::parts(&slide))
    });
});
