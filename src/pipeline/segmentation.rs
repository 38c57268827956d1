//! What comes out: a mask per target, and how it came about.

use std::sync::Arc;

use ftuseg_router::{OrganMap, Target};
use rayon::prelude::*;

use crate::mask::{Figures, Mask, Object, Objects, Polygon, outline};
use crate::slide::warning::Warning;
use crate::slide::{Resolution, Tissue};

use super::{PipelineError, ProbabilityMap};
pub use ftuseg_records::{ComputedIn, TileCount, Timings, UsedModel};

/// What one target's models found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Layer {
    /// The target.
    pub target: Target,
    /// The models that decided it. Their probabilities were averaged.
    pub models: Vec<UsedModel>,
    /// Probability from which a px counts as found.
    pub threshold: f32,
    /// What was found, full size. Never lies in another target's cells, so masks of two layers never overlap.
    pub mask: Mask,
    /// The probabilities before any clean-up, where they were asked for; 0 outside the target's cells.
    pub probabilities: Option<Arc<ProbabilityMap>>,
}

/// A segmented slide.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Segmentation {
    /// Which target decided where.
    pub map: OrganMap,
    /// Where tissue was found.
    pub tissue: Tissue,
    /// The resolution that was used.
    pub resolution: Option<Resolution>,
    /// One layer per target, in the order of [`Target`].
    pub layers: Vec<Layer>,
    /// Tiles planned and inferred.
    pub tiles: TileCount,
    /// Seconds by stage.
    pub timings: Timings,
    /// What looks doubtful about it, beside what the reader says.
    pub warnings: Vec<Warning>,
    /// The image of the networks' training that the slide looks like. What is found on it says nothing about accuracy.
    pub training_image: Option<String>,
}

impl Segmentation {
    /// Everything that was found, whatever the target.
    ///
    /// # Errors
    /// Never in practice: all layers have the slide's size.
    pub fn union(&self) -> Result<Mask, PipelineError> {
        let grid = self.map.grid();
        let mut all = Mask::new(grid.width(), grid.height())?;
        for layer in &self.layers {
            all.or_assign(&layer.mask)?;
        }
        Ok(all)
    }

    /// The objects that were found, with their outlines: layer by layer, and within one in raster order of their first px.
    /// Objects are 4-connected; holes are kept.
    pub fn objects(&self) -> Vec<FoundObject> {
        let of_layer = |layer: &Layer| {
            let target = layer.target;
            let objects = Objects::find(&layer.mask);
            let all: Vec<Object<'_>> = objects.iter().collect();
            let describe = |object: &Object<'_>| FoundObject {
                target,
                polygon: outline(object),
                figures: object.figures(),
            };
            let found = all.par_iter().with_min_len(16).map(describe);
            found.collect::<Vec<_>>()
        };
        self.layers.iter().flat_map(of_layer).collect()
    }
}

/// One object that was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FoundObject {
    /// Whose models found it: an organ, or a network for all of them.
    pub target: Target,
    /// Its outline with its holes and its area, full-size px.
    pub polygon: Polygon,
    /// What can be said of its shape, full-size px.
    pub figures: Figures,
}
