//! Organ-routed segmentation of functional tissue units in histology slides.

#[doc(hidden)]
pub mod cli;

pub mod backend;
pub mod batch;
pub mod bundle;
pub mod evaluate;
pub mod mask;
pub mod pipeline;
pub mod samples;
pub mod sink;
pub mod slide;
pub mod tiled_tiff;
