//! Cleans a mask up: fills holes, splits objects, drops small ones, keeps to the target's own cells and to the region that
//! was asked for.

use ftuseg_router::OrganMap;

use crate::mask::{Mask, Rect, fill_holes, remove_small, split_touching};

use super::{LayerPlan, Split};

/// Fills holes and drops small objects, as the bundle says for this model, and splits objects if that is wanted.
pub(super) fn clean_up(mask: &mut Mask, plan: &LayerPlan, map: &OrganMap, split: Split) {
    let model = plan.first();
    if model.fill_holes {
        fill_holes(mask, None);
        keep_to_own_cells(mask, plan, map);
    }
    // The first view is the first model at its own scale.
    let scale = plan.views[0].plane.scale;
    let min_area = (model.min_area * scale.0 * scale.1).round() as u64;
    if split == Split::Touching {
        // The network sees nothing smaller than its own px, so no finer grid is worth the time.
        let cell = scale.0.min(scale.1).floor().max(1.0);
        split_touching(mask, cell as u32, min_area);
    }
    remove_small(mask, min_area);
}

/// Clears what a filled hole took from cells that another target decides.
fn keep_to_own_cells(mask: &mut Mask, plan: &LayerPlan, map: &OrganMap) {
    let grid = map.grid();
    for row in 0..grid.rows() {
        for column in 0..grid.columns() {
            if map
                .at(column, row)
                .is_some_and(|target| target != plan.target)
            {
                let (x0, y0, x1, y1) = grid.bounds(column, row);
                let cell = Rect {
                    x: x0,
                    y: y0,
                    width: x1 - x0,
                    height: y1 - y0,
                };
                mask.fill_rect(cell, false);
            }
        }
    }
}

/// Clears what lies outside a region.
pub(super) fn keep_to_region(mask: &mut Mask, region: Rect) {
    let (width, height) = (mask.width(), mask.height());
    let (right, bottom) = (region.x + region.width, region.y + region.height);
    for (x, y, width, height) in [
        (0, 0, width, region.y),
        (0, bottom, width, height - bottom),
        (0, region.y, region.x, region.height),
        (right, region.y, width - right, region.height),
    ] {
        let outside = Rect {
            x,
            y,
            width,
            height,
        };
        mask.fill_rect(outside, false);
    }
}
