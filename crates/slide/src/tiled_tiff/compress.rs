//! Compresses one raw tile.

use std::io::Write;

use flate2::write::ZlibEncoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::{Compression, Samples, TiffOptions, TiledTiffError};

/// A tile after compression.
pub(super) enum Tile {
    /// Every pixel is this one, in as many of the bytes as it has. Not compressed yet, because one
    /// copy in the file serves all such tiles.
    Constant([u8; 4]),
    /// The compressed bytes.
    Bytes(Vec<u8>),
}

/// Compresses the tiles of one file.
pub(super) struct Compressor {
    side: u16,
    /// Bytes of one pixel.
    bytes: usize,
    compression: Compression,
    level: flate2::Compression,
}

/// How hard Deflate looks for repetitions in pictures and probabilities.
const THOROUGH: u32 = 6;
/// In labels of 32 bits, which are long runs of few values: a third larger, and several times as fast.
const LABELS: u32 = 3;
/// In labels of 8 bits: a tenth larger than at 3, in about two thirds of the time. Labels of 32 bits would gain little time
/// and be a sixth larger.
const MASK: u32 = 2;

impl Compressor {
    /// A compressor for `options`, which have been checked.
    pub(super) fn new(options: &TiffOptions) -> Compressor {
        Compressor {
            // The layout allows at most 4096.
            side: options.tile as u16,
            bytes: options.samples.bytes(),
            compression: options.compression,
            level: flate2::Compression::new(match options.samples {
                Samples::Gray32 => LABELS,
                // A palette is the colours of labels.
                Samples::Gray8 if options.palette.is_some() => MASK,
                Samples::Gray8 | Samples::Rgb8 => THOROUGH,
            }),
        }
    }

    /// A zeroed raw tile, `[tile, tile, bytes]`.
    pub(super) fn buffer(&self) -> Vec<u8> {
        vec![0; usize::from(self.side) * usize::from(self.side) * self.bytes]
    }

    /// Compresses `raw`, unless it is of one value.
    pub(super) fn tile(&self, raw: &[u8]) -> Result<Tile, TiledTiffError> {
        // Every pixel equals the one before it: one memory comparison of the tile with itself.
        let first = &raw[..self.bytes];
        if raw[self.bytes..] == raw[..raw.len() - self.bytes] {
            let mut pixel = [0; 4];
            pixel[..self.bytes].copy_from_slice(first);
            return Ok(Tile::Constant(pixel));
        }
        self.compress(raw).map(Tile::Bytes)
    }

    /// Compresses a tile whose every pixel is `pixel`.
    pub(super) fn constant(&self, pixel: [u8; 4]) -> Result<Vec<u8>, TiledTiffError> {
        let mut raw = self.buffer();
        for place in raw.chunks_exact_mut(self.bytes) {
            place.copy_from_slice(&pixel[..self.bytes]);
        }
        self.compress(&raw)
    }

    fn compress(&self, raw: &[u8]) -> Result<Vec<u8>, TiledTiffError> {
        match self.compression {
            Compression::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::with_capacity(raw.len() / 4), self.level);
                encoder.write_all(raw)?;
                Ok(encoder.finish()?)
            }
            Compression::Jpeg { quality } => {
                let mut bytes = Vec::with_capacity(raw.len() / 8);
                let mut encoder = Encoder::new(&mut bytes, quality);
                // No subsampling: thin dark lines, such as a gland's edge, keep their colour.
                encoder.set_sampling_factor(SamplingFactor::F_1_1);
                encoder.encode(raw, self.side, self.side, ColorType::Rgb)?;
                Ok(bytes)
            }
        }
    }
}
