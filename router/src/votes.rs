//! Holds what the classifier said about each cell of tissue.

use crate::{CellGrid, Organ, RouterError};

/// The votes of a slide: for each cell that holds tissue, its share of tissue and a probability for each organ.
#[derive(Debug, Clone)]
pub struct Votes {
    pub(crate) grid: CellGrid,
    pub(crate) organs: Vec<Organ>,
    /// Share of tissue of each cell, row-major; 0 for glass.
    pub(crate) tissue: Vec<f32>,
    /// `[cells, organs]`, row-major.
    pub(crate) probabilities: Vec<f32>,
}

impl Votes {
    /// No votes yet: every cell is glass. `organs` is the order of the classifier's outputs.
    pub fn new(grid: CellGrid, organs: &[Organ]) -> Self {
        Votes {
            grid,
            organs: organs.to_vec(),
            tissue: vec![0.0; grid.len()],
            probabilities: vec![0.0; grid.len() * organs.len()],
        }
    }

    /// The grid that the votes lie on.
    pub fn grid(&self) -> &CellGrid {
        &self.grid
    }

    /// Records a cell's vote: its share of tissue (0..=1, above 0) and one probability for each organ.
    ///
    /// # Errors
    /// When the cell lies outside the grid, or the numbers are not probabilities.
    pub fn set(
        &mut self,
        column: u32,
        row: u32,
        tissue: f32,
        probabilities: &[f32],
    ) -> Result<(), RouterError> {
        let index = self
            .grid
            .index(column, row)
            .ok_or(RouterError::OutsideGrid {
                column,
                row,
                columns: self.grid.columns(),
                rows: self.grid.rows(),
            })?;
        let sane = |p: &f32| p.is_finite() && (-0.001..=1.001).contains(p);
        if probabilities.len() != self.organs.len()
            || !probabilities.iter().all(sane)
            || !sane(&tissue)
            || tissue <= 0.0
        {
            return Err(RouterError::BadVote {
                column,
                row,
                organs: self.organs.len(),
            });
        }
        self.tissue[index] = tissue;
        let at = index * self.organs.len();
        self.probabilities[at..at + probabilities.len()].copy_from_slice(probabilities);
        Ok(())
    }

    pub(crate) fn of(&self, index: usize) -> &[f32] {
        let at = index * self.organs.len();
        &self.probabilities[at..at + self.organs.len()]
    }
}
