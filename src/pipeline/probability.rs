//! A map of probabilities at full size: tiles are compressed and put on the disk while a slide is stitched. LZ4, since each is
//! packed and unpacked once, and the file is gone when the slide is done.
//!
//! A value `v` of the map is `floor(256 p)`, 255 at most. So `v >= k` says exactly `p >= k / 256`: what the map says of
//! a threshold of that kind is what the stitcher would have decided. Tiles that are 0 everywhere, which is where nobody
//! looked, are not kept. Memory holds one strip of tiles and a place for each tile, whatever the slide.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use lz4_flex::block;
use rayon::prelude::*;

use crate::mask::Run;

/// Side of a tile of the map, px.
pub const PROBABILITY_TILE: u32 = 256;
const SIDE: usize = PROBABILITY_TILE as usize;
const AREA: usize = SIDE * SIDE;

/// The value of the map for a probability; what is no number counts as 0.
pub(super) fn quantise(probability: f32) -> u8 {
    // The cast saturates, and gives 0 for NaN.
    (probability * 256.0) as u8
}

/// The probabilities of one layer, with a pyramid of means, in an unnamed file of the temporary folder.
#[derive(Debug)]
pub struct ProbabilityMap {
    width: u32,
    height: u32,
    store: Mutex<Store>,
    /// For each level, where a tile lies by (row, column); the full size first.
    levels: Vec<BTreeMap<(u32, u32), Place>>,
}

/// A compressed tile's offset and length.
type Place = (u64, u32);

#[derive(Debug)]
struct Store {
    file: File,
    end: u64,
}

impl Store {
    fn put(&mut self, bytes: &[u8]) -> io::Result<Place> {
        let place = (self.end, bytes.len() as u32);
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(bytes)?;
        self.end += bytes.len() as u64;
        Ok(place)
    }

    fn get(&mut self, (offset, length): Place) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length as usize];
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl ProbabilityMap {
    /// Width and height at full size, px.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// How many levels there are: each is half the one before, rounded up, until both sides fit into one tile. One where
    /// only the full size was kept.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// One tile, `[256, 256]`, by its place among the tiles of a level; none where all is 0. px beyond the level's edge
    /// are 0.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub fn tile(&self, level: usize, column: u32, row: u32) -> io::Result<Option<Vec<u8>>> {
        let Some(&place) = self.levels.get(level).and_then(|l| l.get(&(row, column))) else {
            return Ok(None);
        };
        // Nothing is half-done behind this lock: a place is only known once its bytes are written.
        let bytes = {
            let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            store.get(place)?
        };
        let mut values = vec![0; AREA];
        block::decompress_into(&bytes, &mut values).map_err(io::Error::other)?;
        Ok(Some(values))
    }

    /// Adds up the values of some runs of a row of tiles: for each its sum and its lowest. Each tile is read once.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    #[cfg_attr(not(feature = "files"), allow(dead_code, reason = "only sinks ask"))]
    pub(crate) fn sums(&self, runs: &[Run]) -> io::Result<Vec<(u64, u8)>> {
        let columns = |run: &Run| run.start / PROBABILITY_TILE..=(run.end - 1) / PROBABILITY_TILE;
        let needed: BTreeSet<(u32, u32)> = runs
            .iter()
            .flat_map(|run| columns(run).map(|column| (run.y / PROBABILITY_TILE, column)))
            .collect();
        let needed: Vec<(u32, u32)> = needed.into_iter().collect();
        let tiles: Vec<io::Result<Option<Vec<u8>>>> = needed
            .par_iter()
            .map(|&(row, column)| self.tile(0, column, row))
            .collect();
        let tiles = tiles.into_iter().collect::<io::Result<Vec<_>>>()?;
        let tiles: BTreeMap<(u32, u32), Vec<u8>> = (needed.into_iter().zip(tiles))
            .filter_map(|(key, tile)| Some((key, tile?)))
            .collect();
        let sum = |run: &Run| {
            let line = (run.y % PROBABILITY_TILE) as usize * SIDE;
            let (mut sum, mut lowest) = (0, u8::MAX);
            for column in columns(run) {
                let first = column * PROBABILITY_TILE;
                let from = run.start.max(first) - first;
                let to = run.end.min(first + PROBABILITY_TILE) - first;
                match tiles.get(&(run.y / PROBABILITY_TILE, column)) {
                    // Where nobody looked.
                    None => lowest = 0,
                    Some(tile) => {
                        let values = &tile[line + from as usize..line + to as usize];
                        // No line of a tile adds up to more.
                        const _: () = assert!(SIDE * u8::MAX as usize <= u16::MAX as usize);
                        sum += u64::from(values.iter().map(|&value| u16::from(value)).sum::<u16>());
                        lowest = values
                            .iter()
                            .fold(lowest, |lowest, &value| lowest.min(value));
                    }
                }
            }
            (sum, lowest)
        };
        Ok(runs.par_iter().with_min_len(256).map(sum).collect())
    }

    fn put_all(&mut self, level: usize, tiles: Vec<((u32, u32), Vec<u8>)>) -> io::Result<()> {
        // Compressed side by side, written in order: the file is the same with any number of threads.
        let compress = |(_, tile): &(_, Vec<u8>)| block::compress(tile);
        let compressed: Vec<Vec<u8>> = tiles.par_iter().map(compress).collect();
        let store = self.store.get_mut().unwrap_or_else(PoisonError::into_inner);
        for ((key, _), bytes) in tiles.into_iter().zip(compressed) {
            self.levels[level].insert(key, store.put(&bytes)?);
        }
        Ok(())
    }

    /// Makes the next level out of the last one, strip by strip.
    fn add_level(&mut self, (width, height): (u32, u32)) -> io::Result<()> {
        let above = self.levels.len() - 1;
        let mut strips: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for &(row, column) in self.levels[above].keys() {
            strips.entry(row / 2).or_default().insert(column / 2);
        }
        self.levels.push(BTreeMap::new());
        for (row, columns) in strips {
            // Collected in their order first, so that the same tile's error is told with any number of threads.
            let halves: Vec<io::Result<Vec<u8>>> = columns
                .par_iter()
                .map(|&column| self.half(above, column, row, (width, height)))
                .collect();
            let tiles = columns
                .iter()
                .zip(halves)
                .map(|(&column, half)| Ok(((row, column), half?)))
                .collect::<io::Result<Vec<_>>>()?;
            self.put_all(above + 1, tiles)?;
        }
        Ok(())
    }

    /// A tile of half the size: each px is the mean of those px of level `above` (of `width` x `height` px) that it
    /// stands for.
    fn half(
        &self,
        above: usize,
        column: u32,
        row: u32,
        (width, height): (u32, u32),
    ) -> io::Result<Vec<u8>> {
        let mut sums = vec![0_u16; AREA];
        for down in 0..2 {
            for across in 0..2 {
                let Some(tile) = self.tile(above, column * 2 + across, row * 2 + down)? else {
                    continue;
                };
                let (left, top) = (across as usize * SIDE / 2, down as usize * SIDE / 2);
                for (y, line) in tile.chunks_exact(SIDE).enumerate() {
                    let start = (top + y / 2) * SIDE + left;
                    let sums = &mut sums[start..start + SIDE / 2];
                    for (sum, pair) in sums.iter_mut().zip(line.as_chunks::<2>().0) {
                        *sum += u16::from(pair[0]) + u16::from(pair[1]);
                    }
                }
            }
        }
        // At an odd edge a px stands for two px of the level above, at a corner for one.
        let parts = |place: usize, tile: u32, length: u32| -> u16 {
            let at = (u64::from(tile) * SIDE as u64 + place as u64) * 2;
            u64::from(length).saturating_sub(at).clamp(1, 2) as u16
        };
        Ok(sums
            .into_iter()
            .enumerate()
            .map(|(at, sum)| {
                let n = parts(at % SIDE, column, width) * parts(at / SIDE, row, height);
                // At most 255, since it is a mean of bytes.
                ((sum + n / 2) / n) as u8
            })
            .collect())
    }
}

/// Collects a map row by row, from the top down.
pub(super) struct Builder {
    map: ProbabilityMap,
    /// The row of tiles that is being filled, and its tiles by column.
    strip: u32,
    open: BTreeMap<u32, Vec<u8>>,
}

impl Builder {
    /// An empty map.
    ///
    /// # Errors
    /// When there can be no temporary file.
    pub fn new(width: u32, height: u32) -> io::Result<Self> {
        Ok(Builder {
            map: ProbabilityMap {
                width,
                height,
                store: Mutex::new(Store {
                    file: tempfile::tempfile()?,
                    end: 0,
                }),
                levels: vec![BTreeMap::new()],
            },
            strip: 0,
            open: BTreeMap::new(),
        })
    }

    /// Puts values at the px from `x` on of a row, which must not lie above an earlier one.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub fn put(&mut self, row: u32, mut x: u32, mut values: &[u8]) -> io::Result<()> {
        if row / PROBABILITY_TILE != self.strip {
            self.flush()?;
            self.strip = row / PROBABILITY_TILE;
        }
        let line = (row % PROBABILITY_TILE) as usize * SIDE;
        while !values.is_empty() {
            let at = (x % PROBABILITY_TILE) as usize;
            let (here, rest) = values.split_at(values.len().min(SIDE - at));
            if here.iter().any(|&value| value != 0) {
                let tile = self.open.entry(x / PROBABILITY_TILE);
                let tile = tile.or_insert_with(|| vec![0; AREA]);
                tile[line + at..line + at + here.len()].copy_from_slice(here);
            }
            x += here.len() as u32;
            values = rest;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let open = std::mem::take(&mut self.open);
        let strip = self.strip;
        let tiles = open
            .into_iter()
            .map(|(column, tile)| ((strip, column), tile));
        self.map.put_all(0, tiles.collect())
    }

    /// The map, with its smaller levels where they are wanted.
    ///
    /// # Errors
    /// When the temporary file cannot be written or read.
    pub fn finish(mut self, with_levels: bool) -> io::Result<ProbabilityMap> {
        self.flush()?;
        let (mut width, mut height) = self.map.size();
        while with_levels && width.max(height) > PROBABILITY_TILE {
            self.map.add_level((width, height))?;
            (width, height) = (width.div_ceil(2), height.div_ceil(2));
        }
        Ok(self.map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map whose px are given by a function, level 0 as one array.
    fn map(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> ProbabilityMap {
        let mut builder = Builder::new(width, height).unwrap();
        for y in 0..height {
            let row: Vec<u8> = (0..width).map(|x| value(x, y)).collect();
            let (left, right) = row.split_at(width as usize / 3);
            builder.put(y, 0, left).unwrap();
            builder.put(y, width / 3, right).unwrap();
        }
        builder.finish(true).unwrap()
    }

    fn at(map: &ProbabilityMap, level: usize, x: u32, y: u32) -> u8 {
        let tile = map.tile(level, x / PROBABILITY_TILE, y / PROBABILITY_TILE);
        let place = (y % PROBABILITY_TILE * PROBABILITY_TILE + x % PROBABILITY_TILE) as usize;
        tile.unwrap().map_or(0, |tile| tile[place])
    }

    /// A level as one array, each tile read once.
    fn whole(map: &ProbabilityMap, level: usize, (width, height): (u32, u32)) -> Vec<u8> {
        let side = PROBABILITY_TILE;
        let mut out = vec![0; width as usize * height as usize];
        for row in 0..height.div_ceil(side) {
            for column in 0..width.div_ceil(side) {
                let Some(tile) = map.tile(level, column, row).unwrap() else {
                    continue;
                };
                for y in row * side..height.min((row + 1) * side) {
                    for x in column * side..width.min((column + 1) * side) {
                        out[(y * width + x) as usize] = tile[(y % side * side + x % side) as usize];
                    }
                }
            }
        }
        out
    }

    #[test]
    fn a_value_says_exactly_whether_a_threshold_is_reached() {
        for k in 1..=255_u8 {
            let threshold = f32::from(k) / 256.0;
            assert!(quantise(threshold) >= k);
            assert!(quantise(threshold.next_down()) < k);
        }
        for (probability, value) in [(0.0, 0), (1.0, 255), (1.5, 255), (-0.5, 0), (f32::NAN, 0)] {
            assert_eq!(quantise(probability), value);
        }
    }

    #[test]
    fn what_was_put_is_there_at_every_size_and_smaller_levels_are_means() {
        for (width, height) in [(1, 1), (256, 256), (257, 255), (700, 513), (1025, 3)] {
            let value = |x: u32, y: u32| ((x * 7) ^ (y * 13)) as u8;
            let map = map(width, height, value);
            let mut above = whole(&map, 0, (width, height));
            for (place, &found) in (0_u32..).zip(&above) {
                let expected = value(place % width, place / width);
                assert_eq!(found, expected, "{width} x {height}");
            }
            let (mut sides, mut levels) = ((width, height), 1);
            while sides.0.max(sides.1) > PROBABILITY_TILE {
                let smaller = (sides.0.div_ceil(2), sides.1.div_ceil(2));
                let level = whole(&map, levels, smaller);
                for y in 0..smaller.1 {
                    for x in 0..smaller.0 {
                        let of: Vec<u32> = [(0, 0), (1, 0), (0, 1), (1, 1)]
                            .into_iter()
                            .map(|(dx, dy)| (2 * x + dx, 2 * y + dy))
                            .filter(|&(x, y)| x < sides.0 && y < sides.1)
                            .map(|(x, y)| u32::from(above[(y * sides.0 + x) as usize]))
                            .collect();
                        let mean = f64::from(of.iter().sum::<u32>()) / of.len() as f64;
                        let found = level[(y * smaller.0 + x) as usize];
                        assert_eq!(f64::from(found), mean.round());
                    }
                }
                (sides, levels) = (smaller, levels + 1);
                above = level;
            }
            assert_eq!(map.levels(), levels);
        }
    }

    #[test]
    fn a_huge_slide_with_little_in_it_keeps_little() {
        let mut builder = Builder::new(200_000, 200_000).unwrap();
        for y in 0..200_000 {
            let inside = (90_000..90_300).contains(&y);
            builder
                .put(y, 150_000, &[if inside { 200 } else { 0 }; 300])
                .unwrap();
        }
        let map = builder.finish(true).unwrap();
        assert!(map.levels[0].len() <= 9, "{}", map.levels[0].len());
        assert_eq!(map.levels(), 11);
        assert_eq!(at(&map, 0, 150_299, 90_299), 200);
        assert!(at(&map, 5, 150_100 >> 5, 90_100 >> 5) > 0);
    }
}
