//! The answer: which target each cell of a slide goes to.

use crate::{CellGrid, RouterError, Target};

/// One target for every cell of tissue, none for glass.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganMap {
    pub(crate) grid: CellGrid,
    pub(crate) targets: Vec<Option<Target>>,
    pub(crate) confidence: Vec<f32>,
    pub(crate) tissue: Vec<f32>,
    /// The shares of a map that was restored from its record; none where they are counted.
    pub(crate) known: Option<Vec<Share>>,
}

/// What one target got of a slide's tissue.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Share {
    /// The target.
    pub target: Target,
    /// Its part of the tissue, 0..=1.
    pub share: f64,
    /// Mean confidence of its cells, weighted by tissue, 0..=1.
    pub confidence: f64,
    /// How many cells it got.
    pub cells: usize,
}

impl OrganMap {
    /// A map as its record tells of it: the target of each cell, row-major, and share and confidence of each target. What
    /// each single cell's tissue and confidence were is not known any more.
    ///
    /// # Errors
    /// When there are not as many cells as the grid has, or the shares are not those of the cells' targets.
    pub fn restore(
        grid: CellGrid,
        targets: Vec<Option<Target>>,
        shares: &[(Target, f64, f64)],
    ) -> Result<Self, RouterError> {
        let wrong = |reason| RouterError::Restore { reason };
        if targets.len() != grid.len() {
            return Err(wrong("it has another number of cells than its grid"));
        }
        let cells = |target: Target| targets.iter().filter(|one| **one == Some(target)).count();
        let known: Vec<Share> = shares
            .iter()
            .map(|&(target, share, confidence)| Share {
                target,
                share,
                confidence,
                cells: cells(target),
            })
            .collect();
        let mut map = OrganMap {
            grid,
            confidence: vec![0.0; targets.len()],
            tissue: targets.iter().map(|to| f32::from(to.is_some())).collect(),
            targets,
            known: None,
        };
        let mut named: Vec<Target> = known.iter().map(|share| share.target).collect();
        named.sort_unstable();
        if named != map.targets() {
            return Err(wrong("its shares are not those of its cells"));
        }
        map.known = Some(known);
        Ok(map)
    }

    /// The grid of cells.
    pub fn grid(&self) -> &CellGrid {
        &self.grid
    }

    /// The target of a cell; `None` for glass and outside the grid.
    pub fn at(&self, column: u32, row: u32) -> Option<Target> {
        self.targets[self.grid.index(column, row)?]
    }

    /// The confidence of a cell, 0..=1; 0 for glass and outside the grid.
    pub fn confidence_at(&self, column: u32, row: u32) -> f32 {
        self.grid
            .index(column, row)
            .map_or(0.0, |index| self.confidence[index])
    }

    /// The target that decides full-size px `(x, y)`; `None` for glass.
    pub fn at_pixel(&self, x: u32, y: u32) -> Option<Target> {
        self.at(self.grid.column_of(x), self.grid.row_of(y))
    }

    /// All targets that got a cell, in the order of [`Target`].
    pub fn targets(&self) -> Vec<Target> {
        let mut all: Vec<Target> = self.targets.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The x ranges (half open, full-size px, sorted, maximal) that `target` decides in pixel row `y`.
    pub fn ranges(&self, target: Target, y: u32) -> Vec<(u32, u32)> {
        let row = self.grid.row_of(y);
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for column in 0..self.grid.columns() {
            if self.at(column, row) != Some(target) {
                continue;
            }
            let (x0, _, x1, _) = self.grid.bounds(column, row);
            match ranges.last_mut() {
                Some(last) if last.1 == x0 => last.1 = x1,
                _ => ranges.push((x0, x1)),
            }
        }
        ranges
    }

    /// What each target got, the largest share first (the order of [`Target`] among equals).
    pub fn shares(&self) -> Vec<Share> {
        if let Some(known) = &self.known {
            return known.clone();
        }
        let total: f64 = self.tissue.iter().map(|&t| f64::from(t)).sum();
        let mut shares: Vec<Share> = self
            .targets()
            .into_iter()
            .map(|target| {
                let (mut tissue, mut confidence, mut cells) = (0.0, 0.0, 0);
                for (index, _) in self
                    .targets
                    .iter()
                    .enumerate()
                    .filter(|(_, t)| **t == Some(target))
                {
                    let weight = f64::from(self.tissue[index]);
                    tissue += weight;
                    confidence += weight * f64::from(self.confidence[index]);
                    cells += 1;
                }
                Share {
                    target,
                    share: if total > 0.0 { tissue / total } else { 0.0 },
                    confidence: if tissue > 0.0 {
                        confidence / tissue
                    } else {
                        0.0
                    },
                    cells,
                }
            })
            .collect();
        shares.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.target.cmp(&b.target)));
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Organ;

    #[test]
    fn a_restored_map_says_what_its_record_says() {
        let grid = CellGrid::new(30, 10, 10.0).unwrap();
        let [kidney, lung] = [Organ::Kidney, Organ::Lung].map(Target::Organ);
        let targets = vec![Some(kidney), None, Some(lung)];
        let shares = [(lung, 0.75, 0.5), (kidney, 0.25, 0.875)];
        let map = OrganMap::restore(grid, targets.clone(), &shares).unwrap();
        assert_eq!(map.targets(), [kidney, lung]);
        assert_eq!(map.ranges(lung, 0), [(20, 30)]);
        let told: Vec<_> = map
            .shares()
            .iter()
            .map(|s| (s.target, s.share, s.confidence, s.cells))
            .collect();
        assert_eq!(told, [(lung, 0.75, 0.5, 1), (kidney, 0.25, 0.875, 1)]);
        assert!(OrganMap::restore(grid, targets[..2].to_vec(), &shares).is_err());
        assert!(OrganMap::restore(grid, targets.clone(), &shares[..1]).is_err());
        assert!(OrganMap::restore(grid, vec![None; 3], &shares).is_err());
    }
}
