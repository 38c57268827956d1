//! Reads OME-Zarr images: versions 0.4 (Zarr 2) and 0.5 (Zarr 3) of RGB in 8 bits, in folders.
//!
//! The way of the data: [`store`] reads files and leads nowhere else, [`multiscale`] tells which image is the slide, [`array`] how
//! each level is stored, [`level`] makes pieces of RGB of its chunks, which [`codec`] and [`blosc`] unpack. What the metadata
//! says is taken as untrue until it is checked, and no chunk takes more memory than its size, whatever its stream says: so
//! this is our own code, and no library that trusts streams.

mod array;
mod blosc;
mod codec;
mod level;
mod multiscale;
mod store;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::chunks::{Chunk, ChunkCache, read_blocks};
use crate::problem::Problem;
use crate::resolution::{Stated, choose};
use crate::warning::{Warning, WarningKind};
use crate::{Level, NATIVE, SlideError, SlideInfo, SlideReader};
use array::{ArrayInfo, chunk_budget};
use level::{IndexBytes, Indices, PictureArray};
use multiscale::Image;
use store::{Store, join};

/// Indices of files with several chunks that are kept.
const INDEX_BYTES: u64 = 16 << 20;

/// An OME-Zarr image. Chunks are decoded when needed and kept in a bounded cache.
pub struct ZarrReader {
    path: PathBuf,
    info: SlideInfo,
    warnings: Vec<Warning>,
    store: Store,
    levels: Vec<PictureArray>,
    indices: Indices,
    cache: ChunkCache,
}

impl ZarrReader {
    /// Opens the folder of an image, or one with several images as bioformats2raw writes it, whose first is read. Reads
    /// metadata and the names of files only.
    ///
    /// # Errors
    /// When the folder cannot be read, holds no OME-Zarr image of versions 0.4 or 0.5, is broken, over the limits, lacks
    /// most of its chunks, or has other px than RGB of 8 bits.
    pub fn open(path: &Path) -> Result<Self, SlideError> {
        open(path).map_err(|problem| problem.of(path))
    }

    fn piece(&self, level: usize, column: u32, row: u32) -> Result<Arc<Chunk>, SlideError> {
        let array = &self.levels[level];
        self.cache.get(level, row * array.across + column, || {
            let piece = array.piece(&self.store, &self.indices, column, row);
            piece.map_err(|problem| problem.of(&self.path))
        })
    }
}

fn open(path: &Path) -> Result<ZarrReader, Problem> {
    let store = Store::open(path)?;
    let image = Image::find(&store)?;
    let mut warnings = image.warnings.clone();
    let levels = levels(&store, &image, &mut warnings)?;
    let sizes = levels.iter().map(|level| (level.width, level.height));
    let sizes: Vec<(u32, u32)> = sizes.collect();
    warnings.extend(missing(&store, &levels)?);
    let px = image.datasets[0].1.as_ref();
    let stated = px.and_then(|px| {
        let axes = &image.axes;
        let [down, across] = &axes.units;
        Stated::ngff(
            (px[axes.x], across.as_deref()),
            (px[axes.y], down.as_deref()),
        )
    });
    let chosen = choose(stated);
    if let Some(reason) = chosen.refused {
        return Err(Problem::unsupported(reason));
    }
    warnings.extend(chosen.warnings);
    Ok(ZarrReader {
        path: path.to_owned(),
        info: SlideInfo {
            format: match image.node.is_empty() {
                true => format!("OME-Zarr {}", image.version),
                false => format!("OME-Zarr {}, image {}", image.version, image.node),
            },
            reader: NATIVE.to_owned(),
            compression: levels[0].array.compression().to_owned(),
            levels: sizes
                .into_iter()
                .map(|(width, height)| Level { width, height })
                .collect(),
            resolution: chosen.resolution,
            ignored: chosen.ignored,
            bounds: None,
        },
        warnings,
        store,
        cache: ChunkCache::new(levels.iter().map(|level| level.side)),
        levels,
        // So few expected items make one shard, as in the cache of chunks.
        indices: Cache::with_weighter(32, INDEX_BYTES, IndexBytes),
    })
}

/// The levels, each smaller than the one before and of the same picture.
fn levels(
    store: &Store,
    image: &Image,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<PictureArray>, Problem> {
    let mut budget = chunk_budget();
    let mut levels: Vec<PictureArray> = Vec::new();
    let mut scales: Vec<Option<&Vec<f64>>> = Vec::new();
    for (path, scale) in &image.datasets {
        let node = join(&image.node, path);
        let array = ArrayInfo::read(store, &node, &mut budget)?;
        let level = PictureArray::new(levels.len(), node, array, &image.axes, image.colours)?;
        let size = format!("{} x {} px", level.width, level.height);
        if let (Some(first), Some(last)) = (levels.first(), levels.last()) {
            if level.width > last.width || level.height > last.height {
                return Err(Problem::format(format!(
                    "the level {path} has {size}, more than the level before it; its levels must become smaller"
                )));
            }
            if !is_smaller_copy(first, last, &level) {
                warnings.push(Warning::new(
                    WarningKind::OtherImages,
                    format!(
                        "the level {path} of {size} is no smaller copy of the slide and is left out"
                    ),
                ));
                continue;
            }
            if let Some(stated) = scale
                .as_ref()
                .zip(scales[0])
                .map(|(own, full)| [image.axes.x, image.axes.y].map(|axis| own[axis] / full[axis]))
            {
                warnings.extend(contradiction(path, stated, first, &level));
            }
        }
        scales.push(scale.as_ref());
        levels.push(level);
    }
    Ok(levels)
}

/// Whether a level has the first one's aspect, to a px of rounding at each halving, and is smaller than the one before.
fn is_smaller_copy(first: &PictureArray, last: &PictureArray, level: &PictureArray) -> bool {
    let is_smaller = (level.width, level.height) != (last.width, last.height);
    let factor = f64::from(first.width) / f64::from(level.width);
    let expected = f64::from(first.height) / factor;
    let slack = 1.5 + expected / f64::from(level.width);
    is_smaller && (f64::from(level.height) - expected).abs() <= slack
}

/// What is said where a level's px are not as large as its size has it.
fn contradiction(
    path: &str,
    stated: [f64; 2],
    first: &PictureArray,
    level: &PictureArray,
) -> Option<Warning> {
    let found = [(first.width, level.width), (first.height, level.height)];
    let differs = |(stated, (full, own)): (f64, (u32, u32))| {
        let found = f64::from(full) / f64::from(own);
        // A last row or column may be dropped or made up.
        let slack = 0.02 + 1.5 / f64::from(own);
        let off = (stated / found - 1.0).abs();
        off.is_nan() || off > slack
    };
    let mut all = stated.into_iter().zip(found);
    all.any(differs).then(|| {
        Warning::new(
            WarningKind::Resolution,
            format!(
                "the level {path} says that its px are {:.4} x {:.4} of the full size, but its size has it as {:.4} x {:.4}, \
                 which is used",
                stated[0],
                stated[1],
                f64::from(first.width) / f64::from(level.width),
                f64::from(first.height) / f64::from(level.height)
            ),
        )
    })
}

/// What is said of chunks that are not there.
///
/// # Errors
/// When most of the slide is missing and that is not white, as glass is.
fn missing(store: &Store, levels: &[PictureArray]) -> Result<Option<Warning>, Problem> {
    let counts = levels
        .iter()
        .map(|level| level.missing(store))
        .collect::<Result<Vec<_>, Problem>>()?;
    let kind = match levels[0].array.shards {
        Some(_) => "shard",
        None => "chunk",
    };
    let (lost, all) = counts[0];
    if lost * 2 > all && (levels[0].fill() != u8::MAX || lost == all) {
        return Err(Problem::format(format!(
            "{lost} of {all} {kind}s at full size are not there: most of the slide is missing; copy the whole folder, or \
             export it anew"
        )));
    }
    let below = counts[1..]
        .iter()
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let of = |(lost, all): (u64, u64), place: &str| {
        (lost > 0).then(|| format!("{lost} of {all} {kind}s of {place}"))
    };
    let parts = [of(counts[0], "level 0"), of(below, "the levels below it")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let fill = match levels[0].array.fill {
        Some(value) => format!("the value that the arrays state ({value})"),
        None => "white".to_owned(),
    };
    Ok((!parts.is_empty()).then(|| {
        Warning::new(
            WarningKind::MissingTiles,
            format!(
                "{} are missing; they are filled with {fill}",
                parts.join(" and ")
            ),
        )
    }))
}

impl SlideReader for ZarrReader {
    fn info(&self) -> &SlideInfo {
        &self.info
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn read(
        &self,
        level: usize,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), SlideError> {
        let size = self
            .info
            .level_to_read(&self.path, level, (width, height), out.len())?;
        let region = ((x, y), (width, height));
        // One array for each level of `info`.
        read_blocks(size, self.levels[level].side, region, out, |column, row| {
            self.piece(level, column, row)
        })
    }
}
