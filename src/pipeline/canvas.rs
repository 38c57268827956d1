//! What one view's tiles have answered so far, at the view's scale.

use std::collections::BTreeMap;

use super::{Blend, Tile, View};

/// Width of a block of the buffer, px of the plane.
const WIDTH: u32 = 256;
/// Height of a block. Low, so that rows that are no longer needed go soon.
const HEIGHT: u32 = 32;
const AREA: usize = (WIDTH * HEIGHT) as usize;

/// A piece of the buffer.
struct Block {
    sum: Vec<f32>,
    /// Sum of weights; none when tiles are cropped, where every px has weight 1.
    weight: Option<Vec<f32>>,
}

/// A sparse buffer of probabilities at one view's scale. It holds only the rows that are still needed.
pub(super) struct Canvas<'a> {
    view: &'a View,
    blend: Blend,
    /// Weights along a tile's side, for [`Blend::Gaussian`].
    gaussian: Vec<f32>,
    blocks: BTreeMap<(u32, u32), Block>,
    /// For each full-size column: the plane px to its left and the share of the one to its right.
    columns: Vec<(u32, f32)>,
    /// Tiles that were added.
    added: usize,
}

impl<'a> Canvas<'a> {
    /// An empty buffer for a slide of `width` px.
    pub fn new(view: &'a View, blend: Blend, width: u32) -> Self {
        let sigma = f64::from(view.tile) / 8.0;
        let middle = f64::from(view.tile) / 2.0;
        let gaussian = (0..view.tile)
            .map(|i| {
                let distance = (f64::from(i) + 0.5 - middle) / sigma;
                // Far corners still count where no other tile reaches.
                ((-0.5 * distance * distance).exp() as f32).max(1e-4)
            })
            .collect();
        Canvas {
            view,
            blend,
            gaussian,
            blocks: BTreeMap::new(),
            columns: (0..width)
                .map(|x| source(x, view.plane.scale.0, view.plane.width))
                .collect(),
            added: 0,
        }
    }

    /// Adds the probabilities of the view's next tile, `[tile, tile]`. Values beyond the end of a short slice count
    /// as 0.
    pub fn add(&mut self, tile: Tile, probabilities: &[f32]) {
        self.added += 1;
        let (across, down) = (&self.view.across, &self.view.down);
        let ((x0, x1), (y0, y1)) = match self.blend {
            Blend::Crop => (across.core(tile.column), down.core(tile.row)),
            Blend::Gaussian => (across.extent(tile.column), down.extent(tile.row)),
        };
        let origin = (across.origin(tile.column), down.origin(tile.row));
        let side = self.view.tile as usize;
        for y in y0..y1 {
            let ty = (i64::from(y) - origin.1) as usize;
            let mut x = x0;
            while x < x1 {
                let end = ((x / WIDTH + 1) * WIDTH).min(x1);
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
                    .entry((y / HEIGHT, x / WIDTH))
                    .or_insert_with(|| Block {
                        sum: vec![0.0; AREA],
                        weight: gaussian.then(|| vec![0.0; AREA]),
                    });
                let at = ((y % HEIGHT) * WIDTH + x % WIDTH) as usize;
                let sum = &mut block.sum[at..at + count];
                match &mut block.weight {
                    None => sum.copy_from_slice(row),
                    Some(weight) => {
                        let down = self.gaussian[ty];
                        let weight = &mut weight[at..at + count];
                        let across = &self.gaussian[tx..tx + count];
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
    }

    /// The plane rows above this one are final: no tile that is still to come touches them.
    pub fn done(&self) -> u32 {
        match (self.view.tiles.get(self.added), self.blend) {
            (None, _) => self.view.plane.height,
            (Some(next), Blend::Crop) => self.view.down.core(next.row).0,
            (Some(next), Blend::Gaussian) => self.view.down.extent(next.row).0,
        }
    }

    /// Whether all plane rows that a full-size row needs lie above plane row `done`.
    pub fn is_ready(&self, row: u32, done: u32) -> bool {
        let plane = &self.view.plane;
        let (above, share) = source(row, plane.scale.1, plane.height);
        (above + u32::from(share > 0.0)).min(plane.height - 1) < done
    }

    /// Drops the rows that no full-size row from `next_row` on needs.
    pub fn drop_before(&mut self, next_row: u32) {
        let plane = &self.view.plane;
        let keep = source(next_row, plane.scale.1, plane.height).0 / HEIGHT;
        self.blocks = self.blocks.split_off(&(keep, 0));
    }

    /// Whether any tile has touched what these full-size rows need.
    pub fn touches(&self, first_row: u32, last_row: u32) -> bool {
        let (scale, length) = (self.view.plane.scale.1, self.view.plane.height);
        let top = source(first_row, scale, length).0 / HEIGHT;
        let bottom = (source(last_row, scale, length).0 + 1).min(length - 1) / HEIGHT;
        self.blocks
            .range((top, 0)..=(bottom, u32::MAX))
            .next()
            .is_some()
    }

    /// The probabilities of the full-size px `from..to` of a row, interpolated, into `values`; 0 where no tile was.
    pub fn row(
        &self,
        row: u32,
        (from, to): (u32, u32),
        line: &mut Vec<f32>,
        values: &mut Vec<f32>,
    ) {
        let plane = &self.view.plane;
        let (above, share) = source(row, plane.scale.1, plane.height);
        let below = (above + 1).min(plane.height - 1);
        let columns = &self.columns[from as usize..to as usize];
        let (Some(&(first, _)), Some(&(last, _))) = (columns.first(), columns.last()) else {
            values.clear();
            return;
        };
        if plane.scale.0 == 1.0 {
            // Every px of the plane is one of the slide.
            self.line(values, (first, last), above, below, share);
            return;
        }
        self.line(
            line,
            (first, (last + 1).min(plane.width - 1)),
            above,
            below,
            share,
        );
        values.clear();
        let (mut at, mut left, mut step) = (None, 0.0, 0.0);
        values.extend(columns.iter().map(|&(column, part)| {
            // Several px in a row lie between the same two of the plane.
            if at != Some(column) {
                at = Some(column);
                let place = (column - first) as usize;
                left = line[place];
                step = line.get(place + 1).map_or(0.0, |right| right - left);
            }
            left + step * part
        }));
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
            let end = ((x / WIDTH + 1) * WIDTH).min(last + 1);
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
        let Some(block) = self.blocks.get(&(row / HEIGHT, x / WIDTH)) else {
            part.iter_mut().for_each(|value| *value = mix(*value, 0.0));
            return;
        };
        let at = ((row % HEIGHT) * WIDTH + x % WIDTH) as usize;
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
