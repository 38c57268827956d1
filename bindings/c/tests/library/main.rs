//! The C library: its functions as a program calls them, its header, and programs in C and C++ that are built against an
//! installed copy and run under valgrind and AddressSanitizer.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cancelling;
mod errors;
mod header;
#[cfg(unix)]
mod installing;
mod misuse;
#[cfg(unix)]
mod programs;
mod results;
mod support;
mod threads;
#[cfg(unix)]
mod tools;
