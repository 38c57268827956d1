//! Cleaning a mask: dropping small objects and filling holes.

use super::Mask;
use super::components::Components;
use super::objects::{Run, to_run};

/// Makes every object (4-connected) of less than `min_area_px` px background.
///
/// Returns how many objects went.
pub fn remove_small(mask: &mut Mask, min_area_px: u64) -> usize {
    let Some(most) = min_area_px.checked_sub(1) else {
        return 0;
    };
    let (mut removed, mut gone) = (0, Vec::new());
    let mut take = |runs: Vec<Run>, ()| {
        removed += 1;
        gone.extend(runs);
    };
    let mut components = Components::new(false, most, |_| false);
    for run in mask.rows().map(to_run) {
        components.add(run, (), &mut take);
    }
    components.finish(&mut take);
    mask.put_runs(gone, false);
    removed
}

/// Fills holes of at most `max_area_px` px, or all holes with `None`.
///
/// A hole is a connected part of the background (8-connected) that does not reach the mask's border. Only its
/// own pixels count: an object that lies in a hole does not add to the hole's area.
///
/// Returns how many holes were filled.
pub fn fill_holes(mask: &mut Mask, max_area_px: Option<u64>) -> usize {
    let mut rows = mask.rows();
    let Some((top, _)) = rows.next() else {
        return 0;
    };
    let bottom = rows.last().map_or(top, |(y, _)| y);
    let width = mask.width();
    // Above the top row and below the bottom row there is no foreground, or no mask.
    let open = |run: &Run| run.start == 0 || run.end == width || run.y == top || run.y == bottom;
    let (mut filled, mut holes) = (0, Vec::new());
    let mut take = |runs: Vec<Run>, ()| {
        filled += 1;
        holes.extend(runs);
    };
    let mut components = Components::new(true, max_area_px.unwrap_or(u64::MAX), open);
    each_gap(mask, top, |gap| components.add(gap, (), &mut take));
    components.finish(&mut take);
    mask.put_runs(holes, true);
    filled
}

/// Calls `put` with the runs of background from row `top` to the last row with foreground.
fn each_gap(mask: &Mask, top: u32, mut put: impl FnMut(Run)) {
    let mut foreground = mask.rows().map(to_run).peekable();
    let width = mask.width();
    let mut y = top;
    while foreground.peek().is_some() {
        let mut start = 0;
        while let Some(run) = foreground.next_if(|run| run.y == y) {
            if start < run.start {
                let end = run.start;
                put(Run { y, start, end });
            }
            start = run.end;
        }
        if start < width {
            let end = width;
            put(Run { y, start, end });
        }
        y += 1;
    }
}
