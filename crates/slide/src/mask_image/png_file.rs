//! The numbers of a PNG as they are stored, row by row.

use std::io::BufReader;
use std::path::Path;

use image::metadata::Orientation;
use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::MaskImageError;
use super::background::{Alpha, MaskKind};
use super::collect::Collector;
use super::{LabelMask, check_size};
use crate::not_upright;
use crate::raw_values::Meaning;
use ftuseg_files::plain;

/// Memory that an interlaced PNG, which cannot be read row by row, may take.
const MAX_BYTES: usize = 1 << 30;

/// Reads the mask in a PNG.
pub(super) fn read(path: &Path) -> Result<LabelMask, MaskImageError> {
    let file = plain::open(path, u64::MAX).map_err(|e| MaskImageError::io(path, e))?;
    let wrong = |reason: String| MaskImageError::format(path, reason);
    let broken = |error: png::DecodingError| wrong(format!("it is not a valid PNG: {error}"));
    let mut decoder = Decoder::new_with_limits(BufReader::new(file), Limits { bytes: 256 << 20 });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(broken)?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    check_size(width, height).map_err(wrong)?;
    let exif = info.exif_metadata.as_deref();
    if let Some(turned) = exif.and_then(Orientation::from_exif_chunk)
        && turned != Orientation::NoTransforms
    {
        return Err(wrong(not_upright(turned)));
    }
    let bits = match info.bit_depth {
        BitDepth::One => 1,
        BitDepth::Two => 2,
        BitDepth::Four => 4,
        BitDepth::Eight => 8,
        BitDepth::Sixteen => 16,
    };
    let (channels, meaning) = match info.color_type {
        ColorType::Grayscale => (1, Meaning::Grey),
        ColorType::GrayscaleAlpha => (2, Meaning::Grey),
        ColorType::Rgb => (3, Meaning::Rgb),
        ColorType::Rgba => (4, Meaning::Rgb),
        ColorType::Indexed => {
            let palette = info.palette.as_deref().unwrap_or_default();
            let colours = palette.chunks_exact(3);
            let colours = colours.map(|c| [c[0], c[1], c[2]].map(u16::from));
            (1, Meaning::Palette(colours.collect()))
        }
    };
    let mut kind = MaskKind::plain(bits, meaning);
    kind.alpha = match (info.color_type, info.trns.as_deref()) {
        (ColorType::GrayscaleAlpha | ColorType::Rgba, _) => Alpha::Number,
        (ColorType::Indexed, Some(alphas)) => {
            let clear = (0_u64..).zip(alphas).filter(|(_, alpha)| **alpha == 0);
            Alpha::Values(clear.map(|(index, _)| index).collect())
        }
        // The one transparent value, as numbers of 16 bits.
        (ColorType::Grayscale | ColorType::Rgb, Some(numbers)) => {
            let numbers = numbers.chunks_exact(2).enumerate();
            let value = numbers.fold(0, |value, (place, number)| {
                let number = u64::from(u16::from_be_bytes([number[0], number[1]]));
                value | number << (place as u32 * bits).min(48)
            });
            Alpha::Values(vec![value])
        }
        _ => Alpha::None,
    };
    let mut collector = Collector::new(width, height);
    let mut values = Vec::new();
    let mut put = |y: u32, line: &[u8]| -> Result<(), MaskImageError> {
        if line.iter().fold(0, |all, &byte| all | byte) == 0 {
            return collector.even(0, y, (width, 1), 0).map_err(wrong);
        }
        unpack(line, bits, channels, width, &mut values);
        collector.row(0, y, &values).map_err(wrong)
    };
    if info.interlaced {
        let size = reader
            .output_buffer_size()
            .filter(|&size| size <= MAX_BYTES);
        let size = size.ok_or_else(|| {
            wrong(
                "it is interlaced and would take more than 1 GiB; save it without interlacing"
                    .to_owned(),
            )
        })?;
        let mut all = vec![0; size];
        let frame = reader.next_frame(&mut all).map_err(broken)?;
        for (y, line) in (0..height).zip(all.chunks_exact(frame.line_size)) {
            put(y, line)?;
        }
    } else {
        for y in 0..height {
            let row = reader.next_row().map_err(broken)?;
            let row = row.ok_or_else(|| wrong("it is cut off".to_owned()))?;
            put(y, row.data())?;
        }
    }
    collector.finish(&kind).map_err(wrong)
}

/// The values of a row's px.
fn unpack(line: &[u8], bits: u32, channels: u32, width: u32, values: &mut Vec<u64>) {
    values.clear();
    match bits {
        8 | 16 => {
            let size = (bits / 8 * channels) as usize;
            values.extend(line.chunks_exact(size).map(|px| {
                let numbers = px.chunks_exact(bits as usize / 8).enumerate();
                numbers.fold(0, |value, (place, number)| {
                    let number = number.iter().fold(0, |n, &byte| n << 8 | u64::from(byte));
                    value | number << (place as u32 * bits)
                })
            }));
        }
        _ => {
            let each = 8 / bits;
            let number = |x: u32| {
                let shift = (each - 1 - x % each) * bits;
                u64::from(line[(x / each) as usize] >> shift) & ((1 << bits) - 1)
            };
            values.extend((0..width).map(number));
        }
    }
}
