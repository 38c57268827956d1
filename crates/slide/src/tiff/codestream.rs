//! The headers of a JPEG 2000 codestream, read to know what decoding it would cost.
//!
//! The decoder takes what the headers say at their word and keeps some hundred bytes a code-block. A small file can
//! ask for blocks of one px in 32 layers, which is gigabytes; so the sizes are checked here first.

use super::layout::Layout;
use super::photometric::Colour;
use super::problem::Problem;

/// The start of a codestream, SOC and SIZ markers (ISO/IEC 15444-1, A.4 and A.5).
const START: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];
/// Px of one tile or strip. The decoder holds some ten times the bytes of its samples.
const MAX_PIXELS: u64 = 1 << 24;
/// Tiles that a codestream may cut its picture into; each costs memory before anything is decoded.
const MAX_TILES: u64 = 4096;
/// Memory that the decoder's lists of code-blocks may take.
const MAX_BLOCK_BYTES: u64 = 128 << 20;

/// What the headers say.
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: u16,
    /// Whether some planes are smaller than others.
    pub(super) subsampled: bool,
    tiles: u64,
    depths: Vec<u8>,
    /// Bytes that the decoder keeps a px because of its code-blocks, at most.
    bytes_a_pixel: u64,
}

impl Header {
    /// The codestream, out of a JP2 file or as it is.
    pub(super) fn find(packed: &[u8]) -> Result<&[u8], Problem> {
        packed
            .windows(START.len())
            .position(|bytes| bytes == START)
            .map(|start| &packed[start..])
            .ok_or_else(|| Problem::format("it does not hold a JPEG 2000 codestream"))
    }

    /// Reads the SIZ marker (A.5.1) and the coding styles.
    pub(super) fn read(stream: &[u8]) -> Result<Self, Problem> {
        let parse = || {
            let long = |at| number(stream, at, 4);
            let area = (long(8)?, long(12)?);
            let offset = (long(16)?, long(20)?);
            let tile = (long(24)?, long(28)?);
            let components = number(stream, 40, 2)? as u16;
            let each = stream.get(42..42 + 3 * usize::from(components))?;
            let tiles_of = |area: u64, tile: u64| Some(area.checked_div(tile)? + 1);
            Some(Header {
                width: area.0.checked_sub(offset.0)? as u32,
                height: area.1.checked_sub(offset.1)? as u32,
                components,
                subsampled: each.chunks_exact(3).any(|c| (c[1], c[2]) != (1, 1)),
                tiles: tiles_of(area.0, tile.0)?.checked_mul(tiles_of(area.1, tile.1)?)?,
                depths: each.chunks_exact(3).map(|c| c[0]).collect(),
                bytes_a_pixel: styles(stream, components)?,
            })
        };
        parse().ok_or_else(|| Problem::format("broken JPEG 2000: it has no sound header"))
    }

    /// Refuses what would take too much memory or what the samples could not be told of.
    pub(super) fn check(&self, layout: &Layout) -> Result<(), Problem> {
        let pixels = u64::from(self.width) * u64::from(self.height);
        if pixels > MAX_PIXELS || self.tiles > MAX_TILES {
            return Err(Problem::limits(format!(
                "JPEG 2000 of {} x {} px in {} tiles; the maximum is {MAX_PIXELS} px in {MAX_TILES} tiles",
                self.width, self.height, self.tiles
            )));
        }
        if u32::from(self.components) != layout.samples_together() {
            return Err(Problem::format(format!(
                "its JPEG 2000 has {} samples per pixel, the file states {}",
                self.components,
                layout.samples_together()
            )));
        }
        let blocks = pixels * u64::from(self.components) * self.bytes_a_pixel;
        if blocks > MAX_BLOCK_BYTES {
            return Err(Problem::limits(
                "JPEG 2000 in code-blocks or precincts of a few px; save it with larger ones",
            ));
        }
        // Unsigned samples of 8 to 16 bits; the byte holds the depth less one and a bit for the sign.
        if !self.depths.iter().all(|depth| (7..16).contains(depth)) {
            return Err(Problem::unsupported(
                "JPEG 2000 of other than 8 to 16 bits per sample; convert it to 8-bit RGB",
            ));
        }
        if self.subsampled && (self.components != 3 || layout.colour != Colour::YCbCr) {
            return Err(Problem::unsupported(
                "JPEG 2000 with planes of different sizes that are not YCbCr; convert it to RGB",
            ));
        }
        Ok(())
    }
}

fn number(stream: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = stream.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |sum, &b| sum << 8 | u64::from(b)))
}

/// Walks the main header and the headers of all tile-parts; the most that a coding style in them costs a px.
fn styles(stream: &[u8], components: u16) -> Option<u64> {
    let (mut at, mut part_end) = (2, None);
    let (mut layers, mut smallest) = (1, u32::MAX);
    loop {
        let marker = number(stream, at, 2)? as u16;
        match marker {
            // Start of data: the next header is behind this part.
            0xff93 => {
                at = match part_end.take()? {
                    Some(end) => end,
                    None => break,
                };
                // What follows the last part is for the decoder to judge.
                if number(stream, at, 2) != Some(0xff90) {
                    break;
                }
                continue;
            }
            0xffd9 => break,
            // Markers without a body.
            0xff30..=0xff3f => {
                at += 2;
                continue;
            }
            // Start of a tile-part (A.4.2): its length counts from here; 0 reaches to the end.
            0xff90 => {
                let length = number(stream, at + 6, 4)? as usize;
                if length != 0 && length < 14 {
                    return None;
                }
                part_end = Some((length != 0).then(|| at + length));
            }
            // Coding style of all components (A.6.1).
            0xff52 => {
                layers = number(stream, at + 6, 2)?.max(layers);
                let own_precincts = stream.get(at + 4)? & 1 != 0;
                smallest = block_bits(stream, at + 9, own_precincts)?.min(smallest);
            }
            // Coding style of one component (A.6.2), whose number has one byte or two.
            0xff53 => {
                let flags = at + 4 + if components < 257 { 1 } else { 2 };
                let own_precincts = stream.get(flags)? & 1 != 0;
                smallest = block_bits(stream, flags + 1, own_precincts)?.min(smallest);
            }
            _ => {}
        }
        at += 2 + number(stream, at + 2, 2)?.max(2) as usize;
    }
    // A block, its nodes in two trees and its precinct take less than 256 bytes, and each layer of it 24.
    let block = 256 + 24 * layers.min(u64::from(u16::MAX));
    Some(block >> smallest.min(63) | u64::from(smallest < 63))
}

/// The logarithm of the px of the smallest code-block that a style allows (A.6.1, tables A.15 and A.21).
fn block_bits(stream: &[u8], at: usize, own_precincts: bool) -> Option<u32> {
    let levels = usize::from(*stream.get(at)?);
    let side = |at| Some(u32::from(*stream.get(at)?) + 2);
    let (mut width, mut height) = (side(at + 1)?, side(at + 2)?);
    if own_precincts {
        for &precinct in stream.get(at + 5..at + 6 + levels)? {
            // Precincts span two bands each way but in the lowest level, so a block is at most half as wide.
            width = width.min(u32::from(precinct & 15).saturating_sub(1));
            height = height.min(u32::from(precinct >> 4).saturating_sub(1));
        }
    }
    Some(width + height)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A codestream of 16 x 16 px with a coding style and one empty tile-part.
    fn stream(layers: u16, block: u8, precincts: Option<u8>) -> Vec<u8> {
        let mut out = START.to_vec();
        out.extend([0, 47, 0, 0]);
        for side in [16_u32, 16, 0, 0, 16, 16, 0, 0] {
            out.extend(side.to_be_bytes());
        }
        out.extend([0, 3, 7, 1, 1, 7, 1, 1, 7, 1, 1]);
        let own = precincts.map_or(0, |_| 2);
        out.extend([0xff, 0x52, 0, 12 + own, u8::from(own > 0), 0]);
        out.extend(layers.to_be_bytes());
        out.extend([1, 1, block, block, 0, 1]);
        out.extend(precincts.into_iter().flat_map(|p| [p; 2]));
        out.extend([0xff, 0x90, 0, 10, 0, 0, 0, 0, 0, 14, 0, 1, 0xff, 0x93]);
        out.extend([0xff, 0xd9]);
        out
    }

    #[test]
    fn headers_are_read() {
        let header = Header::read(&stream(1, 4, None)).unwrap();
        assert_eq!((header.width, header.height), (16, 16));
        assert_eq!(header.components, 3);
        assert!(!header.subsampled);
        assert!(Header::read(&stream(1, 4, None)[..60]).is_err());
    }

    #[test]
    fn small_blocks_cost_more() {
        let cost = |layers, block, precincts| {
            let header = Header::read(&stream(layers, block, precincts)).unwrap();
            header.bytes_a_pixel
        };
        assert_eq!(cost(1, 4, None), 1);
        assert_eq!(cost(32, 4, Some(0xff)), 1);
        assert!(cost(1, 0, None) > 10);
        assert!(cost(32, 4, Some(0x11)) >= 1024);
        assert!(cost(32, 4, Some(0x00)) >= 1024);
    }
}
