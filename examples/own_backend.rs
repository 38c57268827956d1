//! A runtime of your own: anything that answers tiles is a backend.
//!
//!     cargo run --release --example own_backend [-- BUNDLE]

use ftuseg::backend::{
    About, Backend, BackendError, NetworkInput, NetworkOutput, Session, SessionOptions,
};
use ftuseg::{Engine, Request, RgbSlide, Route, Target};

/// "Runs" every network by one rule: a px is found where it is more red than blue, as pink is and violet is not.
pub struct RedOverBlue {
    about: About,
}

impl RedOverBlue {
    /// The backend.
    pub fn new() -> Self {
        RedOverBlue {
            about: About::new("red-over-blue", "1"),
        }
    }
}

impl Default for RedOverBlue {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend for RedOverBlue {
    fn about(&self) -> &About {
        &self.about
    }

    fn load(
        &self,
        _name: &str,
        _onnx: &[u8],
        _how: SessionOptions,
    ) -> Result<Box<dyn Session>, BackendError> {
        Ok(Box::new(Rule))
    }
}

struct Rule;

impl Session for Rule {
    fn run(&mut self, input: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
        let found = |red: f32, blue: f32| f32::from(u8::from(red > blue));
        let (shape, values) = match input {
            NetworkInput::Bytes(tiles) => {
                let (n, height, width, _) = tiles.dim();
                let px = tiles.outer_iter().flat_map(|tile| {
                    let found =
                        tile.map_axis(ndarray::Axis(2), |px| found(px[0].into(), px[2].into()));
                    found.into_iter().collect::<Vec<f32>>()
                });
                (vec![n, 1, height, width], px.collect())
            }
            NetworkInput::Floats(tiles) => {
                let (n, _, height, width) = tiles.dim();
                let px = tiles.outer_iter().flat_map(|tile| {
                    let found = tile.map_axis(ndarray::Axis(0), |px| found(px[0], px[2]));
                    found.into_iter().collect::<Vec<f32>>()
                });
                (vec![n, 1, height, width], px.collect())
            }
        };
        // The bundle says whether its networks answer logits or probabilities; these are probabilities.
        Ok(NetworkOutput { shape, values })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bundle = std::env::args().nth(1);
    run(bundle.as_deref().unwrap_or("models/bundle")).map(|_| ())
}

/// Segments a picture that is pink on its left and violet on its right; returns how many px were found.
pub fn run(bundle: &str) -> Result<u64, Box<dyn std::error::Error>> {
    let engine = Engine::builder(bundle)
        .route(Route::Fixed(Target::Baseline))
        .backend(Box::new(RedOverBlue::new()))
        .build()?;
    let row: Vec<u8> = (0..400)
        .flat_map(|x| {
            if x < 200 {
                [200, 80, 150]
            } else {
                [120, 60, 160]
            }
        })
        .collect();
    let slide = RgbSlide::new(400, 300, row.repeat(300), 2.0)?;
    let found = engine.segment(&slide, &Request::default())?;
    let count = found.layers.iter().map(|layer| layer.mask.count()).sum();
    println!("{count} px by {}", engine.backend().about().backend);
    Ok(count)
}
