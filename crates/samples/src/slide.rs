//! Hands a drawing to the TIFF writer tile by tile, and writes whole slides.

use std::path::Path;

use ftuseg_slide::tiled_tiff::{Compression, Samples, TiffOptions, TileSource, write_file};

use super::{Drawing, SampleError};

/// The colours of a [`Drawing`] as tiles of `tile` x `tile` px, `[tile, tile, 3]`.
#[derive(Debug, Clone, Copy)]
pub struct RgbTiles<'a> {
    /// What is drawn.
    pub drawing: &'a Drawing,
    /// Side of a tile in pixels, as in the writer's options.
    pub tile: u32,
}

impl TileSource for RgbTiles<'_> {
    fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]) {
        let (x, y) = (column * self.tile, row * self.tile);
        self.drawing.rgb(level, x, y, self.tile, self.tile, out);
    }
}

/// The truth of a [`Drawing`], labels 0 to 5, as tiles of `tile` x `tile` px, `[tile, tile]`.
#[derive(Debug, Clone, Copy)]
pub struct TruthTiles<'a> {
    /// What is drawn.
    pub drawing: &'a Drawing,
    /// Side of a tile in pixels, as in the writer's options.
    pub tile: u32,
}

impl TileSource for TruthTiles<'_> {
    fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]) {
        let (x, y) = (column * self.tile, row * self.tile);
        self.drawing.truth(level, x, y, self.tile, self.tile, out);
    }
}

/// Writes the slide as a tiled pyramidal TIFF with um/px at `path`, as a stream: memory does not grow with
/// its size.
///
/// # Errors
/// [`SampleError::Tiff`] if the file cannot be written; then there is none.
pub fn write_slide(
    drawing: &Drawing,
    path: &Path,
    compression: Compression,
) -> Result<(), SampleError> {
    let options = options(drawing, Samples::Rgb8, compression);
    let tile = options.tile;
    Ok(write_file(path, &options, &RgbTiles { drawing, tile })?)
}

/// Writes the truth, labels 0 to 5, as a tiled pyramidal TIFF of the slide's size at `path`.
///
/// # Errors
/// [`SampleError::Tiff`] if the file cannot be written; then there is none.
pub fn write_truth(drawing: &Drawing, path: &Path) -> Result<(), SampleError> {
    let options = options(drawing, Samples::Gray8, Compression::Deflate);
    let tile = options.tile;
    Ok(write_file(path, &options, &TruthTiles { drawing, tile })?)
}

fn options(drawing: &Drawing, samples: Samples, compression: Compression) -> TiffOptions {
    let spec = drawing.spec();
    let organs: Vec<&str> = spec
        .parts
        .iter()
        .take(8)
        .map(|part| part.organ.name())
        .collect();
    TiffOptions {
        width: spec.width,
        height: spec.height,
        samples,
        compression,
        tile: 256,
        mpp: Some(spec.mpp),
        description: Some(format!(
            "ftuseg sample slide, drawn, not scanned: {}{}; seed {}",
            organs.join(", "),
            if spec.parts.len() > 8 { ", ..." } else { "" },
            spec.seed
        )),
        palette: None,
    }
}
