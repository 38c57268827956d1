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
            tile.runs_of_row(y % SIDE, joining(tile_column * SIDE, &mut runs));
        }
        runs.into_iter()
    }

    /// The runs of all rows, from the top down: the row, and a range of its columns.
    pub fn rows(&self) -> Runs<'_> {
        let tiles = self.tiles.iter();
        let tiles = tiles.map(|(&(row, column), tile)| (row, column, tile));
        Runs::new(tiles.collect(), Along::Rows)
    }

    /// The runs of all columns, from left to right: the column, and a range of its rows.
    ///
    /// Whole tiles are transposed at once.
    pub fn columns(&self) -> Runs<'_> {
        let tiles = self.tiles.iter();
        let mut tiles: Vec<_> = tiles
            .map(|(&(row, column), tile)| (column, row, tile))
            .collect();
        tiles.sort_unstable_by_key(|&(column, row, _)| (column, row));
        Runs::new(tiles, Along::Columns(Vec::new()))
    }
}

/// The runs of a mask's lines (rows or columns) in order: the line, and a half-open range of px on it.
///
/// Runs of one line never touch each other, whatever the tiles' borders.
pub struct Runs<'a> {
    /// The tiles, as (strip, place in the strip, tile), sorted. A strip is a line of tiles.
    tiles: Vec<(u32, u32, &'a TileStorage)>,
    /// Those of the present strip.
    strip: Range<usize>,
    along: Along,
    next_line: u32,
    runs: Vec<Range<u32>>,
    next_run: usize,
}

/// Which lines are gone along.
enum Along {
    Rows,
    /// The present strip's tiles, mirrored so that columns lie along words; boxes are used again.
    Columns(Vec<Box<Bits>>),
}

impl<'a> Runs<'a> {
    fn new(tiles: Vec<(u32, u32, &'a TileStorage)>, along: Along) -> Self {
        Self {
            tiles,
            strip: 0..0,
            along,
            next_line: SIDE,
            runs: Vec::new(),
            next_run: 0,
        }
    }

    /// Goes to the next strip. Says whether there was one.
    fn load_strip(&mut self) -> bool {
        let rest = &self.tiles[self.strip.end..];
        let Some(&(strip, ..)) = rest.first() else {
            return false;
        };
        let count = rest.partition_point(|&(other, ..)| other == strip);
        self.strip = self.strip.end..self.strip.end + count;
        if let Along::Columns(mirrored) = &mut self.along {
            mirrored.resize_with(count.max(mirrored.len()), || Box::new([0; WORDS]));
            for ((_, _, tile), to) in rest[..count].iter().zip(mirrored) {
                tile.with_bits(|bits| tile::transpose(bits, to));
            }
        }
        self.next_line = 0;
        true
    }

    /// Collects the runs of the next line of the present strip.
    fn load_line(&mut self) {
        self.runs.clear();
        self.next_run = 0;
        let at = self.next_line as usize * ROW_WORDS;
        for (index, &(_, place, tile)) in self.tiles[self.strip.clone()].iter().enumerate() {
            let put = joining(place * SIDE, &mut self.runs);
            match &self.along {
                Along::Rows => tile.runs_of_row(self.next_line, put),
                Along::Columns(mirrored) => {
                    tile::runs_of_line(&mirrored[index][at..at + ROW_WORDS], put);
                }
            }
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
                let (strip, ..) = self.tiles[self.strip.start];
                return Some((strip * SIDE + self.next_line - 1, run.clone()));
            }
            if self.next_line == SIDE && !self.load_strip() {
                self.runs.clear();
                return None;
            }
            self.load_line();
        }
    }
}

/// Takes the runs of one tile's line, whose first pixel is `first`, and joins them to the last one if they touch.
fn joining(first: u32, runs: &mut Vec<Range<u32>>) -> impl FnMut(u32, u32) {
    move |from, to| match runs.last_mut() {
        Some(last) if last.end == first + from => last.end = first + to,
        _ => runs.push(first + from..first + to),
    }
}
