//! Settings that hold for every slide of an engine.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use ftuseg_router::{Organ, RouterError, Target};

use crate::bundle::Bundle;
use crate::slide::TissueMode;

use super::preflight::needs_resolution;
use super::{Blend, Precision, Tta};

/// The rule that decides which target each piece of tissue goes to.
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

impl Route {
    /// Whether slides have to say how large their px are, with the models of this bundle.
    pub fn needs_resolution(self, bundle: &Bundle) -> bool {
        needs_resolution(bundle, self)
    }
}

impl fmt::Display for Route {
    /// As it is typed and recorded: `tile`, `slide`, `given`, `organ=lung`, `baseline`, `unet`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Tile => f.write_str("tile"),
            Route::Slide => f.write_str("slide"),
            Route::Given => f.write_str("given"),
            Route::Fixed(Target::Organ(organ)) => write!(f, "organ={organ}"),
            Route::Fixed(target) => f.write_str(target.name()),
        }
    }
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "tile" => Route::Tile,
            "slide" => Route::Slide,
            "given" => Route::Given,
            "baseline" => Route::Fixed(Target::Baseline),
            "unet" => Route::Fixed(Target::Unet),
            other => {
                let organ = other
                    .strip_prefix("organ=")
                    .ok_or("expected tile, slide, given, baseline, unet, or organ=NAME")?;
                let organ: Organ = organ
                    .parse()
                    .map_err(|error: RouterError| error.to_string())?;
                Route::Fixed(Target::Organ(organ))
            }
        })
    }
}

/// Whether objects that touch are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Split {
    /// What touches is one object.
    #[default]
    None,
    /// Objects are cut at their necks, by the distance from the edge: see
    /// [`split_touching`](crate::mask::split_touching).
    Touching,
}

impl Split {
    /// As it is typed and recorded.
    pub fn name(self) -> &'static str {
        match self {
            Split::None => "none",
            Split::Touching => "touching",
        }
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "none" => Split::None,
            "touching" => Split::Touching,
            _ => return Err("expected none or touching".to_owned()),
        })
    }
}

/// Settings that hold for every slide.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineOptions {
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
    /// Whether objects that touch are split.
    pub split: Split,
    /// Which variant of each model is run.
    pub precision: Precision,
    /// Threads that read tiles.
    pub readers: usize,
    /// Tiles that a network is given at once.
    pub batch: usize,
    /// The most segmentation networks in memory at once, each with a session for every lane; the least recently
    /// used is evicted. `None` keeps all. It changes no result.
    pub max_models: Option<NonZeroUsize>,
}

impl Default for EngineOptions {
    /// What the command does if it is not told otherwise: the router decides for each cell, on all cores.
    fn default() -> Self {
        EngineOptions {
            route: Route::Tile,
            tissue: TissueMode::Auto,
            overlap: None,
            blend: Blend::Gaussian,
            tta: Tta::None,
            split: Split::None,
            precision: Precision::Auto,
            readers: std::thread::available_parallelism().map_or(1, usize::from),
            batch: 1,
            max_models: None,
        }
    }
}
