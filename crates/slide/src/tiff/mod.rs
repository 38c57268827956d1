//! Reads TIFF, BigTIFF, OME-TIFF and Aperio SVS: strips or tiles, pyramids as a chain of directories or as SubIFDs.
//!
//! The way of the data: [`source`] reads bytes, [`directory`] finds tags, [`choice`] tells which page is the slide,
//! [`pyramid`] picks the levels, [`layout`]
//! checks how each is stored. [`decode`] then takes a tile through [`unpack`] and [`samples`], or through an image codec,
//! and [`colour`] makes RGB of it. [`missing`] fills what the file leaves out, and [`probe`] looks at px where the tags do
//! not say what they are. What the file says is taken as untrue until it is checked.

#[cfg(feature = "jpeg2000")]
mod codestream;
mod colour;
mod decode;
mod directory;
mod file_bytes;
mod jpeg;
#[cfg(feature = "jpeg2000")]
mod jpeg2000;
mod layout;
mod missing_tiles;
mod ome;
mod ome_images;
mod packing;
mod page_choice;
mod photometric;
mod probe;
mod pyramid;
mod raw_rows;
pub(crate) mod raw_values;
mod samples;
mod stream;
#[cfg(test)]
mod tests;
mod unpack;
mod vendor;
#[cfg(feature = "webp")]
mod webp;

pub use layout::limit_strips;
#[cfg(feature = "zarr")]
pub(super) use page_choice::red_green_blue;
pub(super) use probe::{AlphaSeen, ignored_alpha};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chunks::{Chunk, ChunkCache, read_blocks};
use super::problem::{self, Problem};
use super::{Level, NATIVE, SlideError, SlideInfo, SlideReader};
use directory::{Directories, Directory, tag};
use file_bytes::FileBytes;
use layout::{Layout, MAX_CHUNKS};
use missing_tiles::Missing;
use packing::compression_name;
use page_choice::Choice;
use pyramid::{Page, pyramid};
use vendor::Origin;

use crate::warning::{Warning, WarningKind};

/// Levels of one slide; each half the size of the one before, 21 take the largest slide to one px.
const MAX_LEVELS: usize = 32;
/// A TIFF slide. Chunks (tiles or strips) are decoded when needed and kept in a bounded cache.
pub struct TiffReader {
    path: PathBuf,
    info: SlideInfo,
    source: FileBytes,
    levels: Vec<Layout>,
    warnings: Vec<Warning>,
    cache: ChunkCache,
}

impl TiffReader {
    /// Opens a TIFF file and finds its levels. Reads tags only, and some pixels where those do not say all.
    ///
    /// # Errors
    /// When the file cannot be read, is broken, over the limits, lacks most of its tiles, or stores pixels in a way that
    /// is not supported.
    pub fn open(path: &Path) -> Result<Self, SlideError> {
        let named = |problem: Problem| problem.of(path);
        let source = FileBytes::open(path).map_err(named)?;
        let directories = Directories::read(&source).map_err(named)?;
        let choice = page_choice::choose(&source, &directories).map_err(named)?;
        let slide = &directories.pages[choice.pages[0]];
        slide.check_upright(&source).map_err(named)?;
        let first = &directories.pages[0];
        let origin = Origin::read(path, &source, first, slide, choice.ome_image).map_err(named)?;
        let compression = slide.number(&source, tag::COMPRESSION).map_err(named)?;
        let mut levels = read_levels(&source, &directories, &choice).map_err(named)?;
        let mut warnings = choice.warnings;
        warnings.extend(origin.warnings);
        let missing = Missing::count(&levels);
        let kind = levels[0].kind();
        if missing.is_most() {
            let (lost, all) = missing.full_size;
            return Err(SlideError::format(
                path,
                format!(
                    "{lost} of {all} {kind}s at full size have no bytes: most of the slide is missing; fetch or export it \
                     anew"
                ),
            ));
        }
        let told = missing.text(kind);
        warnings.extend(told.map(|text| Warning::new(WarningKind::MissingTiles, text)));
        let depth = probe::stated_depth(&source, slide, origin.bits).map_err(named)?;
        warnings.extend(probe::settle(&source, &mut levels, depth.as_ref()).map_err(named)?);
        Ok(TiffReader {
            path: path.to_owned(),
            info: SlideInfo {
                format: origin.format.to_owned(),
                compression: compression_name(compression.unwrap_or(1)),
                levels: levels
                    .iter()
                    .map(|layout| Level {
                        width: layout.width,
                        height: layout.height,
                    })
                    .collect(),
                reader: NATIVE.to_owned(),
                resolution: origin.resolution,
                ignored: origin.ignored,
                bounds: None,
            },
            source,
            warnings,
            cache: ChunkCache::new(levels.iter().map(|layout| layout.chunk)),
            levels,
        })
    }

    fn chunk(&self, level: usize, index: u32) -> Result<Arc<Chunk>, SlideError> {
        self.cache.get(level, index, || {
            let layout = &self.levels[level];
            if layout.is_missing(index) {
                // Other levels are asked for what they have only, so this never comes back to the same chunk.
                let read = |other, found| self.chunk(other, found);
                return missing_tiles::fill(&self.levels, level, index, read);
            }
            let kind = layout.kind();
            decode::chunk(&self.source, layout, index).map_err(|problem| {
                problem
                    .within(|| format!("{kind} {index} of level {level}"))
                    .of(&self.path)
            })
        })
    }
}

/// The vendor's format of a file that is a TIFF by its frame only and that only OpenSlide can read, if it is one. None too
/// where the file cannot be read: [`TiffReader::open`] says why.
pub(super) fn foreign(path: &Path) -> Option<&'static str> {
    let source = FileBytes::open(path).ok()?;
    match Directories::read(&source) {
        Ok(directories) => vendor::foreign(path, &source, &directories.pages[0]).ok()?,
        // Beyond 4 GiB an NDPI is no longer a sound TIFF.
        Err(_) => path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("ndpi"))
            .then_some("Hamamatsu NDPI"),
    }
}

/// Whether the slide is the first page, all of whose samples are unsigned bytes, so that another reader shows the same;
/// false too where the file cannot be read.
pub(super) fn has_byte_samples(path: &Path) -> bool {
    let numbers = |source: &FileBytes, tag| {
        let directories = Directories::read(source).ok()?;
        let choice = page_choice::choose(source, &directories).ok()?;
        (choice.pages == [0])
            .then(|| directories.pages[0].numbers(source, tag).ok())
            .flatten()
    };
    FileBytes::open(path).is_ok_and(|source| {
        let bits = numbers(&source, tag::BITS).unwrap_or_default();
        let formats = numbers(&source, tag::SAMPLE_FORMAT).unwrap_or_default();
        !bits.is_empty() && bits.iter().all(|&bits| bits == 8) && formats.iter().all(|&f| f == 1)
    })
}

/// Finds the levels and checks that each can be read.
fn read_levels(
    source: &FileBytes,
    directories: &Directories,
    choice: &Choice,
) -> Result<Vec<Layout>, Problem> {
    let mut budget = MAX_CHUNKS;
    let mut channels = choice
        .pages
        .iter()
        .map(|&page| read_pyramid(source, directories, page, choice, &mut budget))
        .collect::<Result<Vec<_>, Problem>>()?;
    if channels.len() == 1 {
        return Ok(channels.remove(0));
    }
    let least = channels.iter().map(Vec::len).min().unwrap_or(0);
    let mut joined = Vec::new();
    let [mut red, mut green, mut blue] = <[Vec<Layout>; 3]>::try_from(channels)
        .map_err(|_| Problem::format("its colours are not three pages"))?
        .map(|levels| levels.into_iter().take(least));
    while let (Some(red), Some(green), Some(blue)) = (red.next(), green.next(), blue.next()) {
        joined.push(Layout::join([red, green, blue])?);
    }
    Ok(joined)
}

/// The levels of one page: below it, or else further pages.
fn read_pyramid(
    source: &FileBytes,
    directories: &Directories,
    page: usize,
    choice: &Choice,
    budget: &mut u64,
) -> Result<Vec<Layout>, Problem> {
    let slide = &directories.pages[page];
    let sub_ifds = directories.below(source, page)?;
    let below: Vec<&Directory> = std::iter::once(slide).chain(&sub_ifds).collect();
    let mut kept = choose(source, &below, true)?;
    // Which further page would belong to which channel nobody says.
    if kept.len() == 1 && choice.pages.len() == 1 {
        let smaller = choice.smaller.iter().map(|&page| &directories.pages[page]);
        let chain: Vec<&Directory> = std::iter::once(slide).chain(smaller).collect();
        kept = choose(source, &chain, false)?;
    }
    if kept.len() > MAX_LEVELS {
        return Err(Problem::limits(format!(
            "{} levels; the maximum is {MAX_LEVELS}",
            kept.len()
        )));
    }
    kept.iter()
        .enumerate()
        .map(|(level, directory)| {
            Layout::read(source, directory, budget).map_err(|problem| match level {
                0 => problem,
                _ => problem.within(|| format!("level {level}")),
            })
        })
        .collect()
}

/// What kind of px a directory has. A smaller picture of other px, a mask or another channel say, is no level.
struct Px {
    samples: u64,
    bits: u64,
    photometric: u64,
    is_mask: bool,
}

impl Px {
    fn of(source: &FileBytes, directory: &Directory) -> Result<Self, Problem> {
        let number = |tag, missing| {
            let value = directory.number(source, tag)?;
            Ok::<u64, Problem>(value.unwrap_or(missing))
        };
        Ok(Px {
            samples: number(tag::SAMPLES, 1)?,
            bits: number(tag::BITS, 1)?,
            photometric: number(tag::PHOTOMETRIC, 1)?,
            is_mask: number(tag::NEW_SUBFILE_TYPE, 0)? & 4 != 0,
        })
    }

    fn is_like(&self, base: &Px) -> bool {
        // RGB and YCbCr are told apart by what packs them, level by level.
        let colour = |px: &Px| match px.photometric {
            6 => 2,
            other => other,
        };
        (self.samples, self.bits, colour(self)) == (base.samples, base.bits, colour(base))
            && self.is_mask == base.is_mask
    }
}

/// The directories of a list that form a pyramid, the first one included.
fn choose<'a>(
    source: &FileBytes,
    directories: &[&'a Directory],
    trusted: bool,
) -> Result<Vec<&'a Directory>, Problem> {
    let px = |directory: &Directory| Px::of(source, directory);
    let base = px(directories[0])?;
    let pages = directories
        .iter()
        .map(|directory| {
            let number = |tag| Ok(directory.number(source, tag)?.unwrap_or(0));
            if !px(directory)?.is_like(&base) {
                // Of no size, it is no level.
                return Ok(Page {
                    width: 0,
                    height: 0,
                    tiled: false,
                    reduced: true,
                });
            }
            Ok(Page {
                width: number(tag::WIDTH)?,
                height: number(tag::HEIGHT)?,
                tiled: directory.has(tag::TILE_OFFSETS),
                reduced: number(tag::NEW_SUBFILE_TYPE)? & 1 != 0,
            })
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    Ok(pyramid(&pages, trusted)
        .into_iter()
        .map(|index| directories[index])
        .collect())
}

impl SlideReader for TiffReader {
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
        self.info
            .level_to_read(&self.path, level, (width, height), out.len())?;
        // One layout for each level of `info`.
        let layout = &self.levels[level];
        let size = self.info.levels[level];
        let region = ((x, y), (width, height));
        read_blocks(size, layout.chunk, region, out, |column, row| {
            self.chunk(level, row * layout.across + column)
        })
    }
}
