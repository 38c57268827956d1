use proptest::prelude::*;

use super::super::{Mask, Objects, Rect, fill_holes, remove_small};
use super::{Dense, dense};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn objects_match_a_flood_fill(picture in dense()) {
        let objects = Objects::find(&picture.mask());
        let parts = picture.parts(true, false);
        prop_assert_eq!(objects.len(), parts.len());
        prop_assert_eq!(objects.is_empty(), parts.is_empty());
        for (index, (object, part)) in objects.iter().zip(&parts).enumerate() {
            prop_assert_eq!(objects.get(index), Some(object));
            let pixels = object.runs().iter().flat_map(|run| run.columns().map(|x| (x, run.y)));
            prop_assert_eq!(&pixels.collect::<Vec<_>>(), part);
            prop_assert_eq!(object.area(), part.len() as u64);
            let (xs, ys) = (part.iter().map(|pixel| pixel.0), part.iter().map(|pixel| pixel.1));
            let (left, top) = (xs.clone().min().unwrap(), ys.clone().min().unwrap());
            let (width, height) = (xs.max().unwrap() + 1 - left, ys.max().unwrap() + 1 - top);
            prop_assert_eq!(object.bounds(), Rect { x: left, y: top, width, height });
        }
        prop_assert_eq!(objects.get(parts.len()), None);
    }

    #[test]
    fn small_objects_go(picture in dense(), limit in prop_oneof![0u64..12, 100u64..5000]) {
        let mut mask = picture.mask();
        let removed = remove_small(&mut mask, limit);
        let mut want = picture.clone();
        let mut small = picture.parts(true, false);
        small.retain(|part| (part.len() as u64) < limit);
        small.iter().flatten().for_each(|&(x, y)| want.put(x, y, false));
        prop_assert_eq!(removed, small.len());
        prop_assert_eq!(Dense::of(&mask), want);
    }

    #[test]
    fn holes_are_filled(picture in dense(), limit in prop::option::of(prop_oneof![0u64..12, 100u64..5000])) {
        let mut mask = picture.mask();
        let filled = fill_holes(&mut mask, limit);
        let mut want = picture.clone();
        let mut holes = picture.parts(false, true);
        let border = |&(x, y): &(u32, u32)| {
            x == 0 || y == 0 || x + 1 == picture.width || y + 1 == picture.height
        };
        holes.retain(|part| !part.iter().any(border));
        holes.retain(|part| limit.is_none_or(|limit| part.len() as u64 <= limit));
        holes.iter().flatten().for_each(|&(x, y)| want.put(x, y, true));
        prop_assert_eq!(filled, holes.len());
        prop_assert_eq!(Dense::of(&mask), want);
    }
}

#[test]
fn corners_part_objects_and_join_background() {
    let objects = Objects::find(&Dense::parse(&["#.", ".#"]).mask());
    assert_eq!(objects.len(), 2);
    // The middle reaches the outside through the corner at the top right, so it is no hole.
    let picture = Dense::parse(&["##.", "#.#", "###"]);
    let mut mask = picture.mask();
    assert_eq!(fill_holes(&mut mask, None), 0);
    assert_eq!(Dense::of(&mask), picture);
    let mut closed = Dense::parse(&["###", "#.#", "###"]).mask();
    assert_eq!(fill_holes(&mut closed, Some(1)), 1);
    assert_eq!(closed.count(), 9);
}

#[test]
fn a_ring_far_away_costs_little() {
    let mut mask = Mask::new(1 << 20, 1 << 20).unwrap();
    mask.fill_rect(
        Rect {
            x: 1 << 19,
            y: 1 << 19,
            width: 500,
            height: 500,
        },
        true,
    );
    mask.fill_rect(
        Rect {
            x: (1 << 19) + 9,
            y: (1 << 19) + 9,
            width: 10,
            height: 10,
        },
        false,
    );
    assert_eq!(fill_holes(&mut mask, Some(99)), 0);
    assert_eq!(fill_holes(&mut mask, Some(100)), 1);
    assert_eq!(mask.count(), 250_000);
    assert_eq!(remove_small(&mut mask, 250_001), 1);
    assert_eq!(mask, Mask::new(1 << 20, 1 << 20).unwrap());
}
