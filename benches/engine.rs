//! The engine without the networks: a backend that answers at once, on a drawn slide.
//!
//! What is measured is reading, resampling, stitching, clean-up and all outputs. `FTUSEG_BENCH_SIDE` sets the slide's
//! side in px (8000).

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftuseg::backend::{About, Backend, BackendError, Input, Output, Session};
use ftuseg::bundle::Bundle;
use ftuseg::pipeline::{Engine, Options, Request, Route};
use ftuseg::samples::{Drawing, tissue_array, write_slide};
use ftuseg::slide::{self, TissueMode};
use ftuseg::tiled_tiff::Compression;
use ftuseg_router::Target;
use sha2::{Digest, Sha256};

/// Answers the red channel, without a network.
struct AtOnce(About);

struct Red;

impl Backend for AtOnce {
    fn about(&self) -> &About {
        &self.0
    }

    fn load(&self, _name: &str, _onnx: &[u8]) -> Result<Box<dyn Session>, BackendError> {
        Ok(Box::new(Red))
    }
}

impl Session for Red {
    fn run(&mut self, input: Input<'_>) -> Result<Output, BackendError> {
        let Input::Bytes(tiles) = input else {
            return Err(BackendError::Usage("bytes are wanted".to_owned()));
        };
        let (n, height, width, _) = tiles.dim();
        Ok(Output {
            shape: vec![n, 1, height, width],
            values: tiles
                .iter()
                .step_by(3)
                .map(|&red| f32::from(red) / 255.0)
                .collect(),
        })
    }
}

fn engine(mpp: f64) -> Engine {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sum = Sha256::digest(b"no network")
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    std::fs::write(folder.path().join("none.onnx"), b"no network").expect("a file");
    std::fs::write(
        folder.path().join("bundle.toml"),
        format!(
            "name = \"b\"\nversion = \"1\"\nlicence = \"none\"\n[[model]]\nname = \"m\"\nfile = \"none.onnx\"\nsha256 = \"{sum}\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\ntile = 512\nmpp = {mpp:?}\nmin_area = 20\nfill_holes = true\n"
        ),
    )
    .expect("a file");
    let about = About {
        backend: "none".into(),
        version: "1".into(),
        library: None,
        sha256: None,
        device: "cpu".into(),
        arithmetic: "fp32".into(),
        proof: "none".into(),
        threads: 1,
        warning: None,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let engine = Engine::new(
        Bundle::load(folder.path()).expect("a bundle"),
        Box::new(AtOnce(about)),
        Options {
            route: Route::Fixed(Target::Baseline),
            tissue: TissueMode::Off,
            readers: threads,
            ..Options::default()
        },
    );
    // The file is read when the network is first wanted, so it must be there until then.
    std::mem::forget(folder);
    engine
}

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
        let engine = engine(mpp);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let slide = slide::open(&path).expect("a slide");
                let found = engine.segment(slide.as_ref(), &Request::default(), &|_| {});
                black_box(found.expect("a mask"))
            });
        });
    }
}

criterion_group!(benches, segment);
criterion_main!(benches);
