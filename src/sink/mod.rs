//! Writes what was found, one file per format.
//!
//! A [`Sink`] writes one file of a slide's folder from a [`SlideFindings`]. Objects are outlined once and shared by all
//! sinks, so that the record, the polygons and the picture speak of the same objects.

mod colours;
mod error;
mod geojson;
mod legend;
mod mask_tiff;
mod output;
mod overlay;
mod picture;
mod probability_tiff;
mod record;

use std::path::Path;

use ftuseg_router::Target;

use crate::bundle::Bundle;
use crate::mask::{Polygon, polygons};
use crate::pipeline::{Segmentation, UsedModel};
use crate::slide::{Resolution, SlideReader};

pub use colours::colour;
pub use error::SinkError;
pub use geojson::GeoJson;
pub use mask_tiff::MaskTiff;
pub use output::{Output, Outputs, UnknownOutput};
pub use overlay::Overlay;
pub use probability_tiff::ProbabilityTiff;
pub use record::RecordSink;
#[cfg(feature = "batch")]
pub(crate) use record::write_record;

/// The objects of one target.
#[derive(Debug, Clone)]
pub struct TargetObjects {
    /// The target.
    pub target: Target,
    /// Name of the model that found them.
    pub model: String,
    /// Their outlines in full-size px, in raster order of their first px.
    pub polygons: Vec<Polygon>,
}

impl TargetObjects {
    /// Area of all objects, full-size px.
    pub fn area(&self) -> u64 {
        self.polygons.iter().map(|polygon| polygon.area).sum()
    }
}

/// The models of a layer, for people: `kidney int8 + other`.
fn names(models: &[UsedModel]) -> String {
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
    /// The objects, one entry per layer of the segmentation.
    pub objects: Vec<TargetObjects>,
}

impl<'a> SlideFindings<'a> {
    /// Outlines the objects of a segmentation.
    pub fn new(
        id: &'a str,
        slide: &'a dyn SlideReader,
        segmentation: &'a Segmentation,
        bundle: &'a Bundle,
    ) -> Self {
        let objects = segmentation
            .layers
            .iter()
            .map(|layer| TargetObjects {
                target: layer.target,
                model: names(&layer.models),
                polygons: polygons(&layer.mask),
            })
            .collect();
        SlideFindings {
            id,
            slide,
            segmentation,
            bundle,
            objects,
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
}

/// Writes one file of a slide's folder.
pub trait Sink: Send + Sync {
    /// The file's name in the slide's folder.
    fn file_name(&self) -> &'static str;

    /// Writes the file at `path`, which does not exist yet.
    ///
    /// # Errors
    /// When the file cannot be written, or the slide cannot be read for it.
    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError>;
}

/// Writes a file and waits until it is on the disk, so that a full disk is told of.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), SinkError> {
    use std::io::Write;
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| SinkError::io(path, source))
}
