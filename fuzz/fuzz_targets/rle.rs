//! Decodes any text as run-length encoding: an error, or a mask whose own encoding gives the same mask again.

#![no_main]

use ftuseg::mask::rle::{decode, encode};
use libfuzzer_sys::fuzz_target;

/// The most px of a mask that is encoded and decoded again.
const MOST_AGAIN: u64 = 50_000_000;

fuzz_target!(|input: (u32, u32, &str)| {
    let (width, height, text) = input;
    // Small masks, where most runs fit, and now and then one of any size.
    let (width, height) = match width % 4 {
        0 => (width, height),
        _ => (width % 600, height % 600),
    };
    let Ok(mask) = decode(text, width, height) else {
        return;
    };
    let sum: u64 = text
        .split_ascii_whitespace()
        .skip(1)
        .step_by(2)
        .map(|length| length.parse::<u64>().expect("a length that was decoded"))
        .sum();
    assert_eq!(mask.count(), sum);
    // Two thousand million px take half a second here, and half a minute with all that a fuzzer watches.
    if sum > MOST_AGAIN {
        return;
    }
    let again = decode(&encode(&mask), width, height).expect("its own encoding");
    assert_eq!(again.count(), sum);
    assert_eq!(encode(&again), encode(&mask));
});
