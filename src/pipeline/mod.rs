//! The engine: route, plan, read, infer, stitch.
//!
//! ```text
//! slide -> tissue -> organ map -> plan of tiles -> reader threads -> inference -> stitching -> one mask per target
//! ```
//!
//! A [`Target`](ftuseg_router::Target) is where a piece of tissue goes: one organ's models, or a network for all organs. A
//! [`Route`] is the rule, chosen once for an engine, that decides the targets of a slide: by the router's votes or as the
//! caller says. The router is the classifier that votes. An [`OrganMap`](ftuseg_router::OrganMap) is the decision: one target
//! for each cell of tissue.
//!
//! Tiles are planned on a [`Plane`](crate::slide::Plane) at each model's own um/px. Reader threads fill them, one
//! thread runs the networks in the plan's order, and one stitches; the channels between them are bounded, so memory
//! does not grow with the slide. The order of the plan, not of the threads, decides every sum, so the same slide gives
//! the same mask with any number of threads.

mod axis;
mod builder;
mod cancellation;
mod canvas;
mod engine;
mod error;
mod layer_run;
mod model_cache;
mod network;
mod options;
mod organ_votes;
mod plan;
mod postprocess;
mod preflight;
#[cfg_attr(not(feature = "probabilities"), path = "probability_disabled.rs")]
mod probability;
mod request;
mod routing;
mod segmentation;
mod stitch;
mod training_image;
mod tta;
mod warnings;

pub use axis::Axis;
pub use builder::{BundleSource, EngineBuilder};
pub use engine::Engine;
pub use error::PipelineError;
pub use network::{Network, Precision};
pub use options::{EngineOptions, Route, Split};
pub use plan::{LayerPlan, Tile, View};
pub use probability::{PROBABILITY_TILE, ProbabilityMap};
pub use request::{Cancel, KeepProbabilities, Request};
pub use routing::RoutedSlide;
pub use segmentation::{
    ComputedIn, FoundObject, Layer, Segmentation, TileCount, Timings, UsedModel,
};
pub use stitch::{Blend, Stitched, Stitcher};
pub use tta::{Symmetry, Tta};
