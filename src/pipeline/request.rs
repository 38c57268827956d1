//! What is wanted of one slide.

use std::sync::atomic::{AtomicBool, Ordering};

use ftuseg_router::Organ;

use crate::mask::Rect;
use crate::slide::Resolution;

use super::TileCount;

/// What is known of one slide besides its pixels, and what is wanted of it. The default asks for all of it.
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// use ftuseg::{Rect, Request};
/// let stop = AtomicBool::new(false);
/// let request = Request {
///     region: Some(Rect { x: 0, y: 0, width: 512, height: 512 }),
///     stop: Some(&stop),
///     ..Request::default()
/// };
/// # let _ = request;
/// ```
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
    /// The size of a full-size px, instead of the one that the slide states.
    pub mpp: Option<Resolution>,
    /// The slide's organ, for [`Route::Given`](super::Route::Given).
    pub organ: Option<Organ>,
    /// The part of the slide that is wanted, full-size px; all of it where that is `None`. It must not be empty, nor
    /// reach beyond the slide.
    ///
    /// Tissue is found and routed on the whole slide, and tiles lie where they lie in a whole run. So the mask inside
    /// the region is the one of a whole run, with one exception: holes are filled and small objects dropped by what lies
    /// in the tiles that were run, which reach up to a tile beyond the region.
    pub region: Option<Rect>,
    /// Whether a map of the probabilities is wanted with each mask. Around a region it reaches as far as its tiles.
    pub probabilities: KeepProbabilities,
    /// Ends the work: looked at between tiles, and a few times a second while a network runs. See [`Cancel`].
    pub stop: Option<&'a dyn Cancel>,
    /// Called with the tiles done and planned so far, from the threads that do them.
    pub progress: Option<&'a (dyn Fn(TileCount) + Sync)>,
}

/// Which probabilities are kept beside a mask. Needs the feature `probabilities`, but for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepProbabilities {
    /// None.
    #[default]
    No,
    /// Those of every px, to say how sure the objects are.
    FullSize,
    /// Those of every px and smaller levels of them, to be written as a map.
    Pyramid,
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("mpp", &self.mpp)
            .field("organ", &self.organ)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Request<'_> {
    /// Whether whoever asked does not want it any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.stop.is_some_and(Cancel::is_cancelled)
    }

    pub(super) fn tell(&self, tiles: TileCount) {
        if let Some(progress) = self.progress {
            progress(tiles);
        }
    }
}

/// Says whether work is still wanted: an [`AtomicBool`] that somebody else raises, or a closure.
pub trait Cancel: Sync {
    /// True once the work is not wanted any more. It may be asked often, and from any thread.
    fn is_cancelled(&self) -> bool;
}

impl Cancel for AtomicBool {
    fn is_cancelled(&self) -> bool {
        self.load(Ordering::Relaxed)
    }
}

impl<F: Fn() -> bool + Sync> Cancel for F {
    fn is_cancelled(&self) -> bool {
        self()
    }
}
