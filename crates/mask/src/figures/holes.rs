//! The holes of one object: what it encloses, by the same rule as when holes are filled.

use super::super::components::Components;
use super::super::{Rect, Run};
use super::rows;

/// How many holes there are, and their px.
pub(super) fn count(runs: &[Run], bounds: &Rect) -> (u64, u64) {
    // Without a gap between two runs of a row there is nothing to enclose.
    if runs.windows(2).all(|pair| pair[0].y != pair[1].y) {
        return (0, 0);
    }
    let (right, bottom) = (bounds.x + bounds.width, bounds.y + bounds.height - 1);
    let is_open = |gap: &Run| {
        gap.start == bounds.x || gap.end == right || gap.y == bounds.y || gap.y == bottom
    };
    let (mut holes, mut area) = (0, 0);
    let mut take = |gaps: Vec<Run>, ()| {
        holes += 1;
        area += gaps.iter().map(Run::area).sum::<u64>();
    };
    let mut components = Components::new(true, u64::MAX, is_open);
    for row in rows(runs) {
        let y = row[0].y;
        let mut start = bounds.x;
        let ends = row.iter().map(|run| (run.start, run.end));
        for (gap_end, next) in ends.chain([(right, right)]) {
            if start < gap_end {
                let end = gap_end;
                components.add(Run { y, start, end }, (), &mut take);
            }
            start = next;
        }
    }
    components.finish(&mut take);
    (holes, area)
}
