//! Paints objects into a pyramid of labels, one row of tiles at a time.

use std::collections::BTreeMap;

use ftuseg_mask::Run;

/// Side of a tile, px.
pub const TILE: u32 = 256;
const SIDE: usize = TILE as usize;

/// Width and height of every level of a pyramid of `width` x `height` px, full size first. Each level is half the one before,
/// rounded up, until both sides fit into one tile.
pub fn level_sizes(width: u32, height: u32) -> Vec<(u32, u32)> {
    crate::tiled_tiff::level_sizes(width, height, TILE)
}

/// Tiles of a level: column, row and labels, `[TILE, TILE]`.
pub type LabelTiles = Vec<(u32, u32, Vec<u32>)>;

/// Paints objects, which come in the order of their first rows, into a pyramid, of which it holds one row of tiles a level.
/// What objects reach beyond that is kept as runs. Each smaller level is every second px of every second row of the one
/// above; tiles without objects are not handed over.
pub struct LabelPyramid<Put> {
    put: Put,
    levels: Vec<Strip>,
    /// The id and the runs that lie below the present row of tiles, the topmost last.
    reaching: Vec<(u32, Vec<Run>)>,
}

/// A row of tiles that is being painted.
#[derive(Default)]
struct Strip {
    row: u32,
    /// By column. A tile without objects is not there.
    tiles: BTreeMap<u32, Vec<u32>>,
}

impl<E, Put: FnMut(usize, LabelTiles) -> Result<(), E>> LabelPyramid<Put> {
    /// A pyramid of `levels` levels, the full size included. `put` takes each row of tiles once, with its level.
    pub fn new(levels: usize, put: Put) -> Self {
        LabelPyramid {
            put,
            levels: (0..levels).map(|_| Strip::default()).collect(),
            reaching: Vec::new(),
        }
    }

    /// Paints an object, given by its runs from the top down, none of them empty.
    ///
    /// # Errors
    /// What `put` says.
    pub fn add(&mut self, id: u32, mut runs: Vec<Run>) -> Result<(), E> {
        let Some(first) = runs.first() else {
            return Ok(());
        };
        self.go_to(first.y / TILE)?;
        runs.reverse();
        self.paint(id, &mut runs);
        if !runs.is_empty() {
            self.reaching.push((id, runs));
        }
        Ok(())
    }

    /// Paints the rest and hands over all that is left.
    ///
    /// # Errors
    /// What `put` says.
    pub fn finish(mut self) -> Result<(), E> {
        while !self.reaching.is_empty() {
            self.go_to(self.levels[0].row + 1)?;
        }
        (0..self.levels.len()).try_for_each(|level| self.close(level))
    }

    /// Goes down to a row of tiles of the full size.
    fn go_to(&mut self, row: u32) -> Result<(), E> {
        while self.levels[0].row < row {
            // Rows that nothing reaches are passed over.
            let next = match self.reaching.is_empty() {
                true => row,
                false => self.levels[0].row + 1,
            };
            self.enter(0, next)?;
            let mut reaching = std::mem::take(&mut self.reaching);
            for (id, runs) in &mut reaching {
                self.paint(*id, runs);
            }
            reaching.retain(|(_, runs)| !runs.is_empty());
            self.reaching = reaching;
        }
        Ok(())
    }

    /// Paints, of runs whose topmost is the last, those that lie in the present row of tiles, and takes them away.
    fn paint(&mut self, id: u32, runs: &mut Vec<Run>) {
        let strip = &mut self.levels[0];
        while let Some(run) = runs.pop_if(|run| run.y / TILE == strip.row) {
            let line = (run.y % TILE) as usize * SIDE;
            for column in run.start / TILE..=(run.end - 1) / TILE {
                let first = column * TILE;
                let from = (run.start.max(first) - first) as usize;
                let to = (run.end.min(first + TILE) - first) as usize;
                let tile = strip.tiles.entry(column);
                let tile = tile.or_insert_with(|| vec![0; SIDE * SIDE]);
                tile[line + from..line + to].fill(id);
            }
        }
    }

    /// Makes a row of tiles the present one of a level, once the one before is handed over.
    fn enter(&mut self, level: usize, row: u32) -> Result<(), E> {
        if self.levels[level].row != row {
            self.close(level)?;
            self.levels[level].row = row;
        }
        Ok(())
    }

    /// Hands over the present row of tiles of a level, after every second px of every second row went to the next level.
    fn close(&mut self, level: usize) -> Result<(), E> {
        let row = self.levels[level].row;
        let tiles = std::mem::take(&mut self.levels[level].tiles);
        if tiles.is_empty() {
            return Ok(());
        }
        if level + 1 < self.levels.len() {
            self.enter(level + 1, row / 2)?;
            for (&column, tile) in &tiles {
                let half = self.levels[level + 1].tiles.entry(column / 2);
                let half = half.or_insert_with(|| vec![0; SIDE * SIDE]);
                let corner =
                    (row % 2) as usize * SIDE * SIDE / 2 + (column % 2) as usize * SIDE / 2;
                for (down, line) in tile.chunks_exact(SIDE).step_by(2).enumerate() {
                    let to = &mut half[corner + down * SIDE..][..SIDE / 2];
                    for (to, from) in to.iter_mut().zip(line.iter().step_by(2)) {
                        *to = *from;
                    }
                }
            }
        }
        let tiles = tiles.into_iter();
        (self.put)(
            level,
            tiles.map(|(column, tile)| (column, row, tile)).collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels of `width` x `height` px as level after level of plain arrays, and what [`LabelPyramid`] makes of the objects.
    fn paint(
        width: u32,
        height: u32,
        objects: &[(u32, Vec<Run>)],
    ) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
        let mut sizes = vec![(width, height)];
        while let Some(&(w, h)) = sizes.last()
            && w.max(h) > TILE
        {
            sizes.push((w.div_ceil(2), h.div_ceil(2)));
        }
        let mut full = vec![0; (width * height) as usize];
        for (id, runs) in objects {
            for run in runs {
                let line = (run.y * width) as usize;
                full[line + run.start as usize..line + run.end as usize].fill(*id);
            }
        }
        let expected: Vec<Vec<u32>> = sizes
            .iter()
            .enumerate()
            .map(|(level, &(w, h))| {
                let px = (0..h).flat_map(|y| (0..w).map(move |x| (x, y)));
                px.map(|(x, y)| full[((y << level) * width + (x << level)) as usize])
                    .collect()
            })
            .collect();
        let mut found: Vec<Vec<u32>> = sizes
            .iter()
            .map(|&(w, h)| vec![0; (w * h) as usize])
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut pyramid = LabelPyramid::new(sizes.len(), |level: usize, tiles: LabelTiles| {
            for (column, row, labels) in tiles {
                assert!(seen.insert((level, column, row)), "a tile came twice");
                let (w, h) = sizes[level];
                for (place, label) in (0..).zip(labels) {
                    let (x, y) = (column * TILE + place % TILE, row * TILE + place / TILE);
                    if x < w && y < h {
                        found[level][(y * w + x) as usize] = label;
                    }
                }
            }
            Ok::<(), std::convert::Infallible>(())
        });
        for (id, runs) in objects {
            pyramid.add(*id, runs.clone()).unwrap();
        }
        pyramid.finish().unwrap();
        (expected, found)
    }

    fn block(x: u32, y: u32, width: u32, height: u32) -> Vec<Run> {
        let run = |y| Run {
            y,
            start: x,
            end: x + width,
        };
        (y..y + height).map(run).collect()
    }

    #[test]
    fn every_level_is_every_second_px_of_the_one_before() {
        for objects in [
            vec![],
            vec![(1, block(0, 0, 1, 1))],
            // Over several rows of tiles, beside some that end earlier, with empty rows of tiles between.
            vec![
                (7, block(3, 2, 500, 700)),
                (8, block(600, 100, 30, 400)),
                (9, block(700, 255, 2, 2)),
                (4_000_000_000, block(650, 1020, 141, 30)),
            ],
        ] {
            let (expected, found) = paint(791, 1051, &objects);
            assert_eq!(expected.len(), 4);
            assert!(expected == found);
        }
    }
}
