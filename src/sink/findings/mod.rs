//! A segmented slide as the sinks see it: its objects measured and outlined once, and handed to each sink one by one.

mod objects;
mod sorter;
mod stored;

use std::sync::{Arc, OnceLock};

use ftuseg_router::Target;

use crate::bundle::Bundle;
use crate::pipeline::{Segmentation, UsedModel};
use crate::slide::{Resolution, SlideReader};

pub use objects::{FoundObjects, ObjectProbability, SlideObject, TargetObjects, object_uuid};

use super::SinkError;

/// The models of a layer, for people: `kidney int8 + other`.
pub(super) fn names(models: &[UsedModel]) -> String {
    let names: Vec<String> = models.iter().map(UsedModel::to_string).collect();
    names.join(" + ")
}

/// A segmented slide with all that the sinks need.
pub struct SlideFindings<'a> {
    /// The slide's id, as the user gave it.
    pub id: &'a str,
    /// The slide.
    pub slide: &'a dyn SlideReader,
    /// What was found.
    pub segmentation: &'a Segmentation,
    /// The bundle that found it.
    pub bundle: &'a Bundle,
    objects: OnceLock<Arc<FoundObjects>>,
}

impl<'a> SlideFindings<'a> {
    /// The findings of a segmentation.
    pub fn new(
        id: &'a str,
        slide: &'a dyn SlideReader,
        segmentation: &'a Segmentation,
        bundle: &'a Bundle,
    ) -> Self {
        SlideFindings {
            id,
            slide,
            segmentation,
            bundle,
            objects: OnceLock::new(),
        }
    }

    /// The same with objects that were found before, for whoever writes one output now and another one later. They must be
    /// those of this segmentation.
    pub fn with_objects(
        id: &'a str,
        slide: &'a dyn SlideReader,
        segmentation: &'a Segmentation,
        bundle: &'a Bundle,
        objects: Arc<FoundObjects>,
    ) -> Self {
        SlideFindings {
            objects: OnceLock::from(objects),
            ..SlideFindings::new(id, slide, segmentation, bundle)
        }
    }

    /// The objects: measured and outlined when they are first asked for, and kept in an unnamed file of the temporary folder.
    ///
    /// # Errors
    /// When that file cannot be written, or the probabilities that were kept cannot be read.
    pub fn objects(&self) -> Result<&Arc<FoundObjects>, SinkError> {
        if let Some(objects) = self.objects.get() {
            return Ok(objects);
        }
        // Nobody waits for them: a thread of a pool may come by here for one output while it helps to measure for another.
        let objects = FoundObjects::find(self.id, self.slide, self.segmentation)?;
        Ok(self.objects.get_or_init(|| Arc::new(objects)))
    }

    /// Gives every object the probability that is known from elsewhere, in the order of the ids.
    #[cfg(feature = "batch")]
    pub(crate) fn put_probabilities(&mut self, known: Vec<ObjectProbability>) {
        // They were handed to nobody.
        if let Some(objects) = self.objects.get_mut().and_then(Arc::get_mut) {
            objects.put_probabilities(known);
        }
    }

    /// um per full-size px from left to right, if it is known.
    pub fn mpp(&self) -> Option<f64> {
        self.resolution().map(|r| r.mpp)
    }

    /// The size of a full-size px, if it is known.
    pub fn resolution(&self) -> Option<Resolution> {
        self.segmentation.resolution
    }

    /// mm2 of tissue that a target decided, where um/px is known: its share of the tissue of the whole slide.
    pub fn tissue_mm2(&self, target: Target) -> Option<f64> {
        let grid = self.segmentation.map.grid();
        let all = u64::from(grid.width()) * u64::from(grid.height());
        let slide = self.resolution()?.area(all) * 1e-6;
        let shares = self.segmentation.map.shares();
        let share = shares.iter().find(|share| share.target == target)?;
        Some(slide * self.segmentation.tissue.share() * share.share)
    }
}
