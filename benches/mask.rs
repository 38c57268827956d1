//! How fast the pieces of the room `mask` are, on drawn masks.

#[path = "shared/blobs.rs"]
mod blobs;

use std::hint::black_box;

use blobs::blobs;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftuseg::mask::{Objects, Rect, fill_holes, outlines, polygons, rasterize, rle};

fn bench(criterion: &mut Criterion) {
    // 64 blobs on a core as Kaggle's, and 10,000 on a larger slide.
    for (name, mask) in [
        ("core", blobs(8, 375, 3000)),
        ("10000-objects", blobs(100, 96, 9600)),
    ] {
        let (width, height) = (mask.width(), mask.height());
        let text = rle::encode(&mask);
        let objects = Objects::find(&mask);
        let outline = polygons(&mask);
        println!(
            "{name}: {width} x {height} px, {} objects, {:.3} foreground, {} bytes of RLE, {} bytes of mask",
            objects.len(),
            mask.count() as f64 / (f64::from(width) * f64::from(height)),
            text.len(),
            mask.bytes_used()
        );
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        group.throughput(Throughput::Elements(u64::from(width) * u64::from(height)));
        group.bench_function("rle_encode", |bencher| {
            bencher.iter(|| rle::encode(black_box(&mask)))
        });
        group.bench_function("rle_decode", |bencher| {
            bencher.iter(|| rle::decode(black_box(&text), width, height));
        });
        group.bench_function("objects", |bencher| {
            bencher.iter(|| Objects::find(black_box(&mask)))
        });
        group.bench_function("outlines", |bencher| {
            bencher.iter(|| outlines(black_box(&objects)))
        });
        group.bench_function("polygons", |bencher| {
            bencher.iter(|| polygons(black_box(&mask)))
        });
        group.bench_function("rasterize", |bencher| {
            bencher.iter(|| rasterize(black_box(&outline), width, height));
        });
        group.bench_function("fill_holes", |bencher| {
            bencher.iter(|| fill_holes(&mut black_box(&mask).clone(), None));
        });
        let tile = Rect {
            x: 300,
            y: 300,
            width: 512,
            height: 512,
        };
        let logits: Vec<f32> = (0..512 * 512)
            .map(|index| (index as f32 * 0.001).sin())
            .collect();
        group.throughput(Throughput::Elements(512 * 512));
        group.bench_function("set_block_by_512", |bencher| {
            let mut mask = mask.clone();
            bencher.iter(|| mask.set_block_by(tile, black_box(&logits), 512, |logit| logit > 0.0));
        });
        group.bench_function("read_block_512", |bencher| {
            let mut out = vec![0; 512 * 512];
            bencher.iter(|| mask.read_block(tile, 0, 1, black_box(&mut out), 512));
        });
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
