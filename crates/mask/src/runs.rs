//! The runs of a mask's foreground, along rows and along columns.

use std::ops::Range;

use super::Mask;
use super::tile::{self, Bits, ROW_WORDS, SIDE, WORDS};
use super::tile_storage::TileStorage;

impl Mask {
    /// The runs of foreground in row `y`: sorted ranges of columns, as long as can be.
    pub fn row_runs(&self, y: u32) -> impl Iterator<Item = Range<u32>> + use<> {
        let tile_row = y / SIDE;
        let mut runs = Vec::new();
        for (&(_, tile_column), tile) in self.tiles.range((tile_row, 0)..(tile_row + 1, 0)) {
            add_runs(tile_column * SIDE, &tile.line(y % SIDE), &mut runs);
        }
        runs.into_iter()
    }

    /// The runs of all rows, from the top down: the row, and a range of its columns.
    pub fn rows(&self) -> Runs<'_> {
        let tiles = self.tiles.iter();
        Runs::new(
            tiles
                .map(|(&(row, column), tile)| (row, column, tile))
                .collect(),
            |tile, to| tile.with_bits(|bits| to.copy_from_slice(bits)),
        )
    }

    /// The runs of all columns, from left to right: the column, and a range of its rows.
    ///
    /// It is about as fast as [`Mask::rows`], since whole tiles are transposed at once.
    pub fn columns(&self) -> Runs<'_> {
        let tiles = self.tiles.iter();
        let mut tiles: Vec<_> = tiles
            .map(|(&(row, column), tile)| (column, row, tile))
            .collect();
        tiles.sort_unstable_by_key(|&(column, row, _)| (column, row));
        Runs::new(tiles, |tile, to| {
            tile.with_bits(|bits| tile::transpose(bits, to))
        })
    }
}

/// The runs of a mask's lines (rows or columns) in order: the line, and a half-open range of px on it.
///
/// Runs of one line never touch each other, whatever the tiles' borders.
pub struct Runs<'a> {
    /// The tiles yet to come, as (strip, place in the strip, tile), sorted. A strip is a line of tiles.
    tiles: std::iter::Peekable<std::vec::IntoIter<(u32, u32, &'a TileStorage)>>,
    /// Turns a tile so that the lines lie along its words.
    turn: fn(&TileStorage, &mut Bits),
    /// The turned tiles of the present strip with the first px of each; boxes are used again.
    strip: Vec<(u32, Box<Bits>)>,
    used: usize,
    first_line: u32,
    next_line: u32,
    runs: Vec<Range<u32>>,
    next_run: usize,
}

impl<'a> Runs<'a> {
    fn new(tiles: Vec<(u32, u32, &'a TileStorage)>, turn: fn(&TileStorage, &mut Bits)) -> Self {
        Self {
            tiles: tiles.into_iter().peekable(),
            turn,
            strip: Vec::new(),
            used: 0,
            first_line: 0,
            next_line: SIDE,
            runs: Vec::new(),
            next_run: 0,
        }
    }

    /// Takes the next strip's tiles. Says whether there was one.
    fn load_strip(&mut self) -> bool {
        let Some(&(strip, ..)) = self.tiles.peek() else {
            return false;
        };
        self.used = 0;
        while let Some((_, place, bits)) = self.tiles.next_if(|&(other, ..)| other == strip) {
            if self.used == self.strip.len() {
                self.strip.push((0, Box::new([0; WORDS])));
            }
            let (first, turned) = &mut self.strip[self.used];
            *first = place * SIDE;
            (self.turn)(bits, turned);
            self.used += 1;
        }
        self.first_line = strip * SIDE;
        self.next_line = 0;
        true
    }

    /// Collects the runs of the next line of the present strip.
    fn load_line(&mut self) {
        self.runs.clear();
        self.next_run = 0;
        let line = self.next_line as usize * ROW_WORDS;
        for (first, bits) in &self.strip[..self.used] {
            add_runs(*first, &bits[line..line + ROW_WORDS], &mut self.runs);
        }
        self.next_line += 1;
    }
}

impl Iterator for Runs<'_> {
    type Item = (u32, Range<u32>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(run) = self.runs.get(self.next_run) {
                self.next_run += 1;
                return Some((self.first_line + self.next_line - 1, run.clone()));
            }
            if self.next_line == SIDE && !self.load_strip() {
                self.runs.clear();
                return None;
            }
            self.load_line();
        }
    }
}

/// Adds the runs of one tile's line, whose first pixel is `first`, and joins them to the last if they touch.
fn add_runs(first: u32, line: &[u64], runs: &mut Vec<Range<u32>>) {
    tile::runs_of_line(line, |from, to| match runs.last_mut() {
        Some(last) if last.end == first + from => last.end = first + to,
        _ => runs.push(first + from..first + to),
    });
}
