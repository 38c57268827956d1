//! Looks at some of the px when a slide is opened: how many bits are in use, and whether an alpha channel is one.
//!
//! The same tiles are looked at each time: a grid over the smallest level and one over full size. What the rest of the
//! file holds is held against the answer when it is decoded, so a wrong one is an error and never a wrong picture.

use super::decode;
use super::directory::{Directory, tag};
use super::file_bytes::FileBytes;
use super::layout::Layout;
use super::packing::Packing;
use super::photometric::Alpha;
use super::problem::Problem;
use crate::depth::{Largest, doubt, stated_doubt};
use crate::warning::{Warning, WarningKind};

/// Tiles or strips of a level that are looked at.
const LOOKS: u64 = 48;
/// Px of a level that are looked at, but for one tile or strip.
const LOOKED_PIXELS: u64 = 32 << 20;

/// How many bits of wide samples a file says to be in use.
pub(super) struct StatedDepth {
    /// 8 to 15.
    bits: u32,
    /// Where it says so.
    who: String,
}

/// Reads how many bits of wide samples are in use, where the file says less than all; `ome` is what OME-XML says.
///
/// # Errors
/// When the samples do not begin at 0.
pub(super) fn stated_depth(
    source: &FileBytes,
    slide: &Directory,
    ome: Option<u64>,
) -> Result<Option<StatedDepth>, Problem> {
    if let Some(bits @ 8..=15) = ome {
        return Ok(Some(StatedDepth {
            bits: bits as u32,
            who: format!("SignificantBits = {bits} in its OME-XML"),
        }));
    }
    // What is not sound here says nothing.
    let largest = |tag| {
        let values = slide.numbers(source, tag).unwrap_or_default();
        values.into_iter().max()
    };
    let Some(most @ 255..=65_535) = largest(tag::MAX_SAMPLE) else {
        return Ok(None);
    };
    let least = largest(tag::MIN_SAMPLE).unwrap_or(0);
    // A camera's range that was moved up, and no mere least value of the picture.
    if least > 255 && most > least && (most - least + 1).is_power_of_two() {
        return Err(Problem::unsupported(format!(
            "samples from {least} to {most} (MinSampleValue, MaxSampleValue); convert it to 8-bit RGB"
        )));
    }
    let bits = u64::BITS - most.leading_zeros();
    Ok((8..16).contains(&bits).then(|| StatedDepth {
        bits,
        who: format!("MaxSampleValue = {most}"),
    }))
}

/// Finds out what the tags do not say, sets it in the levels, and gives the doubts that remain.
///
/// # Errors
/// When the alpha channel can mean two things.
pub(super) fn settle(
    source: &FileBytes,
    levels: &mut [Layout],
    stated: Option<&StatedDepth>,
) -> Result<Vec<Warning>, Problem> {
    let mut warnings = Vec::new();
    let wide = |layout: &Layout| {
        let is_exact = layout.packing.is_exact();
        layout.sample_bytes == 2 && is_exact
    };
    if levels.iter().any(wide) {
        let mut largest = Largest::default();
        for (layout, index) in looked_at(levels) {
            // What cannot be decoded says so when it is read.
            if wide(layout)
                && let Ok(values) = decode::wide_colours(source, layout, index)
            {
                largest.see(values);
            }
        }
        let (bits, text) = match (stated, largest.bits()) {
            (Some(stated), None) => (stated.bits, stated_doubt(stated.bits, &stated.who)),
            (Some(stated), Some((_, largest))) if largest >> stated.bits == 0 => {
                (stated.bits, stated_doubt(stated.bits, &stated.who))
            }
            (Some(stated), Some((bits, largest))) => (
                bits,
                format!(
                    "{} is wrong, since a sample is {largest}; {} is taken as full brightness",
                    stated.who,
                    (1_u32 << bits) - 1
                ),
            ),
            (None, Some((bits, largest))) if bits < 16 => (bits, doubt(bits, largest)),
            (None, _) => (16, String::new()),
        };
        if !text.is_empty() {
            levels.iter_mut().for_each(|layout| layout.bits = bits);
            warnings.push(Warning::new(WarningKind::Samples, text));
        }
    }
    match levels[0].alpha {
        Alpha::Unspecified => warnings.push(Warning::new(
            WarningKind::AlphaIgnored,
            format!(
                "{} of {} samples of each px are ignored: the file does not say that they are colours or transparency",
                levels[0].samples - levels[0].colour.samples(),
                levels[0].samples
            ),
        )),
        Alpha::Associated | Alpha::Separate => {
            if let Some(value) = constant_alpha(source, levels)? {
                for layout in levels.iter_mut() {
                    if matches!(layout.alpha, Alpha::Associated | Alpha::Separate) {
                        layout.alpha = Alpha::Constant(value);
                    }
                }
                warnings.push(Warning::new(WarningKind::AlphaIgnored, ignored_alpha(value)));
            }
        }
        Alpha::None | Alpha::Constant(_) => {}
    }
    Ok(warnings)
}

/// What is said to the user of an alpha channel that is none.
pub(crate) fn ignored_alpha(value: u8) -> String {
    format!(
        "the alpha channel is ignored: it is {value} of 255 everywhere, which is not the transparency of a slide"
    )
}

/// What an alpha channel tells, px by px.
#[derive(Debug, Default)]
pub(crate) struct AlphaSeen {
    range: Option<(u8, u8)>,
    has_colour: bool,
}

impl AlphaSeen {
    /// Looks at a px.
    pub(crate) fn see(&mut self, colours: &[u8], alpha: u8) {
        let (low, high) = self.range.unwrap_or((alpha, alpha));
        self.range = Some((low.min(alpha), high.max(alpha)));
        self.has_colour |= colours.iter().any(|&v| v != 0);
    }

    /// The value that stands everywhere, if that cannot be meant: the px have colours and none is opaque.
    ///
    /// # Errors
    /// Where the alpha is 0 or 1, which may be meant as a share of 1 or of 255.
    pub(crate) fn constant(&self) -> Result<Option<u8>, &'static str> {
        match self.range {
            Some((low, high)) if low == high && high < u8::MAX && self.has_colour => Ok(Some(high)),
            Some((0, 1)) => {
                Err("its alpha channel holds 0 and 1 of 255 only; convert it to RGB without alpha")
            }
            _ => Ok(None),
        }
    }
}

fn constant_alpha(source: &FileBytes, levels: &[Layout]) -> Result<Option<u8>, Problem> {
    let mut seen = AlphaSeen::default();
    for (layout, index) in looked_at(levels) {
        let at = layout.colour.samples() as usize;
        let Ok(samples) = decode::samples_of(source, layout, index) else {
            continue;
        };
        let channels = samples.channels as usize;
        if channels <= at || matches!(layout.packing, Packing::Jpeg) {
            continue;
        }
        let inside = layout.size_inside(index);
        let rows = samples
            .bytes
            .chunks_exact(samples.width as usize * channels);
        for row in rows.take(inside.1 as usize) {
            for px in row.chunks_exact(channels).take(inside.0 as usize) {
                seen.see(&px[..at], px[at]);
            }
        }
    }
    seen.constant().map_err(Problem::format)
}

/// Tiles and strips of the smallest level and of full size, spread evenly, those that are missing left out.
fn looked_at(levels: &[Layout]) -> Vec<(&Layout, u32)> {
    let last = levels.len() - 1;
    let chosen = if last == 0 { &levels[..1] } else { levels };
    let ends = [chosen.last(), chosen.first().filter(|_| last > 0)];
    ends.into_iter()
        .flatten()
        .flat_map(|layout| {
            let there: Vec<u32> = (0..layout.chunks())
                .filter(|&index| !layout.is_missing(index))
                .collect();
            let px = u64::from(layout.chunk.0) * u64::from(layout.chunk.1);
            let looks = (LOOKED_PIXELS / px.max(1)).clamp(1, LOOKS);
            let count = there.len() as u64;
            let looks = looks.min(count);
            // The middle of each of `looks` parts.
            let pick = move |part: u64| there[((2 * part + 1) * count / (2 * looks)) as usize];
            (0..looks).map(move |part| (layout, pick(part)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(px: &[[u8; 4]]) -> Result<Option<u8>, &'static str> {
        let mut seen = AlphaSeen::default();
        px.iter().for_each(|px| seen.see(&px[..3], px[3]));
        seen.constant()
    }

    #[test]
    fn an_alpha_of_one_value_is_none() {
        assert_eq!(constant(&[[9, 9, 9, 0], [1, 2, 3, 0]]), Ok(Some(0)));
        assert_eq!(constant(&[[9, 9, 9, 1]]), Ok(Some(1)));
        assert_eq!(constant(&[[9, 9, 9, 255]]), Ok(None));
        assert_eq!(constant(&[[9, 9, 9, 0], [1, 2, 3, 200]]), Ok(None));
        // Nothing is there at all: it shows white.
        assert_eq!(constant(&[[0, 0, 0, 0]]), Ok(None));
        assert_eq!(constant(&[]), Ok(None));
        assert!(constant(&[[9, 9, 9, 0], [1, 2, 3, 1]]).is_err());
    }
}
