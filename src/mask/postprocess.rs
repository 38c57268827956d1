//! Cleaning a mask: dropping small objects and filling holes.

use super::objects::{Run, to_run};
use super::{Mask, Objects};

/// Makes every object (4-connected) of less than `min_area_px` px background.
///
/// Returns how many objects went.
pub fn remove_small(mask: &mut Mask, min_area_px: u64) -> usize {
    let mut removed = 0;
    for object in Objects::find(mask).iter() {
        if object.area() < min_area_px {
            removed += 1;
            for run in object.runs() {
                mask.clear_row_run(run.y, run.columns());
            }
        }
    }
    if removed > 0 {
        mask.compact();
    }
    removed
}

/// Fills holes of at most `max_area_px` px, or all holes with `None`.
///
/// A hole is a connected part of the background (8-connected) that does not reach the mask's border. Only its
/// own pixels count: an object that lies in a hole does not add to the hole's area.
///
/// Returns how many holes were filled.
pub fn fill_holes(mask: &mut Mask, max_area_px: Option<u64>) -> usize {
    let (mut rows, width) = (mask.rows(), mask.width());
    let Some((top, _)) = rows.next() else {
        return 0;
    };
    let gaps = background(mask, top);
    let bottom = rows.last().map_or(top, |(y, _)| y);
    // Above the top row and below the bottom row there is no foreground, or no mask.
    let open = |run: &Run| run.start == 0 || run.end == width || run.y == top || run.y == bottom;
    let mut filled = 0;
    for gap in Objects::connect(gaps, true).iter() {
        let small = max_area_px.is_none_or(|limit| gap.area() <= limit);
        if small && !gap.runs().iter().any(open) {
            filled += 1;
            for run in gap.runs() {
                mask.set_row_run(run.y, run.columns());
            }
        }
    }
    filled
}

/// The runs of background from row `top` to the last row with foreground.
fn background(mask: &Mask, top: u32) -> Vec<Run> {
    let mut gaps = Vec::new();
    let mut foreground = mask.rows().map(to_run).peekable();
    let width = mask.width();
    let mut y = top;
    while foreground.peek().is_some() {
        let mut start = 0;
        while let Some(run) = foreground.next_if(|run| run.y == y) {
            if start < run.start {
                gaps.push(Run {
                    y,
                    start,
                    end: run.start,
                });
            }
            start = run.end;
        }
        if start < width {
            gaps.push(Run {
                y,
                start,
                end: width,
            });
        }
        y += 1;
    }
    gaps
}
