//! Measures the shape of one object from its runs, without a picture of it.
//!
//! The definitions are those of scikit-image's `regionprops`; where one differs, it is said here. Sums are exact whole
//! numbers, so a figure depends neither on the order of the runs' reading nor on where on the slide the object lies.

mod convex;
mod holes;
mod perimeter;

use std::f64::consts::{FRAC_PI_4, PI};

use serde::{Deserialize, Serialize};

use super::{Object, Rect, Run};

/// What can be said of the shape of one object, in px.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Figures {
    /// How many px it has.
    pub area: u64,
    /// The smallest rectangle that holds it.
    pub bounds: Rect,
    /// The middle of its px, `[x, y]`, in the coordinates of the outlines: a px's own middle is at `x + 0.5`, `y + 0.5`.
    /// scikit-image counts from the middle of the first px, so its numbers are 0.5 smaller.
    pub centroid: [f64; 2],
    /// Length of its border and those of its holes: through the middles of the border's px, weighted by how each touches
    /// the next (Benkrid and Crookes 2000), as scikit-image's `perimeter` with `neighborhood=4`. An object of a few px can
    /// have 0.
    pub perimeter: f64,
    /// Length of the major axis of the ellipse with the same second moments.
    pub major_axis: f64,
    /// Length of that ellipse's minor axis; 0 for a line of px.
    pub minor_axis: f64,
    /// Direction of the major axis, radians from -pi/2 to pi/2: 0 is down the columns, positive turns towards the right as
    /// seen on a screen with y down. -pi/4 where no direction is longer than the others.
    pub orientation: f64,
    /// Eccentricity of that ellipse: 0 is a circle, 1 a line.
    pub eccentricity: f64,
    /// px of the convex hull: those whose middle lies within the hull of the middles of all px's sides, or on it, as in
    /// scikit-image's `convex_hull_image`.
    pub convex_area: u64,
    /// How many holes it has: parts of what is not the object (8-connected) that it encloses. What lies at a corner of
    /// the object open to the outside is none, though an outline goes around it.
    pub holes: u64,
    /// px of the holes, those of other objects within them included.
    pub holes_area: u64,
}

impl Figures {
    /// The diameter of a circle of the same area.
    pub fn equivalent_diameter(&self) -> f64 {
        (4.0 * self.area as f64 / PI).sqrt()
    }

    /// `4 pi area / perimeter^2`: 1 is a circle, less is anything else; small objects can have more than 1, since their
    /// perimeter goes through the middles of their px. None where the perimeter is 0.
    pub fn circularity(&self) -> Option<f64> {
        let square = self.perimeter * self.perimeter;
        (square > 0.0).then(|| 4.0 * PI * self.area as f64 / square)
    }

    /// The part of the convex hull that the object fills.
    pub fn solidity(&self) -> f64 {
        self.area as f64 / self.convex_area.max(1) as f64
    }
}

impl Object<'_> {
    /// Measures the object. Time is in proportion to its runs and its border; memory, beside the runs, to its width.
    pub fn figures(&self) -> Figures {
        let (runs, bounds) = (self.runs(), self.bounds());
        let moments = Moments::of(runs, &bounds);
        let (holes, holes_area) = holes::count(runs, &bounds);
        let ellipse = moments.ellipse();
        Figures {
            area: moments.area as u64,
            bounds,
            centroid: moments.centroid(&bounds),
            perimeter: perimeter::length(runs, &bounds),
            major_axis: ellipse.major,
            minor_axis: ellipse.minor,
            orientation: ellipse.orientation,
            eccentricity: ellipse.eccentricity,
            convex_area: convex::area(runs, &bounds),
            holes,
            holes_area,
        }
    }
}

/// The runs of each row, from the top down. An object is connected, so that no row between its first and its last is empty.
fn rows(runs: &[Run]) -> impl Iterator<Item = &[Run]> + Clone {
    runs.chunk_by(|one, two| one.y == two.y)
}

/// Sums over all px, counted from the corner of the bounds. A mask has sides of 2^20 px, so `area * xx` is below 2^120.
#[derive(Default)]
struct Moments {
    area: u128,
    x: u128,
    y: u128,
    xx: u128,
    yy: u128,
    xy: u128,
}

struct Ellipse {
    major: f64,
    minor: f64,
    orientation: f64,
    eccentricity: f64,
}

impl Moments {
    fn of(runs: &[Run], bounds: &Rect) -> Self {
        // The sum of the squares below `n`.
        let squares = |n: u128| n * n.saturating_sub(1) * (2 * n).saturating_sub(1) / 6;
        let mut sums = Moments::default();
        for run in runs {
            let [from, to, y] =
                [run.start - bounds.x, run.end - bounds.x, run.y - bounds.y].map(u128::from);
            let count = to - from;
            let across = count * (from + to - 1) / 2;
            sums.area += count;
            sums.x += across;
            sums.y += y * count;
            sums.xx += squares(to) - squares(from);
            sums.yy += y * y * count;
            sums.xy += y * across;
        }
        sums
    }

    fn centroid(&self, bounds: &Rect) -> [f64; 2] {
        let middle = |sum: u128, first: u32| {
            f64::from(first) + 0.5 + sum as f64 / (self.area as f64).max(1.0)
        };
        [middle(self.x, bounds.x), middle(self.y, bounds.y)]
    }

    /// The ellipse with the same second moments.
    fn ellipse(&self) -> Ellipse {
        let square = (self.area as f64 * self.area as f64).max(1.0);
        // Exact until here: no digits are lost far from the corner.
        let variance = |squares: u128, sum: u128| (self.area * squares - sum * sum) as f64 / square;
        let (xx, yy) = (variance(self.xx, self.x), variance(self.yy, self.y));
        let xy = (self.area * self.xy) as i128 - (self.x * self.y) as i128;
        let xy = xy as f64 / square;
        let half = (xx - yy) / 2.0;
        let (middle, spread) = ((xx + yy) / 2.0, (half * half + xy * xy).sqrt());
        let (long, short) = (middle + spread, (middle - spread).max(0.0));
        Ellipse {
            major: 4.0 * long.sqrt(),
            minor: 4.0 * short.sqrt(),
            orientation: match (xx == yy, xy > 0.0) {
                (true, true) => FRAC_PI_4,
                (true, false) => -FRAC_PI_4,
                (false, _) => 0.5 * (2.0 * xy).atan2(yy - xx),
            },
            eccentricity: match long > 0.0 {
                true => (1.0 - short / long).sqrt(),
                false => 0.0,
            },
        }
    }
}
