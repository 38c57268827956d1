//! JPEG 2000 tiles, as codestreams or inside a JP2 file.
//!
//! Only the codestream is decoded: what its samples mean is the TIFF's to say, and Aperio's tiles have no container.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use super::layout::{Colour, Layout};
use super::problem::Problem;
use super::samples::{Meaning, Samples};

/// The start of a codestream, SOC and SIZ markers (ISO/IEC 15444-1, A.4 and A.5).
const START: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];
/// Px of one tile or strip. The decoder holds some ten times the bytes of its samples.
const MAX_PIXELS: u64 = 1 << 24;
/// Tiles that a codestream may cut its picture into; each costs memory before anything is decoded.
const MAX_TILES: u64 = 4096;

/// Decodes a tile or strip.
pub(super) fn decode(layout: &Layout, packed: &[u8]) -> Result<Samples, Problem> {
    let start = packed
        .windows(START.len())
        .position(|bytes| bytes == START)
        .ok_or_else(|| Problem::format("it does not hold a JPEG 2000 codestream"))?;
    let stream = &packed[start..];
    let header = Header::read(stream)?;
    super::check_codec_size(layout, header.width, header.height)?;
    header.check(layout)?;
    // Strict, so that a codestream that is cut off is an error and not a blurred picture.
    let settings = DecodeSettings {
        strict: true,
        ..DecodeSettings::default()
    };
    let broken =
        |error: &dyn std::fmt::Display| Problem::format(format!("broken JPEG 2000: {error}"));
    let image = Image::new(stream, &settings).map_err(|error| broken(&error))?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| broken(&error))?;
    let components = decoded.components();
    let pixels = header.width as usize * header.height as usize;
    let fits = components.len() == usize::from(header.components)
        && components.iter().all(|c| c.samples().len() == pixels);
    if (image.width(), image.height()) != (header.width, header.height) || !fits {
        return Err(Problem::format(
            "broken JPEG 2000: its planes are of different sizes",
        ));
    }
    let channels = components.len();
    let mut bytes = vec![0; pixels * channels];
    for (channel, component) in components.iter().enumerate() {
        // The upper 8 bits, as for all wide samples.
        let shift = component.bit_depth() - 8;
        for (px, &value) in bytes.chunks_exact_mut(channels).zip(component.samples()) {
            // `as` keeps numbers of more than 16 bits and below 0 within their range.
            px[channel] = ((value + 0.5) as u32 >> shift).min(255) as u8;
        }
    }
    Ok(Samples {
        width: header.width,
        height: header.height,
        channels: channels as u32,
        bytes,
        // Where the chroma planes are smaller, the decoder takes them for YCbCr and has made RGB of them.
        meaning: header.subsampled.then_some(Meaning::Rgb),
    })
}

/// What the SIZ marker says (ISO/IEC 15444-1, A.5.1).
struct Header {
    width: u32,
    height: u32,
    tiles: u64,
    components: u16,
    depths: Vec<u8>,
    subsampled: bool,
}

impl Header {
    fn read(stream: &[u8]) -> Result<Self, Problem> {
        let short = |at: usize| Some(u16::from_be_bytes(stream.get(at..at + 2)?.try_into().ok()?));
        let long = |at: usize| Some(u32::from_be_bytes(stream.get(at..at + 4)?.try_into().ok()?));
        let parse = || {
            let area = (long(8)?, long(12)?);
            let offset = (long(16)?, long(20)?);
            let tile = (long(24)?, long(28)?);
            let components = short(40)?;
            let each = stream.get(42..42 + 3 * usize::from(components))?;
            let sampling = |c: &[u8]| (c[1], c[2]);
            let tiles_of = |area: u32, tile: u32| Some(u64::from(area.checked_div(tile)?) + 1);
            Some(Header {
                width: area.0.checked_sub(offset.0)?,
                height: area.1.checked_sub(offset.1)?,
                tiles: tiles_of(area.0, tile.0)? * tiles_of(area.1, tile.1)?,
                components,
                depths: each.chunks_exact(3).map(|c| c[0]).collect(),
                subsampled: each.chunks_exact(3).any(|c| sampling(c) != (1, 1)),
            })
        };
        parse().ok_or_else(|| Problem::format("broken JPEG 2000: it has no sound header"))
    }

    /// Refuses what would take too much memory or what the samples could not be told of.
    fn check(&self, layout: &Layout) -> Result<(), Problem> {
        if u64::from(self.width) * u64::from(self.height) > MAX_PIXELS || self.tiles > MAX_TILES {
            return Err(Problem::limits(format!(
                "JPEG 2000 of {} x {} px in {} tiles; the most is {MAX_PIXELS} px in {MAX_TILES} tiles",
                self.width, self.height, self.tiles
            )));
        }
        if u32::from(self.components) != layout.samples_together() {
            return Err(Problem::format(format!(
                "its JPEG 2000 has {} samples a pixel, the file states {}",
                self.components,
                layout.samples_together()
            )));
        }
        // Unsigned samples of 8 to 16 bits; the byte holds the depth less one and a bit for the sign.
        if !self.depths.iter().all(|depth| (7..16).contains(depth)) {
            return Err(Problem::unsupported(
                "JPEG 2000 of other than 8 to 16 bits a sample; convert it to 8-bit RGB",
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
