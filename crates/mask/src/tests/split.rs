//! Splitting objects that touch.

use proptest::prelude::*;

use super::{Dense, dense};
use crate::{Mask, Objects, split_touching};

/// A picture of discs, each with its middle and radius, less other discs.
fn discs(width: u32, height: u32, discs: &[(f64, f64, f64)], holes: &[(f64, f64, f64)]) -> Dense {
    let in_one = |discs: &[(f64, f64, f64)], x: u32, y: u32| {
        let (x, y) = (f64::from(x), f64::from(y));
        discs
            .iter()
            .any(|&(cx, cy, r)| (x - cx).powi(2) + (y - cy).powi(2) <= r * r)
    };
    Dense::from_fn(width, height, |x, y| {
        in_one(discs, x, y) && !in_one(holes, x, y)
    })
}

/// Splits, and says how many objects were added and the areas of all, from the largest down.
fn split(picture: &Dense, cell: u32, min_area: u64) -> (usize, Vec<u64>, Mask) {
    let mut mask = picture.mask();
    let more = split_touching(&mut mask, cell, min_area);
    let mut areas: Vec<u64> = Objects::find(&mask)
        .iter()
        .map(|object| object.area())
        .collect();
    areas.sort_unstable_by(|one, two| two.cmp(one));
    (more, areas, mask)
}

#[test]
fn two_discs_become_two_objects_with_a_line_of_one_px_between_them() {
    let picture = discs(140, 80, &[(40.0, 40.0, 30.0), (95.0, 40.0, 30.0)], &[]);
    for cell in [1, 2, 3] {
        let (more, areas, mask) = split(&picture, cell, 100);
        assert_eq!((more, areas.len()), (1, 2), "cells of {cell} px");
        let gone = picture.mask().count() - mask.count();
        // The neck is 24 px high, and a line that winds has some px more.
        assert!((20..=36).contains(&gone), "{gone} px");
        // Alike but for the line, which is cut out of one of them.
        assert!(areas[0] - areas[1] < 100, "{areas:?}");
        // All that is left was there.
        let mut both = picture.mask();
        both.or_assign(&mask).unwrap();
        assert!(both == picture.mask());
        // The line runs through the neck.
        for y in 30..50 {
            let removed: Vec<u32> = (0..140)
                .filter(|&x| picture.at(x, y) && !mask.get(x, y))
                .collect();
            assert!(
                !removed.is_empty() && removed.iter().all(|x| (62..=73).contains(x)),
                "{y}: {removed:?}"
            );
        }
    }
}

#[test]
fn what_is_not_clearly_two_stays_one() {
    for (what, picture) in [
        ("a disc", discs(80, 80, &[(40.0, 40.0, 30.0)], &[])),
        (
            "wide neck",
            discs(120, 80, &[(40.0, 40.0, 30.0), (75.0, 40.0, 30.0)], &[]),
        ),
        (
            "a bulge",
            discs(120, 80, &[(40.0, 40.0, 30.0), (71.0, 40.0, 3.0)], &[]),
        ),
        (
            "a bar",
            Dense::from_fn(200, 40, |x, y| {
                (10..190).contains(&x) && (10..30).contains(&y)
            }),
        ),
        ("a line", Dense::from_fn(200, 3, |x, y| y == 1 && x != 0)),
        ("one px", Dense::from_fn(1, 1, |_, _| true)),
        ("all of a picture", Dense::from_fn(300, 300, |_, _| true)),
        (
            "a ring",
            discs(100, 100, &[(50.0, 50.0, 40.0)], &[(50.0, 50.0, 25.0)]),
        ),
        // Thick on one side, thin on the other.
        (
            "a crooked ring",
            discs(100, 100, &[(50.0, 50.0, 40.0)], &[(40.0, 50.0, 25.0)]),
        ),
    ] {
        let (more, areas, mask) = split(&picture, 1, 0);
        assert_eq!((more, areas.len()), (0, 1), "{what}");
        assert!(mask == picture.mask(), "{what}");
    }
}

#[test]
fn a_part_has_to_have_the_smallest_area() {
    let picture = discs(140, 80, &[(40.0, 40.0, 30.0), (82.0, 40.0, 14.0)], &[]);
    let small = std::f64::consts::PI * 14.0 * 14.0;
    assert_eq!(split(&picture, 1, 100).0, 1);
    assert_eq!(split(&picture, 1, small as u64 + 50).0, 0);
}

#[test]
fn a_row_and_a_cluster_are_cut_everywhere() {
    let row: Vec<_> = (0..6)
        .map(|place| (30.0 + 38.0 * f64::from(place), 30.0, 20.0))
        .collect();
    assert_eq!(split(&discs(260, 60, &row, &[]), 1, 100).0, 5);
    // Each touches its neighbours, and they enclose a hole.
    let cluster = [
        (40.0, 40.0, 20.0),
        (78.0, 40.0, 20.0),
        (40.0, 78.0, 20.0),
        (78.0, 78.0, 20.0),
    ];
    let (more, areas, _) = split(&discs(120, 120, &cluster, &[]), 1, 100);
    assert_eq!((more, areas.len()), (3, 4), "{areas:?}");
}

#[test]
fn objects_in_the_hole_of_another_and_over_tile_borders_are_split_on_their_own() {
    let holes = [(300.0, 300.0, 180.0)];
    let mut picture = discs(600, 600, &[(300.0, 300.0, 250.0)], &holes);
    let inner = discs(600, 600, &[(240.0, 300.0, 60.0), (352.0, 300.0, 60.0)], &[]);
    for y in 0..600 {
        for x in 0..600 {
            if inner.at(x, y) {
                picture.put(x, y, true);
            }
        }
    }
    let (more, areas, _) = split(&picture, 4, 100);
    assert_eq!((more, areas.len()), (1, 3));
}

#[test]
fn an_object_too_large_for_its_grid_gets_larger_cells() {
    // 9000 x 4600 px are ten times the cells that a grid may have.
    let mut mask = Mask::new(9000, 4600).unwrap();
    for y in 0..4600u32 {
        let high = (2250.0f64.powi(2) - (f64::from(y) - 2300.0).powi(2))
            .max(0.0)
            .sqrt() as u32;
        if high > 0 {
            mask.set_row_run(y, 2300 - high..2300 + high);
            mask.set_row_run(y, 6500 - high..6500 + high);
        }
    }
    assert_eq!(Objects::find(&mask).len(), 1);
    assert_eq!(split_touching(&mut mask, 1, 1000), 1);
    assert_eq!(Objects::find(&mask).len(), 2);
}

proptest! {
    #[test]
    fn a_split_only_takes_px_and_adds_the_objects_it_says(
        picture in dense(),
        cell in 1u32..5,
        min_area in 0u64..40,
    ) {
        let before = picture.mask();
        let (more, areas, mask) = split(&picture, cell, min_area);
        prop_assert_eq!(areas.len(), Objects::find(&before).len() + more);
        let mut both = before.clone();
        both.or_assign(&mask).unwrap();
        prop_assert!(both == before);
        if more == 0 {
            prop_assert!(mask == before);
        }
        let (again, _, same) = split(&picture, cell, min_area);
        prop_assert!(again == more && same == mask);
    }
}
