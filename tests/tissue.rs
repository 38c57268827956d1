//! Tissue on drawn slides as they come: pale, dark, with pen marks and black borders, and with nothing on them.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use ftuseg::slide::{Tissue, TissueMode};
use support::{MemorySlide, hash};

const SIDE: u32 = 600;

/// Noise as a camera has it.
fn noisy(colour: [u8; 3], x: u32, y: u32) -> [u8; 3] {
    let noise = (hash(x, y) % 7) as i32 - 3;
    colour.map(|v| (i32::from(v) + noise).clamp(0, 255) as u8)
}

fn inside(x: u32, y: u32, (cx, cy): (u32, u32), radius: u32) -> bool {
    x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) < radius * radius
}

fn find(colour: impl Fn(u32, u32) -> [u8; 3]) -> Tissue {
    let slide = MemorySlide::new(SIDE, SIDE, |x, y| noisy(colour(x, y), x, y));
    Tissue::find(&slide, TissueMode::Auto).unwrap()
}

/// The share of a disc in the middle of a slide of `glass`.
fn disc(glass: [u8; 3], tissue: [u8; 3]) -> f64 {
    find(|x, y| {
        if inside(x, y, (300, 300), 150) {
            tissue
        } else {
            glass
        }
    })
    .share()
}

/// The disc's own share.
const DISC: f64 = 150.0 * 150.0 * std::f64::consts::PI / (SIDE * SIDE) as f64;

#[test]
fn pale_and_dark_tissue_is_found_on_any_glass() {
    let glasses = [
        [248, 248, 248],
        [238, 236, 240],
        [228, 222, 210],
        [212, 214, 216],
    ];
    let stains = [
        [215, 190, 210],
        [222, 200, 200],
        [90, 50, 110],
        [60, 35, 90],
        [120, 80, 60],
        [150, 160, 190],
    ];
    for glass in glasses {
        for tissue in stains {
            let share = disc(glass, tissue);
            // It grows by two px all around.
            assert!(
                (DISC..DISC * 1.06).contains(&share),
                "{tissue:?} on {glass:?}: {share}"
            );
        }
    }
}

#[test]
fn an_empty_slide_has_no_tissue() {
    for glass in [[255; 3], [245, 244, 246], [230, 226, 215], [205; 3]] {
        assert_eq!(find(|_, _| glass).share(), 0.0, "{glass:?}");
    }
    // Uneven light is no tissue, and neither is dust.
    let shaded = find(|x, y| {
        [
            244 - (x / 40) as u8,
            244 - (y / 40) as u8 / 2 - (x / 40) as u8 / 2,
            243 - (x / 40) as u8,
        ]
    });
    assert_eq!(shaded.share(), 0.0);
    let dust = find(|x, y| {
        if hash(x / 2, y / 2).is_multiple_of(4000) {
            [120; 3]
        } else {
            [244; 3]
        }
    });
    assert!(dust.share() < 0.01, "{}", dust.share());
    // Nothing was scanned at all.
    assert_eq!(find(|_, _| [0; 3]).share(), 0.0);
}

#[test]
fn pen_marks_are_left_out_and_the_tissue_beside_them_is_kept() {
    let pens = [[25, 60, 185], [35, 150, 75], [225, 25, 35], [30, 30, 34]];
    for pen in pens {
        // A ring of ink around the tissue, with a rim where ink and glass mix.
        let tissue = find(|x, y| {
            if inside(x, y, (300, 300), 150) {
                [180, 110, 160]
            } else if inside(x, y, (300, 300), 240) && !inside(x, y, (300, 300), 215) {
                pen
            } else if inside(x, y, (300, 300), 241) && !inside(x, y, (300, 300), 214) {
                std::array::from_fn(|c| ((u32::from(pen[c]) + 244) / 2) as u8)
            } else {
                [244; 3]
            }
        });
        let share = tissue.share();
        assert!(
            (DISC..DISC * 1.08).contains(&share),
            "{pen:?}: {share} instead of {DISC}"
        );
    }
}

#[test]
fn black_borders_are_left_out() {
    let tissue = find(|x, y| {
        let edge = x.min(y).min(SIDE - 1 - x).min(SIDE - 1 - y);
        match edge {
            0..30 => [0; 3],
            30 => [120; 3],
            _ if inside(x, y, (300, 300), 150) => [180, 110, 160],
            _ => [244; 3],
        }
    });
    let share = tissue.share();
    assert!((DISC..DISC * 1.06).contains(&share), "{share}");
}

#[test]
fn switched_off_everything_is_tissue() {
    let slide = MemorySlide::new(50, 40, |_, _| [255; 3]);
    assert_eq!(Tissue::find(&slide, TissueMode::Off).unwrap().share(), 1.0);
}
