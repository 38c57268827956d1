//! JPEG tiles and strips, with the tables that TIFF may keep apart from them.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::layout::Layout;
use super::photometric::Colour;
use super::problem::Problem;
use super::samples::Samples;

/// Decodes a tile or strip. YCbCr becomes RGB on the way, by the decoder's own vectorised conversion (JFIF's full range,
/// ITU-T T.871); other samples come as they are stored.
pub(super) fn decode(layout: &Layout, packed: Vec<u8>) -> Result<Samples, Problem> {
    let is_jfif = packed.get(6..10) == Some(b"JFIF");
    let stream = with_tables(packed, layout.jpeg_tables.as_deref())?;
    let broken = |error: &dyn std::fmt::Debug| Problem::format(format!("broken JPEG: {error:?}"));
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(stream), options);
    decoder.decode_headers().map_err(|error| broken(&error))?;
    let (Some(info), Some(space)) = (decoder.info(), decoder.input_colorspace()) else {
        return Err(Problem::format("broken JPEG: it has no header"));
    };
    super::decode::check_codec_size(layout, u32::from(info.width), u32::from(info.height))?;
    if !matches!(info.components, 1 | 3) {
        return Err(Problem::unsupported(format!(
            "JPEG with {} samples per pixel; convert it to RGB",
            info.components
        )));
    }
    // Without a marker that says so, the TIFF's photometric interpretation decides: Aperio stores RGB as it is.
    let is_ycbcr = space == ColorSpace::YCbCr
        && (layout.colour == Colour::YCbCr || (is_jfif && layout.colour == Colour::Rgb));
    let wanted = if is_ycbcr { ColorSpace::RGB } else { space };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let bytes = decoder.decode().map_err(|error| broken(&error))?;
    Ok(Samples {
        width: u32::from(info.width),
        height: u32::from(info.height),
        channels: u32::from(info.components),
        bytes,
        is_rgb: wanted == ColorSpace::RGB,
    })
}

/// Puts the shared tables in front: they end with an end-of-image marker and the tile starts with a start-of-image
/// marker, which go.
fn with_tables(packed: Vec<u8>, tables: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
    if !packed.starts_with(&[0xff, 0xd8]) {
        return Err(Problem::format("it does not start like a JPEG"));
    }
    let Some(tables) = tables else {
        return Ok(packed);
    };
    let Some(tables) = tables
        .starts_with(&[0xff, 0xd8])
        .then(|| tables.strip_suffix(&[0xff, 0xd9]))
        .flatten()
    else {
        return Err(Problem::format("the shared JPEG tables are broken"));
    };
    let mut stream = Vec::with_capacity(tables.len() + packed.len());
    stream.extend_from_slice(tables);
    stream.extend_from_slice(&packed[2..]);
    Ok(stream)
}
