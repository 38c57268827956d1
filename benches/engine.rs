//! The engine without the networks: a backend that answers at once, on a drawn slide.
//!
//! What is measured is reading, resampling, stitching, clean-up and all outputs. `FTUSEG_BENCH_SIDE` sets the slide's
//! side in px (8000).

#[path = "shared/at_once.rs"]
mod at_once;
#[path = "shared/stand_in.rs"]
mod stand_in;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftuseg::pipeline::Request;
use ftuseg::slide;
use ftuseg::slide::tiled_tiff::Compression;
use ftuseg_samples::{Drawing, tissue_array, write_slide};
use stand_in::stand_in;

fn segment(criterion: &mut Criterion) {
    let side: u32 = std::env::var("FTUSEG_BENCH_SIDE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(8000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("slide.tif");
    let drawing = Drawing::new(&tissue_array(side, side, 0.5, 1)).expect("a drawing");
    write_slide(&drawing, &path, Compression::Jpeg { quality: 85 }).expect("a slide");
    let mut group = criterion.benchmark_group("segment");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(side) * u64::from(side)));
    for (name, mpp) in [("at 0.5 um/px", 0.5), ("at 2.5 um/px", 2.5)] {
        let bundle = tempfile::tempdir().expect("a temporary folder");
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let engine = stand_in(bundle.path(), mpp, threads).expect("a bundle");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let slide = slide::open(&path).expect("a slide");
                let found = engine.segment(slide.as_ref(), &Request::default());
                black_box(found.expect("a mask"))
            });
        });
    }
}

criterion_group!(benches, segment);
criterion_main!(benches);
