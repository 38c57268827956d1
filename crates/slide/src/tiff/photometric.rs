//! What the samples of a px are: how wide, and which colour they make.

use super::directory::{Directory, tag};
use super::file_bytes::FileBytes;
use super::packing::Packing;
use super::problem::Problem;

/// What the samples of a px mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Colour {
    /// One sample, 0 is black.
    Grey,
    /// One sample, 0 is white.
    InvertedGrey,
    Rgb,
    /// Full-range YCbCr as in JFIF.
    YCbCr,
    /// One sample, the index of a colour.
    Palette(Vec<[u8; 3]>),
}

impl Colour {
    /// Samples of one px, without extra ones.
    pub(super) fn samples(&self) -> u32 {
        match self {
            Colour::Rgb | Colour::YCbCr => 3,
            _ => 1,
        }
    }
}

/// What the first sample after the colour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    None,
    /// The colours are multiplied by it.
    Associated,
    /// The colours are not multiplied by it.
    Separate,
    /// The file does not say that it is transparency.
    Unspecified,
    /// It is called transparency and has this one value everywhere, so it is none.
    Constant(u8),
}

/// Bytes of a sample, if all are unsigned whole numbers of 8 or 16 bits.
pub(super) fn sample_bytes(
    source: &FileBytes,
    directory: &Directory,
    samples: u64,
) -> Result<usize, Problem> {
    let convert = "convert it to 8-bit RGB";
    let formats = directory.numbers(source, tag::SAMPLE_FORMAT)?;
    if let Some(other) = formats.iter().find(|&&format| format != 1 && format != 4) {
        let name = match other {
            2 => "signed numbers",
            3 => "floating-point numbers",
            _ => "complex numbers",
        };
        return Err(Problem::unsupported(format!(
            "pixels stored as {name}; {convert}"
        )));
    }
    let bits = directory.numbers(source, tag::BITS)?;
    let first = bits.first().copied().unwrap_or(1);
    if bits.iter().any(|&other| other != first) {
        return Err(Problem::unsupported(format!(
            "samples of different widths ({bits:?} bit); {convert}"
        )));
    }
    // One number may stand for all samples.
    if bits.len() > 1 && (bits.len() as u64) < samples {
        return Err(Problem::format(format!(
            "{samples} samples per pixel but {} widths of samples",
            bits.len()
        )));
    }
    match first {
        8 => Ok(1),
        16 => Ok(2),
        other => Err(Problem::unsupported(format!(
            "pixels of {other} bits per sample; {convert}"
        ))),
    }
}

/// The colour that the photometric interpretation states.
pub(super) fn colour(
    source: &FileBytes,
    directory: &Directory,
    packing: Packing,
) -> Result<Colour, Problem> {
    let Some(photometric) = directory.number(source, tag::PHOTOMETRIC)? else {
        return Err(Problem::format(
            "it does not say what its samples mean (PhotometricInterpretation)",
        ));
    };
    Ok(match photometric {
        0 => Colour::InvertedGrey,
        1 => Colour::Grey,
        2 => Colour::Rgb,
        3 => Colour::Palette(palette(source, directory)?),
        6 => {
            // Image codecs bring their own subsampling; TIFF's own, which packs px in blocks, is next to unused.
            let sampling = directory.numbers(source, tag::SUBSAMPLING)?;
            if !packing.is_image() && sampling != [1, 1] {
                return Err(Problem::unsupported(
                    "subsampled YCbCr without JPEG; convert it to 8-bit RGB",
                ));
            }
            Colour::YCbCr
        }
        other => {
            let name = match other {
                4 => "a transparency mask".to_owned(),
                5 => "CMYK".to_owned(),
                8..=10 => "CIE L*a*b*".to_owned(),
                _ => format!("the photometric interpretation {other}"),
            };
            return Err(Problem::unsupported(format!(
                "{name}; convert it to 8-bit RGB"
            )));
        }
    })
}

/// The colour map: all reds, then all greens, then all blues, of 16 bits each.
fn palette(source: &FileBytes, directory: &Directory) -> Result<Vec<[u8; 3]>, Problem> {
    if directory.number(source, tag::BITS)? != Some(8) {
        return Err(Problem::unsupported(
            "a palette of other than 256 colours; convert it to 8-bit RGB",
        ));
    }
    let map = directory.numbers(source, tag::COLOUR_MAP)?;
    if map.len() != 3 * 256 {
        return Err(Problem::format(format!(
            "its palette has {} numbers instead of 768",
            map.len()
        )));
    }
    // Some writers fill the 16-bit map with 8-bit values; taken as they should be, all colours would be black.
    let shift = if map.iter().all(|&v| v < 256) { 0 } else { 8 };
    let byte = |at: usize| (map[at] >> shift).min(255) as u8;
    Ok((0..256)
        .map(|index| [byte(index), byte(256 + index), byte(512 + index)])
        .collect())
}
