//! Plans the tiles of one target: its plane, its grid of tiles, and which of them are needed.

use ftuseg_router::{OrganMap, Target};

use crate::bundle::{Fit, ModelSpec};
use crate::slide::{Plane, Tissue};

use super::{Axis, PipelineError};

/// One tile of a plan, by its place in the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Column in the grid of tiles.
    pub column: u32,
    /// Row in the grid of tiles.
    pub row: u32,
}

/// What one target's model is to do on a slide.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerPlan {
    /// The target.
    pub target: Target,
    /// The model.
    pub model: ModelSpec,
    /// The slide at the model's scale.
    pub plane: Plane,
    /// The tiles across.
    pub across: Axis,
    /// The tiles down.
    pub down: Axis,
    /// The tiles that hold tissue of the target, row by row.
    pub tiles: Vec<Tile>,
}

impl LayerPlan {
    /// Plans the tiles of `target`: those whose core touches tissue in a cell that is the target's.
    ///
    /// # Errors
    /// When the model works at a fixed um/px and the slide's (`mpp`) is not known.
    pub fn new(
        target: Target,
        model: &ModelSpec,
        overlap: Option<u32>,
        mpp: Option<f64>,
        map: &OrganMap,
        tissue: &Tissue,
    ) -> Result<Self, PipelineError> {
        let grid = map.grid();
        let (width, height) = (grid.width(), grid.height());
        let plane = match (model.fit, mpp) {
            (Fit::Whole, _) => Plane::whole(width, height, model.tile),
            (Fit::Mpp(wanted), Some(mpp)) => Plane::at_scale(width, height, wanted / mpp),
            (Fit::Mpp(wanted), None) => {
                return Err(PipelineError::NoResolution {
                    who: format!("the model {:?} (it works at {wanted} um/px)", model.name),
                });
            }
        };
        let overlap = match model.fit {
            Fit::Whole => 0,
            Fit::Mpp(_) => overlap.unwrap_or(model.overlap),
        };
        let across = Axis::new(plane.width, model.tile, overlap);
        let down = Axis::new(plane.height, model.tile, overlap);
        let mut plan = LayerPlan {
            target,
            model: model.clone(),
            plane,
            across,
            down,
            tiles: Vec::new(),
        };
        for row in 0..down.count() {
            for column in 0..across.count() {
                if plan.is_needed(column, row, map, tissue) {
                    plan.tiles.push(Tile { column, row });
                }
            }
        }
        Ok(plan)
    }

    fn is_needed(&self, column: u32, row: u32, map: &OrganMap, tissue: &Tissue) -> bool {
        let grid = map.grid();
        let (left, right) = full_size(self.across.core(column), self.plane.scale.0, grid.width());
        let (top, bottom) = full_size(self.down.core(row), self.plane.scale.1, grid.height());
        (grid.row_of(top)..=grid.row_of(bottom - 1)).any(|cell_row| {
            (grid.column_of(left)..=grid.column_of(right - 1)).any(|cell_column| {
                let (x0, y0, x1, y1) = grid.bounds(cell_column, cell_row);
                map.at(cell_column, cell_row) == Some(self.target)
                    && tissue.share_of(x0.max(left), y0.max(top), x1.min(right), y1.min(bottom))
                        > 0.0
            })
        })
    }
}

/// The full-size px (half open, never empty) that a range of plane px can decide, with the px that
/// interpolation reaches.
fn full_size((from, to): (u32, u32), scale: f64, length: u32) -> (u32, u32) {
    let start = ((f64::from(from) - 0.5) * scale).floor().max(0.0) as u32;
    let end = ((f64::from(to) + 0.5) * scale).ceil() as u32;
    let start = start.min(length - 1);
    (start, end.clamp(start + 1, length))
}
