//! Writes planes of 32-bit labels as one OME-TIFF: each plane a directory of the chain, its smaller levels behind it as
//! SubIFDs, as Bio-Formats, tifffile and vitessce read them.
//!
//! Tiles are handed over in any order, as they become known; what is never handed over is 0 and stored once.

use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use rayon::prelude::*;

use super::compress::{Compressor, Tile};
use super::directory::{self, Directory};
use super::layout::{self, Layout};
use super::{Compression, Samples, TiffOptions, TiledTiffError, write_whole_file};

/// What a [`LabelTiff`] holds.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelTiffOptions {
    /// Width at full size in pixels; at least 1.
    pub width: u32,
    /// Height at full size in pixels; at least 1.
    pub height: u32,
    /// How many planes there are; at least 1.
    pub planes: usize,
    /// Side of a tile in pixels: a multiple of 16, at most 4096.
    pub tile: u32,
    /// Size of a full-size pixel in um, from left to right and from top to bottom; `None` writes no resolution.
    pub mpp: Option<(f64, f64)>,
    /// Text for the ImageDescription tag of the first directory: the OME-XML.
    pub description: String,
}

impl LabelTiffOptions {
    /// Width and height of every level in pixels, full size first. Each level is half the one before,
    /// rounded up, until both sides fit into one tile.
    pub fn levels(&self) -> Vec<(u32, u32)> {
        layout::level_sizes(self.width, self.height, self.tile)
    }

    fn common(&self) -> TiffOptions {
        TiffOptions {
            width: self.width,
            height: self.height,
            samples: Samples::Gray32,
            compression: Compression::Deflate,
            tile: self.tile,
            mpp: self.mpp.map(|(across, _)| across),
            description: Some(self.description.clone()),
            palette: None,
        }
    }
}

/// Where the tiles of a level lie, row after row; 0 stands for none yet.
type Tables = (Vec<u64>, Vec<u32>);

/// A file of labels that is being written.
pub struct LabelTiff<W: Write + Seek> {
    writer: W,
    options: TiffOptions,
    down: Option<f64>,
    layout: Layout,
    compressor: Compressor,
    position: u64,
    /// By plane and level.
    tables: Vec<Vec<Tables>>,
}

impl<W: Write + Seek> LabelTiff<W> {
    /// Begins a file at position 0 of an empty `writer`. It is a BigTIFF when an upper bound of its size passes 4 GiB.
    ///
    /// # Errors
    /// [`TiledTiffError::Usage`] for options that make no TIFF, [`TiledTiffError::LimitsExceeded`] for too many tiles,
    /// [`TiledTiffError::Io`] when the writer fails.
    pub fn new(mut writer: W, options: &LabelTiffOptions) -> Result<Self, TiledTiffError> {
        let down = options.mpp.map(|(_, down)| down);
        let planes = options.planes;
        let options = options.common();
        let layout = Layout::of_planes(&options, planes)?;
        layout::check_mpp(down)?;
        let header = directory::header(layout.big);
        writer.write_all(&header)?;
        let empty = || {
            let levels = layout.levels.iter();
            let tiles = levels.map(|level| level.columns as usize * level.rows as usize);
            tiles
                .map(|tiles| (vec![0; tiles], vec![0; tiles]))
                .collect()
        };
        Ok(LabelTiff {
            tables: (0..planes).map(|_| empty()).collect(),
            compressor: Compressor::new(&options),
            position: header.len() as u64,
            writer,
            options,
            down,
            layout,
        })
    }

    /// Adds tiles of a level of a plane: each with its column and row among the tiles, and its labels, `[tile, tile]`.
    /// They are compressed side by side and written in order.
    ///
    /// # Errors
    /// [`TiledTiffError::Usage`] for a tile that the level has not, or of another size; [`TiledTiffError::Io`].
    pub fn put(
        &mut self,
        plane: usize,
        level: usize,
        tiles: &[(u32, u32, Vec<u32>)],
    ) -> Result<(), TiledTiffError> {
        let size = self.layout.levels.get(level).copied();
        let known = self.tables.get_mut(plane).and_then(|p| p.get_mut(level));
        let (Some(size), Some((offsets, lengths))) = (size, known) else {
            return Err(TiledTiffError::Usage(format!(
                "there is no level {level} of plane {plane}"
            )));
        };
        let area = self.options.tile as usize * self.options.tile as usize;
        let fits = |(column, row, labels): &(u32, u32, Vec<u32>)| {
            *column < size.columns && *row < size.rows && labels.len() == area
        };
        if !tiles.iter().all(fits) {
            return Err(TiledTiffError::Usage(
                "a tile lies outside its level or has another size".to_owned(),
            ));
        }
        let compressor = &self.compressor;
        let compressed: Vec<Result<Vec<u8>, TiledTiffError>> = tiles
            .par_iter()
            .map_init(
                || compressor.buffer(),
                |buffer, (_, _, labels)| {
                    for (bytes, label) in buffer.as_chunks_mut::<4>().0.iter_mut().zip(labels) {
                        *bytes = label.to_le_bytes();
                    }
                    match compressor.tile(buffer)? {
                        Tile::Bytes(bytes) => Ok(bytes),
                        Tile::Constant(label) => compressor.constant(label),
                    }
                },
            )
            .collect();
        for ((column, row, _), bytes) in tiles.iter().zip(compressed) {
            let bytes = bytes?;
            let place = *row as usize * size.columns as usize + *column as usize;
            self.writer.write_all(&bytes)?;
            offsets[place] = self.position;
            lengths[place] = length(&bytes)?;
            self.position += bytes.len() as u64;
        }
        Ok(())
    }

    /// Leaves a gap, so that a test gets beyond 4 GiB without writing as much.
    #[cfg(all(test, unix))]
    pub(super) fn skip(&mut self, bytes: u64) {
        self.position += bytes;
        let end = std::io::SeekFrom::Start(self.position);
        self.writer
            .seek(end)
            .expect("invariant: a file can be long");
    }

    /// Writes the tile of all that was not handed over, and the directories.
    ///
    /// # Errors
    /// [`TiledTiffError::Io`] when the writer fails.
    pub fn finish(mut self) -> Result<(), TiledTiffError> {
        let empty = self.compressor.constant([0; 4])?;
        let (offset, bytes) = (self.position, length(&empty)?);
        self.writer.write_all(&empty)?;
        self.position += empty.len() as u64;
        for (offsets, lengths) in self.tables.iter_mut().flatten() {
            for (known, length) in offsets.iter_mut().zip(lengths) {
                if *known == 0 {
                    (*known, *length) = (offset, bytes);
                }
            }
        }
        // Directories start at a multiple of eight, as those of the other files do.
        let padding = self.position.next_multiple_of(8) - self.position;
        self.writer.write_all(&[0; 8][..padding as usize])?;
        self.position += padding;
        let mut main = Vec::new();
        for (plane, levels) in std::mem::take(&mut self.tables).into_iter().enumerate() {
            let mut smaller = Vec::new();
            let mut full = None;
            for (level, tables) in levels.into_iter().enumerate() {
                let mut made =
                    Directory::for_level(&self.options, self.down, &self.layout, level, tables);
                if plane > 0 {
                    made.without_description();
                }
                match level {
                    0 => full = Some(made),
                    _ => {
                        smaller.push(self.position);
                        self.write(&made, true)?;
                    }
                }
            }
            if let Some(mut full) = full {
                full.put_smaller(smaller);
                main.push(full);
            }
        }
        let first = self.position;
        let count = main.len();
        for (place, made) in main.iter().enumerate() {
            self.write(made, place + 1 == count)?;
        }
        let (place, pointer) = directory::first_pointer(self.layout.big, first)?;
        self.writer.seek(std::io::SeekFrom::Start(place))?;
        self.writer.write_all(&pointer)?;
        self.writer.flush()?;
        Ok(())
    }

    fn write(&mut self, made: &Directory, last: bool) -> Result<(), TiledTiffError> {
        let bytes = made.encode(self.layout.big, self.position, last)?;
        self.writer.write_all(&bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}

fn length(bytes: &[u8]) -> Result<u32, TiledTiffError> {
    u32::try_from(bytes.len())
        .map_err(|_| TiledTiffError::LimitsExceeded("a tile passes 4 GiB".into()))
}

/// Writes a file of labels as `path`, which appears whole or not at all. `fill` hands over the tiles.
///
/// # Errors
/// As [`LabelTiff`]; [`TiledTiffError::File`], naming `path`, when the file cannot be made, filled or renamed; and what
/// `fill` says.
pub fn write_labels<E: From<TiledTiffError>>(
    path: &Path,
    options: &LabelTiffOptions,
    fill: impl FnOnce(&mut LabelTiff<BufWriter<&std::fs::File>>) -> Result<(), E>,
) -> Result<(), E> {
    write_whole_file(path, |writer| {
        let mut file = LabelTiff::new(writer, options)?;
        fill(&mut file)?;
        Ok(file.finish()?)
    })
}
