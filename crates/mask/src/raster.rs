//! Filling polygons into a mask.

use std::ops::Range;

use super::{Mask, MaskError, Polygon, Run};

/// Fills polygons with corners in whole px into a new mask of `width` x `height` px.
///
/// This is [`rasterize_rings`] for the polygons that [`polygons`](super::polygons) makes; of those it gives the
/// very mask back.
///
/// # Errors
///
/// [`MaskError::Size`] if the size is not possible.
pub fn rasterize(polygons: &[Polygon], width: u32, height: u32) -> Result<Mask, MaskError> {
    let mut mask = Mask::new(width, height)?;
    for polygon in polygons {
        let rings = std::iter::once(&polygon.exterior).chain(&polygon.holes);
        let mut sides = Vec::new();
        for ring in rings {
            add_sides(ring.iter().map(|corner| corner.map(f64::from)), &mut sides);
        }
        let row = |y, columns| mask.set_row_run(y, columns);
        fill((width, height), sides, &mut { u64::MAX }, row);
    }
    Ok(mask)
}

/// Fills polygons, each a list of rings of corners `[x, y]` in px, into a new mask of `width` x `height` px.
///
/// A pixel is set when its centre lies inside by the even-odd rule over the rings of one polygon; so the order
/// and the orientation of the rings do not matter. Polygons add up. A ring need not repeat its first corner, and what
/// lies outside the mask is left out.
///
/// # Errors
///
/// [`MaskError::Size`] if the size is not possible; [`MaskError::Coordinate`] if a coordinate is not finite.
pub fn rasterize_rings(
    polygons: &[Vec<Vec<[f64; 2]>>],
    width: u32,
    height: u32,
) -> Result<Mask, MaskError> {
    let mut mask = Mask::new(width, height)?;
    for (index, polygon) in polygons.iter().enumerate() {
        let sides = sides_of(polygon).ok_or(MaskError::Coordinate { polygon: index })?;
        let row = |y, columns| mask.set_row_run(y, columns);
        fill((width, height), sides, &mut { u64::MAX }, row);
    }
    Ok(mask)
}

/// The rows of polygons that are one thing, filled as by [`rasterize_rings`]: sorted runs that do not touch within a row.
///
/// `budget` is how many runs may still be made; it shrinks. So neither time nor memory follow what corners ask for. None
/// when it does not suffice.
///
/// # Errors
///
/// [`MaskError::Coordinate`] if a coordinate is not finite.
pub fn runs_of_rings(
    polygons: &[Vec<Vec<[f64; 2]>>],
    size: (u32, u32),
    budget: &mut u64,
) -> Result<Option<Vec<Run>>, MaskError> {
    let mut runs = Vec::new();
    for (index, polygon) in polygons.iter().enumerate() {
        let sides = sides_of(polygon).ok_or(MaskError::Coordinate { polygon: index })?;
        let row = |y, columns: Range<u32>| {
            runs.push(Run {
                y,
                start: columns.start,
                end: columns.end,
            });
        };
        if !fill(size, sides, budget, row) {
            return Ok(None);
        }
    }
    runs.sort_unstable_by_key(|run: &Run| (run.y, run.start));
    runs.dedup_by(|next, last| {
        let touch = next.y == last.y && next.start <= last.end;
        if touch {
            last.end = last.end.max(next.end);
        }
        touch
    });
    Ok(Some(runs))
}

/// The sides of a polygon; none where a coordinate is not finite.
fn sides_of(polygon: &[Vec<[f64; 2]>]) -> Option<Vec<Side>> {
    let mut coordinates = polygon.iter().flatten().flatten();
    if !coordinates.all(|value| value.is_finite()) {
        return None;
    }
    let mut sides = Vec::new();
    for ring in polygon {
        add_sides(ring.iter().copied(), &mut sides);
    }
    Some(sides)
}

/// One side of a ring that is not level.
struct Side {
    top: [f64; 2],
    bottom: [f64; 2],
}

impl Side {
    /// Where the side crosses the line at `y`, which lies in its range.
    fn crossing(&self, y: f64) -> f64 {
        let part = (y - self.top[1]) / (self.bottom[1] - self.top[1]);
        // Written so that an upright side gives exactly its x, and huge numbers do not overflow.
        if self.top[0] == self.bottom[0] {
            self.top[0]
        } else {
            self.top[0] * (1.0 - part) + self.bottom[0] * part
        }
    }
}

/// Adds the sides of a ring, and one from its last corner to its first.
fn add_sides(corners: impl ExactSizeIterator<Item = [f64; 2]> + Clone, sides: &mut Vec<Side>) {
    let ends = corners.clone().cycle().skip(1);
    for (from, to) in corners.zip(ends) {
        if from[1] < to[1] {
            sides.push(Side {
                top: from,
                bottom: to,
            });
        } else if from[1] > to[1] {
            sides.push(Side {
                top: to,
                bottom: from,
            });
        }
    }
}

/// Hands over the pixels whose centres lie inside by the even-odd rule, one row after the other. False when `budget`,
/// from which every run is taken, does not suffice.
fn fill(
    size: (u32, u32),
    mut sides: Vec<Side>,
    budget: &mut u64,
    mut put: impl FnMut(u32, Range<u32>),
) -> bool {
    let [width, height] = [size.0, size.1].map(f64::from);
    // A side crosses the rows whose centres lie from its top (with) to its bottom (without).
    let row_of = |y: f64| (y - 0.5).ceil().clamp(0.0, height) as u32;
    // A pixel is set whose centre lies from the left (with) to the right (without).
    let column_of = |x: f64| (x - 0.5).ceil().clamp(0.0, width) as u32;
    sides.sort_by(|one, two| one.top[1].total_cmp(&two.top[1]));
    let mut waiting = sides.iter().peekable();
    let mut active: Vec<&Side> = Vec::new();
    let mut crossings = Vec::new();
    let mut y = 0;
    while y < size.1 {
        if active.is_empty() {
            match waiting.peek() {
                Some(side) => y = y.max(row_of(side.top[1])),
                None => return true,
            }
        }
        while let Some(side) = waiting.next_if(|side| row_of(side.top[1]) <= y) {
            active.push(side);
        }
        active.retain(|side| row_of(side.bottom[1]) > y);
        // What lies outside the mask costs time as well.
        match budget.checked_sub(active.len() as u64 / 2) {
            Some(left) => *budget = left,
            None => return false,
        }
        crossings.clear();
        let centre = f64::from(y) + 0.5;
        crossings.extend(active.iter().map(|side| side.crossing(centre)));
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let columns = column_of(pair[0])..column_of(pair[1]);
            if y < size.1 && !columns.is_empty() {
                put(y, columns);
            }
        }
        y += 1;
    }
    true
}
