//! Opens slides and reads pixels from them at any level or resolution.
//!
//! [`open`] picks the [`SlideReader`] that fits a file. A reader hands out RGB pixels of its own levels; a
//! [`Plane`] is the same slide seen at a resolution somebody asks for (a model's, the router's, a thumbnail's),
//! read from the best level and resampled so that a pixel's value does not depend on the region it was read in.

mod error;
mod flat;
mod plane;
mod resolution;
mod tiff;
mod tissue;

use std::path::Path;

pub use error::SlideError;
pub use flat::FlatReader;
pub use plane::Plane;
pub use resolution::{Resolution, ResolutionSource};
pub use tiff::TiffReader;
pub use tissue::{Tissue, TissueMode};

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
pub struct SlideInfo {
    /// The file format, for people: `TIFF`, `OME-TIFF`, `Aperio SVS`, `PNG`, `JPEG`.
    pub format: String,
    /// How the pixels are compressed, for people.
    pub compression: String,
    /// The levels, the full-size one first, then ever smaller ones.
    pub levels: Vec<Level>,
    /// The resolution of level 0 that the file itself states, if it does so believably.
    pub resolution: Option<Resolution>,
}

impl SlideInfo {
    /// Full-size width in px.
    pub fn width(&self) -> u32 {
        self.levels[0].width
    }

    /// Full-size height in px.
    pub fn height(&self) -> u32 {
        self.levels[0].height
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
}

/// Extensions of files that [`open`] tries, in lower case and without the dot.
pub const EXTENSIONS: [&str; 6] = ["tif", "tiff", "svs", "png", "jpg", "jpeg"];

/// Opens a slide. The content decides the format, not the name.
///
/// # Errors
/// When the file cannot be read, is no image of a known format, or uses something that is not supported.
pub fn open(path: &Path) -> Result<Box<dyn SlideReader>, SlideError> {
    use std::io::Read;
    let meta = std::fs::metadata(path).map_err(|source| SlideError::io(path, source))?;
    if !meta.is_file() {
        return Err(SlideError::format(path, "it is not a regular file"));
    }
    let mut start = [0_u8; 8];
    let mut file = std::fs::File::open(path).map_err(|source| SlideError::io(path, source))?;
    let mut got = 0;
    while got < start.len() {
        match file.read(&mut start[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(source) => return Err(SlideError::io(path, source)),
        }
    }
    match &start[..got] {
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
            Ok(Box::new(TiffReader::open(path)?))
        }
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => {
            Ok(Box::new(FlatReader::open(path)?))
        }
        [] => Err(SlideError::format(path, "the file is empty")),
        _ => Err(SlideError::format(
            path,
            "it is neither TIFF (SVS, OME-TIFF), PNG nor JPEG",
        )),
    }
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
