//! Holds what the classifier said about each cell of tissue.

use crate::{CellGrid, Organ, RouterError};

/// The votes of a slide: for each cell that holds tissue, its share of tissue and a probability for each organ, and one
/// for "none of these" where the classifier says that too.
#[derive(Debug, Clone)]
pub struct Votes {
    pub(crate) grid: CellGrid,
    pub(crate) organs: Vec<Organ>,
    /// How many probabilities a cell has: one for each organ, and one more for "none of these".
    pub(crate) classes: usize,
    /// Share of tissue of each cell, row-major; 0 for glass.
    pub(crate) tissue: Vec<f32>,
    /// `[cells, classes]`, row-major.
    pub(crate) probabilities: Vec<f32>,
}

impl Votes {
    /// No votes yet: every cell is glass. `organs` is the order of the classifier's outputs.
    pub fn new(grid: CellGrid, organs: &[Organ]) -> Self {
        Self::of_classes(grid, organs, organs.len())
    }

    /// As [`Votes::new`], for a classifier that says "none of these" too: after the organs' outputs, in one more.
    pub fn with_other(grid: CellGrid, organs: &[Organ]) -> Self {
        Self::of_classes(grid, organs, organs.len() + 1)
    }

    fn of_classes(grid: CellGrid, organs: &[Organ], classes: usize) -> Self {
        Votes {
            grid,
            organs: organs.to_vec(),
            classes,
            tissue: vec![0.0; grid.len()],
            probabilities: vec![0.0; grid.len() * classes],
        }
    }

    /// The grid that the votes lie on.
    pub fn grid(&self) -> &CellGrid {
        &self.grid
    }

    /// Records a cell's vote: its share of tissue (0..=1, above 0) and one probability for each of the classifier's outputs.
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
        if probabilities.len() != self.classes
            || !probabilities.iter().all(sane)
            || !sane(&tissue)
            || tissue <= 0.0
        {
            return Err(RouterError::BadVote {
                column,
                row,
                classes: self.classes,
            });
        }
        self.tissue[index] = tissue;
        let at = index * self.classes;
        self.probabilities[at..at + probabilities.len()].copy_from_slice(probabilities);
        Ok(())
    }

    pub(crate) fn of(&self, index: usize) -> &[f32] {
        let at = index * self.classes;
        &self.probabilities[at..at + self.classes]
    }
}
