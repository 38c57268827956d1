//! Which library this is.

use std::ffi::c_char;

/// The interface that this header describes. A library with another number is not for it.
pub const FTUSEG_ABI_VERSION: u32 = 1;

/// The interface of the library that is running: to be the header's `FTUSEG_ABI_VERSION`. Functions, options and fields
/// at the end of structs are added without a new number; a change to what is there gets one.
#[unsafe(no_mangle)]
pub extern "C" fn ftuseg_abi_version() -> u32 {
    FTUSEG_ABI_VERSION
}

/// The version of the library, such as "0.1.0". Never NULL, and never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ftuseg_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}
