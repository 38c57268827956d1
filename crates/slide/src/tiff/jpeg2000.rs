//! JPEG 2000 tiles, as codestreams or inside a JP2 file.
//!
//! Only the codestream is decoded: what its samples mean is the TIFF's to say, and Aperio's tiles have no container.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use super::codestream::Header;
use super::layout::Layout;
use super::problem::Problem;
use super::samples::Samples;

/// Decodes a tile or strip.
pub(super) fn decode(layout: &Layout, packed: &[u8]) -> Result<Samples, Problem> {
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
        is_rgb: header.subsampled,
    })
}
