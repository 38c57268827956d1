//! Opens slides and reads pixels from them at any level or resolution.
//!
//! [`open`] picks the [`SlideReader`] that fits a file. A reader hands out RGB pixels of its own levels; a
//! [`Plane`] is the same slide seen at a resolution somebody asks for (a model's, the router's, a thumbnail's),
//! read from the best level and resampled so that a pixel's value does not depend on the region it was read in.

#[cfg(feature = "ndarray")]
mod array;
#[cfg(feature = "files")]
mod bounded;
#[cfg(feature = "files")]
mod chunks;
mod closed;
#[cfg(feature = "files")]
mod completeness;
#[cfg(feature = "files")]
mod depth;
#[cfg(feature = "files")]
mod detect;
#[cfg(feature = "files")]
pub mod dicom;
mod error;
#[cfg(feature = "files")]
mod file_ids;
#[cfg(feature = "files")]
pub mod label_pyramid;
#[cfg(feature = "zarr-store")]
pub mod label_zarr;
#[cfg(feature = "files")]
pub mod mask_image;
#[cfg(feature = "openslide")]
mod openslide;
mod plane;
#[cfg(feature = "files")]
mod png_jpeg;
#[cfg(feature = "files")]
mod problem;
mod resolution;
mod rgb;
#[cfg(feature = "files")]
mod slide_files;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "files")]
mod tiff;
#[cfg(feature = "files")]
pub mod tiled_tiff;
mod tissue;
pub mod warning;
#[cfg(feature = "zarr")]
mod zarr;
#[cfg(feature = "files")]
mod zarr_folder;
#[cfg(feature = "zarr-store")]
pub mod zarr_store;

use std::path::Path;

#[cfg(feature = "ndarray")]
pub use array::{ArraySlide, Channels};
pub use closed::ClosedSlide;
pub use error::SlideError;
#[cfg(feature = "files")]
pub use file_ids::{id_of_file, image_of};
#[cfg(feature = "openslide")]
pub use openslide::{OPENSLIDE, OpenSlideReader, use_search, version as openslide_version};
pub use plane::Plane;
#[cfg(feature = "files")]
pub use png_jpeg::PngJpegReader;
#[cfg(feature = "files")]
pub(crate) use png_jpeg::not_upright;
pub use resolution::{IgnoredResolution, Resolution, ResolutionSource, size_warning};
pub use rgb::RgbSlide;
#[cfg(feature = "files")]
pub use slide_files::{files_beside, one_per_slide, slides_among};
#[cfg(feature = "files")]
pub(crate) use tiff::raw_values;
#[cfg(feature = "files")]
pub use tiff::{TiffReader, limit_strips};
pub use tissue::{Tissue, TissueMode};
#[cfg(feature = "zarr")]
pub use zarr::ZarrReader;
#[cfg(feature = "files")]
pub use zarr_folder::{files_of_slide, is_zarr};

use ftuseg_mask::Rect;

use crate::warning::Warning;

/// The largest side of a slide in px. 2^20 px are 26 cm at 0.25 um/px, more than any glass.
pub const MAX_SIDE: u32 = 1 << 20;

/// One resolution level of a slide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Width in px of this level.
    pub width: u32,
    /// Height in px of this level.
    pub height: u32,
}

/// What a reader found out about its slide.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SlideInfo {
    /// The file format, for people: `TIFF`, `OME-TIFF`, `Aperio SVS`, `Hamamatsu NDPI`, `PNG`.
    pub format: String,
    /// Who reads it: `ftuseg`, or `OpenSlide` with its version.
    pub reader: String,
    /// How the pixels are compressed, for people.
    pub compression: String,
    /// The levels, the full-size one first, then ever smaller ones.
    pub levels: Vec<Level>,
    /// The resolution of level 0 that the file itself states, if it does so believably.
    pub resolution: Option<Resolution>,
    /// Resolutions that the file states and that are not used.
    pub ignored: Vec<IgnoredResolution>,
    /// The part that was scanned, if the file says so and it is not all; the rest is background.
    pub bounds: Option<Rect>,
}

/// The name of our own readers in [`SlideInfo::reader`].
pub(crate) const NATIVE: &str = "ftuseg";

impl SlideInfo {
    /// A slide of one level, of which nothing else is known: fill in the rest.
    pub fn new(format: impl Into<String>, width: u32, height: u32) -> Self {
        SlideInfo {
            format: format.into(),
            reader: String::new(),
            compression: String::new(),
            levels: vec![Level { width, height }],
            resolution: None,
            ignored: Vec::new(),
            bounds: None,
        }
    }

    /// Full-size width in px.
    pub fn width(&self) -> u32 {
        self.levels[0].width
    }

    /// Full-size height in px.
    pub fn height(&self) -> u32 {
        self.levels[0].height
    }

    /// The level that a region of `width` x `height` px is to be read from into `buffer` bytes. `path` is what errors name.
    ///
    /// # Errors
    /// When there is no such level, or the buffer has another size than the region.
    pub(crate) fn level_to_read(
        &self,
        path: &Path,
        level: usize,
        (width, height): (u32, u32),
        buffer: usize,
    ) -> Result<Level, SlideError> {
        let Some(&found) = self.levels.get(level) else {
            return Err(SlideError::usage(path, format!("it has no level {level}")));
        };
        match rgb_len(width, height) == Some(buffer) {
            true => Ok(found),
            false => Err(SlideError::usage(
                path,
                "the buffer does not fit the region",
            )),
        }
    }

    /// How many full-size px one px of `level` spans, across and down. Levels beyond the last count as the last.
    pub fn downsample(&self, level: usize) -> (f64, f64) {
        let level = self.levels[level.min(self.levels.len() - 1)];
        (
            f64::from(self.width()) / f64::from(level.width),
            f64::from(self.height()) / f64::from(level.height),
        )
    }
}

/// Reads the pixels of one slide. All methods may be called from many threads at once.
pub trait SlideReader: Send + Sync {
    /// What the slide is. Its `levels` is never empty and no level has a side of 0.
    fn info(&self) -> &SlideInfo;

    /// What looks wrong with the file and does not keep it from being read, found when it was opened.
    fn warnings(&self) -> &[Warning] {
        &[]
    }

    /// Reads a region of a level as RGB, `[height, width, 3]`, into `out`.
    ///
    /// `x` and `y` are px of that level and may be negative; whatever lies outside the level comes back white.
    ///
    /// # Errors
    /// When the level does not exist, `out` has another length, or the file cannot be read or decoded there.
    fn read(
        &self,
        level: usize,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), SlideError>;

    /// What stands before the pixels in the DICOM files that hold the slide at full size, in the order of their names: of
    /// all top-level elements those that `is_wanted` names. `None` where the slide does not lie in DICOM files. They speak of
    /// patients: what is made of them is none of our records.
    ///
    /// # Errors
    /// When a file cannot be read, is broken there, or is encoded in a way that is not supported.
    #[cfg(feature = "files")]
    fn dicom_headers(
        &self,
        is_wanted: fn(dicom::DicomTag) -> bool,
    ) -> Result<Option<Vec<dicom::DicomHeader>>, SlideError> {
        let _ = is_wanted;
        Ok(None)
    }
}

#[cfg(feature = "files")]
/// Extensions of files that [`open`] tries, in lower case and without the dot. A `zarr` is a folder.
pub const EXTENSIONS: [&str; 19] = [
    "tif", "tiff", "btf", "svs", "png", "jpg", "jpeg", "ndpi", "mrxs", "scn", "bif", "czi", "dcm",
    "vms", "vmu", "svslide", "vsi", "qptiff", "zarr",
];

/// Opens a slide. The content decides the format and the reader, not the name: what our own readers can read, they do;
/// OpenSlide gets the rest. A folder is a slide if it is an OME-Zarr image.
///
/// # Errors
/// When the file cannot be read, is no image of a known format, uses something that is not supported, or needs OpenSlide
/// and there is none.
#[cfg(feature = "files")]
pub fn open(path: &Path) -> Result<Box<dyn SlideReader>, SlideError> {
    use detect::ReaderKind;
    match detect::kind(path)? {
        ReaderKind::Flat => Ok(Box::new(PngJpegReader::open(path)?)),
        ReaderKind::Zarr => zarr(path),
        ReaderKind::Foreign(format) => {
            // A link may stand for a slide whose other parts lie beside the file itself.
            let path = &completeness::with_its_parts(path);
            completeness::check_complete(path)?;
            foreign(path, format)
        }
        ReaderKind::Tiff => match tiff::foreign(path) {
            Some(format) => foreign(path, format),
            None => match TiffReader::open(path) {
                Ok(slide) => Ok(Box::new(slide)),
                // Other samples it shows with other px than the file has (16-bit grey, signed numbers).
                Err(error) if tiff::has_byte_samples(path) => instead(path, error),
                Err(error) => Err(error),
            },
        },
    }
}

/// What the file of a slide says of it, where our own readers read it; none where OpenSlide is needed, which is not asked.
/// A PNG or JPEG is not decoded for it.
///
/// # Errors
/// As [`open`].
#[cfg(feature = "files")]
pub fn header(path: &Path) -> Result<Option<SlideInfo>, SlideError> {
    use detect::ReaderKind;
    Ok(match detect::kind(path)? {
        ReaderKind::Flat => Some(png_jpeg::header(path)?),
        ReaderKind::Foreign(_) => None,
        ReaderKind::Zarr => Some(zarr(path)?.info().clone()),
        ReaderKind::Tiff => match tiff::foreign(path) {
            Some(_) => None,
            None => Some(TiffReader::open(path)?.info().clone()),
        },
    })
}

/// An OME-Zarr image.
#[cfg(feature = "zarr")]
fn zarr(path: &Path) -> Result<Box<dyn SlideReader>, SlideError> {
    Ok(Box::new(ZarrReader::open(path)?))
}

#[cfg(all(feature = "files", not(feature = "zarr")))]
fn zarr(path: &Path) -> Result<Box<dyn SlideReader>, SlideError> {
    Err(SlideError::unsupported(
        path,
        "OME-Zarr, which this build was made without",
    ))
}

/// A slide of a format that only OpenSlide knows.
#[cfg(feature = "openslide")]
fn foreign(path: &Path, format: &'static str) -> Result<Box<dyn SlideReader>, SlideError> {
    Ok(Box::new(OpenSlideReader::open(path, format)?))
}

#[cfg(all(feature = "files", not(feature = "openslide")))]
fn foreign(path: &Path, format: &'static str) -> Result<Box<dyn SlideReader>, SlideError> {
    Err(SlideError::unsupported(
        path,
        format!("{format} is read through OpenSlide, which this build was made without"),
    ))
}

/// A TIFF that our own reader refused with `error`, through OpenSlide.
#[cfg(feature = "openslide")]
fn instead(path: &Path, error: SlideError) -> Result<Box<dyn SlideReader>, SlideError> {
    Ok(Box::new(OpenSlideReader::instead(path, error)?))
}

#[cfg(all(feature = "files", not(feature = "openslide")))]
fn instead(_path: &Path, error: SlideError) -> Result<Box<dyn SlideReader>, SlideError> {
    Err(error)
}

/// What is seen of a colour where glass shines through: it is white. `alpha` is not multiplied in.
pub fn over_white(value: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha);
    ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// The number of bytes of an RGB region, if it fits into memory at all.
pub(crate) fn rgb_len(width: u32, height: u32) -> Option<usize> {
    (width as usize)
        .checked_mul(height as usize)?
        .checked_mul(3)
}

/// Copies the part of an RGB block that overlaps a region, both given in px of one level.
///
/// `block` is `[h, w, 3]` with its top left px at `at`; `out` is the region `[height, width, 3]` at `(x, y)`.
pub(crate) fn copy_overlap(
    block: &[u8],
    at: (i64, i64),
    size: (u32, u32),
    out: &mut [u8],
    (x, y): (i64, i64),
    (width, height): (u32, u32),
) {
    let x0 = at.0.max(x);
    let x1 = (at.0 + i64::from(size.0)).min(x.saturating_add(i64::from(width)));
    let y0 = at.1.max(y);
    let y1 = (at.1 + i64::from(size.1)).min(y.saturating_add(i64::from(height)));
    if x0 >= x1 {
        return;
    }
    let bytes = (x1 - x0) as usize * 3;
    for row in y0..y1 {
        let from = ((row - at.1) as usize * size.0 as usize + (x0 - at.0) as usize) * 3;
        let to = ((row - y) as usize * width as usize + (x0 - x) as usize) * 3;
        out[to..to + bytes].copy_from_slice(&block[from..from + bytes]);
    }
}
