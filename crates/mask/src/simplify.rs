//! Outlines with fewer corners.

use geo::{Coord, LineString, Simplify, Validation};

use super::{Polygon, Ring};

/// How often the tolerance is halved before an outline stays as it is.
const HALVINGS: u32 = 8;

impl Polygon {
    /// The outline's rings with as few corners as let no corner of the exact outline lie further than `tolerance_px` px from
    /// them, the exterior first (Ramer 1972, Douglas and Peucker 1973). Corners are some of the exact outline's.
    ///
    /// The rings are always those of a valid polygon: where fewer corners would let it cross itself, the
    /// tolerance is halved for this object until they do not. A hole keeps at least three corners.
    pub fn simplified(&self, tolerance_px: f64) -> Vec<Ring> {
        let exact = || std::iter::once(&self.exterior).chain(&self.holes);
        if tolerance_px > 0.0 {
            let line = |ring: &Ring| -> LineString {
                let corner = |&[x, y]: &[u32; 2]| Coord {
                    x: f64::from(x),
                    y: f64::from(y),
                };
                ring.iter().map(corner).collect()
            };
            let polygon =
                geo::Polygon::new(line(&self.exterior), self.holes.iter().map(line).collect());
            for halving in 0..HALVINGS {
                let fewer = polygon.simplify(tolerance_px / f64::from(1u32 << halving));
                if fewer.is_valid() {
                    let rings = std::iter::once(fewer.exterior()).chain(fewer.interiors());
                    // Whole numbers, as they were.
                    let rings: Vec<Ring> = rings
                        .map(|ring| ring.coords().map(|at| [at.x as u32, at.y as u32]).collect())
                        .collect();
                    // A ring that became a line has no inside: `geo` takes it, and GEOS and JTS do not.
                    if rings.iter().all(has_area) {
                        return rings;
                    }
                }
            }
        }
        exact().cloned().collect()
    }
}

/// Whether a ring encloses anything: its area by the shoelace formula is not 0.
fn has_area(ring: &Ring) -> bool {
    let cross = |pair: &[[u32; 2]]| {
        let [[x0, y0], [x1, y1]] = [pair[0], pair[1]].map(|at| at.map(i64::from));
        x0 * y1 - x1 * y0
    };
    ring.windows(2).map(cross).sum::<i64>() != 0
}
