//! The engine with the stand-in backend.

use std::path::Path;

use ftuseg::bundle::{Bundle, BundleError};
use ftuseg::pipeline::{Engine, EngineOptions, Route};
use ftuseg::slide::TissueMode;
use ftuseg_router::Target;

use crate::at_once;

/// An engine whose model works at `mpp` and answers at once; everything is tissue. `folder` gets the bundle and must stay
/// as long as the engine, which reads a file when it is first wanted.
pub fn stand_in(folder: &Path, mpp: f64, readers: usize) -> Result<Engine, BundleError> {
    at_once::write_bundle(folder, mpp);
    Ok(Engine::new(
        Bundle::load(folder)?,
        Box::new(at_once::AtOnce::default()),
        EngineOptions {
            route: Route::Fixed(Target::Baseline),
            tissue: TissueMode::Off,
            readers,
            ..EngineOptions::default()
        },
    ))
}
