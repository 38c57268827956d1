//! Reads the slides that only OpenSlide knows: NDPI, MRXS, SCN, BIF, CZI, Philips, Trestle, VMS, DICOM and others.
//!
//! The library is found and brought like ONNX Runtime's, see [`ftuseg_provision`]. Everything is read in blocks of a fixed
//! grid, which a bounded cache keeps: so a px does not depend on the region it is read in, even where a level's
//! downsample is no whole number and OpenSlide, which takes full-size px, can only come near to a px of the level.

mod ffi;
mod library;
mod properties;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::warning::Warning;

use super::dicom::{DicomHeader, DicomTag, headers_of_full_size};
use super::resolution::choose;
use super::{Level, MAX_SIDE, SlideError, SlideInfo, SlideReader, copy_overlap};
use ffi::{Api, Handle};
pub use ftuseg_provision::openslide::OPENSLIDE;
pub use library::{use_search, version};
use properties::Properties;

/// Side of the blocks that are read at once, px.
const BLOCK: u32 = 512;
/// Decoded blocks kept for neighbouring regions.
const CACHE_BYTES: u64 = 96 << 20;
/// Levels of one slide.
const MAX_LEVELS: usize = 32;
/// Memory that one tile of the file may take in OpenSlide.
const MAX_TILE_BYTES: u64 = 128 << 20;

/// OpenSlide's number of a level, and its downsample.
type Numbered = (i32, f64);

/// A slide read through OpenSlide.
pub struct OpenSlideReader {
    path: PathBuf,
    info: SlideInfo,
    warnings: Vec<Warning>,
    api: &'static Api,
    /// For each level of `info`.
    levels: Vec<Numbered>,
    background: [u8; 3],
    handle: Mutex<Arc<Handle>>,
    /// One renewal at a time: what waits finds a sound handle afterwards.
    renewal: Mutex<()>,
    cache: Cache<(usize, u32, u32), Arc<Vec<u8>>, BlockBytes>,
}

#[derive(Clone)]
struct BlockBytes;

impl Weighter<(usize, u32, u32), Arc<Vec<u8>>> for BlockBytes {
    fn weight(&self, _: &(usize, u32, u32), block: &Arc<Vec<u8>>) -> u64 {
        block.len() as u64 + 64
    }
}

impl OpenSlideReader {
    /// Opens a slide. `format` is what the file looks like, for the error where there is no OpenSlide library.
    ///
    /// # Errors
    /// When there is no library, the file is none that it knows or is broken, or it is over the limits.
    pub fn open(path: &Path, format: &str) -> Result<Self, SlideError> {
        let api = library::api(path, format)?;
        let broken = |reason: String| SlideError::format(path, format!("OpenSlide: {reason}"));
        if api.vendor(path).is_none() {
            return Err(SlideError::format(
                path,
                format!("it looks like {format}, but OpenSlide does not know it"),
            ));
        }
        let handle = Handle::open(api, path).map_err(broken)?;
        let properties = Properties(handle.properties());
        let found = handle.levels().map_err(broken)?;
        let (levels, numbers) = checked_levels(path, &properties, &found)?;
        let chosen = choose(properties.resolution());
        if let Some(reason) = chosen.refused {
            return Err(SlideError::unsupported(path, reason));
        }
        let bounds = properties.bounds(levels[0]);
        Ok(OpenSlideReader {
            path: path.to_owned(),
            info: SlideInfo {
                format: properties.format(super::detect::is_tiff(path)),
                compression: "decoded by OpenSlide".to_owned(),
                reader: format!("OpenSlide {}", api.version),
                levels,
                resolution: chosen.resolution,
                ignored: chosen.ignored,
                bounds,
            },
            warnings: chosen.warnings,
            api,
            levels: numbers,
            background: properties.background(),
            handle: Mutex::new(Arc::new(handle)),
            renewal: Mutex::new(()),
            // So few expected items make one shard; with more, each would hold a part of the bytes.
            cache: Cache::with_weighter(32, CACHE_BYTES, BlockBytes),
        })
    }

    /// Opens a TIFF that our own reader cannot read, if OpenSlide can; otherwise gives our own reader's reason back.
    ///
    /// A plain TIFF must prove it: a first block is read. OME-TIFF is not given away, as OpenSlide does not know how
    /// its pages belong together and would show one channel as the slide.
    pub(super) fn instead(path: &Path, native: SlideError) -> Result<Self, SlideError> {
        let SlideError::Unsupported { reason, .. } = &native else {
            return Err(native);
        };
        let declined = |more: &str| SlideError::unsupported(path, format!("{reason} ({more})"));
        let Ok(api) = library::api(path, "TIFF") else {
            return Err(SlideError::NoOpenSlide {
                path: path.to_owned(),
                reason: format!("{reason} (OpenSlide might read it, but is not here)"),
            });
        };
        match api.vendor(path).as_deref() {
            None => return Err(native),
            Some("generic-tiff") => {}
            Some(_) => return Self::open(path, "TIFF"),
        }
        let tried = Self::open(path, "TIFF").and_then(|slide| {
            let handle = slide.shared();
            if Properties(handle.properties()).is_ome() {
                return Err(SlideError::unsupported(path, "OME-XML is not known to it"));
            }
            slide.block(0, 0, 0)?;
            Ok(slide)
        });
        tried.map_err(|_| declined("OpenSlide cannot read it either"))
    }

    fn shared(&self) -> Arc<Handle> {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        handle.clone()
    }

    /// Reads a block that lies at `column` and `row` of the level's grid, as RGB.
    fn block(&self, level: usize, column: u32, row: u32) -> Result<Arc<Vec<u8>>, SlideError> {
        self.cache.get_or_insert_with(&(level, column, row), || {
            let (at, size) = self.place(level, column, row);
            let (number, downsample) = self.levels[level];
            let full = |px: u32| (f64::from(px) * downsample).round() as i64;
            let at_full = (full(at.0), full(at.1));
            let argb = self.read_sound(number, at_full, size).map_err(|reason| {
                let place = format!("px {}, {} of level {level}", at.0, at.1);
                SlideError::format(&self.path, format!("{place}: OpenSlide: {reason}"))
            })?;
            Ok(Arc::new(over(&argb, self.background)))
        })
    }

    /// Reads with the shared handle. Where that is in an error, which may be another block's, a new handle decides
    /// whether this block is to blame, and takes the old one's place if not. So what a read gives does not depend on what
    /// was read before or beside it.
    fn read_sound(&self, level: i32, at: (i64, i64), size: (u32, u32)) -> Result<Vec<u32>, String> {
        if let Ok(argb) = self.shared().read(level, at, size) {
            return Ok(argb);
        }
        let _one = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Handle::open(self.api, &self.path)?;
        let argb = fresh.read(level, at, size)?;
        *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(argb)
    }

    /// Where a block lies, and how large it is: less than [`BLOCK`] at the right and lower edge.
    fn place(&self, level: usize, column: u32, row: u32) -> ((u32, u32), (u32, u32)) {
        let whole = self.info.levels[level];
        let at = (column * BLOCK, row * BLOCK);
        let size = (
            (whole.width - at.0).min(BLOCK),
            (whole.height - at.1).min(BLOCK),
        );
        (at, size)
    }
}

/// The levels within the limits, ever smaller, with OpenSlide's number and downsample of each.
fn checked_levels(
    path: &Path,
    properties: &Properties,
    found: &[(i64, i64, f64)],
) -> Result<(Vec<Level>, Vec<Numbered>), SlideError> {
    let mut levels: Vec<Level> = Vec::new();
    let mut numbers = Vec::new();
    for (number, &(width, height, downsample)) in (0_i32..).zip(found) {
        let sides = u32::try_from(width).ok().zip(u32::try_from(height).ok());
        let sound = downsample.is_finite() && downsample >= 1.0;
        let Some((width, height)) = sides.filter(|&(w, h)| sound && w > 0 && h > 0) else {
            return Err(SlideError::format(
                path,
                format!("level {number} of {width} x {height} px, downsample {downsample}"),
            ));
        };
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(SlideError::limits(
                path,
                format!("{width} x {height} px; the largest side is {MAX_SIDE} px"),
            ));
        }
        if properties
            .tile_bytes(number)
            .is_some_and(|bytes| bytes > MAX_TILE_BYTES)
        {
            return Err(SlideError::limits(
                path,
                format!(
                    "the tiles of level {number} take more than {} MiB decoded",
                    MAX_TILE_BYTES >> 20
                ),
            ));
        }
        let smaller = levels.last().is_none_or(|last: &Level| {
            width <= last.width
                && height <= last.height
                && (width, height) != (last.width, last.height)
        });
        if smaller {
            levels.push(Level { width, height });
            numbers.push((number, downsample));
        }
    }
    if levels.is_empty() {
        return Err(SlideError::format(path, "OpenSlide finds no levels in it"));
    }
    if levels.len() > MAX_LEVELS {
        return Err(SlideError::limits(
            path,
            format!("{} levels; the maximum is {MAX_LEVELS}", levels.len()),
        ));
    }
    Ok((levels, numbers))
}

/// Premultiplied ARGB laid over a colour, as RGB.
fn over(argb: &[u32], background: [u8; 3]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(argb.len() * 3);
    for &px in argb {
        let [alpha, colour @ ..] = px.to_be_bytes();
        let missing = u32::from(255 - alpha);
        rgb.extend(colour.iter().zip(background).map(|(&value, behind)| {
            let shown = (u32::from(behind) * missing + 127) / 255;
            (u32::from(value) + shown).min(255) as u8
        }));
    }
    rgb
}

impl SlideReader for OpenSlideReader {
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
        let whole = self
            .info
            .level_to_read(&self.path, level, (width, height), out.len())?;
        let clamp = |start: i64, length: u32, most: u32| {
            let end = start.saturating_add(i64::from(length));
            // Both are sides of the level at most.
            (
                start.clamp(0, i64::from(most)) as u32,
                end.clamp(0, i64::from(most)) as u32,
            )
        };
        let (x0, x1) = clamp(x, width, whole.width);
        let (y0, y1) = clamp(y, height, whole.height);
        if (x1 - x0, y1 - y0) != (width, height) {
            out.fill(255);
        }
        if x0 >= x1 || y0 >= y1 {
            return Ok(());
        }
        for row in y0 / BLOCK..=(y1 - 1) / BLOCK {
            for column in x0 / BLOCK..=(x1 - 1) / BLOCK {
                let block = self.block(level, column, row)?;
                let (at, size) = self.place(level, column, row);
                let at = (i64::from(at.0), i64::from(at.1));
                copy_overlap(&block, at, size, out, (x, y), (width, height));
            }
        }
        Ok(())
    }

    fn dicom_headers(
        &self,
        is_wanted: fn(DicomTag) -> bool,
    ) -> Result<Option<Vec<DicomHeader>>, SlideError> {
        headers_of_full_size(&self.path, self.info.width(), is_wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_transparent_shows_the_background() {
        let background = [200, 100, 50];
        assert_eq!(over(&[0xff01_0203], background), [1, 2, 3]);
        assert_eq!(over(&[0], background), background);
        // Half of white over the background.
        assert_eq!(over(&[0x8080_8080], background), [228, 178, 153]);
    }

    #[test]
    fn levels_that_do_not_shrink_are_left_out() {
        let none = Properties(Default::default());
        let path = Path::new("x");
        let found = [(100, 80, 1.0), (100, 80, 1.0), (50, 40, 2.0), (60, 30, 2.1)];
        let (levels, numbers) = checked_levels(path, &none, &found).unwrap();
        assert_eq!(levels.len(), 2);
        assert_eq!(numbers, [(0, 1.0), (2, 2.0)]);
        for wrong in [
            (0, 5, 1.0),
            (-1, 5, 1.0),
            (5, 5, 0.0),
            (5, 5, f64::NAN),
            (1 << 40, 5, 1.0),
        ] {
            assert_eq!(
                checked_levels(path, &none, &[wrong]).unwrap_err().kind(),
                "format"
            );
        }
        let wide = checked_levels(path, &none, &[(1 << 21, 5, 1.0)]).unwrap_err();
        assert_eq!(wide.kind(), "limits");
        let tiles = [
            ("openslide.level[0].tile-width", "20000"),
            ("openslide.level[0].tile-height", "20000"),
        ];
        let tiles = Properties(tiles.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
        assert_eq!(
            checked_levels(path, &tiles, &[(20000, 20000, 1.0)])
                .unwrap_err()
                .kind(),
            "limits"
        );
        assert_eq!(
            checked_levels(path, &none, &[]).unwrap_err().kind(),
            "format"
        );
    }
}
