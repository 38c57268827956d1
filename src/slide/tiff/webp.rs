//! WebP tiles and strips.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::layout::Layout;
use super::problem::Problem;
use super::samples::Samples;

/// Decodes a tile or strip.
pub(super) fn decode(layout: &Layout, packed: Vec<u8>) -> Result<Samples, Problem> {
    let broken =
        |error: image_webp::DecodingError| Problem::format(format!("broken WebP: {error}"));
    let mut decoder = WebPDecoder::new(Cursor::new(packed)).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    super::check_codec_size(layout, width, height)?;
    if decoder.is_animated() {
        return Err(Problem::unsupported("an animated WebP"));
    }
    let channels: u32 = if decoder.has_alpha() { 4 } else { 3 };
    let mut bytes = vec![0; width as usize * height as usize * channels as usize];
    decoder.read_image(&mut bytes).map_err(broken)?;
    Ok(Samples {
        width,
        height,
        channels,
        bytes,
        meaning: None,
    })
}
