//! The C library: the engine behind opaque handles, status codes and plain structs.
//!
//! `include/ftuseg.h` is made from this crate by cbindgen, and what its functions say of themselves here stands there. This
//! page is about what holds for all of them.
//!
//! * **No panic leaves the library**: every function runs inside `guard`, which turns a panic into `INTERNAL`.
//! * **Pointers are checked before they are followed**: for NULL, and structs for their size (`sized`). What cannot be
//!   checked (a pointer to something else, a handle that was freed) stands in the header as the caller's duty.
//! * **Handles are `Sync`**, which `src/handles.rs` has the compiler prove: an engine and a result may be used by many
//!   threads at once, and nothing but the last error is kept between calls, for each thread its own.
//! * **What the library lends lives as long as its handle**; what it gives is a string, freed by `ftuseg_string_free`.

#![allow(
    non_camel_case_types,
    reason = "types have the names that C knows them by"
)]

mod cancel;
mod engine;
mod error;
mod findings;
mod guard;
mod handles;
mod mask;
mod objects;
mod options;
mod organs;
mod outputs;
mod pixels;
mod request;
mod result;
mod sized;
mod strings;
mod version;

pub use cancel::*;
pub use engine::*;
pub use error::*;
pub use mask::*;
pub use objects::*;
pub use options::*;
pub use organs::*;
pub use outputs::*;
pub use pixels::*;
pub use request::*;
pub use result::*;
pub use strings::*;
pub use version::*;
