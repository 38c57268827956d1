//! Outlines with fewer corners.

use geo::Validation;
use proptest::prelude::*;

use super::{Dense, dense};
use crate::{Ring, polygons};

fn polygon(rings: &[Ring]) -> geo::Polygon {
    let line = |ring: &Ring| -> geo::LineString {
        ring.iter()
            .map(|&[x, y]| (f64::from(x), f64::from(y)))
            .collect()
    };
    geo::Polygon::new(line(&rings[0]), rings[1..].iter().map(line).collect())
}

#[test]
fn a_disc_keeps_few_corners_and_a_square_all() {
    let disc = Dense::from_fn(100, 100, |x, y| {
        (f64::from(x) - 50.0).hypot(f64::from(y) - 50.0) < 40.0
    });
    let exact = &polygons(&disc.mask())[0];
    let corners = |tolerance| exact.simplified(tolerance)[0].len();
    assert_eq!(corners(0.0), exact.exterior.len());
    assert!(
        corners(1.5) * 5 < exact.exterior.len(),
        "{} of {}",
        corners(1.5),
        exact.exterior.len()
    );
    assert!(corners(4.0) < corners(1.5));
    let square = Dense::from_fn(30, 30, |x, y| (5..20).contains(&x) && (5..20).contains(&y));
    let exact = &polygons(&square.mask())[0];
    assert_eq!(exact.simplified(2.0), std::slice::from_ref(&exact.exterior));
    // Even a tolerance beyond all sense leaves a polygon.
    let rings = exact.simplified(1e9);
    assert!(rings[0].len() >= 4 && polygon(&rings).is_valid());
}

#[test]
fn a_hole_never_becomes_a_line() {
    // Of a genuine mask: by a tolerance of 1.5 px, the hole's three corners that stay lie on one line.
    let picture = Dense::parse(&[
        "########", "####..##", "####..##", "###...##", "###..###", "########",
    ]);
    let hole = vec![
        [4, 3],
        [3, 3],
        [3, 5],
        [4, 5],
        [4, 4],
        [5, 4],
        [5, 1],
        [4, 1],
        [4, 3],
    ];
    let mut exact = polygons(&picture.mask()).remove(0);
    exact.holes = vec![hole];
    let rings = exact.simplified(1.5);
    let cross = |pair: &[[u32; 2]]| {
        let [[x0, y0], [x1, y1]] = [pair[0], pair[1]].map(|at| at.map(f64::from));
        x0 * y1 - x1 * y0
    };
    let area: f64 = rings[1].windows(2).map(cross).sum();
    assert!(area != 0.0, "{rings:?}");
    assert!(polygon(&rings).is_valid());
}

proptest! {
    #[test]
    fn what_is_simplified_is_valid_and_near(picture in dense(), tolerance in 0.0f64..20.0) {
        for exact in polygons(&picture.mask()).iter().take(40) {
            let rings = exact.simplified(tolerance);
            prop_assert_eq!(rings.len(), 1 + exact.holes.len());
            let all = std::iter::once(&exact.exterior).chain(&exact.holes);
            for (ring, exact) in rings.iter().zip(all) {
                prop_assert!(ring.len() >= 4 && ring.first() == ring.last());
                prop_assert!(ring.iter().all(|corner| exact.contains(corner)));
            }
            prop_assert!(polygon(&rings).is_valid());
        }
    }
}
