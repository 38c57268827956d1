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
mod builder;
mod canvas;
mod check;
mod clean_up;
mod doubt;
mod engine;
mod error;
mod loaded;
mod network;
mod options;
mod plan;
#[cfg_attr(not(feature = "probabilities"), path = "no_probability.rs")]
mod probability;
mod request;
mod route;
mod routing;
mod run;
mod segmentation;
mod stitch;
mod tta;
mod watch;

pub use axis::Axis;
pub use builder::{BundleSource, EngineBuilder};
pub use engine::Engine;
pub use error::PipelineError;
pub use network::{Network, Precision};
pub use options::{Options, Route};
pub use plan::{LayerPlan, Tile, View};
pub use probability::{PROBABILITY_TILE, ProbabilityMap};
pub use request::{Cancel, Request};
pub use routing::Routed;
pub use segmentation::{ComputedIn, Layer, Object, Segmentation, TileCount, Timings, UsedModel};
pub use stitch::{Blend, Stitched, Stitcher};
pub use tta::{Symmetry, Tta};
