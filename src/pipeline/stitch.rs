//! Joins the probabilities of tiles into a full-size mask, row by row.
//!
//! Tiles are added at the model's scale into a sparse buffer that holds only the rows that later tiles can
//! still touch. Rows that are final are interpolated to full size, compared with the threshold, and written into the
//! mask's bits; their part of the buffer is dropped. So there is never a full-size map of probabilities.

use std::collections::BTreeMap;

use ftuseg_router::OrganMap;
use rayon::prelude::*;

use crate::mask::{Mask, MaskError};

use super::{LayerPlan, Tile};

/// How overlapping tiles are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blend {
    /// Each px comes from the one tile in whose core it lies.
    Crop,
    /// Each px is the mean of all tiles that hold it, weighted by a Gaussian around each tile's middle
    /// (sigma 1/8 tile, as in nnU-Net, Isensee et al. 2021).
    Gaussian,
}

/// Side of a block of the buffer, px of the plane.
const BLOCK: u32 = 256;
const AREA: usize = (BLOCK * BLOCK) as usize;
/// Full-size rows that are interpolated at once.
const BAND: u32 = 128;

/// A piece of the buffer.
struct Block {
    sum: Vec<f32>,
    /// Sum of weights; none when tiles are cropped, where every px has weight 1.
    weight: Option<Vec<f32>>,
}

/// Joins the tiles of one layer. Tiles must be added in the order of the plan.
pub struct Stitcher<'a> {
    plan: &'a LayerPlan,
    map: &'a OrganMap,
    blend: Blend,
    weights: Vec<f32>,
    blocks: BTreeMap<(u32, u32), Block>,
    mask: Mask,
    /// For each full-size column: the plane px to its left and the share of the one to its right.
    columns: Vec<(u32, f32)>,
    /// The next full-size row to write.
    next_row: u32,
    /// The row of tiles that was last added to.
    tile_row: u32,
}

impl<'a> Stitcher<'a> {
    /// An empty layer.
    ///
    /// # Errors
    /// When the slide is too large for a mask.
    pub fn new(plan: &'a LayerPlan, map: &'a OrganMap, blend: Blend) -> Result<Self, MaskError> {
        let grid = map.grid();
        let tile = plan.model.tile;
        let sigma = f64::from(tile) / 8.0;
        let middle = f64::from(tile) / 2.0;
        let weights = (0..tile)
            .map(|i| {
                let distance = (f64::from(i) + 0.5 - middle) / sigma;
                // Far corners still count where no other tile reaches.
                ((-0.5 * distance * distance).exp() as f32).max(1e-4)
            })
            .collect();
        Ok(Stitcher {
            plan,
            map,
            blend,
            weights,
            blocks: BTreeMap::new(),
            mask: Mask::new(grid.width(), grid.height())?,
            columns: (0..grid.width())
                .map(|x| source(x, plan.plane.scale.0, plan.plane.width))
                .collect(),
            next_row: 0,
            tile_row: 0,
        })
    }

    /// Adds the probabilities of one tile, `[tile, tile]`. Values beyond the end of a short slice count as 0.
    ///
    /// # Errors
    /// When the mask cannot be written.
    pub fn add(&mut self, tile: Tile, probabilities: &[f32]) -> Result<(), MaskError> {
        if tile.row != self.tile_row {
            self.write_rows(self.final_before(tile.row));
            self.tile_row = tile.row;
        }
        let (across, down) = (&self.plan.across, &self.plan.down);
        let ((x0, x1), (y0, y1)) = match self.blend {
            Blend::Crop => (across.core(tile.column), down.core(tile.row)),
            Blend::Gaussian => (across.extent(tile.column), down.extent(tile.row)),
        };
        let origin = (across.origin(tile.column), down.origin(tile.row));
        let side = self.plan.model.tile as usize;
        for y in y0..y1 {
            let ty = (i64::from(y) - origin.1) as usize;
            let mut x = x0;
            while x < x1 {
                let end = ((x / BLOCK + 1) * BLOCK).min(x1);
                let tx = (i64::from(x) - origin.0) as usize;
                let count = (end - x) as usize;
                let from = ty * side + tx;
                let Some(row) = probabilities.get(from..from + count) else {
                    x = end;
                    continue;
                };
                let gaussian = self.blend == Blend::Gaussian;
                let block = self
                    .blocks
                    .entry((y / BLOCK, x / BLOCK))
                    .or_insert_with(|| Block {
                        sum: vec![0.0; AREA],
                        weight: gaussian.then(|| vec![0.0; AREA]),
                    });
                let at = ((y % BLOCK) * BLOCK + x % BLOCK) as usize;
                let sum = &mut block.sum[at..at + count];
                match &mut block.weight {
                    None => sum.copy_from_slice(row),
                    Some(weight) => {
                        let down = self.weights[ty];
                        let weight = &mut weight[at..at + count];
                        let across = &self.weights[tx..tx + count];
                        for (((sum, weight), &p), &across) in
                            sum.iter_mut().zip(weight).zip(row).zip(across)
                        {
                            *sum += down * across * p;
                            *weight += down * across;
                        }
                    }
                }
                x = end;
            }
        }
        Ok(())
    }

    /// Writes what is left and returns the mask.
    ///
    /// # Errors
    /// When the mask cannot be written.
    pub fn finish(mut self) -> Result<Mask, MaskError> {
        self.write_rows(self.plan.plane.height);
        Ok(self.mask)
    }

    /// The plane rows above this one are final when tiles of `tile_row` begin to arrive.
    fn final_before(&self, tile_row: u32) -> u32 {
        match self.blend {
            Blend::Crop => self.plan.down.core(tile_row).0,
            Blend::Gaussian => self.plan.down.extent(tile_row).0,
        }
    }

    /// Writes all full-size rows that need only plane rows above `done`.
    fn write_rows(&mut self, done: u32) {
        let (scale, length) = (self.plan.plane.scale.1, self.plan.plane.height);
        let height = self.map.grid().height();
        let ready = |row: u32| {
            let (above, share) = source(row, scale, length);
            (above + u32::from(share > 0.0)).min(length - 1) < done
        };
        // Plane rows grow with full-size rows, so the ready ones are a range.
        let (mut low, mut high) = (self.next_row, height);
        while low < high {
            let middle = low + (high - low) / 2;
            if ready(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        while self.next_row < low {
            let end = (self.next_row + BAND).min(low);
            if self.has_blocks(self.next_row, end - 1) {
                let rows: Vec<Vec<(u32, u32)>> = (self.next_row..end)
                    .into_par_iter()
                    .map(|row| self.runs(row))
                    .collect();
                for (row, runs) in (self.next_row..end).zip(rows) {
                    for (from, to) in runs {
                        self.mask.set_row_run(row, from..to);
                    }
                }
            }
            self.next_row = end;
        }
        // The last final plane row is still needed to interpolate towards the next one.
        let keep = done.saturating_sub(1) / BLOCK;
        self.blocks = self.blocks.split_off(&(keep, 0));
    }

    fn has_blocks(&self, first_row: u32, last_row: u32) -> bool {
        let (scale, length) = (self.plan.plane.scale.1, self.plan.plane.height);
        let top = source(first_row, scale, length).0 / BLOCK;
        let bottom = (source(last_row, scale, length).0 + 1).min(length - 1) / BLOCK;
        self.blocks
            .range((top, 0)..=(bottom, u32::MAX))
            .next()
            .is_some()
    }

    /// The foreground of one full-size row, as sorted half-open ranges.
    fn runs(&self, row: u32) -> Vec<(u32, u32)> {
        let plane = &self.plan.plane;
        let threshold = self.plan.model.threshold;
        let (above, share) = source(row, plane.scale.1, plane.height);
        let below = (above + 1).min(plane.height - 1);
        let mut runs: Vec<(u32, u32)> = Vec::new();
        let mut line = Vec::new();
        for (from, to) in self.map.ranges(self.plan.target, row) {
            let first = self.columns[from as usize].0;
            let last = (self.columns[to as usize - 1].0 + 1).min(plane.width - 1);
            self.line(&mut line, (first, last), above, below, share);
            let mut open: Option<u32> = None;
            for x in from..to {
                let (left, part) = self.columns[x as usize];
                let at = (left - first) as usize;
                let value = if part > 0.0 {
                    line[at] + (line[at + 1] - line[at]) * part
                } else {
                    line[at]
                };
                match (value >= threshold, open) {
                    (true, None) => open = Some(x),
                    (false, Some(start)) => {
                        runs.push((start, x));
                        open = None;
                    }
                    _ => {}
                }
            }
            if let Some(start) = open {
                runs.push((start, to));
            }
        }
        runs
    }

    /// Probabilities between two plane rows for the plane columns `first..=last`; 0 where no tile was.
    fn line(
        &self,
        line: &mut Vec<f32>,
        (first, last): (u32, u32),
        above: u32,
        below: u32,
        share: f32,
    ) {
        line.clear();
        line.resize((last - first + 1) as usize, 0.0);
        let mut x = first;
        while x <= last {
            let end = ((x / BLOCK + 1) * BLOCK).min(last + 1);
            let part = &mut line[(x - first) as usize..(end - first) as usize];
            self.values(above, x, part, |_, p| p);
            if share > 0.0 {
                self.values(below, x, part, |upper, lower| {
                    upper + (lower - upper) * share
                });
            }
            x = end;
        }
    }

    /// Mixes the probabilities of one plane row, from column `x` on and within one block, into `part`.
    fn values(&self, row: u32, x: u32, part: &mut [f32], mix: impl Fn(f32, f32) -> f32) {
        let Some(block) = self.blocks.get(&(row / BLOCK, x / BLOCK)) else {
            part.iter_mut().for_each(|value| *value = mix(*value, 0.0));
            return;
        };
        let at = ((row % BLOCK) * BLOCK + x % BLOCK) as usize;
        let sums = &block.sum[at..at + part.len()];
        match &block.weight {
            None => part
                .iter_mut()
                .zip(sums)
                .for_each(|(value, &sum)| *value = mix(*value, sum)),
            Some(weights) => part
                .iter_mut()
                .zip(sums.iter().zip(&weights[at..at + sums.len()]))
                .for_each(|(value, (&sum, &weight))| {
                    *value = mix(*value, if weight > 0.0 { sum / weight } else { 0.0 });
                }),
        }
    }
}

/// Where full-size px `position` lies in the plane: the px before it and the share of the px after it.
fn source(position: u32, scale: f64, length: u32) -> (u32, f32) {
    let at = (f64::from(position) + 0.5) / scale - 0.5;
    if at <= 0.0 {
        return (0, 0.0);
    }
    let before = at.floor();
    if before >= f64::from(length - 1) {
        return (length - 1, 0.0);
    }
    (before as u32, (at - before) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_size_pixels_find_their_place_in_the_plane() {
        for x in 0..10 {
            assert_eq!(source(x, 1.0, 10), (x, 0.0));
        }
        assert_eq!(source(0, 4.0, 3), (0, 0.0));
        assert_eq!(source(4, 4.0, 3), (0, 0.625));
        assert_eq!(source(11, 4.0, 3), (2, 0.0));
        assert_eq!(source(1, 0.5, 4), (2, 0.5));
    }
}
