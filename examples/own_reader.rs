//! A slide format of your own: anything that can hand out px of a level is a slide.
//!
//!     cargo run --release --example own_reader [-- BUNDLE]

use ftuseg::slide::{Level, Resolution, ResolutionSource, SlideError, SlideInfo};
use ftuseg::{Engine, Request, Route, SlideReader, Target};

/// A slide that is computed: stripes, 10,000 px squared, of which nobody ever holds all px.
pub struct Stripes {
    info: SlideInfo,
}

impl Stripes {
    /// Stripes of a size, at 2 um/px.
    pub fn new(side: u32) -> Self {
        let mut info = SlideInfo::new("stripes", side, side);
        // Two levels: full size, and a tenth of it for whatever needs an overview.
        info.levels.push(Level {
            width: side.div_ceil(10),
            height: side.div_ceil(10),
        });
        info.resolution = Resolution::believable(2.0, ResolutionSource::Caller);
        Stripes { info }
    }
}

impl SlideReader for Stripes {
    fn info(&self) -> &SlideInfo {
        &self.info
    }

    fn read(
        &self,
        level: usize,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), SlideError> {
        let refused = |reason: &str| Err(SlideError::usage("stripes".as_ref(), reason));
        let Some(size) = self.info.levels.get(level) else {
            return refused("no such level");
        };
        if out.len() as u64 != u64::from(width) * u64::from(height) * 3 {
            return refused("the buffer does not have the region's size");
        }
        let period = if level == 0 { 200 } else { 20 };
        for (row, line) in out.chunks_exact_mut(width as usize * 3).enumerate() {
            for (column, px) in line.chunks_exact_mut(3).enumerate() {
                // A region may reach beyond the level, however far; what lies there comes back white.
                let (x, y) = (
                    x.saturating_add(column as i64),
                    y.saturating_add(row as i64),
                );
                let is_inside =
                    (0..size.width.into()).contains(&x) && (0..size.height.into()).contains(&y);
                px.copy_from_slice(&match (is_inside, x / period % 2) {
                    (false, _) => [255, 255, 255],
                    (true, 0) => [200, 80, 150],
                    (true, _) => [120, 60, 160],
                });
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bundle = std::env::args().nth(1);
    run(bundle.as_deref().unwrap_or("models/bundle"), 10_000).map(|_| ())
}

/// Segments the stripes with the one network for all organs; returns the tiles that were run.
pub fn run(bundle: &str, side: u32) -> Result<u64, Box<dyn std::error::Error>> {
    let engine = Engine::builder(bundle)
        .route(Route::Fixed(Target::Baseline))
        .build()?;
    let found = engine.segment(&Stripes::new(side), &Request::default())?;
    println!(
        "{} objects in {} tiles",
        found.objects().len(),
        found.tiles.inferred
    );
    Ok(found.tiles.inferred)
}
