//! How many px the convex hull of an object has.
//!
//! The hull is that of the middles of the four sides of each px, so that a px alone is its own hull. Everything is counted
//! in halves of a px and in whole numbers, so a px whose middle lies exactly on the hull's border is never doubtful.

use super::super::{Rect, Run};
use super::rows;

pub(super) fn area(runs: &[Run], bounds: &Rect) -> u64 {
    // By height: how far the object reaches to the left, and to the right.
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for row in rows(runs) {
        let (Some(first), Some(last)) = (row.first(), row.last()) else {
            continue;
        };
        let half = |px: u32, corner: u32| 2 * i64::from(px - corner);
        let y = half(first.y, bounds.y);
        let (start, end) = (half(first.start, bounds.x), half(last.end - 1, bounds.x));
        for (height, out) in [(y - 1, 0), (y, 1), (y + 1, 0)] {
            add(&mut left, height, start - out, i64::min);
            add(&mut right, height, end + out, i64::max);
        }
    }
    // The right side mirrored is a left one.
    for (_, reach) in &mut right {
        *reach = -*reach;
    }
    let (left, right) = (outermost(&left), outermost(&right));
    let (mut left, mut right) = (left.windows(2).peekable(), right.windows(2).peekable());
    let mut all = 0;
    for y in (0..i64::from(bounds.height)).map(|row| 2 * row) {
        let start = first_px(&mut left, y);
        let end = -first_px(&mut right, y);
        all += (end - start + 1).max(0) as u64;
    }
    all
}

/// Notes how far a row reaches at a height, where it reaches further than another one.
fn add(side: &mut Vec<(i64, i64)>, height: i64, reach: i64, further: fn(i64, i64) -> i64) {
    match side.last_mut() {
        Some((last, known)) if *last == height => *known = further(*known, reach),
        _ => side.push((height, reach)),
    }
}

/// The corners of the hull's left side: those from which no straight line to others passes on the outside.
fn outermost(side: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut hull: Vec<(i64, i64)> = Vec::new();
    for &(y, x) in side {
        while let [.., (y0, x0), (y1, x1)] = hull[..] {
            // Whether the middle one lies on the line from the first to the new one, or within it.
            if (x1 - x0) * (y - y0) < (x - x0) * (y1 - y0) {
                break;
            }
            hull.pop();
        }
        hull.push((y, x));
    }
    hull
}

/// The leftmost px whose middle lies at this height, which grows from call to call, within the side's lines or on them.
fn first_px<'a>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = &'a [(i64, i64)]>>,
    y: i64,
) -> i64 {
    while lines.next_if(|line| line[1].0 < y).is_some() {}
    let Some(&&[(y0, x0), (y1, x1)]) = lines.peek() else {
        return 0;
    };
    // Rounded up: x0 + (x1 - x0) (y - y0) / (y1 - y0), in px, which are two halves.
    let (top, bottom) = (x0 * (y1 - y0) + (x1 - x0) * (y - y0), 2 * (y1 - y0));
    -(-top).div_euclid(bottom)
}
