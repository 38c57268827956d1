//! One engine, many threads: each segments its own picture, and gets the mask that it would have got alone.
//!
//!     cargo run --release --example many_threads [-- BUNDLE]

use ftuseg::{Engine, Request, RgbSlide, Route, Target};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bundle = std::env::args().nth(1);
    run(bundle.as_deref().unwrap_or("models/bundle"), 4).map(|_| ())
}

/// Segments a picture per thread; returns how many px were found in each.
pub fn run(bundle: &str, threads: u8) -> Result<Vec<u64>, Box<dyn std::error::Error>> {
    let engine = Engine::builder(bundle)
        .route(Route::Fixed(Target::Baseline))
        .build()?;
    let pictures: Vec<Vec<u8>> = (0..threads)
        .map(|thread| [200 - 40 * (thread % 4), 80, 150].repeat(300 * 200))
        .collect();
    let counts: Result<Vec<u64>, ftuseg::PipelineError> = std::thread::scope(|scope| {
        let work: Vec<_> = pictures
            .iter()
            .map(|pixels| {
                let engine = &engine;
                scope.spawn(move || {
                    let slide = RgbSlide::new(300, 200, &pixels[..], 2.0)?;
                    let found = engine.segment(&slide, &Request::default())?;
                    Ok(found.layers.iter().map(|layer| layer.mask.count()).sum())
                })
            })
            .collect();
        work.into_iter()
            .map(|thread| match thread.join() {
                Ok(count) => count,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    let counts = counts?;
    println!("{counts:?} px");
    Ok(counts)
}
