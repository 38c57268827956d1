//! JPEG 2000 tiles, as codestreams or inside a JP2 file.
//!
//! Only the codestream is decoded: what its samples mean is the TIFF's to say, and Aperio's tiles have no container.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use super::codestream::Header;
use super::layout::Layout;
use super::problem::Problem;
use super::samples::Samples;
use crate::depth;

/// How far a lossy codec may go beyond the depth of its samples, as a part of it.
const OVERSHOOT: u16 = 32;

/// Decodes a tile or strip.
pub(super) fn decode(layout: &Layout, packed: &[u8]) -> Result<Samples, Problem> {
    let planes = Planes::decode(layout, packed)?;
    let channels = planes.values.len();
    let mut bytes = vec![0; planes.width as usize * planes.height as usize * channels];
    for (channel, (depth, values)) in planes.values.iter().enumerate() {
        // Narrower samples say themselves how many bits they use.
        let bits = if *depth == 16 { layout.bits } else { *depth };
        let top = u16::MAX >> (16 - bits);
        let is_colour = channel < layout.colour.samples() as usize;
        for (px, &value) in bytes.chunks_exact_mut(channels).zip(values) {
            let beyond = value > top && value - top <= top / OVERSHOOT;
            let value = if beyond || bits == *depth {
                value.min(top)
            } else {
                value
            };
            let byte = depth::narrow(value, bits, is_colour);
            px[channel] = byte.map_err(|deeper| Problem::unsupported(deeper.to_string()))?;
        }
    }
    Ok(Samples {
        width: planes.width,
        height: planes.height,
        channels: channels as u32,
        bytes,
        // Where the chroma planes are smaller, the decoder takes them for YCbCr and has made RGB of them.
        is_rgb: planes.is_rgb,
    })
}

/// The colours of a tile or strip whose samples have all 16 bits, as numbers; none of narrower ones. `inside` is what of
/// it lies in the image.
pub(super) fn wide_colours(
    layout: &Layout,
    packed: &[u8],
    inside: (u32, u32),
) -> Result<Vec<u16>, Problem> {
    let planes = Planes::decode(layout, packed)?;
    let mut out = Vec::new();
    let colours = planes.values.iter().take(layout.colour.samples() as usize);
    for (_, values) in colours.filter(|(depth, _)| *depth == 16) {
        for row in values
            .chunks_exact(planes.width as usize)
            .take(inside.1 as usize)
        {
            let row = row.iter().take(inside.0 as usize);
            // What a lossy codec adds to full brightness is no sign of more bits.
            out.extend(row.map(|&value| value - value / (OVERSHOOT + 1)));
        }
    }
    Ok(out)
}

/// The planes of a picture, each with the bits of its samples.
struct Planes {
    width: u32,
    height: u32,
    is_rgb: bool,
    values: Vec<(u32, Vec<u16>)>,
}

impl Planes {
    fn decode(layout: &Layout, packed: &[u8]) -> Result<Self, Problem> {
        let stream = Header::find(packed)?;
        let header = Header::read(stream)?;
        super::decode::check_codec_size(layout, header.width, header.height)?;
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
        // `as` keeps numbers of more than 16 bits and below 0 within their range.
        let number = |&value: &f32| (value + 0.5) as u16;
        let values = components
            .iter()
            .map(|c| {
                (
                    u32::from(c.bit_depth()),
                    c.samples().iter().map(number).collect(),
                )
            })
            .collect();
        Ok(Planes {
            width: header.width,
            height: header.height,
            is_rgb: header.subsampled,
            values,
        })
    }
}
