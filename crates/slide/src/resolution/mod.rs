//! Where a slide's um/px comes from, and which values are believed.
//!
//! The first of these that gives a believable value is taken, and the record says which it was:
//!
//! 1. the caller: `--mpp`, then the manifest's column;
//! 2. the `MPP` of an Aperio description;
//! 3. `PhysicalSizeX` of OME-XML, with its unit;
//! 4. the resolution tags of a TIFF in the `unit` of an ImageJ description;
//! 5. the resolution tags of a TIFF, which many programs fill with a default.
//!
//! Of an OME-Zarr image it is 1., then the scale of its first level with the units of its axes.
//! Of a slide that is read through OpenSlide it is 1., then `openslide.mpp-x` and `-y`.
//!
//! What no microscope can have is passed over: 0, not a number, 1 px an inch or centimetre, 72, 96 or 300 dpi. A
//! description that speaks of a picture of another size is corrected where it states both sizes, else passed over, and so
//! are tags that repeat it. Px may be up to 1 % longer one way than the other; a file of others is refused.

#[cfg(feature = "files")]
mod choose;
mod plausible;
#[cfg(feature = "files")]
mod sizes;
#[cfg(feature = "files")]
mod stated;
#[cfg(all(test, feature = "files"))]
mod tests;
#[cfg(feature = "files")]
mod units;

use serde::{Deserialize, Serialize};

pub use plausible::size_warning;

#[cfg(feature = "files")]
pub(crate) use choose::choose;
#[cfg(feature = "files")]
pub(crate) use stated::Stated;
#[cfg(feature = "files")]
pub(crate) use units::{decimal, micrometres};

/// Who said how large a px is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolutionSource {
    /// The user, for all slides.
    Option,
    /// The manifest's `mpp` or `pixel_size`.
    Manifest,
    /// The `MPP` of an Aperio image description.
    Aperio,
    /// The `PhysicalSizeX` of OME-XML.
    OmeXml,
    /// The resolution tags of a TIFF, in the unit that ImageJ's description names.
    #[serde(rename = "imagej")]
    ImageJ,
    /// The resolution tags of a TIFF.
    TiffTags,
    /// The scale of an OME-Zarr image, in the units of its axes.
    OmeZarr,
    /// OpenSlide's `openslide.mpp-x`, which it takes from what the vendor wrote.
    OpenSlide,
    /// Whoever handed in the px themselves.
    Caller,
}

impl std::fmt::Display for ResolutionSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ResolutionSource::Option => "option",
            ResolutionSource::Manifest => "manifest",
            ResolutionSource::Aperio => "Aperio description",
            ResolutionSource::OmeXml => "OME-XML",
            ResolutionSource::ImageJ => "ImageJ description",
            ResolutionSource::TiffTags => "TIFF resolution tags",
            ResolutionSource::OmeZarr => "OME-Zarr metadata",
            ResolutionSource::OpenSlide => "OpenSlide properties",
            ResolutionSource::Caller => "caller",
        })
    }
}

/// The size of a full-size px.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// um per full-size px, from left to right.
    #[serde(rename = "value")]
    pub mpp: f64,
    /// um per full-size px, from top to bottom; within 1 % of the other.
    pub down: f64,
    /// Who said so.
    pub source: ResolutionSource,
}

impl Resolution {
    /// A resolution, if it is one a microscope can have: 0.02 to 40 um/px.
    ///
    /// Programs that know no resolution write 1 px/cm, 72, 96 or 300 dpi; all of these are over 80 um/px.
    pub fn believable(mpp: f64, source: ResolutionSource) -> Option<Self> {
        (mpp.is_finite() && (0.02..=40.0).contains(&mpp)).then_some(Resolution {
            mpp,
            down: mpp,
            source,
        })
    }

    /// um2 of `px` full-size px.
    pub fn area(&self, px: u64) -> f64 {
        px as f64 * self.mpp * self.down
    }
}

/// A resolution that a file states and that is not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IgnoredResolution {
    /// Who states it.
    pub source: ResolutionSource,
    /// What is stated.
    pub stated: String,
    /// Why it is not used.
    pub reason: String,
}
