//! Organ-routed segmentation of functional tissue units in histology slides.
//!
//! A slide goes this way: [`slide`] opens it and finds its tissue; [`pipeline`] shows the tissue to an organ
//! classifier, plans tiles for each organ's network at that network's own um/px, runs them on a [`backend`] and stitches
//! the answers into a [`mask::Mask`] of full size; [`sink`] writes what was found, and [`batch`] does so for many slides.
//! The networks and what is known of them come from a [`bundle`].
//!
//! ```no_run
//! use ftuseg::{Engine, Request, slide};
//!
//! let engine = Engine::builder("models/bundle").build()?;
//! let slide = slide::open("slide.svs".as_ref())?;
//! let found = engine.segment(slide.as_ref(), &Request::default())?;
//! for object in found.objects() {
//!     println!("{}: {} px", object.target, object.polygon.area);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Px that a program has in memory are an [`RgbSlide`], a format of its own is a [`SlideReader`], a runtime of its own a
//! [`Backend`](backend::Backend). A [`Request`] names a region, cancels, and tells of progress. One [`Engine`] serves many
//! threads.
//!
//! Every room has its own error type, whose variants are kinds that a caller can act on; all of them become a [`Failure`],
//! for callers in other languages. Nothing in the library prints;
//! lines for the user go through callbacks.

pub mod backend;
#[cfg(feature = "batch")]
pub mod batch;
pub mod bundle;
mod failure;
pub mod memory;
pub mod pipeline;
#[cfg(feature = "files")]
pub mod sink;
#[cfg(feature = "testing")]
pub mod testing;

pub use ftuseg_mask as mask;
#[cfg(any(feature = "onnxruntime", feature = "openslide"))]
pub use ftuseg_provision as provision;
pub use ftuseg_records as records;
pub use ftuseg_slide as slide;

pub use failure::Failure;
pub use ftuseg_router::{Organ, OrganMap, Target};
pub use mask::{Mask, Polygon, Rect};
pub use pipeline::{Cancel, Engine, EngineBuilder, PipelineError, Request, Route, Segmentation};
pub use slide::{RgbSlide, SlideReader};
