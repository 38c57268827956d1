//! The tiles of a segmentation: which hold anything, and their px as single bits.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::mask::{Mask, Rect};

/// A grid of tiles over the whole slide; those at its right and lower edge reach beyond it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    /// Sides of a tile, px.
    pub width: u32,
    pub height: u32,
}

/// Row and column of a tile in the grid.
pub(super) type Place = (u32, u32);

impl Grid {
    /// The tiles in which anything of a mask lies, row by row.
    pub fn occupied(self, mask: &Mask) -> Vec<Place> {
        let mut found = Vec::new();
        let mut row = 0;
        let mut columns = BTreeSet::new();
        for (y, run) in mask.rows() {
            if y / self.height != row {
                found.extend(columns.iter().map(|&column| (row, column)));
                columns.clear();
                row = y / self.height;
            }
            columns.extend(run.start / self.width..=(run.end - 1) / self.width);
        }
        found.extend(columns.into_iter().map(|column| (row, column)));
        found
    }

    /// The px of a tile.
    pub fn rect(self, (row, column): Place) -> Rect {
        Rect {
            x: column * self.width,
            y: row * self.height,
            width: self.width,
            height: self.height,
        }
    }

    /// Px of a tile.
    pub fn px(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// Bytes that so many frames take: their bits follow each other without gaps, and the whole has an even number of bytes
/// (PS3.5, 8.1.1 and 8.2).
pub(super) fn packed_bytes(frames: usize, grid: Grid) -> Option<u64> {
    let bits = grid.px().checked_mul(frames as u64)?;
    bits.div_ceil(8).checked_next_multiple_of(2)
}

/// Writes px as bits, the first into the lowest bit of a byte, frame after frame without gaps.
pub(super) struct BitPacker<W> {
    out: W,
    written: u64,
    byte: u8,
    filled: u32,
}

impl<W: Write> BitPacker<W> {
    pub fn new(out: W) -> Self {
        BitPacker {
            out,
            written: 0,
            byte: 0,
            filled: 0,
        }
    }

    /// Writes the px of a frame, each 0 or 1.
    pub fn put(&mut self, px: &[u8]) -> io::Result<()> {
        // Up to the next byte one by one, then eight at once.
        let first = px.len().min(((8 - self.filled) % 8) as usize);
        let (start, rest) = px.split_at(first);
        self.put_singly(start)?;
        let (eights, end) = rest.as_chunks::<8>();
        if self.filled == 0 {
            let packed: Vec<u8> = eights.iter().map(pack).collect();
            self.out.write_all(&packed)?;
            self.written += packed.len() as u64;
        }
        self.put_singly(end)
    }

    fn put_singly(&mut self, px: &[u8]) -> io::Result<()> {
        for &value in px {
            self.byte |= value << self.filled;
            self.filled += 1;
            if self.filled == 8 {
                self.out.write_all(&[self.byte])?;
                self.written += 1;
                (self.byte, self.filled) = (0, 0);
            }
        }
        Ok(())
    }

    /// Writes what is left of a byte, and a byte more where their number is odd.
    pub fn finish(mut self) -> io::Result<W> {
        if self.filled > 0 {
            self.out.write_all(&[self.byte])?;
            self.written += 1;
        }
        if self.written % 2 == 1 {
            self.out.write_all(&[0])?;
        }
        Ok(self.out)
    }
}

/// Eight values of 0 or 1 as bits.
fn pack(values: &[u8; 8]) -> u8 {
    // Each product moves byte i's bit to bit 56 + i; no two partial products meet, so none carries.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    (u64::from_le_bytes(*values).wrapping_mul(GATHER) >> 56) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits one by one, as the standard draws them.
    fn plainly(frames: &[Vec<u8>]) -> Vec<u8> {
        let all: Vec<u8> = frames.iter().flatten().copied().collect();
        let mut bytes = vec![0; all.len().div_ceil(8).next_multiple_of(2)];
        for (place, value) in all.into_iter().enumerate() {
            bytes[place / 8] |= value << (place % 8);
        }
        bytes
    }

    #[test]
    fn frames_of_odd_sizes_follow_each_other_over_the_borders_of_bytes() {
        for (width, height) in [(1, 1), (3, 5), (7, 7), (8, 2), (9, 1), (13, 11), (75, 53)] {
            let grid = Grid { width, height };
            for count in [1, 2, 3, 7] {
                let px = grid.px() as usize;
                let frame =
                    |seed: usize| (0..px).map(move |i| u8::from((i * 7 + seed * 13) % 5 < 2));
                let frames: Vec<Vec<u8>> = (0..count).map(|seed| frame(seed).collect()).collect();
                let mut packer = BitPacker::new(Vec::new());
                frames.iter().for_each(|frame| packer.put(frame).unwrap());
                let packed = packer.finish().unwrap();
                assert_eq!(packed, plainly(&frames), "{count} of {width} x {height}");
                assert_eq!(packed_bytes(count, grid), Some(packed.len() as u64));
            }
        }
    }

    #[test]
    fn tiles_that_hold_nothing_are_left_out() {
        let mut mask = Mask::new(1000, 700).unwrap();
        let grid = Grid {
            width: 75,
            height: 53,
        };
        assert!(grid.occupied(&mask).is_empty());
        mask.set(0, 0, true);
        mask.set(999, 699, true);
        // Over three tiles of one row of tiles, and the next row's first.
        mask.set_row_run(105, 70..151);
        mask.set(74, 106, true);
        let expected = [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (13, 13)];
        assert_eq!(grid.occupied(&mask), expected);
        let mut seen = 0;
        for place in grid.occupied(&mask) {
            let mut px = vec![0; grid.px() as usize];
            mask.read_block(grid.rect(place), 0, 1, &mut px, 75)
                .unwrap();
            seen += px.iter().map(|&value| u64::from(value)).sum::<u64>();
        }
        assert_eq!(seen, mask.count());
    }
}
