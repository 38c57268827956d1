//! Opens any bytes as a TIFF and reads parts of all levels: no panic, no hang, no memory beyond the limits.

#![no_main]

use ftuseg::slide::TiffReader;
use libfuzzer_sys::fuzz_target;

#[path = "../shared/reading.rs"]
mod reading;

fuzz_target!(|bytes: &[u8]| {
    reading::with_file(bytes, |path| {
        TiffReader::open(path).map(|slide| reading::parts(&slide))
    });
});
