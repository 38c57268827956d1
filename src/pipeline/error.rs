//! What can go wrong between a slide and its mask.

use ftuseg_records::Help;
use ftuseg_router::{RouterError, Target};

use crate::backend::BackendError;
use crate::bundle::BundleError;
use crate::mask::{MaskError, Rect};
use crate::slide::SlideError;

/// Errors of the pipeline room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The slide.
    #[error(transparent)]
    Slide(#[from] SlideError),
    /// The runtime or a network.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The mask.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// The routing grid or a vote.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// The slide does not say how large a px is.
    #[error("the slide does not state its um/px, which {who} needs")]
    NoResolution {
        /// What needs it.
        who: String,
    },
    /// The bundle has no model for a target.
    #[error("the bundle has no model for {}", .0.label())]
    NoModel(Target),
    /// A model that sees the whole slide in one tile was asked for several scales.
    #[error("the model {0:?} sees the whole slide in one tile, so it has only one scale")]
    OneScale(String),
    /// Neighbouring tiles were to share more than a model can.
    #[error(
        "an overlap of {overlap} px is more than half a tile of the model {model:?} ({tile} px)"
    )]
    Overlap {
        /// What was asked for, px.
        overlap: u32,
        /// The model.
        model: String,
        /// Side of its tiles, px.
        tile: u32,
    },
    /// The bundle has no router.
    #[error("the bundle has no router")]
    NoRouter,
    /// The caller was to name the slide's organ, and did not.
    #[error(
        "the slide's organ must be given, for example in a manifest's column organ, and was not"
    )]
    NoOrganGiven,
    /// The region that was asked for is empty, or not within the slide.
    #[error(
        "the region at ({}, {}) of {} x {} px is not within the slide, which has {} x {} px",
        region.x, region.y, region.width, region.height, size.0, size.1
    )]
    Region {
        /// The region, full-size px.
        region: Rect,
        /// Width and height of the slide.
        size: (u32, u32),
    },
    /// Whoever asked for the slide did not want it any more.
    #[error("the work was cancelled")]
    Cancelled,
    /// The temporary file for a map of probabilities failed.
    #[error(
        "the temporary file for the probabilities failed: {0}; check the free space of the temporary folder (TMPDIR chooses another)"
    )]
    Temporary(std::io::Error),
    /// A thread of the pipeline stopped without saying why.
    #[error("a thread of the pipeline stopped unexpectedly while {0}")]
    Thread(&'static str),
}

impl PipelineError {
    /// What would help against it, where that is known.
    pub fn help(&self) -> Option<Help> {
        match self {
            PipelineError::Slide(error) => Help::for_slide(error),
            PipelineError::NoResolution { .. } => Some(Help::Resolution),
            _ => None,
        }
    }

    /// A short name of the kind, for records.
    pub fn kind(&self) -> &'static str {
        match self {
            PipelineError::Slide(error) => error.kind(),
            PipelineError::Cancelled | PipelineError::Backend(BackendError::Stopped { .. }) => {
                "stopped"
            }
            PipelineError::Backend(_) => "backend",
            PipelineError::Bundle(_) => "bundle",
            PipelineError::Mask(_) | PipelineError::Router(_) => "limits",
            PipelineError::NoResolution { .. } => "no-resolution",
            PipelineError::NoModel(_)
            | PipelineError::NoRouter
            | PipelineError::NoOrganGiven
            | PipelineError::OneScale(_)
            | PipelineError::Overlap { .. }
            | PipelineError::Region { .. } => "usage",
            PipelineError::Temporary(_) => "io",
            PipelineError::Thread(_) => "internal",
        }
    }
}
