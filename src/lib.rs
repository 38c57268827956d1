//! Organ-routed segmentation of functional tissue units in histology slides.
//!
//! A slide goes this way: [`slide`] opens it and finds its tissue; [`pipeline`] shows the tissue to an organ
//! classifier, plans tiles for each organ's network at that network's own um/px, runs them on a [`backend`] and stitches
//! the answers into a [`mask::Mask`] of full size; [`sink`] writes what was found, and [`batch`] does so for many slides.
//! The networks and what is known of them come from a [`bundle`].
//!
//! ```no_run
//! use ftuseg::backend::{BackendChoice, choose, runtime};
//! use ftuseg::bundle::{Bundle, default_bundle};
//! use ftuseg::pipeline::{Engine, Options, Request};
//! use ftuseg::slide;
//!
//! let bundle = Bundle::load(&default_bundle()?)?;
//! let search = runtime::search(None, false);
//! let backend = choose(BackendChoice::Auto, &search, 4, &mut |line| eprintln!("{line}"))?;
//! let engine = Engine::new(bundle, backend, Options::default());
//! let slide = slide::open("slide.svs".as_ref())?;
//! let found = engine.segment(slide.as_ref(), &Request::default(), &|_| {})?;
//! for layer in &found.layers {
//!     println!("{}: {} px", layer.target, layer.mask.count());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every room has its own error type, whose variants are kinds that a caller can act on. Nothing in the library prints;
//! lines for the user go through callbacks.

pub mod backend;
#[cfg(feature = "batch")]
pub mod batch;
pub mod bundle;
pub mod memory;
pub mod pipeline;
#[cfg(feature = "files")]
pub mod sink;

pub use ftuseg_mask as mask;
#[cfg(any(feature = "onnxruntime", feature = "openslide"))]
pub use ftuseg_provision as provision;
pub use ftuseg_slide as slide;
