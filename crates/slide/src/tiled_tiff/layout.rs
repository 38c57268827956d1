//! Lays out the pyramid: the levels, their tiles, and whether the file must be a BigTIFF.

use super::{Compression, Samples, TiffOptions, TiledTiffError};

/// Largest side of a tile in pixels: keeps a raw tile under 64 MiB.
const LARGEST_TILE: u32 = 4096;
/// Most tiles of all levels together: bounds the tables held in memory to about 3 GiB.
const MOST_TILES: u64 = 1 << 28;
/// Bytes that a directory takes at most besides its tables and the description.
const DIRECTORY_BOUND: u64 = 1024;

/// One level of the pyramid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    pub width: u32,
    pub height: u32,
    pub columns: u32,
    pub rows: u32,
}

/// The checked plan of a file.
#[derive(Debug)]
pub(super) struct Layout {
    pub levels: Vec<Level>,
    pub big: bool,
}

/// Level sizes from full size down to the first that fits into one tile.
pub(crate) fn level_sizes(width: u32, height: u32, tile: u32) -> Vec<(u32, u32)> {
    let mut sizes = vec![(width, height)];
    let (mut w, mut h) = (width, height);
    // A tile below 2 would never be reached by halving one pixel.
    while w.max(h) > tile.max(2) {
        (w, h) = (w.div_ceil(2), h.div_ceil(2));
        sizes.push((w, h));
    }
    sizes
}

impl Layout {
    /// Checks `options` and plans the file.
    pub(super) fn new(options: &TiffOptions) -> Result<Layout, TiledTiffError> {
        Layout::of_planes(options, 1)
    }

    /// Checks `options` and plans a file of several planes of that kind.
    pub(super) fn of_planes(
        options: &TiffOptions,
        planes: usize,
    ) -> Result<Layout, TiledTiffError> {
        check(options)?;
        if planes == 0 {
            return Err(TiledTiffError::Usage("no planes hold nothing".to_owned()));
        }
        let levels: Vec<Level> = options
            .levels()
            .into_iter()
            .map(|(width, height)| Level {
                width,
                height,
                columns: width.div_ceil(options.tile),
                rows: height.div_ceil(options.tile),
            })
            .collect();
        // At most 2^28 * 2^28 tiles a level and 28 levels: this cannot pass u64.
        let tiles: u64 = levels
            .iter()
            .map(|level| u64::from(level.columns) * u64::from(level.rows))
            .fold(0, u64::saturating_add)
            .saturating_mul(planes as u64);
        if tiles > MOST_TILES {
            return Err(TiledTiffError::LimitsExceeded(format!(
                "{} x {} pixels make {tiles} tiles of {} pixels, more than {MOST_TILES}; use larger tiles",
                options.width, options.height, options.tile
            )));
        }
        let raw =
            u64::from(options.tile) * u64::from(options.tile) * options.samples.bytes() as u64;
        // Deflate grows what it cannot compress by a few bytes a block; JPEG may grow noise at
        // quality 100 by more, plus its tables.
        let tile_bound = match options.compression {
            Compression::Deflate => raw + raw / 256 + 64,
            Compression::Jpeg { .. } => raw * 2 + 2048,
        };
        let description = options.description.as_ref().map_or(0, String::len) as u64;
        let palette = options.palette.as_ref().map_or(0, |_| 3 * 256 * 2);
        let directories = (levels.len() * planes) as u64 * (DIRECTORY_BOUND + palette);
        let bound = tiles * (tile_bound + 16) + directories + description;
        Ok(Layout {
            levels,
            big: bound >= u64::from(u32::MAX),
        })
    }
}

/// Says what is wrong with `options`, if anything.
fn check(options: &TiffOptions) -> Result<(), TiledTiffError> {
    let wrong = |text: String| Err(TiledTiffError::Usage(text));
    if options.width == 0 || options.height == 0 {
        return wrong(format!(
            "{} x {} pixels hold nothing",
            options.width, options.height
        ));
    }
    if options.tile == 0 || !options.tile.is_multiple_of(16) || options.tile > LARGEST_TILE {
        return wrong(format!(
            "a tile of {} pixels; it must be a multiple of 16, at most {LARGEST_TILE}",
            options.tile
        ));
    }
    if options.palette.is_some() && options.samples != Samples::Gray8 {
        return wrong("a palette is for values of one byte only".into());
    }
    if let Compression::Jpeg { quality } = options.compression {
        if options.samples != Samples::Rgb8 {
            return wrong("JPEG is for colour only; use Deflate for grey values and labels".into());
        }
        if quality == 0 || quality > 100 {
            return wrong(format!("JPEG quality {quality}; it must be 1 to 100"));
        }
    }
    check_mpp(options.mpp)
}

/// Says what is wrong with a size of a px, if anything.
pub(super) fn check_mpp(mpp: Option<f64>) -> Result<(), TiledTiffError> {
    match mpp {
        Some(mpp) if !(0.001..=1000.0).contains(&mpp) => Err(TiledTiffError::Usage(format!(
            "{mpp} um/px; it must be 0.001 to 1000"
        ))),
        _ => Ok(()),
    }
}
