//! What every reader of slides must do, and what none may do with a bad file.
//!
//! `conformance` holds the suite, `fixtures` runs it over the drawn slides beside the pixels that an independent reader
//! found in them, `real` over the real slides where they are there, `large` opens the largest slide there can be, and
//! `hostile` feeds broken files, and `several` files of several images.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod conformance;
mod fixtures;
mod format_table;
mod hostile;
mod hostile_foreign;
mod hostile_zarr;
mod huge_slides;
mod memory;
mod openslide_library;
mod permission;
mod real;
mod several_images;
mod tiny_tiff;

/// Counts what the readers allocate, so that the tests can hold them to their limits.
#[global_allocator]
static MEMORY: memory::Counting = memory::Counting;
