//! Reads a mask that any tool made, by one rule, for whatever asks for the mask in an image.
//!
//! A px of a mask is foreground unless it is background, and what is background can be told in up to three ways: the
//! stored number is 0 (grey, labels, palettes, WhiteIsZero), the colour shown is black (RGB, palettes, WhiteIsZero), or
//! the px is transparent (alpha). A way that calls all px the same says nothing where another one does not. The ways that
//! say something must agree on every px; where they do not, the mask is refused. So is a picture without any background
//! that has several values, numbers below 0 or with fractions, smoothed edges, and whatever looks like a photograph: many
//! values, most of which fill no more than two px in a row.
//!
//! An object is a 4-connected part of one value: labels that touch are objects of their own.
//!
//! JPEG and other lossy kinds have no exact numbers: below 32 is background, from 224 on foreground, and what lies between
//! is cut at 128 as long as it is no more than a rim; more of it, or colours, are refused.

mod background;
mod collect;
mod error;
mod lossy;
mod png_file;

use std::io::Read;
use std::path::Path;

use crate::SlideReader;
use crate::raw_values::{Format, Meaning, RawPart, RawTiff};
use ftuseg_files::plain;
use ftuseg_mask::{Mask, Objects, Rect};

use background::MaskKind;
use collect::Collector;
pub use error::MaskImageError;

/// The most px of a mask that is read: 262,144 squared, more than any slide has.
pub const MAX_PIXELS: u64 = 1 << 36;

/// Rows that [`read_mask`] reads at once.
const BAND: u32 = 512;

/// A mask, and its objects where they are told apart by labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelMask {
    /// The foreground.
    pub mask: Mask,
    /// The objects; none where they are the connected parts of the foreground.
    pub objects: Option<Objects>,
    /// What the file holds that does not count, in words.
    pub left_out: Vec<String>,
}

impl From<Mask> for LabelMask {
    fn from(mask: Mask) -> Self {
        LabelMask {
            mask,
            objects: None,
            left_out: Vec::new(),
        }
    }
}

/// Refuses sizes that no slide has, before anything is done with them.
///
/// # Errors
/// What is wrong, without a file's name.
pub fn check_size(width: u32, height: u32) -> Result<(), String> {
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!(
            "{width} x {height} px are more than a mask may have ({MAX_PIXELS})"
        ));
    }
    Ok(())
}

/// Reads the mask in an image, whatever its name: PNG, TIFF, JPEG, or what else shows a picture.
///
/// # Errors
/// When the file cannot be read, or its meaning is not sure.
pub fn read_mask_image(path: &Path) -> Result<LabelMask, MaskImageError> {
    let mut start = Vec::new();
    plain::open(path, u64::MAX)
        .and_then(|file| file.take(132).read_to_end(&mut start))
        .map_err(|e| MaskImageError::io(path, e))?;
    let is_dicom = start.get(128..132) == Some(b"DICM");
    match start.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => png_file::read(path),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] if !is_dicom => {
            match RawTiff::open(path)? {
                Some(raw) => tiff(path, &raw),
                None => lossy::read(path),
            }
        }
        _ => lossy::read(path),
    }
}

/// Reads a mask image, a `mask.tif` of an earlier run say: every px that is not black, whatever its value.
///
/// # Errors
/// When the image cannot be read.
pub fn read_mask(image: &dyn SlideReader) -> Result<Mask, MaskImageError> {
    let (width, height) = (image.info().width(), image.info().height());
    let mut mask = Mask::new(width, height)?;
    // In bands, so that a large mask need not fit into memory.
    for y in (0..height).step_by(BAND as usize) {
        let band = Rect {
            x: 0,
            y,
            width,
            height: BAND.min(height - y),
        };
        let mut rgb = vec![0; width as usize * band.height as usize * 3];
        image.read(0, 0, i64::from(y), width, band.height, &mut rgb)?;
        let found: Vec<bool> = rgb.chunks_exact(3).map(|px| px != [0; 3]).collect();
        mask.set_block_by(band, &found, width as usize, |found| found)?;
    }
    Ok(mask)
}

fn tiff(path: &Path, raw: &RawTiff) -> Result<LabelMask, MaskImageError> {
    let wrong = |reason: String| MaskImageError::format(path, reason);
    check_size(raw.width, raw.height).map_err(wrong)?;
    let kind = MaskKind {
        bits: raw.bits,
        format: raw.format,
        meaning: raw.meaning.clone(),
        alpha: match raw.has_alpha {
            true => background::Alpha::Number,
            false => background::Alpha::None,
        },
        by_number_only: raw.by_imagej && raw.meaning == Meaning::InvertedGrey,
    };
    let mut collector = Collector::new(raw.width, raw.height);
    raw.each(path, |part| match part {
        RawPart::Row { x, y, values } => collector.row(x, y, values).map_err(wrong),
        RawPart::Even {
            x,
            y,
            width,
            height,
            value,
        } => collector.even(x, y, (width, height), value).map_err(wrong),
    })?;
    collector.finish(&kind).map_err(wrong)
}

/// A kind of px for tests and files that say no more.
impl MaskKind {
    pub(super) fn plain(bits: u32, meaning: Meaning) -> Self {
        MaskKind {
            bits,
            format: Format::Unsigned,
            meaning,
            alpha: background::Alpha::None,
            by_number_only: false,
        }
    }
}

#[cfg(test)]
mod tests;
