//! Unpacked bytes become 8-bit samples: differences undone, byte order and width brought to one.

use super::layout::Layout;
use super::problem::Problem;
use crate::depth;

/// Decoded samples of 8 bits, `[height, width, channels]`.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: u32,
    pub(super) bytes: Vec<u8>,
    /// The image codec has made RGB of them, where the TIFF may say YCbCr.
    pub(super) is_rgb: bool,
}

/// Makes samples of unpacked bytes, `width` px a row with `channels` samples each. `colours` is how many of the channels,
/// the first ones, are colours.
///
/// # Errors
/// When a colour uses more bits than the file was found to use.
pub(super) fn from_bytes(
    layout: &Layout,
    little_endian: bool,
    mut bytes: Vec<u8>,
    (width, height): (u32, u32),
    colours: u32,
) -> Result<Samples, Problem> {
    let channels = layout.samples_together();
    let row = width as usize * channels as usize;
    if layout.sample_bytes == 2 {
        let wide = wide(layout, little_endian, &bytes, row);
        let mut narrow = Vec::with_capacity(wide.len());
        for (at, value) in wide.into_iter().enumerate() {
            let is_colour = (at as u32) % channels < colours;
            let byte = depth::narrow(value, layout.bits, is_colour);
            narrow.push(byte.map_err(|deeper| Problem::unsupported(deeper.to_string()))?);
        }
        bytes = narrow;
    } else if layout.differences {
        for row in bytes.chunks_exact_mut(row) {
            for at in channels as usize..row.len() {
                row[at] = row[at].wrapping_add(row[at - channels as usize]);
            }
        }
    }
    Ok(Samples {
        width,
        height,
        channels,
        bytes,
        is_rgb: false,
    })
}

/// Samples of 16 bits as numbers, differences undone; `row` of them a row.
pub(super) fn wide(layout: &Layout, little_endian: bool, bytes: &[u8], row: usize) -> Vec<u16> {
    let number = |b: &[u8]| {
        if little_endian {
            u16::from_le_bytes([b[0], b[1]])
        } else {
            u16::from_be_bytes([b[0], b[1]])
        }
    };
    let mut wide: Vec<u16> = bytes.chunks_exact(2).map(number).collect();
    if layout.differences {
        let channels = layout.samples_together() as usize;
        for row in wide.chunks_exact_mut(row) {
            for at in channels..row.len() {
                row[at] = row[at].wrapping_add(row[at - channels]);
            }
        }
    }
    wide
}

/// Weaves planes of one channel each into px.
pub(super) fn interleave(planes: Vec<Samples>) -> Option<Samples> {
    let (width, height) = (planes.first()?.width, planes.first()?.height);
    let channels = planes.len();
    let same = |p: &Samples| p.channels == 1 && (p.width, p.height) == (width, height);
    if !planes.iter().all(same) {
        return None;
    }
    let mut bytes = vec![0; width as usize * height as usize * channels];
    for (channel, plane) in planes.iter().enumerate() {
        for (px, &value) in bytes.chunks_exact_mut(channels).zip(&plane.bytes) {
            px[channel] = value;
        }
    }
    Some(Samples {
        width,
        height,
        channels: channels as u32,
        bytes,
        is_rgb: false,
    })
}
