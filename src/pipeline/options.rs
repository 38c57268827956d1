//! Settings that hold for every slide of an engine.

use std::num::NonZeroUsize;

use ftuseg_router::Target;

use crate::slide::TissueMode;

use super::{Blend, Precision, Tta};

/// How slides are sent to models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The router decides for each cell.
    Tile,
    /// The router decides once for the whole slide.
    Slide,
    /// The caller names each slide's organ.
    Given,
    /// All tissue goes to one target.
    Fixed(Target),
}

/// Settings that hold for every slide.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How slides are sent to models.
    pub route: Route,
    /// Whether tissue is looked for.
    pub tissue: TissueMode,
    /// px that neighbouring tiles share, instead of the bundle's.
    pub overlap: Option<u32>,
    /// How overlapping tiles are joined.
    pub blend: Blend,
    /// The ways each tile is shown to its network.
    pub tta: Tta,
    /// Which variant of each model is run.
    pub precision: Precision,
    /// Threads that read tiles.
    pub readers: usize,
    /// Tiles that a network is given at once.
    pub batch: usize,
    /// The most segmentation networks in memory at once, each with a session for every lane; the longest unused is given
    /// up for another. `None` keeps all. It changes no result.
    pub max_models: Option<NonZeroUsize>,
}

impl Default for Options {
    /// What the command does if it is not told otherwise: the router decides for each cell, on all cores.
    fn default() -> Self {
        Options {
            route: Route::Tile,
            tissue: TissueMode::Auto,
            overlap: None,
            blend: Blend::Crop,
            tta: Tta::None,
            precision: Precision::Auto,
            readers: std::thread::available_parallelism().map_or(1, usize::from),
            batch: 1,
            max_models: None,
        }
    }
}
