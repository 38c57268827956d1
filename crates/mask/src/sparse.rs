//! A slide's binary mask, stored as sparse bit tiles.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::ops::Range;

use super::tile::{self, Bits, ROW_WORDS, SIDE};
use super::tile_storage::TileStorage;
use super::{MAX_SIDE, MaskError, Rect, Run};

/// A binary mask of a slide at full size.
///
/// Pixels are kept as bits in tiles of 256 x 256 px, and only tiles with foreground are kept: 8 KiB
/// for each, or about 1 KiB after [`Mask::compact`]. A clone shares its tiles until one of the two is changed.
///
/// Pixels outside the mask read as background, and writing them does nothing, so blocks that reach over
/// the border need no clipping by the caller. Two masks are equal when their sizes and pixels are.
///
/// # Examples
///
/// ```
/// use ftuseg_mask::Mask;
///
/// let mut mask = Mask::new(100_000, 80_000)?;
/// mask.set_row_run(40_000, 10..300);
/// assert_eq!(mask.count(), 290);
/// assert!(mask.bytes_used() < 20_000);
/// # Ok::<(), ftuseg_mask::MaskError>(())
/// ```
#[derive(Clone)]
pub struct Mask {
    width: u32,
    height: u32,
    /// By (tile row, tile column). Bits outside the mask are never set.
    pub(super) tiles: BTreeMap<(u32, u32), TileStorage>,
}

impl Mask {
    /// Makes an empty mask of `width` x `height` px.
    ///
    /// # Errors
    ///
    /// [`MaskError::Size`] if a side is 0 or over [`MAX_SIDE`].
    pub fn new(width: u32, height: u32) -> Result<Self, MaskError> {
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(MaskError::Size { width, height });
        }
        Ok(Self {
            width,
            height,
            tiles: BTreeMap::new(),
        })
    }

    /// The width in px.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The height in px.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Whether the pixel in column `x` and row `y` is foreground.
    pub fn get(&self, x: u32, y: u32) -> bool {
        self.tiles
            .get(&(y / SIDE, x / SIDE))
            .is_some_and(|tile| tile.line(y % SIDE)[(x % SIDE) as usize / 64] >> (x % 64) & 1 == 1)
    }

    /// Makes the pixel in column `x` and row `y` foreground or background.
    pub fn set(&mut self, x: u32, y: u32, value: bool) {
        if x >= self.width || y >= self.height {
            return;
        }
        let (word, bit) = place(x, y);
        if value {
            self.tile_mut((y / SIDE, x / SIDE))[word] |= 1 << bit;
        } else if let Some(tile) = self.tiles.get_mut(&(y / SIDE, x / SIDE)) {
            tile.bits_mut()[word] &= !(1 << bit);
        }
    }

    /// Makes the columns `columns` of row `y` foreground.
    pub fn set_row_run(&mut self, y: u32, columns: Range<u32>) {
        self.fill_rect(line(y, columns), true);
    }

    /// Makes the columns `columns` of row `y` background.
    pub fn clear_row_run(&mut self, y: u32, columns: Range<u32>) {
        self.fill_rect(line(y, columns), false);
    }

    /// Makes all pixels of `rect` foreground or background.
    pub fn fill_rect(&mut self, rect: Rect, value: bool) {
        let (columns, rows) = (
            rect.columns_within(self.width),
            rect.rows_within(self.height),
        );
        if columns.is_empty() || rows.is_empty() {
            return;
        }
        let tile_columns = columns.start / SIDE..(columns.end - 1) / SIDE + 1;
        for tile_row in rows.start / SIDE..(rows.end - 1) / SIDE + 1 {
            if value {
                for tile_column in tile_columns.clone() {
                    self.fill_in_tile((tile_row, tile_column), &columns, &rows, true);
                }
            } else {
                let keys = (tile_row, tile_columns.start)..(tile_row, tile_columns.end);
                let present: Vec<_> = self.tiles.range(keys).map(|(&key, _)| key).collect();
                for key in present {
                    self.fill_in_tile(key, &columns, &rows, false);
                }
            }
        }
    }

    /// The part of [`Mask::fill_rect`] that lies in one tile.
    fn fill_in_tile(
        &mut self,
        key: (u32, u32),
        columns: &Range<u32>,
        rows: &Range<u32>,
        value: bool,
    ) {
        let (columns, rows) = (within(key.1, columns), within(key.0, rows));
        if columns == (0..SIDE) && rows == (0..SIDE) {
            if value {
                self.tiles.insert(key, TileStorage::full());
            } else {
                self.tiles.remove(&key);
            }
            return;
        }
        let lines = rows.start as usize * ROW_WORDS..rows.end as usize * ROW_WORDS;
        for line in self.tile_mut(key)[lines].chunks_exact_mut(ROW_WORDS) {
            tile::fill_line(line, columns.start, columns.end, value);
        }
    }

    /// Makes every pixel background.
    pub fn clear(&mut self) {
        self.tiles.clear();
    }

    /// Gives back memory: tiles in which no pixel is set go, and the others are kept as runs where those are small.
    ///
    /// Reading is as fast as before. The first change to a tile turns it into bits again.
    pub fn compact(&mut self) {
        self.compact_rows(0..self.height);
    }

    /// [`Mask::compact`] for the tiles whose last row is among `rows`, so that a mask can be made small while it is
    /// written from the top down.
    pub fn compact_rows(&mut self, rows: Range<u32>) {
        let last = if rows.end >= self.height {
            rows.end.div_ceil(SIDE)
        } else {
            rows.end / SIDE
        };
        let keys = (rows.start / SIDE, 0)..(last, 0);
        if keys.is_empty() {
            return;
        }
        let mut empty = Vec::new();
        for (&key, tile) in self.tiles.range_mut(keys) {
            if tile.is_zero() {
                empty.push(key);
            } else {
                tile.pack();
            }
        }
        for key in empty {
            self.tiles.remove(&key);
        }
    }

    /// Makes runs foreground or background, and keeps the changed tiles small.
    pub(super) fn put_runs(&mut self, mut runs: Vec<Run>, value: bool) {
        runs.sort_unstable_by_key(|run| (run.y, run.start));
        for strip in runs.chunk_by(|one, two| one.y / SIDE == two.y / SIDE) {
            for run in strip {
                self.fill_rect(line(run.y, run.columns()), value);
            }
            let top = strip[0].y / SIDE * SIDE;
            self.compact_rows(top..(top + SIDE).min(self.height));
        }
    }

    /// How many pixels are foreground.
    pub fn count(&self) -> u64 {
        self.tiles.values().map(TileStorage::count).sum()
    }

    /// How many pixels are foreground in both masks; nothing is copied for it.
    ///
    /// # Errors
    ///
    /// [`MaskError::SizeMismatch`] if the sizes differ.
    pub fn count_both(&self, other: &Mask) -> Result<u64, MaskError> {
        self.check_same_size(other)?;
        let (few, many) = match self.tiles.len() <= other.tiles.len() {
            true => (self, other),
            false => (other, self),
        };
        let both = |(key, ours): (&(u32, u32), &TileStorage)| {
            many.tiles
                .get(key)
                .map_or(0, |theirs| ours.count_both(theirs))
        };
        Ok(few.tiles.iter().map(both).sum())
    }

    /// Whether no pixel is foreground.
    pub fn is_empty(&self) -> bool {
        self.tiles.values().all(TileStorage::is_zero)
    }

    /// About how many bytes of memory the mask takes. A tile shared with a clone counts in both.
    pub fn bytes_used(&self) -> usize {
        size_of::<Self>()
            + self.tiles.len() * size_of::<((u32, u32), TileStorage)>()
            + self.tiles.values().map(TileStorage::bytes).sum::<usize>()
    }

    /// Adds the foreground of `other`.
    ///
    /// # Errors
    ///
    /// [`MaskError::SizeMismatch`] if the sizes differ.
    pub fn or_assign(&mut self, other: &Mask) -> Result<(), MaskError> {
        self.check_same_size(other)?;
        for (&key, theirs) in &other.tiles {
            match self.tiles.entry(key) {
                Entry::Vacant(vacant) => {
                    vacant.insert(theirs.clone());
                }
                Entry::Occupied(mut occupied) => {
                    let ours = occupied.get_mut().bits_mut();
                    ours.iter_mut()
                        .zip(theirs.to_bits())
                        .for_each(|(our, their)| *our |= their);
                }
            }
        }
        Ok(())
    }

    /// Takes the foreground of `other` away.
    ///
    /// # Errors
    ///
    /// [`MaskError::SizeMismatch`] if the sizes differ.
    pub fn and_not_assign(&mut self, other: &Mask) -> Result<(), MaskError> {
        self.check_same_size(other)?;
        for (key, theirs) in &other.tiles {
            if let Some(tile) = self.tiles.get_mut(key) {
                let ours = tile.bits_mut();
                ours.iter_mut()
                    .zip(theirs.to_bits())
                    .for_each(|(our, their)| *our &= !their);
            }
        }
        self.compact();
        Ok(())
    }

    fn check_same_size(&self, other: &Mask) -> Result<(), MaskError> {
        let (left, right) = ((self.width, self.height), (other.width, other.height));
        if left == right {
            Ok(())
        } else {
            Err(MaskError::SizeMismatch { left, right })
        }
    }

    /// The bits of a tile to change, made empty where it was absent.
    pub(super) fn tile_mut(&mut self, key: (u32, u32)) -> &mut Bits {
        self.tiles
            .entry(key)
            .or_insert_with(TileStorage::empty)
            .bits_mut()
    }

    /// The tiles that hold foreground, in order.
    fn non_zero_tiles(&self) -> impl Iterator<Item = (&(u32, u32), &TileStorage)> {
        self.tiles.iter().filter(|(_, tile)| !tile.is_zero())
    }
}

impl PartialEq for Mask {
    fn eq(&self, other: &Self) -> bool {
        (self.width, self.height) == (other.width, other.height)
            && self.non_zero_tiles().eq(other.non_zero_tiles())
    }
}

impl Eq for Mask {}

impl fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The tiles themselves would print as thousands of words.
        formatter
            .debug_struct("Mask")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

/// The word in its tile and the bit in that word of a pixel.
fn place(x: u32, y: u32) -> (usize, u32) {
    let (x, y) = (x % SIDE, y % SIDE);
    (y as usize * ROW_WORDS + x as usize / 64, x % 64)
}

/// One row of pixels as a rectangle.
fn line(y: u32, columns: Range<u32>) -> Rect {
    Rect {
        x: columns.start,
        y,
        width: columns.end.saturating_sub(columns.start),
        height: 1,
    }
}

/// The part of `range` that lies in the tile with this index, counted from the tile's start.
pub(super) fn within(index: u32, range: &Range<u32>) -> Range<u32> {
    let base = index * SIDE;
    range.start.max(base) - base..range.end.min(base + SIDE) - base
}
