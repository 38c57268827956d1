use std::collections::HashSet;

use proptest::prelude::*;

use super::super::{
    MaskError, Objects, Polygon, Ring, outline, polygons, rasterize, rasterize_rings,
};
use super::{Dense, dense};

/// Twice the area by the shoelace formula: positive if counter-clockwise by the numbers.
fn twice_area(ring: &Ring) -> i64 {
    let term = |pair: &[[u32; 2]]| {
        let [x0, y0] = pair[0].map(i64::from);
        let [x1, y1] = pair[1].map(i64::from);
        x0 * y1 - x1 * y0
    };
    ring.windows(2).map(term).sum()
}

fn check_ring(ring: &Ring) -> Result<(), TestCaseError> {
    prop_assert!(ring.len() >= 5);
    prop_assert_eq!(ring.first(), ring.last());
    let corners: HashSet<_> = ring[1..].iter().collect();
    prop_assert_eq!(
        corners.len(),
        ring.len() - 1,
        "a corner is visited twice: {:?}",
        ring
    );
    let around: Vec<_> = ring.iter().chain(&ring[1..2]).collect();
    for three in around.windows(3) {
        let level = |from: &[u32; 2], to: &[u32; 2]| {
            assert!(
                (from[0] == to[0]) != (from[1] == to[1]),
                "a side is slanted or empty: {from:?} {to:?}"
            );
            from[1] == to[1]
        };
        prop_assert_ne!(
            level(three[0], three[1]),
            level(three[1], three[2]),
            "no turn in {:?}",
            three
        );
    }
    Ok(())
}

fn check_polygon(polygon: &Polygon) -> Result<(), TestCaseError> {
    check_ring(&polygon.exterior)?;
    let outside = twice_area(&polygon.exterior);
    prop_assert!(outside > 0, "exterior turns the wrong way");
    let mut area = outside;
    for hole in &polygon.holes {
        check_ring(hole)?;
        let inside = twice_area(hole);
        prop_assert!(inside < 0, "hole turns the wrong way");
        area += inside;
    }
    prop_assert_eq!(area, 2 * polygon.area as i64);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn outlines_are_exact_and_well_formed(picture in dense()) {
        let mask = picture.mask();
        let all = polygons(&mask);
        let objects = Objects::find(&mask);
        prop_assert_eq!(all.len(), objects.len());
        for (polygon, object) in all.iter().zip(objects.iter()) {
            check_polygon(polygon)?;
            prop_assert_eq!(polygon, &outline(&object));
            prop_assert_eq!(polygon.area, object.area());
            let first = object.runs()[0];
            prop_assert_eq!(polygon.exterior[0], [first.start, first.y]);
            // Each alone gives its own object, so every hole is with the right one.
            let alone = rasterize(std::slice::from_ref(polygon), picture.width, picture.height).unwrap();
            let runs: Vec<_> = alone.rows().map(|(y, columns)| (y, columns.start, columns.end)).collect();
            let want: Vec<_> = object.runs().iter().map(|run| (run.y, run.start, run.end)).collect();
            prop_assert_eq!(runs, want);
        }
        prop_assert_eq!(rasterize(&all, picture.width, picture.height).unwrap(), mask);
    }

    #[test]
    fn slanted_polygons_follow_the_even_odd_rule(
        rings in prop::collection::vec(prop::collection::vec([-20.0f64..80.0, -20.0f64..80.0], 0..9), 1..4)
    ) {
        let mask = rasterize_rings(std::slice::from_ref(&rings), 66, 65).unwrap();
        // Counts the crossings of a ray to the left of each centre.
        let inside = |x: u32, y: u32| {
            let (px, py) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
            let mut odd = false;
            for ring in &rings {
                for (index, a) in ring.iter().enumerate() {
                    let b = &ring[(index + 1) % ring.len()];
                    if (a[1] <= py) != (b[1] <= py) {
                        let x = a[0] + (py - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
                        odd ^= x <= px;
                    }
                }
            }
            odd
        };
        prop_assert_eq!(Dense::of(&mask), Dense::from_fn(66, 65, inside));
    }
}

#[test]
fn one_pixel_runs_clockwise_to_the_eye() {
    let mut picture = Dense::new(5, 5);
    picture.put(2, 3, true);
    let exterior = vec![[2, 3], [3, 3], [3, 4], [2, 4], [2, 3]];
    let want = Polygon {
        exterior,
        holes: vec![],
        area: 1,
    };
    assert_eq!(polygons(&picture.mask()), [want]);
}

#[test]
fn a_ring_closed_only_at_a_corner_gets_a_hole_that_touches_it() {
    let polygon = polygons(&Dense::parse(&["##.", "#.#", "###"]).mask()).remove(0);
    let exterior = vec![[0, 0], [2, 0], [2, 1], [3, 1], [3, 3], [0, 3], [0, 0]];
    assert_eq!(polygon.exterior, exterior);
    assert_eq!(
        polygon.holes,
        [vec![[1, 2], [2, 2], [2, 1], [1, 1], [1, 2]]]
    );
    // The other diagonal.
    let polygon = polygons(&Dense::parse(&[".##", "#.#", "###"]).mask()).remove(0);
    let exterior = vec![[1, 0], [3, 0], [3, 3], [0, 3], [0, 1], [1, 1], [1, 0]];
    assert_eq!(polygon.exterior, exterior);
    assert_eq!(polygon.holes.len(), 1);
}

#[test]
fn holes_that_touch_at_corners_stay_apart() {
    let polygon = polygons(&Dense::parse(&["####", "#.##", "##.#", "####"]).mask()).remove(0);
    assert_eq!(polygon.holes.len(), 2);
    assert!(polygon.holes.iter().all(|hole| hole.len() == 5));
}

#[test]
fn objects_in_holes_are_polygons_of_their_own() {
    let picture = Dense::parse(&[
        "#######", "#.....#", "#.###.#", "#.#.#.#", "#.###.#", "#.....#", "#######",
    ]);
    let all = polygons(&picture.mask());
    let holes: Vec<_> = all
        .iter()
        .map(|polygon| (polygon.area, polygon.holes.len()))
        .collect();
    assert_eq!(holes, [(24, 1), (8, 1)]);
}

#[test]
fn a_checkerboard_is_all_single_pixels() {
    let picture = Dense::from_fn(130, 70, |x, y| (x + y) % 2 == 0);
    let all = polygons(&picture.mask());
    assert_eq!(all.len(), 130 * 70 / 2);
    assert!(
        all.iter()
            .all(|polygon| polygon.exterior.len() == 5 && polygon.holes.is_empty())
    );
}

#[test]
fn polygons_that_overlap_add_up_and_rings_of_one_cancel() {
    let square = |x: f64, side: f64| vec![[x, 0.0], [x + side, 0.0], [x + side, side], [x, side]];
    let apart = rasterize_rings(&[vec![square(0.0, 4.0)], vec![square(2.0, 4.0)]], 10, 10).unwrap();
    assert_eq!(apart.count(), 24);
    let one = rasterize_rings(&[vec![square(0.0, 4.0), square(2.0, 4.0)]], 10, 10).unwrap();
    assert_eq!(one.count(), 16);
}

#[test]
fn strange_coordinates_do_no_harm() {
    let ring = |far: f64| vec![vec![[-far, -far], [far, -far], [far, far], [-far, far]]];
    for far in [1e9, 1e300, f64::MAX] {
        assert_eq!(
            rasterize_rings(&[ring(far)], 300, 70).unwrap().count(),
            300 * 70,
            "{far}"
        );
    }
    for bad in [f64::NAN, f64::INFINITY] {
        let result = rasterize_rings(&[ring(1.0), ring(bad)], 9, 9);
        assert_eq!(result, Err(MaskError::Coordinate { polygon: 1 }));
    }
    assert!(
        rasterize_rings(&[vec![], vec![vec![]], vec![vec![[1.0, 1.0]]]], 9, 9)
            .unwrap()
            .is_empty()
    );
}
