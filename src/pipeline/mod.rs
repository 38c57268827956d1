//! The engine: route, plan, read, infer, stitch.
//!
//! ```text
//! slide -> tissue -> organ map -> plan of tiles -> reader threads -> inference -> stitching -> one mask a target
//! ```
//!
//! Tiles are planned on a [`Plane`](crate::slide::Plane) at each model's own um/px. Reader threads fill them, one
//! thread runs the networks in the plan's order, and one stitches; the channels between them are bounded, so memory
//! does not grow with the slide. The order of the plan, not of the threads, decides every sum, so the same slide gives
//! the same mask with any number of threads.

mod axis;
mod canvas;
mod doubt;
mod engine;
mod error;
mod loaded;
mod network;
mod plan;
mod probability;
mod route;
mod run;
mod stitch;
mod tta;
mod watch;

pub use axis::Axis;
pub use engine::{Engine, Layer, Options, Request, Route, Segmentation, TileCount, Timings};
pub use error::PipelineError;
pub use network::{Network, Precision};
pub use plan::{LayerPlan, Tile, View};
pub use probability::{PROBABILITY_TILE, ProbabilityMap};
pub use stitch::{Blend, Stitched, Stitcher};
pub use tta::{Symmetry, Tta};
