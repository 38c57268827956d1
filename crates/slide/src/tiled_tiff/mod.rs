//! Writes tiled, compressed, pyramidal TIFF and BigTIFF files as a stream.
//!
//! The pixels are asked for tile by tile through [`TileSource`], so a picture of any size needs only a
//! few tiles of memory. Tiles are compressed in parallel and written in order: the same source gives the
//! same bytes with any number of threads.
//!
//! The file holds one directory per level in one chain, the full size first, each next level half the
//! size and marked as a reduced image. That is the layout which libtiff, tifffile, OpenSlide ("generic
//! tiled TIFF") and QuPath read. Tiles of a single value, which fill most of a label mask, are stored once
//! and pointed to again.

mod compress;
mod directory;
#[cfg(test)]
mod label_tests;
mod labels;
mod layout;
mod ome_xml;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use compress::{Compressor, Tile};
use directory::Directory;
use layout::Layout;

pub(crate) use layout::level_sizes;

pub use labels::{LabelTiff, LabelTiffOptions, write_labels};
pub use ome_xml::LabelImage;

/// How the name of a file begins and ends that is not whole yet.
pub const TEMPORARY: (&str, &str) = (".ftuseg-", ".tmp");

/// How many tiles are in flight at once. A fixed number, so that memory does not grow with the picture.
const TILES_AT_ONCE: usize = 64;

/// What a pixel holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Samples {
    /// One byte a pixel: grey values or labels.
    Gray8,
    /// Three bytes a pixel: red, green, blue.
    Rgb8,
    /// Four bytes a pixel, the lowest first: labels.
    Gray32,
}

impl Samples {
    /// Samples of one pixel: 1 or 3.
    pub fn channels(self) -> usize {
        match self {
            Samples::Gray8 | Samples::Gray32 => 1,
            Samples::Rgb8 => 3,
        }
    }

    /// Bits of one sample: 8 or 32.
    pub fn bits(self) -> u16 {
        match self {
            Samples::Gray8 | Samples::Rgb8 => 8,
            Samples::Gray32 => 32,
        }
    }

    /// Bytes of one pixel: 1, 3 or 4.
    pub fn bytes(self) -> usize {
        self.channels() * usize::from(self.bits()) / 8
    }
}

/// How each tile is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Lossless Deflate, TIFF compression 8, without a predictor.
    Deflate,
    /// Lossy JPEG, TIFF compression 7, for [`Samples::Rgb8`] only. Each tile carries its own tables; the
    /// colours are stored as YCbCr without subsampling.
    Jpeg {
        /// JPEG quality, 1 (small) to 100 (good).
        quality: u8,
    },
}

/// What [`write()`] writes. Every field counts for the full-size level; the reduced levels follow from it.
#[derive(Debug, Clone, PartialEq)]
pub struct TiffOptions {
    /// Width at full size in pixels; at least 1.
    pub width: u32,
    /// Height at full size in pixels; at least 1.
    pub height: u32,
    /// What a pixel holds.
    pub samples: Samples,
    /// How tiles are compressed.
    pub compression: Compression,
    /// Side of a tile in pixels: a multiple of 16, at most 4096. 256 and 512 are usual.
    pub tile: u32,
    /// Size of a full-size pixel in um, written as pixels per centimetre; `None` writes no resolution.
    pub mpp: Option<f64>,
    /// Text for the ImageDescription tag of the first directory.
    pub description: Option<String>,
    /// The colour in which each value of [`Samples::Gray8`] is shown, RGB. The values stay what they are; only programs
    /// that show the file look at it. `None` shows them as grey.
    pub palette: Option<Box<[[u8; 3]; 256]>>,
}

impl TiffOptions {
    /// Width and height of every level in pixels, full size first. Each level is half the one before,
    /// rounded up, until both sides fit into one tile.
    pub fn levels(&self) -> Vec<(u32, u32)> {
        layout::level_sizes(self.width, self.height, self.tile)
    }
}

/// Where the pixels come from.
///
/// `Sync`, because many tiles are asked for at once, in any order. The same tile must always give the
/// same pixels.
pub trait TileSource: Sync {
    /// Fills `out`, shaped `[tile, tile, bytes]`, with the tile at (`column`, `row`) of `level`, counted
    /// in tiles from the top left. Level `l` is `ceil(width / 2^l)` by `ceil(height / 2^l)` pixels. `out` comes
    /// zeroed; pixels beyond the level's edge may hold anything, zero or the edge repeated compress well.
    fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]);
}

/// What can go wrong while writing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TiledTiffError {
    /// The options ask for something that no TIFF can be.
    #[error("cannot write this TIFF: {0}")]
    Usage(String),
    /// The picture is larger than the file format can hold.
    #[error("cannot write this TIFF: {0}")]
    LimitsExceeded(String),
    /// The JPEG encoder refused a tile.
    #[error("cannot compress a tile as JPEG: {0}")]
    Jpeg(jpeg_encoder::EncodingError),
    /// Writing failed.
    #[error("cannot write the TIFF: {0}; check the free space and the folder's permissions")]
    Io(io::Error),
    /// Making, filling or renaming the file failed.
    #[error("cannot write {}: {cause}; check the free space and the folder's permissions", path.display())]
    File {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl TiledTiffError {
    /// What the system said, where it is the system that refused.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            TiledTiffError::Io(cause) | TiledTiffError::File { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl From<io::Error> for TiledTiffError {
    fn from(cause: io::Error) -> Self {
        TiledTiffError::Io(cause)
    }
}

impl From<jpeg_encoder::EncodingError> for TiledTiffError {
    fn from(cause: jpeg_encoder::EncodingError) -> Self {
        TiledTiffError::Jpeg(cause)
    }
}

/// Writes one pyramidal TIFF to `writer`, which must stand at position 0 of an empty file or buffer.
///
/// The file is a BigTIFF when an upper bound of its size passes 4 GiB. Memory holds at most 64 compressed
/// tiles, one raw tile a thread, and 12 bytes for every tile of the pyramid.
///
/// # Errors
/// [`TiledTiffError::Usage`] for options that make no TIFF, [`TiledTiffError::LimitsExceeded`] for a picture with too many
/// tiles, [`TiledTiffError::Io`] when the writer fails. What was written by then is not a valid file.
pub fn write<W: Write + Seek>(
    writer: W,
    options: &TiffOptions,
    source: &dyn TileSource,
) -> Result<(), TiledTiffError> {
    write_down(writer, options, options.mpp, source)
}

/// As [`write()`], with px that are `down` um from top to bottom and `options.mpp` from left to right.
fn write_down<W: Write + Seek>(
    mut writer: W,
    options: &TiffOptions,
    down: Option<f64>,
    source: &dyn TileSource,
) -> Result<(), TiledTiffError> {
    let layout = Layout::new(options)?;
    layout::check_mpp(down)?;
    let compressor = Compressor::new(options);
    let header = directory::header(layout.big);
    writer.write_all(&header)?;
    let mut position = header.len() as u64;
    let mut constant = BTreeMap::new();
    let mut tables = Vec::with_capacity(layout.levels.len());
    for (index, level) in layout.levels.iter().enumerate() {
        let tiles = level.columns as usize * level.rows as usize;
        let mut offsets = Vec::with_capacity(tiles);
        let mut lengths = Vec::with_capacity(tiles);
        for first in (0..tiles).step_by(TILES_AT_ONCE) {
            let last = (first + TILES_AT_ONCE).min(tiles);
            let done: Vec<Result<Tile, TiledTiffError>> = (first..last)
                .into_par_iter()
                .map_init(
                    || compressor.buffer(),
                    |buffer, number| {
                        // Below 2^32 tiles a side by construction, so the casts are exact.
                        let column = (number % level.columns as usize) as u32;
                        let row = (number / level.columns as usize) as u32;
                        buffer.fill(0);
                        source.tile(index, column, row, buffer);
                        compressor.tile(buffer)
                    },
                )
                .collect();
            for tile in done {
                let (key, bytes) = match tile? {
                    Tile::Bytes(bytes) => (None, bytes),
                    Tile::Constant(pixel) => {
                        if let Some(&(offset, length)) = constant.get(&pixel) {
                            offsets.push(offset);
                            lengths.push(length);
                            continue;
                        }
                        (Some(pixel), compressor.constant(pixel)?)
                    }
                };
                let length = u32::try_from(bytes.len())
                    .map_err(|_| TiledTiffError::LimitsExceeded("a tile passes 4 GiB".into()))?;
                writer.write_all(&bytes)?;
                if let Some(pixel) = key {
                    constant.insert(pixel, (position, length));
                }
                offsets.push(position);
                lengths.push(length);
                position += u64::from(length);
            }
        }
        tables.push((offsets, lengths));
    }
    write_directories(&mut writer, options, down, &layout, tables, position)
}

/// Writes the directories behind the tiles, then the header's pointer to the first one.
fn write_directories<W: Write + Seek>(
    writer: &mut W,
    options: &TiffOptions,
    down: Option<f64>,
    layout: &Layout,
    tables: Vec<(Vec<u64>, Vec<u32>)>,
    mut position: u64,
) -> Result<(), TiledTiffError> {
    // Directories start at a multiple of eight: the classic format asks for even offsets, and BigTIFF
    // readers may map the eight-byte arrays in place.
    let padding = position.next_multiple_of(8) - position;
    writer.write_all(&[0; 8][..padding as usize])?;
    position += padding;
    let first = position;
    let count = tables.len();
    for (index, (offsets, lengths)) in tables.into_iter().enumerate() {
        let directory = Directory::for_level(options, down, layout, index, (offsets, lengths));
        let bytes = directory.encode(layout.big, position, index + 1 == count)?;
        writer.write_all(&bytes)?;
        position += bytes.len() as u64;
    }
    let (place, pointer) = directory::first_pointer(layout.big, first)?;
    writer.seek(SeekFrom::Start(place))?;
    writer.write_all(&pointer)?;
    writer.flush()?;
    Ok(())
}

/// Writes one pyramidal TIFF as the file `path`, which appears whole or not at all: it is written under a
/// temporary name in the same folder and renamed at the end. An existing file is replaced.
///
/// # Errors
/// As [`write()`]; and [`TiledTiffError::File`], naming `path`, when the file cannot be made, filled or renamed.
pub fn write_file(
    path: &Path,
    options: &TiffOptions,
    source: &dyn TileSource,
) -> Result<(), TiledTiffError> {
    write_file_down(path, options, options.mpp, source)
}

/// As [`write_file`], with px that are `down` um from top to bottom and `options.mpp` from left to right.
///
/// # Errors
/// As [`write_file`].
pub fn write_file_down(
    path: &Path,
    options: &TiffOptions,
    down: Option<f64>,
    source: &dyn TileSource,
) -> Result<(), TiledTiffError> {
    write_whole_file(path, |writer| write_down(writer, options, down, source)).map_err(|error| {
        match error {
            TiledTiffError::Io(cause) => TiledTiffError::File {
                path: path.to_owned(),
                cause,
            },
            other => other,
        }
    })
}

/// Makes a file under a temporary name in the same folder, and gives it its own name once it is whole.
fn write_whole_file<E: From<TiledTiffError>>(
    path: &Path,
    fill: impl FnOnce(BufWriter<&File>) -> Result<(), E>,
) -> Result<(), E> {
    let named = |cause| TiledTiffError::File {
        path: path.to_owned(),
        cause,
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
    // A temporary file is private by default; this one becomes an output that others may read.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder).map_err(named)?;
    let writer: BufWriter<&File> = BufWriter::with_capacity(1 << 20, file.as_file());
    fill(writer)?;
    file.persist(path).map_err(|error| named(error.error))?;
    Ok(())
}
