//! Joins the probabilities of tiles into a full-size mask, row by row.
//!
//! Tiles are added at each view's scale into a [`Canvas`] that holds only the rows that are still needed. Rows that
//! are final in all views are interpolated to full size, averaged, compared with the threshold, and written into the
//! mask's bits; their part of the canvas is dropped. So there is never a full-size map of probabilities in memory; where
//! one is wanted, it goes to a [`ProbabilityMap`].

use ftuseg_router::OrganMap;
use rayon::prelude::*;

use crate::mask::Mask;

use super::canvas::Canvas;
use super::probability::{Builder, quantise};
use super::{KeepProbabilities, LayerPlan, PipelineError, ProbabilityMap, Tile};

/// How overlapping tiles are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blend {
    /// Each px comes from the one tile in whose core it lies.
    Crop,
    /// Each px is the mean of all tiles that hold it, weighted by a Gaussian around each tile's middle
    /// (sigma 1/8 tile, as in nnU-Net, Isensee et al. 2021).
    Gaussian,
}

impl std::str::FromStr for Blend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "gaussian" => Blend::Gaussian,
            "crop" => Blend::Crop,
            _ => return Err("expected gaussian or crop".to_owned()),
        })
    }
}

/// Full-size rows that are interpolated at once.
const BAND: u32 = 128;

/// Joins the tiles of one layer. Tiles must be added in the order of the plan.
pub struct Stitcher<'a> {
    plan: &'a LayerPlan,
    map: &'a OrganMap,
    canvases: Vec<Canvas<'a>>,
    mask: Mask,
    probabilities: Option<Builder>,
    keep: KeepProbabilities,
    /// The next full-size row to write.
    next_row: u32,
    /// The view and the row of tiles that was last added to.
    last: Option<(usize, u32)>,
}

/// What one full-size row comes to.
#[derive(Default)]
struct Row {
    /// The foreground, as sorted half-open ranges.
    runs: Vec<(u32, u32)>,
    /// Where probabilities are kept: the first px of a range, and its values.
    values: Vec<(u32, Vec<u8>)>,
}

/// What a layer's tiles come to.
pub struct Stitched {
    /// What was found, full size.
    pub mask: Mask,
    /// The probabilities, where they were to be kept.
    pub probabilities: Option<ProbabilityMap>,
}

impl<'a> Stitcher<'a> {
    /// An empty layer. `keep` says which probabilities are wanted beside the mask.
    ///
    /// # Errors
    /// When the slide is too large for a mask, or there can be no temporary file.
    pub fn new(
        plan: &'a LayerPlan,
        map: &'a OrganMap,
        blend: Blend,
        keep: KeepProbabilities,
    ) -> Result<Self, PipelineError> {
        let grid = map.grid();
        Ok(Stitcher {
            plan,
            map,
            canvases: plan
                .views
                .iter()
                .map(|view| Canvas::new(view, blend, grid.width()))
                .collect(),
            mask: Mask::new(grid.width(), grid.height())?,
            probabilities: (keep != KeepProbabilities::No)
                .then(|| Builder::new(grid.width(), grid.height()))
                .transpose()
                .map_err(PipelineError::Temporary)?,
            keep,
            next_row: 0,
            last: None,
        })
    }

    /// Adds the probabilities of the next tile of the plan's order, `[tile, tile]`. Values beyond the end of a short
    /// slice count as 0.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub fn add(
        &mut self,
        view: usize,
        tile: Tile,
        probabilities: &[f32],
    ) -> Result<(), PipelineError> {
        if self.last.is_some_and(|last| last != (view, tile.row)) {
            self.write_rows()?;
        }
        self.last = Some((view, tile.row));
        self.canvases[view].add(tile, probabilities);
        Ok(())
    }

    /// Writes what is left and returns what there is.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub fn finish(mut self) -> Result<Stitched, PipelineError> {
        self.write_rows()?;
        let with_levels = self.keep == KeepProbabilities::Pyramid;
        let map = self.probabilities.map(|map| map.finish(with_levels));
        let probabilities = map.transpose();
        Ok(Stitched {
            mask: self.mask,
            probabilities: probabilities.map_err(PipelineError::Temporary)?,
        })
    }

    /// Writes all full-size rows that are final in every view.
    fn write_rows(&mut self) -> Result<(), PipelineError> {
        let done: Vec<u32> = self.canvases.iter().map(Canvas::done).collect();
        let ready = |row: u32| {
            let mut all = self.canvases.iter().zip(&done);
            all.all(|(canvas, &done)| canvas.is_ready(row, done))
        };
        // Plane rows grow with full-size rows, so the ready ones are a range.
        let (mut low, mut high) = (self.next_row, self.map.grid().height());
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
            let touched = |canvas: &Canvas<'_>| canvas.touches(self.next_row, end - 1);
            if self.canvases.iter().any(touched) {
                let rows: Vec<Row> = (self.next_row..end)
                    .into_par_iter()
                    .map(|row| self.row(row))
                    .collect();
                for (row, found) in (self.next_row..end).zip(rows) {
                    for (from, to) in found.runs {
                        self.mask.set_row_run(row, from..to);
                    }
                    if let Some(builder) = &mut self.probabilities {
                        for (from, values) in found.values {
                            let put = builder.put(row, from, &values);
                            put.map_err(PipelineError::Temporary)?;
                        }
                    }
                }
            }
            self.mask.compact_rows(self.next_row..end);
            self.next_row = end;
        }
        for canvas in &mut self.canvases {
            canvas.drop_before(self.next_row);
        }
        Ok(())
    }

    /// One full-size row.
    fn row(&self, row: u32) -> Row {
        let threshold = self.plan.first().threshold;
        let mut found = Row::default();
        let (mut line, mut values, mut mean) = (Vec::new(), Vec::new(), Vec::new());
        let looked = match self.canvases.len() {
            1 => Vec::new(),
            _ => self.plan.looked(row, self.map.grid().width()),
        };
        for (from, to) in self.map.ranges(self.plan.target, row) {
            if let [canvas] = &self.canvases[..] {
                canvas.row(row, (from, to), &mut line, &mut values);
            } else {
                self.mean(row, (from, to), &mut line, &mut mean, &mut values);
                let mut looked = looked.iter().peekable();
                for (x, value) in (from..to).zip(&mut values) {
                    while looked.next_if(|range| range.end <= x).is_some() {}
                    if looked.peek().is_none_or(|range| range.start > x) {
                        *value = 0.0;
                    }
                }
            }
            add_runs(&values, from, threshold, &mut found.runs);
            if self.probabilities.is_some() {
                let kept = values.iter().map(|&value| quantise(value)).collect();
                found.values.push((from, kept));
            }
        }
        found
    }

    /// The weighted mean of all views for the px `from..to` of one full-size row, into `mean`.
    fn mean(
        &self,
        row: u32,
        (from, to): (u32, u32),
        line: &mut Vec<f32>,
        values: &mut Vec<f32>,
        mean: &mut Vec<f32>,
    ) {
        mean.clear();
        mean.resize((to - from) as usize, 0.0);
        let all: f32 = self.plan.views.iter().map(|view| view.weight).sum();
        for (canvas, view) in self.canvases.iter().zip(&self.plan.views) {
            let weight = view.weight / all;
            canvas.row(row, (from, to), line, values);
            for (mean, value) in mean.iter_mut().zip(&*values) {
                *mean += weight * value;
            }
        }
    }
}

/// Adds the runs of px that reach the threshold; `values` begin at the px `from`.
fn add_runs(values: &[f32], from: u32, threshold: f32, runs: &mut Vec<(u32, u32)>) {
    let mut open: Option<u32> = None;
    let mut x = from;
    for part in values.chunks(64) {
        // Counting goes by many px at a time, and most parts lie wholly inside or outside.
        let count = part.iter().filter(|&&value| value >= threshold).count();
        if (count == 0 && open.is_none()) || (count == part.len() && open.is_some()) {
            x += part.len() as u32;
            continue;
        }
        for &value in part {
            match (value >= threshold, open) {
                (true, None) => open = Some(x),
                (false, Some(start)) => {
                    runs.push((start, x));
                    open = None;
                }
                _ => {}
            }
            x += 1;
        }
    }
    if let Some(start) = open {
        runs.push((start, x));
    }
}
