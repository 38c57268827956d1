//! Filling polygons into a mask.

use super::{Mask, MaskError, Polygon, Rect};

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
        fill(&mut mask, sides);
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
        let mut coordinates = polygon.iter().flatten().flatten();
        if !coordinates.all(|value| value.is_finite()) {
            return Err(MaskError::Coordinate { polygon: index });
        }
        let mut sides = Vec::new();
        for ring in polygon {
            add_sides(ring.iter().copied(), &mut sides);
        }
        fill(&mut mask, sides);
    }
    Ok(mask)
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

/// Sets the pixels whose centres lie inside by the even-odd rule, one row after the other.
fn fill(mask: &mut Mask, mut sides: Vec<Side>) {
    let height = f64::from(mask.height());
    // A side crosses the rows whose centres lie from its top (with) to its bottom (without).
    let row_of = |y: f64| (y - 0.5).ceil().clamp(0.0, height) as u32;
    sides.sort_by(|one, two| one.top[1].total_cmp(&two.top[1]));
    let mut waiting = sides.iter().peekable();
    let mut active: Vec<&Side> = Vec::new();
    let mut crossings = Vec::new();
    let mut y = 0;
    while y < mask.height() {
        if active.is_empty() {
            match waiting.peek() {
                Some(side) => y = y.max(row_of(side.top[1])),
                None => return,
            }
        }
        while let Some(side) = waiting.next_if(|side| row_of(side.top[1]) <= y) {
            active.push(side);
        }
        active.retain(|side| row_of(side.bottom[1]) > y);
        crossings.clear();
        let centre = f64::from(y) + 0.5;
        crossings.extend(active.iter().map(|side| side.crossing(centre)));
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            fill_between(mask, y, pair[0], pair[1]);
        }
        y += 1;
    }
}

/// Sets the pixels of row `y` whose centres lie from `left` (with) to `right` (without).
fn fill_between(mask: &mut Mask, y: u32, left: f64, right: f64) {
    let width = f64::from(mask.width());
    let column_of = |x: f64| (x - 0.5).ceil().clamp(0.0, width) as u32;
    let (start, end) = (column_of(left), column_of(right));
    if start < end {
        let rect = Rect {
            x: start,
            y,
            width: end - start,
            height: 1,
        };
        mask.fill_rect(rect, true);
    }
}
