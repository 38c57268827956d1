use proptest::prelude::*;

use super::super::rle::{RleError, decode, encode, encode_to, write_to};
use super::super::{Mask, Rect};
use super::{Dense, dense, naive_rle};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn both_ways_match_the_plain_codec(picture in dense()) {
        let mask = picture.mask();
        let text = naive_rle(&picture);
        prop_assert_eq!(&encode(&mask), &text);
        prop_assert_eq!(decode(&text, picture.width, picture.height).unwrap(), mask);
    }

    #[test]
    fn any_text_gives_a_mask_or_an_error(text in "[0-9 x-]{0,40}", width in 1u32..400, height in 1u32..400) {
        if let Ok(mask) = decode(&text, width, height) {
            prop_assert_eq!(decode(&encode(&mask), width, height).unwrap(), mask);
        }
    }

    #[test]
    fn any_sorted_runs_are_taken(lengths in prop::collection::vec((1u64..2000, 1u64..2000), 0..20)) {
        // Long runs over whole columns, which the decoder sets in another way.
        let (width, height) = (300, 70);
        let mut flat = vec![false; (width * height) as usize];
        let mut words = Vec::new();
        let mut place = 0;
        for (gap, length) in lengths {
            let (start, end) = (place + gap, place + gap + length);
            if end <= flat.len() as u64 {
                flat[start as usize..end as usize].fill(true);
                words.push(format!("{} {length}", start + 1));
                place = end;
            }
        }
        let mask = decode(&words.join(" "), width, height).unwrap();
        let want = Dense::from_fn(width, height, |x, y| flat[(x * height + y) as usize]);
        prop_assert_eq!(Dense::of(&mask), want);
    }
}

#[test]
fn simple_masks_have_the_known_texts() {
    let mut mask = Mask::new(3, 2).unwrap();
    assert_eq!(encode(&mask), "");
    assert_eq!(decode("", 3, 2).unwrap(), mask);
    assert_eq!(decode(" \n", 3, 2).unwrap(), mask);
    mask.set(1, 0, true);
    assert_eq!(encode(&mask), "3 1");
    // The bottom of the second column and the top of the third are one run.
    mask.set(1, 0, false);
    mask.set(1, 1, true);
    mask.set(2, 0, true);
    assert_eq!(encode(&mask), "4 2");
    mask.fill_rect(
        Rect {
            x: 0,
            y: 0,
            width: 3,
            height: 2,
        },
        true,
    );
    assert_eq!(encode(&mask), "1 6");
    assert_eq!(decode(" 1 6\n", 3, 2).unwrap(), mask);
    // Runs that touch say the same.
    assert_eq!(decode("1\t2 3 4", 3, 2).unwrap(), mask);
}

#[test]
fn all_writers_write_the_same() {
    let mask = Dense::from_fn(70, 70, |x, y| x * y % 7 == 3).mask();
    let (mut text, mut bytes) = (String::new(), Vec::new());
    encode_to(&mask, &mut text).unwrap();
    write_to(&mask, &mut bytes).unwrap();
    assert_eq!(text, encode(&mask));
    assert_eq!(bytes, text.as_bytes());
}

#[test]
fn a_full_sink_ends_the_writing() {
    let mask = Dense::from_fn(70, 70, |x, y| x * y % 7 == 3).mask();
    let mut room = [0; 50];
    assert!(write_to(&mask, &mut room.as_mut_slice()).is_err());
}

#[test]
fn each_fault_has_its_error_and_place() {
    let fault = |text: &str| decode(text, 10, 10).unwrap_err();
    let token = |position, token: &str| RleError::NotANumber {
        position,
        token: token.into(),
    };
    assert_eq!(fault("1 2 x3 4"), token(3, "x3"));
    assert_eq!(fault("1 2é 3 4"), token(2, "2é"));
    assert_eq!(fault("-1 2"), token(1, "-1"));
    assert_eq!(fault("+1 2"), token(1, "+1"));
    assert_eq!(fault("1.0 2"), token(1, "1.0"));
    assert_eq!(fault("1 2 5"), RleError::OddCount { count: 3 });
    assert_eq!(fault("0 2"), RleError::ZeroStart { position: 1 });
    assert_eq!(fault("1 2 5 0"), RleError::ZeroLength { position: 4 });
    assert_eq!(fault("5 2 1 2"), RleError::Unsorted { position: 3 });
    assert_eq!(fault("5 2 6 2"), RleError::Overlap { position: 3 });
    assert_eq!(fault("5 2 5 2"), RleError::Overlap { position: 3 });
    let past = |position| RleError::PastEnd {
        position,
        pixels: 100,
    };
    assert_eq!(fault("1 2 100 2"), past(3));
    assert_eq!(fault("101 1"), past(1));
    assert_eq!(fault("1 18446744073709551615"), past(1));
    assert_eq!(fault("99999999999999999999999 1"), past(1));
    assert!(decode("100 1", 10, 10).is_ok());
    assert!(matches!(decode("", 0, 10), Err(RleError::Mask(_))));
}

#[test]
fn a_short_text_cannot_claim_much_memory() {
    let side = 1 << 17;
    let text = format!("2 {}", (1u64 << 34) - 2);
    let mask = decode(&text, side, side).unwrap();
    assert_eq!(mask.count(), (1 << 34) - 2);
    // One strip of tiles is not whole; all others share one tile.
    assert!(
        mask.bytes_used() < 40_000_000,
        "{} bytes",
        mask.bytes_used()
    );
}

#[test]
fn a_mask_of_two_thousand_million_px_comes_back() {
    // Found by fuzzing, where the sanitizer made half a minute of it.
    let text = "2 1739963231";
    let mask = decode(text, 15_104, 993_280).unwrap();
    assert_eq!(mask.count(), 1_739_963_231);
    assert_eq!(encode(&mask), text);
}
