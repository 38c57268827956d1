//! Writing dense blocks of pixels into a mask, and painting them out of it.

use std::ops::Range;

use super::sparse::within;
use super::tile::{self, Bits, ROW_WORDS, SIDE, WORDS};
use super::tile_storage::TileStorage;
use super::{MAX_SIDE, Mask, MaskError, Rect};

impl Mask {
    /// Replaces the pixels of `rect` with `values`: non-zero is foreground.
    ///
    /// `values` holds the block row after row, `stride` values from the start of a row to the start of
    /// the next. What lies outside the mask is left out.
    ///
    /// # Errors
    ///
    /// [`MaskError::Buffer`] if `values` is too short or `stride` is less than the block's width.
    pub fn set_block(&mut self, rect: Rect, values: &[u8], stride: usize) -> Result<(), MaskError> {
        self.set_block_by(rect, values, stride, |value| value != 0)
    }

    /// Replaces the pixels of `rect`: foreground is where `test` holds for the value in `values`.
    ///
    /// This is [`Mask::set_block`] for values of any kind, so that for example logits need no pass of
    /// their own to be compared with a threshold. `test` must not depend on the order of the calls.
    ///
    /// # Errors
    ///
    /// [`MaskError::Buffer`] if `values` is too short or `stride` is less than the block's width.
    pub fn set_block_by<T: Copy>(
        &mut self,
        rect: Rect,
        values: &[T],
        stride: usize,
        test: impl Fn(T) -> bool,
    ) -> Result<(), MaskError> {
        rect.check_buffer(values.len(), stride)?;
        let columns = rect.columns_within(self.width());
        let rows = rect.rows_within(self.height());
        if columns.is_empty() || rows.is_empty() {
            return Ok(());
        }
        for (tile_row, rows) in by_tile(&rows) {
            for (tile_column, columns) in by_tile(&columns) {
                let key = (tile_row, tile_column);
                // Worked on beside the map, so that a block of background makes no tile.
                let mut bits: Bits = self
                    .tiles
                    .get(&key)
                    .map_or([0; WORDS], TileStorage::to_bits);
                let inside = within(tile_column, &columns);
                for y in rows.clone() {
                    let line = (y % SIDE) as usize * ROW_WORDS;
                    let start = (y - rect.y) as usize * stride + (columns.start - rect.x) as usize;
                    let row = &values[start..start + columns.len()];
                    set_line(
                        &mut bits[line..line + ROW_WORDS],
                        inside.clone(),
                        row,
                        &test,
                    );
                }
                self.put_tile(key, bits);
            }
        }
        Ok(())
    }

    /// Keeps `bits` as a tile, or no tile if no pixel is set.
    fn put_tile(&mut self, key: (u32, u32), bits: Bits) {
        if tile::is_zero(&bits) {
            self.tiles.remove(&key);
        } else {
            *self.tile_mut(key) = bits;
        }
    }

    /// Paints the foreground of `rect` into `out` with `value`; where there is background, `out` is left.
    ///
    /// `rect` is in px of pyramid level `level`: 0 is full size, and each level halves the one before.
    /// Pixel (X, Y) of a level is the mask's pixel in the middle of the square it stands for, clamped to the
    /// mask. `out` holds the block row after row, `stride` bytes from the start of a row to the start of
    /// the next. What lies outside the mask is left.
    ///
    /// # Errors
    ///
    /// [`MaskError::Buffer`] if `out` is too short or `stride` is less than the block's width;
    /// [`MaskError::Level`] if `level` is over 20, where the largest mask is one pixel.
    pub fn read_block(
        &self,
        rect: Rect,
        level: u32,
        value: u8,
        out: &mut [u8],
        stride: usize,
    ) -> Result<(), MaskError> {
        rect.check_buffer(out.len(), stride)?;
        if level > MAX_SIDE.ilog2() {
            return Err(MaskError::Level { level });
        }
        if level == 0 {
            self.paint_full_size(rect, value, out, stride);
        } else {
            self.paint_level(rect, level, value, out, stride);
        }
        Ok(())
    }

    fn paint_full_size(&self, rect: Rect, value: u8, out: &mut [u8], stride: usize) {
        let columns = rect.columns_within(self.width());
        let rows = rect.rows_within(self.height());
        if columns.is_empty() || rows.is_empty() {
            return;
        }
        for (tile_row, rows) in by_tile(&rows) {
            for (tile_column, columns) in by_tile(&columns) {
                let Some(tile) = self.tiles.get(&(tile_row, tile_column)) else {
                    continue;
                };
                let inside = within(tile_column, &columns);
                for y in rows.clone() {
                    let start = (y - rect.y) as usize * stride + (columns.start - rect.x) as usize;
                    let row = &mut out[start..start + columns.len()];
                    tile.runs_of_row(y % SIDE, |from, to| {
                        let (from, to) = (from.max(inside.start), to.min(inside.end));
                        if from < to {
                            let place = |column: u32| (column - inside.start) as usize;
                            row[place(from)..place(to)].fill(value);
                        }
                    });
                }
            }
        }
    }

    fn paint_level(&self, rect: Rect, level: u32, value: u8, out: &mut [u8], stride: usize) {
        let xs = level_sources(rect.x, rect.width, level, self.width());
        let ys = level_sources(rect.y, rect.height, level, self.height());
        let same_tile = |a: &u32, b: &u32| a / SIDE == b / SIDE;
        let mut top = 0;
        for tile_ys in ys.chunk_by(same_tile) {
            let mut left = 0;
            for tile_xs in xs.chunk_by(same_tile) {
                if let Some(tile) = self.tiles.get(&(tile_ys[0] / SIDE, tile_xs[0] / SIDE)) {
                    for (row, y) in tile_ys.iter().enumerate() {
                        let start = (top + row) * stride + left;
                        let line = &mut out[start..start + tile_xs.len()];
                        tile.runs_of_row(y % SIDE, |from, to| {
                            let before =
                                |column: u32| tile_xs.partition_point(|x| x % SIDE < column);
                            line[before(from)..before(to)].fill(value);
                        });
                    }
                }
                left += tile_xs.len();
            }
            top += tile_ys.len();
        }
    }
}

/// Cuts a range of px at the tiles' borders: the tile's index and the part that lies in it.
fn by_tile(range: &Range<u32>) -> impl Iterator<Item = (u32, Range<u32>)> + use<> {
    let (start, end) = (range.start, range.end);
    (start / SIDE..end.div_ceil(SIDE))
        .map(move |index| (index, start.max(index * SIDE)..end.min((index + 1) * SIDE)))
}

/// Replaces the columns `inside` of a tile's line with what `test` says of `row`.
fn set_line<T: Copy>(line: &mut [u64], inside: Range<u32>, row: &[T], test: &impl Fn(T) -> bool) {
    let mut rest = row;
    for (index, word) in line.iter_mut().enumerate() {
        let mask = tile::word_mask(index, inside.start, inside.end);
        let (here, after) = rest.split_at(mask.count_ones() as usize);
        rest = after;
        if mask == 0 {
            continue;
        }
        // Bytes first and bits second, since compilers make vector code of that.
        let mut flags = [0; 64];
        for (flag, &value) in flags.iter_mut().zip(here) {
            *flag = u8::from(test(value));
        }
        *word = *word & !mask | tile::pack(&flags) << mask.trailing_zeros();
    }
}

/// The mask's columns (or rows) that the level's pixels `start..start + length` show, as far as they exist.
fn level_sources(start: u32, length: u32, level: u32, side: u32) -> Vec<u32> {
    let half = (1u64 << level) / 2;
    let exist = side.div_ceil(1 << level);
    let end = start.saturating_add(length).min(exist);
    (start..end)
        .map(|pixel| ((u64::from(pixel) << level) + half).min(u64::from(side) - 1) as u32)
        .collect()
}
