//! How fast the pieces of the room `mask` are, on drawn masks.

use std::f64::consts::TAU;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftuseg::mask::{Mask, Objects, Rect, fill_holes, outlines, polygons, rasterize, rle};

/// A mask of `count` x `count` blobs with wavy outlines, each in a cell of `cell` x `cell` px.
fn blobs(count: u32, cell: u32, side: u32) -> Mask {
    let mut mask = Mask::new(side, side).expect("the bench's sizes are possible");
    for index in 0..count * count {
        let phase = f64::from(index % 17);
        let centre = |place: u32| f64::from(place * cell) + f64::from(cell) / 2.0;
        let (cx, cy) = (centre(index % count), centre(index / count));
        for y in index / count * cell..(index / count + 1) * cell {
            for x in index % count * cell..(index % count + 1) * cell {
                let (dx, dy) = (f64::from(x) + 0.5 - cx, f64::from(y) + 0.5 - cy);
                let angle = dy.atan2(dx);
                let wave = 1.0
                    + 0.1 * (angle * 7.0 + phase).sin()
                    + 0.04 * (angle * 23.0 + phase * TAU).sin();
                if dx.hypot(dy) < 0.36 * f64::from(cell) * wave {
                    mask.set(x, y, true);
                }
            }
        }
    }
    mask
}

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
