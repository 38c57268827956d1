//! The examples do what they say.

#![allow(dead_code, reason = "the examples have a main of their own")]

use std::time::Duration;

use ftuseg::Organ;
use ftuseg::slide::tiled_tiff::Compression;
use ftuseg::testing::check_reader;
use ftuseg_samples::{Drawing, core, write_slide};

use crate::support::TinyBundle;

#[path = "../../examples/many_threads.rs"]
mod many_threads;
#[path = "../../examples/one_region.rs"]
mod one_region;
#[path = "../../examples/one_slide.rs"]
mod one_slide;
#[path = "../../examples/own_backend.rs"]
mod own_backend;
#[path = "../../examples/own_reader.rs"]
mod own_reader;
#[path = "../../examples/pixels_from_memory.rs"]
mod pixels_from_memory;

fn bundle() -> TinyBundle {
    let kidney = "role = \"organ\"\norgan = \"kidney\"\nmpp = 2.0\ninput = \"uint8-nhwc\"\noutput = \"probability\"\nthreshold = 0.5\n";
    let baseline = kidney.replace(
        "role = \"organ\"\norgan = \"kidney\"",
        "role = \"baseline\"",
    );
    TinyBundle::new()
        .router(0.0)
        .model("kidney", "red.onnx", kidney)
        .model("baseline", "red.onnx", &baseline)
}

#[test]
fn pixels_from_memory_are_segmented() {
    let count = pixels_from_memory::run(bundle().path()).unwrap();
    // The pink squares: the network finds what is red.
    assert_eq!(count, 600 * 400 / 2);
}

#[test]
fn a_reader_and_a_backend_of_ones_own_are_used() {
    assert!(own_reader::run(bundle().path(), 1000).unwrap() > 0);
    let count = own_backend::run(bundle().path()).unwrap();
    assert_eq!(count, 200 * 300);
}

#[test]
fn a_reader_of_ones_own_keeps_the_rules() {
    check_reader("stripes", || Ok(Box::new(own_reader::Stripes::new(2500)))).unwrap();
}

#[test]
fn threads_get_the_masks_that_they_would_have_got_alone() {
    let counts = many_threads::run(bundle().path(), 4).unwrap();
    assert_eq!(counts, [300 * 200, 300 * 200, 0, 0]);
}

#[test]
fn a_file_is_segmented_whole_and_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.tif");
    let drawing = Drawing::new(&core(Organ::Kidney, 400, 2.0, 7)).unwrap();
    write_slide(&drawing, &path, Compression::Deflate).unwrap();
    let path = path.to_str().unwrap();
    for patience in [Duration::from_secs(600), Duration::ZERO] {
        one_region::run(path, bundle().path(), patience).unwrap();
    }
    one_slide::run(path, bundle().path()).unwrap();
}
