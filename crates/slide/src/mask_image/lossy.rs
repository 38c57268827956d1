//! Masks in JPEG and other kinds that do not keep numbers exactly.

use std::path::Path;

use super::MaskImageError;
use super::{LabelMask, check_size};
use crate::open;
use ftuseg_mask::{Mask, Rect};

/// Rows that are read at once.
const BAND: u32 = 256;
/// Below this a px is black as far as a lossy kind can tell, and from `WHITE` on it is white.
const BLACK: u8 = 32;
const WHITE: u8 = 224;
/// Where px between the two are cut.
const MIDDLE: u8 = 128;
/// Channels that differ by more show a colour.
const COLOUR: u8 = 64;
/// Channels that differ by more show at least a tint: stained tissue does, the edge of white on black does not.
const TINT: u8 = 24;
/// So many px may be odd in any mask.
const FEW: u64 = 64;

/// Reads the mask in a picture that is white on black.
pub(super) fn read(path: &Path) -> Result<LabelMask, MaskImageError> {
    let image = open(path)?;
    let wrong = |reason: String| MaskImageError::format(path, reason);
    let (width, height) = (image.info().width(), image.info().height());
    check_size(width, height).map_err(wrong)?;
    let mut mask = Mask::new(width, height)?;
    let (mut brightest, mut white, mut between, mut coloured) = (0, 0_u64, 0_u64, 0_u64);
    let (mut black, mut tinted) = (0_u64, 0_u64);
    for y in (0..height).step_by(BAND as usize) {
        let band = Rect {
            x: 0,
            y,
            width,
            height: BAND.min(height - y),
        };
        let mut rgb = vec![0; width as usize * band.height as usize * 3];
        image.read(0, 0, i64::from(y), width, band.height, &mut rgb)?;
        let mut levels = Vec::with_capacity(rgb.len() / 3);
        for px in rgb.as_chunks::<3>().0 {
            let (low, high) = (px[0].min(px[1]).min(px[2]), px[0].max(px[1]).max(px[2]));
            coloured += u64::from(high - low > COLOUR);
            tinted += u64::from(high - low > TINT);
            black += u64::from(high < BLACK);
            brightest = brightest.max(high);
            white += u64::from(high >= WHITE);
            between += u64::from((BLACK..WHITE).contains(&high));
            levels.push(high);
        }
        mask.set_block_by(band, &levels, width as usize, |level| level >= MIDDLE)?;
        mask.compact_rows(y..y + band.height);
    }
    let advice = "save the mask as PNG or TIFF";
    // Stained tissue is pale, and a little of it on much glass is no more than a rim: glass alone would be foreground.
    let photograph = format!(
        "it is a photograph and no mask: {black} of its px are black, and {} are tinted or grey; give the mask that was made \
         of it",
        between.max(tinted)
    );
    if black == 0 && between + tinted > FEW {
        return Err(wrong(photograph));
    }
    if coloured > white.max(between) / 100 {
        return Err(wrong(format!(
            "it is a colour picture ({coloured} px) in a format that does not keep exact values, so it is a photograph, or a mask whose labels cannot be told apart; give the mask as PNG or TIFF"
        )));
    }
    if tinted > FEW && tinted * 2 > between {
        return Err(wrong(photograph));
    }
    if brightest > 0 && white == 0 {
        return Err(wrong(format!(
            "its brightest px is {brightest} of 255, and its format ({}) does not keep exact values; {advice}",
            image.info().compression
        )));
    }
    if between * 10 > white {
        return Err(wrong(format!(
            "{between} of its px are neither black nor white, and its format ({}) does not keep exact values; {advice}",
            image.info().compression
        )));
    }
    Ok(mask.into())
}
