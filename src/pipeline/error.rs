//! What can go wrong between a slide and its mask.

use ftuseg_router::{RouterError, Target};

use crate::backend::BackendError;
use crate::bundle::BundleError;
use crate::mask::MaskError;
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
    #[error(
        "the slide does not say its um/px, which {who} needs; give it with --mpp X or as a column mpp of a manifest"
    )]
    NoResolution {
        /// What needs it.
        who: String,
    },
    /// The bundle has no model for a target.
    #[error("the bundle has no model for {0}; choose another --route or another --bundle")]
    NoModel(Target),
    /// A model that sees the whole slide in one tile was asked for several scales.
    #[error(
        "the model {0:?} sees the whole slide in one tile, so it has one scale; choose another --tta than scales"
    )]
    OneScale(String),
    /// The bundle has no router.
    #[error("the bundle has no [router]; choose --route given, organ=NAME, baseline or unet")]
    NoRouter,
    /// `--route given` without an organ.
    #[error("--route given needs the slide's organ, from a manifest with a column organ")]
    NoOrganGiven,
    /// The temporary file for a map of probabilities failed.
    #[error(
        "the temporary file for the probabilities failed: {0}; check the free space of the temporary folder (TMPDIR names another)"
    )]
    Temporary(std::io::Error),
    /// A thread of the pipeline stopped without saying why.
    #[error("a thread of the pipeline stopped unexpectedly while {0}")]
    Thread(&'static str),
}

impl PipelineError {
    /// A short name of the kind, for records.
    pub fn kind(&self) -> &'static str {
        match self {
            PipelineError::Slide(error) => error.kind(),
            PipelineError::Backend(BackendError::Stopped { .. }) => "stopped",
            PipelineError::Backend(_) => "backend",
            PipelineError::Bundle(_) => "bundle",
            PipelineError::Mask(_) | PipelineError::Router(_) => "limits",
            PipelineError::NoResolution { .. } => "no-resolution",
            PipelineError::NoModel(_)
            | PipelineError::NoRouter
            | PipelineError::NoOrganGiven
            | PipelineError::OneScale(_) => "usage",
            PipelineError::Temporary(_) => "io",
            PipelineError::Thread(_) => "internal",
        }
    }
}
