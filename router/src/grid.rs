//! Lays square routing cells over a slide.

use crate::RouterError;

/// Square cells over a slide, given by the side of a cell in full-size px.
///
/// The side may be a fraction (a cell is a length in um). Cell `i` spans the pixels from `round(i * side)` up to,
/// but not including, `round((i + 1) * side)`; the last one ends at the slide's edge. So every pixel lies in
/// exactly one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellGrid {
    width: u32,
    height: u32,
    side: f64,
    columns: u32,
    rows: u32,
}

/// More cells than any slide needs: 80,000 px at 0.25 um/px has 53 x 53 cells of 384 um.
const MAX_CELLS: u64 = 16_000_000;

impl CellGrid {
    /// A grid over `width` x `height` full-size px with cells of `side` full-size px.
    ///
    /// # Errors
    /// When the slide is empty, the side is under one px or not finite, or there would be more than 16 million cells.
    pub fn new(width: u32, height: u32, side: f64) -> Result<Self, RouterError> {
        let fail = |reason| RouterError::Grid {
            width,
            height,
            side,
            reason,
        };
        if width == 0 || height == 0 {
            return Err(fail("the slide is empty"));
        }
        if !side.is_finite() || side < 1.0 {
            return Err(fail("a cell must be at least one px wide"));
        }
        let count = |length: u32| (f64::from(length) / side).ceil().max(1.0);
        let (columns, rows) = (count(width), count(height));
        if columns * rows > MAX_CELLS as f64 {
            return Err(fail("there would be too many cells"));
        }
        let mut grid = CellGrid {
            width,
            height,
            side,
            columns: columns as u32,
            rows: rows as u32,
        };
        // Rounding can leave the last cell without a pixel.
        while grid.columns > 1 && grid.edge(grid.columns - 1) >= width {
            grid.columns -= 1;
        }
        while grid.rows > 1 && grid.edge(grid.rows - 1) >= height {
            grid.rows -= 1;
        }
        Ok(grid)
    }

    /// One cell that holds the whole slide.
    ///
    /// # Errors
    /// When the slide is empty.
    pub fn whole(width: u32, height: u32) -> Result<Self, RouterError> {
        CellGrid::new(width, height, f64::from(width.max(height)).max(1.0))
    }

    /// Columns of cells.
    pub fn columns(&self) -> u32 {
        self.columns
    }

    /// Rows of cells.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.columns as usize * self.rows as usize
    }

    /// Never true: a grid has at least one cell.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Side of a cell in full-size px.
    pub fn side(&self) -> f64 {
        self.side
    }

    /// Width of the slide in full-size px.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height of the slide in full-size px.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Position of a cell in a row-major list, if it lies in the grid.
    pub fn index(&self, column: u32, row: u32) -> Option<usize> {
        (column < self.columns && row < self.rows)
            .then(|| row as usize * self.columns as usize + column as usize)
    }

    /// The full-size px of a cell: `(x0, y0, x1, y1)`, half open. Clamped to the slide for cells outside the grid.
    pub fn bounds(&self, column: u32, row: u32) -> (u32, u32, u32, u32) {
        let ends = |index: u32, count: u32, length: u32| {
            let from = self.edge(index).min(length);
            let to = if index + 1 >= count {
                length
            } else {
                self.edge(index + 1).min(length)
            };
            (from, to)
        };
        let (x0, x1) = ends(column, self.columns, self.width);
        let (y0, y1) = ends(row, self.rows, self.height);
        (x0, y0, x1, y1)
    }

    /// The column of the cell that holds full-size px `x` (the last column for anything beyond).
    pub fn column_of(&self, x: u32) -> u32 {
        self.find(x, self.columns)
    }

    /// The row of the cell that holds full-size px `y` (the last row for anything beyond).
    pub fn row_of(&self, y: u32) -> u32 {
        self.find(y, self.rows)
    }

    fn edge(&self, index: u32) -> u32 {
        (f64::from(index) * self.side).round() as u32
    }

    fn find(&self, position: u32, count: u32) -> u32 {
        let mut index = ((f64::from(position) / self.side) as u32).min(count - 1);
        // Edges are rounded, so the guess can be off by one.
        while index + 1 < count && self.edge(index + 1) <= position {
            index += 1;
        }
        while index > 0 && self.edge(index) > position {
            index -= 1;
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_lies_in_exactly_one_cell() {
        for (length, side) in [
            (1, 5.0),
            (10, 3.3),
            (1000, 69.82),
            (999, 1.0),
            (7, 2.5),
            (11, 10.6),
        ] {
            let grid = CellGrid::new(length, 1, side).unwrap();
            let mut next = 0;
            for column in 0..grid.columns() {
                let (x0, _, x1, _) = grid.bounds(column, 0);
                assert_eq!(x0, next, "length {length} side {side}");
                assert!(x1 > x0, "length {length} side {side}: empty cell {column}");
                for x in x0..x1 {
                    assert_eq!(grid.column_of(x), column);
                }
                next = x1;
            }
            assert_eq!(next, length);
        }
    }

    #[test]
    fn impossible_grids_are_refused() {
        for (width, height, side) in [
            (0, 5, 2.0),
            (5, 5, 0.5),
            (5, 5, f64::NAN),
            (5, 5, f64::INFINITY),
            (u32::MAX, u32::MAX, 2.0),
        ] {
            assert!(CellGrid::new(width, height, side).is_err());
        }
    }
}
