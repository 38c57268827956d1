//! Building a mask from column runs that come in order.

use super::tile::{self, Bits, ROW_WORDS, SIDE, WORDS};
use super::{Mask, MaskError, Rect};

/// Builds a [`Mask`] from runs down its columns, given from left to right.
///
/// The runs of one strip of 256 columns are collected in tiles that lie on their side, where a run is a
/// few whole words, and the tiles are turned once when the strip is done.
pub(super) struct ColumnBuilder {
    mask: Mask,
    strip: u32,
    /// The strip's tiles on their side, by tile row.
    turned: Vec<Option<Box<Bits>>>,
}

impl ColumnBuilder {
    /// Starts an empty mask of `width` x `height` px.
    pub(super) fn new(width: u32, height: u32) -> Result<Self, MaskError> {
        let mask = Mask::new(width, height)?;
        let tile_rows = height.div_ceil(SIDE) as usize;
        Ok(Self {
            mask,
            strip: 0,
            turned: vec![None; tile_rows],
        })
    }

    /// Sets the rows `from..to` of column `x`, which must lie in the mask and not left of an earlier `x`'s strip.
    pub(super) fn set(&mut self, x: u32, from: u32, to: u32) {
        if x / SIDE != self.strip {
            self.flush();
            self.strip = x / SIDE;
        }
        let line = (x % SIDE) as usize * ROW_WORDS;
        for tile_row in from / SIDE..to.div_ceil(SIDE) {
            let base = tile_row * SIDE;
            let bits = self.turned[tile_row as usize].get_or_insert_with(|| Box::new([0; WORDS]));
            let (from, to) = (from.saturating_sub(base), to - base);
            tile::fill_line(&mut bits[line..line + ROW_WORDS], from, to, true);
        }
    }

    /// Sets `count` whole columns from `x` on.
    pub(super) fn set_whole(&mut self, x: u32, count: u32) {
        let rect = Rect {
            x,
            y: 0,
            width: count,
            height: self.mask.height(),
        };
        self.mask.fill_rect(rect, true);
    }

    /// Turns the collected tiles and adds them to the mask.
    fn flush(&mut self) {
        for (tile_row, turned) in self.turned.iter_mut().enumerate() {
            let Some(turned) = turned.take() else {
                continue;
            };
            let mut bits = [0; WORDS];
            tile::transpose(&turned, &mut bits);
            // There may be whole columns already.
            let present = self.mask.tile_mut((tile_row as u32, self.strip));
            present
                .iter_mut()
                .zip(bits)
                .for_each(|(word, more)| *word |= more);
        }
    }

    /// The mask of all runs.
    pub(super) fn finish(mut self) -> Mask {
        self.flush();
        self.mask
    }
}
