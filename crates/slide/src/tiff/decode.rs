//! One tile or strip, from the file's bytes to RGB.

use super::file_bytes::FileBytes;
use super::layout::Layout;
use super::packing::Packing;
use super::problem::Problem;
use super::samples::{self, Samples};
use super::{colour, jpeg, unpack};
use crate::chunks::Chunk;

/// Decodes a tile or strip to RGB, cut to what lies in the image.
pub(super) fn chunk(source: &FileBytes, layout: &Layout, index: u32) -> Result<Chunk, Problem> {
    let inside = layout.size_inside(index);
    let samples = samples_of(source, layout, index)?;
    Ok(Chunk {
        width: inside.0,
        height: inside.1,
        rgb: colour::to_rgb(&samples, &layout.colour, layout.alpha, inside)?,
    })
}

/// Decodes a tile or strip to samples of 8 bits, whatever they mean.
pub(super) fn samples_of(
    source: &FileBytes,
    layout: &Layout,
    index: u32,
) -> Result<Samples, Problem> {
    if layout.planes == 1 {
        return decode_plane(source, layout, 0, index);
    }
    let planes = (0..layout.planes)
        .map(|plane| decode_plane(source, layout, plane, index))
        .collect::<Result<Vec<_>, Problem>>()?;
    samples::interleave(planes).ok_or_else(|| Problem::format("its planes are of different sizes"))
}

/// The colours of a tile or strip of 16-bit samples as numbers, those beyond the image's edge left out: what is
/// padding there need not be of the picture's depth.
pub(super) fn wide_colours(
    source: &FileBytes,
    layout: &Layout,
    index: u32,
) -> Result<Vec<u16>, Problem> {
    let colours = layout.colour.samples() as usize;
    let inside = layout.size_inside(index);
    let mut out = Vec::new();
    #[cfg(feature = "jpeg2000")]
    if layout.packing == Packing::Jpeg2000 {
        for plane in 0..layout.planes.min(colours as u32) {
            let packed = layout.packed(source, plane, index)?;
            out.extend(super::jpeg2000::wide_colours(layout, &packed, inside)?);
        }
        return Ok(out);
    }
    let (planes, together) = if layout.planes == 1 {
        (1, colours)
    } else {
        (colours, 1)
    };
    for plane in 0..planes as u32 {
        let (bytes, size) = unpacked(source, layout, plane, index)?;
        let channels = layout.samples_together() as usize;
        let row = size.0 as usize * channels;
        let wide = samples::wide(layout, source.is_little_endian(), &bytes, row);
        for row in wide.chunks_exact(row).take(inside.1 as usize) {
            for px in row.chunks_exact(channels).take(inside.0 as usize) {
                out.extend_from_slice(&px[..together]);
            }
        }
    }
    Ok(out)
}

/// The bytes of a tile or strip of a plane that no image codec packed, and its size in px.
fn unpacked(
    source: &FileBytes,
    layout: &Layout,
    plane: u32,
    index: u32,
) -> Result<(Vec<u8>, (u32, u32)), Problem> {
    let packed = layout.packed(source, plane, index)?;
    unpack_plane(layout, packed, index)
}

fn unpack_plane(
    layout: &Layout,
    packed: Vec<u8>,
    index: u32,
) -> Result<(Vec<u8>, (u32, u32)), Problem> {
    let height = if layout.tiled {
        layout.chunk.1
    } else {
        layout.size_inside(index).1
    };
    let size = (layout.chunk.0, height);
    // `Layout::read` has checked that a whole chunk is within the limits.
    let length = size.0 as usize
        * size.1 as usize
        * layout.samples_together() as usize
        * layout.sample_bytes;
    Ok((unpack::unpack(layout.packing, packed, length)?, size))
}

fn decode_plane(
    source: &FileBytes,
    layout: &Layout,
    plane: u32,
    index: u32,
) -> Result<Samples, Problem> {
    let packed = layout.packed(source, plane, index)?;
    match layout.packing {
        Packing::Jpeg => jpeg::decode(layout, packed),
        #[cfg(feature = "jpeg2000")]
        Packing::Jpeg2000 => super::jpeg2000::decode(layout, &packed),
        #[cfg(feature = "webp")]
        Packing::WebP => super::webp::decode(layout, packed),
        _ => {
            let (bytes, size) = unpack_plane(layout, packed, index)?;
            let colours = layout.colour.samples();
            let of_plane = match layout.planes {
                1 => colours,
                _ => u32::from(plane < colours),
            };
            samples::from_bytes(layout, source.is_little_endian(), bytes, size, of_plane)
        }
    }
}

/// Checks the size that an image codec's own header states, before it decodes: at least what is needed, and no more
/// than a tile or strip rounded up to whole blocks of 16 px.
pub(super) fn check_codec_size(layout: &Layout, width: u32, height: u32) -> Result<(), Problem> {
    let most = (
        layout.chunk.0.next_multiple_of(16),
        layout.chunk.1.next_multiple_of(16),
    );
    if width == 0 || height == 0 || width > most.0 || height > most.1 {
        return Err(Problem::format(format!(
            "it states {width} x {height} px, but the file states {} x {} px",
            layout.chunk.0, layout.chunk.1
        )));
    }
    Ok(())
}
