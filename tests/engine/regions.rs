//! A region of a slide is the same region of a whole run, and work that nobody wants any more ends.

use std::sync::atomic::{AtomicBool, Ordering};

use ftuseg::mask::Mask;
use ftuseg::pipeline::{Blend, Engine, EngineOptions, Request, Route, Tta};
use ftuseg::slide::TissueMode;
use ftuseg::{PipelineError, Rect, Target};

use crate::support::{MemorySlide, TinyBundle, hash, rten};

const SIZE: (u32, u32) = (430, 310);

fn noise() -> MemorySlide {
    // Smooth enough that a model at another um/px sees something.
    MemorySlide::new(SIZE.0, SIZE.1, |x, y| {
        let h = hash(x / 9, y / 7);
        [h as u8, (h >> 8) as u8, (h >> 16) as u8]
    })
}

fn engine(tiny: &TinyBundle, blend: Blend, tta: Tta) -> Engine {
    let options = EngineOptions {
        route: Route::Fixed(Target::Baseline),
        tissue: TissueMode::Off,
        overlap: Some(16),
        blend,
        tta,
        readers: 2,
        ..EngineOptions::default()
    };
    Engine::new(tiny.load(), rten(2), options)
}

fn bundle(mpp: f64) -> TinyBundle {
    let lines = format!(
        "role = \"baseline\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\nmpp = {mpp:?}"
    );
    TinyBundle::new().model("red", "red.onnx", &lines)
}

fn inside(mask: &Mask, region: Rect) -> Vec<bool> {
    (region.y..region.y + region.height)
        .flat_map(|y| (region.x..region.x + region.width).map(move |x| (x, y)))
        .map(|(x, y)| mask.get(x, y))
        .collect()
}

fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
    Rect {
        x,
        y,
        width,
        height,
    }
}

#[test]
fn a_region_is_that_of_a_whole_run() {
    let slide = noise();
    for mpp in [2.0, 3.3, 1.1] {
        let tiny = bundle(mpp);
        for (blend, tta) in [
            (Blend::Crop, Tta::None),
            (Blend::Gaussian, Tta::None),
            (Blend::Gaussian, Tta::Scales),
        ] {
            let engine = engine(&tiny, blend, tta);
            let whole = engine.segment(&slide, &Request::default()).unwrap();
            for region in [
                rect(0, 0, 1, 1),
                rect(100, 90, 60, 70),
                rect(37, 0, 200, 310),
                rect(SIZE.0 - 5, SIZE.1 - 9, 5, 9),
                rect(0, 0, SIZE.0, SIZE.1),
            ] {
                let request = Request {
                    region: Some(region),
                    ..Request::default()
                };
                let found = engine.segment(&slide, &request).unwrap();
                let what = format!("{mpp} um/px, {blend:?}, {tta:?}, {region:?}");
                let (part, all) = (&found.layers[0].mask, &whole.layers[0].mask);
                assert_eq!(inside(part, region), inside(all, region), "{what}");
                assert_eq!(
                    part.count(),
                    inside(part, region).iter().filter(|&&is| is).count() as u64,
                    "{what}: nothing is found outside"
                );
                if region.width < 100 {
                    assert!(found.tiles.planned < whole.tiles.planned, "{what}");
                }
                assert_eq!(found.tiles.inferred, found.tiles.planned, "{what}");
            }
        }
    }
}

#[test]
fn a_region_that_is_none_is_refused() {
    let (slide, tiny) = (noise(), bundle(2.0));
    let engine = engine(&tiny, Blend::Crop, Tta::None);
    for region in [
        rect(0, 0, 0, 5),
        rect(0, 0, SIZE.0 + 1, 5),
        rect(SIZE.0, 0, 1, 1),
        rect(u32::MAX, 0, u32::MAX, 1),
    ] {
        let request = Request {
            region: Some(region),
            ..Request::default()
        };
        let error = engine.segment(&slide, &request).unwrap_err();
        assert!(matches!(error, PipelineError::Region { .. }), "{error}");
        assert_eq!(error.kind(), "usage");
    }
}

#[test]
fn work_that_was_cancelled_ends_and_the_engine_goes_on() {
    let (slide, tiny) = (noise(), bundle(2.0));
    let engine = engine(&tiny, Blend::Crop, Tta::None);
    let whole = engine.segment(&slide, &Request::default()).unwrap();
    let stop = AtomicBool::new(true);
    let run = AtomicBool::new(false);
    let progress = |tiles: ftuseg::pipeline::TileCount| {
        run.store(true, Ordering::Relaxed);
        if tiles.inferred == 3 {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let request = Request {
        stop: Some(&stop),
        progress: Some(&progress),
        ..Request::default()
    };
    let cancelled =
        |found: Result<_, PipelineError>| matches!(found, Err(PipelineError::Cancelled));
    // Before anything was done, and in the middle.
    assert!(cancelled(engine.segment(&slide, &request)));
    assert!(!run.load(Ordering::Relaxed));
    stop.store(false, Ordering::Relaxed);
    assert!(cancelled(engine.segment(&slide, &request)));
    assert!(run.load(Ordering::Relaxed));
    let again = engine.segment(&slide, &Request::default()).unwrap();
    assert_eq!(again.layers[0].mask, whole.layers[0].mask);
}
