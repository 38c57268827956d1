use proptest::prelude::*;

use super::super::{MAX_SIDE, Mask, MaskError, Rect};
use super::{Dense, dense, naive_runs, rect, side};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pixels_come_back(picture in dense()) {
        let mask = picture.mask();
        prop_assert_eq!(&Dense::of(&mask), &picture);
        let ones = picture.pixels.iter().filter(|&&pixel| pixel == 1).count();
        prop_assert_eq!(mask.count(), ones as u64);
        prop_assert_eq!(mask.is_empty(), ones == 0);
    }

    #[test]
    fn runs_of_rows_and_columns_match(picture in dense()) {
        let mask = picture.mask();
        let mut rows = Vec::new();
        for y in 0..picture.height {
            let runs = naive_runs(picture.width, |x| picture.at(x, y));
            prop_assert_eq!(mask.row_runs(y).collect::<Vec<_>>(), runs.clone());
            rows.extend(runs.into_iter().map(|run| (y, run)));
        }
        prop_assert_eq!(mask.rows().collect::<Vec<_>>(), rows);
        let column = |x| naive_runs(picture.height, |y| picture.at(x, y)).into_iter().map(move |run| (x, run));
        let columns: Vec<_> = (0..picture.width).flat_map(column).collect();
        prop_assert_eq!(mask.columns().collect::<Vec<_>>(), columns);
    }

    #[test]
    fn a_compacted_mask_reads_and_changes_like_any_other(picture in dense(), rect in rect(), value in any::<bool>()) {
        let mut mask = picture.mask();
        let mut compact = mask.clone();
        compact.compact();
        prop_assert!(compact.bytes_used() <= mask.bytes_used());
        prop_assert_eq!(&compact, &mask);
        prop_assert_eq!(&Dense::of(&compact), &picture);
        prop_assert_eq!((compact.count(), compact.is_empty()), (mask.count(), mask.is_empty()));
        prop_assert_eq!(compact.rows().collect::<Vec<_>>(), mask.rows().collect::<Vec<_>>());
        prop_assert_eq!(compact.columns().collect::<Vec<_>>(), mask.columns().collect::<Vec<_>>());
        for y in 0..picture.height {
            prop_assert_eq!(compact.row_runs(y).collect::<Vec<_>>(), mask.row_runs(y).collect::<Vec<_>>());
        }
        for level in 0..3 {
            let whole = Rect { x: 0, y: 0, width: picture.width, height: picture.height };
            let mut painted = [(); 2].map(|()| vec![0; picture.pixels.len()]);
            mask.read_block(whole, level, 1, &mut painted[0], picture.width as usize).unwrap();
            compact.read_block(whole, level, 1, &mut painted[1], picture.width as usize).unwrap();
            prop_assert_eq!(&painted[0], &painted[1]);
        }
        let kept = compact.clone();
        let mut joined = Mask::new(picture.width, picture.height).unwrap();
        joined.fill_rect(rect, true);
        let part = joined.clone();
        joined.or_assign(&compact).unwrap();
        compact.fill_rect(rect, value);
        mask.fill_rect(rect, value);
        prop_assert_eq!(&compact, &mask);
        if value {
            prop_assert_eq!(&joined, &mask);
        } else {
            let mut less = kept.clone();
            less.and_not_assign(&part).unwrap();
            prop_assert_eq!(&less, &mask);
        }
        prop_assert_eq!(&Dense::of(&kept), &picture, "a clone does not change");
    }

    #[test]
    fn rectangles_are_set_and_cleared(start in dense(), rects in prop::collection::vec((rect(), any::<bool>()), 1..6)) {
        let mut picture = start.clone();
        let mut mask = start.mask();
        for (rect, value) in rects {
            mask.fill_rect(rect, value);
            for y in rect.rows_within(picture.height) {
                for x in rect.columns_within(picture.width) {
                    picture.put(x, y, value);
                }
            }
        }
        prop_assert_eq!(&Dense::of(&mask), &picture);
        // The same pixels by another way: empty and full tiles must not matter.
        prop_assert_eq!(&mask, &picture.mask());
        mask.compact();
        prop_assert_eq!(&mask, &picture.mask());
    }

    #[test]
    fn blocks_replace_their_pixels(start in dense(), block in dense(), x in 0u32..310, y in 0u32..310, more in 0usize..3) {
        let rect = Rect { x, y, width: block.width, height: block.height };
        let stride = block.width as usize + more;
        let mut values = vec![9; stride * block.height as usize];
        for (to, from) in values.chunks_mut(stride).zip(block.pixels.chunks(block.width as usize)) {
            // Any value but zero counts.
            to[..from.len()].iter_mut().zip(from).for_each(|(to, from)| *to = from * 200);
        }
        let mut mask = start.mask();
        mask.set_block(rect, &values, stride).unwrap();
        let mut picture = start.clone();
        for y in rect.rows_within(start.height) {
            for x in rect.columns_within(start.width) {
                picture.put(x, y, block.at(x - rect.x, y - rect.y));
            }
        }
        prop_assert_eq!(&Dense::of(&mask), &picture);
        prop_assert_eq!(&mask, &picture.mask());
        let logits: Vec<f32> = values.iter().map(|&value| f32::from(value) - 100.0).collect();
        let mut by_logits = start.mask();
        by_logits.set_block_by(rect, &logits, stride, |logit| logit > 0.0).unwrap();
        prop_assert_eq!(by_logits, mask);
    }

    #[test]
    fn blocks_are_painted(picture in dense(), rect in rect(), level in 0u32..10, more in 0usize..3) {
        let stride = rect.width as usize + more;
        let mut out = vec![7; stride * rect.height as usize];
        picture.mask().read_block(rect, level, 3, &mut out, stride).unwrap();
        for row in 0..rect.height {
            for column in 0..stride as u32 {
                let (x, y) = ((rect.x + column) << level, (rect.y + row) << level);
                let half = (1 << level) / 2;
                let inside = column < rect.width && x < picture.width && y < picture.height;
                let set = inside && picture.at((x + half).min(picture.width - 1), (y + half).min(picture.height - 1));
                let got = out[row as usize * stride + column as usize];
                prop_assert_eq!(got, if set { 3 } else { 7 }, "row {} column {}", row, column);
            }
        }
    }

    #[test]
    fn masks_are_joined_and_subtracted(
        (one, two) in (side(), side()).prop_flat_map(|(width, height)| {
            let fit = move |picture: Dense| Dense::from_fn(width, height, |x, y| {
                x < picture.width && y < picture.height && picture.at(x, y)
            });
            (dense().prop_map(fit), dense().prop_map(fit))
        })
    ) {
        let mut both = one.mask();
        both.or_assign(&two.mask()).unwrap();
        let either = Dense::from_fn(one.width, one.height, |x, y| one.at(x, y) || two.at(x, y));
        prop_assert_eq!(Dense::of(&both), either);
        let mut less = one.mask();
        less.and_not_assign(&two.mask()).unwrap();
        let only = Dense::from_fn(one.width, one.height, |x, y| one.at(x, y) && !two.at(x, y));
        prop_assert_eq!(Dense::of(&less), only);
    }
}

#[test]
fn sizes_are_checked() {
    for (width, height) in [(0, 5), (5, 0), (MAX_SIDE + 1, 1), (1, u32::MAX)] {
        assert_eq!(
            Mask::new(width, height),
            Err(MaskError::Size { width, height })
        );
    }
    let mut huge = Mask::new(MAX_SIDE, MAX_SIDE).unwrap();
    huge.set(MAX_SIDE - 1, MAX_SIDE - 1, true);
    huge.set(MAX_SIDE, 0, true);
    huge.set(u32::MAX, u32::MAX, true);
    assert!(!huge.get(u32::MAX, u32::MAX));
    assert_eq!(huge.count(), 1);
    assert_eq!(
        huge.columns().collect::<Vec<_>>(),
        [(MAX_SIDE - 1, MAX_SIDE - 1..MAX_SIDE)]
    );
    assert!(huge.bytes_used() < 10_000);
    let small = Mask::new(3, 4).unwrap();
    assert!(matches!(
        huge.or_assign(&small),
        Err(MaskError::SizeMismatch { .. })
    ));
    assert!(matches!(
        huge.and_not_assign(&small),
        Err(MaskError::SizeMismatch { .. })
    ));
}

#[test]
fn memory_follows_the_outline_of_what_is_filled() {
    let mut mask = Mask::new(100_000, 100_000).unwrap();
    let rect = Rect {
        x: 100,
        y: 100,
        width: 50_000,
        height: 50_000,
    };
    mask.fill_rect(rect, true);
    assert_eq!(mask.count(), 2_500_000_000);
    assert!(
        mask.bytes_used() < 10_000_000,
        "{} bytes",
        mask.bytes_used()
    );
    // A change to one tile must not show in the others that share its memory, nor in a clone.
    let copy = mask.clone();
    mask.set(30_000, 30_000, false);
    assert_eq!(mask.count(), 2_499_999_999);
    assert_eq!(copy.count(), 2_500_000_000);
    assert_ne!(mask, copy);
    mask.fill_rect(rect, false);
    assert!(mask.is_empty());
    assert_eq!(mask, Mask::new(100_000, 100_000).unwrap());
}

#[test]
fn smooth_shapes_take_little_after_compacting_and_noise_stays_bits() {
    let disc =
        |x: u32, y: u32| (x % 200).abs_diff(100).pow(2) + (y % 200).abs_diff(100).pow(2) < 80 * 80;
    let mut mask = Dense::from_fn(1024, 1024, disc).mask();
    let before = mask.bytes_used();
    mask.compact();
    assert!(
        mask.bytes_used() * 6 < before,
        "{} of {before} bytes",
        mask.bytes_used()
    );
    let mut noise = Dense::from_fn(1024, 1024, |x, y| (x + y) % 2 == 0).mask();
    let before = noise.bytes_used();
    noise.compact();
    assert_eq!(noise.bytes_used(), before);
    // A tile that is full pixel by pixel becomes the shared one.
    let mut full = Dense::from_fn(512, 512, |_, _| true).mask();
    full.compact();
    assert!(full.bytes_used() < 1000, "{} bytes", full.bytes_used());
    assert_eq!(full.count(), 512 * 512);
}

#[test]
fn buffers_are_checked() {
    let mut mask = Mask::new(100, 100).unwrap();
    let rect = Rect {
        x: 0,
        y: 0,
        width: 4,
        height: 3,
    };
    // The last row need not be padded.
    assert!(mask.set_block(rect, &[1; 14], 5).is_ok());
    assert!(matches!(
        mask.set_block(rect, &[1; 13], 5),
        Err(MaskError::Buffer { .. })
    ));
    assert!(matches!(
        mask.set_block(rect, &[1; 99], 3),
        Err(MaskError::Buffer { .. })
    ));
    assert!(matches!(
        mask.set_block(rect, &[1; 99], usize::MAX),
        Err(MaskError::Buffer { .. })
    ));
    assert!(matches!(
        mask.read_block(rect, 0, 1, &mut [0; 11], 4),
        Err(MaskError::Buffer { .. })
    ));
    assert!(matches!(
        mask.read_block(rect, 21, 1, &mut [0; 12], 4),
        Err(MaskError::Level { level: 21 })
    ));
    let outside = Rect {
        x: u32::MAX,
        y: u32::MAX,
        width: 4,
        height: 3,
    };
    assert!(mask.set_block(outside, &[1; 12], 4).is_ok());
    assert!(mask.read_block(outside, 0, 1, &mut [0; 12], 4).is_ok());
    assert!(mask.read_block(outside, 20, 1, &mut [0; 12], 4).is_ok());
    assert!(
        mask.set_block(
            Rect {
                width: 0,
                ..outside
            },
            &[],
            0
        )
        .is_ok()
    );
    assert_eq!(mask.count(), 12);
}
