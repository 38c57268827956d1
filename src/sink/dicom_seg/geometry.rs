//! Where the px of a slide lie on the glass (PS3.3, C.8.12.2.1.1 and C.8.12.6.1).

/// How the px of the full size lie in the coordinates of the slide.
pub(super) struct Geometry {
    /// The middle of the first px, mm.
    pub origin: [f64; 2],
    /// The directions of rows and columns.
    pub orientation: [f64; 6],
    /// mm from one row to the next, and from one column to the next.
    pub spacing: [f64; 2],
}

impl Geometry {
    /// x, y and z of the middle of a px, mm.
    pub fn at(&self, column: u32, row: u32) -> [f64; 3] {
        let [down, across] = self.spacing;
        let (right, below) = (f64::from(column) * across, f64::from(row) * down);
        let start = [self.origin[0], self.origin[1], 0.0];
        std::array::from_fn(|axis| {
            start[axis] + right * self.orientation[axis] + below * self.orientation[3 + axis]
        })
    }
}

/// Rows run along x, columns along y.
pub(super) const UPRIGHT: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

/// Whether these are two directions of length 1, at right angles.
pub(super) fn are_directions(all: &[f64; 6]) -> bool {
    let product = |a: usize, b: usize| {
        (0..3)
            .map(|axis| all[a + axis] * all[b + axis])
            .sum::<f64>()
    };
    let near = |is: f64, wanted: f64| (is - wanted).abs() < 1e-3;
    near(product(0, 0), 1.0) && near(product(3, 3), 1.0) && near(product(0, 3), 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn px_lie_where_the_slide_lies() {
        // As scanners write it: rows run against y, columns against x.
        let geometry = Geometry {
            origin: [20.0, 40.0],
            orientation: [0.0, -1.0, 0.0, -1.0, 0.0, 0.0],
            spacing: [0.001, 0.002],
        };
        assert_eq!(geometry.at(0, 0), [20.0, 40.0, 0.0]);
        assert_eq!(geometry.at(1000, 3000), [17.0, 38.0, 0.0]);
    }

    #[test]
    fn directions_are_of_length_1_and_at_right_angles() {
        assert!(are_directions(&[0.0, -1.0, 0.0, -1.0, 0.0, 0.0]));
        assert!(!are_directions(&[0.0, -1.0, 0.0, 0.0, 1.0, 0.0]));
        assert!(!are_directions(&[0.0; 6]));
    }
}
