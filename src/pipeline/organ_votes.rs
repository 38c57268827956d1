//! Shows the cells of tissue to the organ classifier.

use ftuseg_router::{CellGrid, Votes};
use rayon::prelude::*;

use crate::bundle::RouterSpec;
use crate::slide::{Plane, SlideReader, Tissue};

use super::{Network, PipelineError, Request};

/// Cells with less tissue than this have nothing to show to a classifier: a few px of dust. They stay glass.
const LEAST_TISSUE: f32 = 0.002;
/// Cells that are read at once, so that memory does not grow with the slide.
const AT_ONCE: usize = 64;

/// The routing grid of a slide: cells of `cell` px at the router's um/px.
///
/// # Errors
/// When there would be too many cells.
pub(super) fn grid(
    slide: &dyn SlideReader,
    spec: &RouterSpec,
    mpp: (f64, f64),
) -> Result<CellGrid, PipelineError> {
    // Cells are square in px; a px that is not has at most 1 % to the mean.
    let side = (f64::from(spec.cell) * spec.mpp / (mpp.0 * mpp.1).sqrt()).max(1.0);
    Ok(CellGrid::new(
        slide.info().width(),
        slide.info().height(),
        side,
    )?)
}

/// The share of tissue of every cell, row-major.
pub(super) fn tissue_shares(grid: &CellGrid, tissue: &Tissue) -> Vec<f32> {
    let mut shares = Vec::with_capacity(grid.len());
    for row in 0..grid.rows() {
        for column in 0..grid.columns() {
            let (x0, y0, x1, y1) = grid.bounds(column, row);
            shares.push(tissue.share_of(x0, y0, x1, y1) as f32);
        }
    }
    shares
}

/// The shares of the cells that the classifier is shown; the others become 0.
pub(super) fn worth_a_vote(mut shares: Vec<f32>) -> Vec<f32> {
    for share in &mut shares {
        if *share < LEAST_TISSUE {
            *share = 0.0;
        }
    }
    shares
}

/// Reads each cell of tissue with its context and collects the classifier's votes.
///
/// # Errors
/// When the slide cannot be read, the classifier fails, or the request was cancelled.
pub(super) fn vote(
    slide: &dyn SlideReader,
    spec: &RouterSpec,
    network: &mut Network,
    grid: CellGrid,
    mpp: (f64, f64),
    shares: &[f32],
    request: &Request<'_>,
) -> Result<Votes, PipelineError> {
    let scale = (spec.mpp / mpp.0, spec.mpp / mpp.1);
    let plane = Plane::at_scales(grid.width(), grid.height(), scale);
    let side = spec.tile;
    let cells: Vec<(u32, u32, f32)> = (0..grid.rows())
        .flat_map(|row| (0..grid.columns()).map(move |column| (column, row)))
        .zip(shares)
        .filter(|&(_, &share)| share > 0.0)
        .map(|((column, row), &share)| (column, row, share))
        .collect();
    let mut votes = match spec.other {
        true => Votes::with_other(grid, &spec.organs),
        false => Votes::new(grid, &spec.organs),
    };
    for group in cells.chunks(AT_ONCE) {
        let tiles: Vec<Vec<u8>> = group
            .par_iter()
            .map(|&(column, row, _)| {
                let mut tile = vec![255; side as usize * side as usize * 3];
                let (x, y) = origin(&grid, &plane, side, column, row);
                plane.read(slide, x, y, side, side, &mut tile)?;
                Ok(tile)
            })
            .collect::<Result<_, PipelineError>>()?;
        for (&(column, row, share), tile) in group.iter().zip(&tiles) {
            if request.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            let probabilities = network.run(1, tile)?;
            votes.set(column, row, share, &probabilities)?;
        }
    }
    Ok(votes)
}

/// Where the network's input begins, px of the plane, so that the cell lies in its middle.
fn origin(grid: &CellGrid, plane: &Plane, side: u32, column: u32, row: u32) -> (i64, i64) {
    let (x0, y0, x1, y1) = grid.bounds(column, row);
    let begin = |from: u32, to: u32, scale: f64| {
        let middle = (f64::from(from) + f64::from(to)) / 2.0 / scale;
        (middle - f64::from(side) / 2.0).round() as i64
    };
    (begin(x0, x1, plane.scale.0), begin(y0, y1, plane.scale.1))
}
