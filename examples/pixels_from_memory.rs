//! Pixels that the program has in memory, borrowed without a copy.
//!
//!     cargo run --release --example pixels_from_memory [-- BUNDLE]

use ftuseg::{Engine, Organ, Request, RgbSlide, Route, Target};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bundle = std::env::args().nth(1);
    run(bundle.as_deref().unwrap_or("models/bundle")).map(|_| ())
}

/// Segments a picture as kidney and returns how many px were found.
pub fn run(bundle: &str) -> Result<u64, Box<dyn std::error::Error>> {
    let (width, height, mpp) = (600, 400, 2.0);
    // What a camera, a decoder or another program's view would hand over: [height, width, 3].
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x / 40 + y / 40) % 2 == 0))
        .flat_map(|is_pink| {
            if is_pink {
                [200, 80, 150]
            } else {
                [120, 60, 160]
            }
        })
        .collect();
    let slide = RgbSlide::new(width, height, &pixels[..], mpp)?;
    let engine = Engine::builder(bundle)
        .route(Route::Fixed(Target::Organ(Organ::Kidney)))
        .build()?;
    let found = engine.segment(&slide, &Request::default())?;
    let count = found.layers.iter().map(|layer| layer.mask.count()).sum();
    println!("{count} px in {} objects", found.objects().len());
    Ok(count)
}
