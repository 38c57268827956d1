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
    if let Some((width, height)) = lossy_size(&packed) {
        super::decode::check_codec_size(layout, width, height)?;
    }
    let mut decoder = WebPDecoder::new(Cursor::new(packed)).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    super::decode::check_codec_size(layout, width, height)?;
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
        is_rgb: false,
    })
}

/// Width and height of the lossy picture inside. The decoder takes memory for it before it compares them with those of
/// the file around it (RFC 6386, section 9.1: three bytes, the start code, and 14 bits each).
fn lossy_size(packed: &[u8]) -> Option<(u32, u32)> {
    let at = packed.windows(4).position(|name| name == b"VP8 ")?;
    let frame = packed.get(at + 8..at + 18)?;
    let side = |at: usize| u32::from(u16::from_le_bytes([frame[at], frame[at + 1]]) & 0x3fff);
    (frame[3..6] == [0x9d, 0x01, 0x2a]).then(|| (side(6), side(8)))
}
