//! Tissue on drawn slides as they come: pale, dark, with pen marks and black borders, and with nothing on them.

use crate::support::{MemorySlide, hash};
use ftuseg::slide::{Tissue, TissueMode};

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
fn tissue_that_is_hardly_darker_than_the_glass_is_found() {
    let glasses = [
        [238, 238, 240],
        [223, 215, 193],
        [248; 3],
        [205; 3],
        [208, 198, 172],
    ];
    // Pale eosin, weaker and stronger; haematoxylin; unstained.
    let less = [
        [4, 12, 7],
        [7, 20, 12],
        [10, 28, 16],
        [12, 35, 20],
        [14, 12, 4],
        [18; 3],
    ];
    for glass in glasses {
        for [r, g, b] in less {
            let share = disc(glass, [glass[0] - r, glass[1] - g, glass[2] - b]);
            assert!(
                (DISC * 0.97..DISC * 1.06).contains(&share),
                "{:?} on {glass:?}: {share}",
                [r, g, b]
            );
        }
    }
    // Beside tissue that is well stained too.
    let both = find(|x, y| {
        if inside(x, y, (150, 300), 100) {
            [160, 90, 150]
        } else if inside(x, y, (450, 300), 100) {
            [231, 219, 229]
        } else {
            [238, 238, 240]
        }
    });
    let share = both.share() / DISC * (150.0 * 150.0) / (2.0 * 100.0 * 100.0);
    assert!((0.97..1.1).contains(&share), "{share}");
}

#[test]
fn a_slide_with_something_on_it_and_no_tissue_is_doubted() {
    let blank = find(|_, _| [240; 3]);
    assert!(blank.is_blank() && blank.warning().is_none());
    // A pen mark, and nothing scanned at all.
    let pen = find(|x, y| {
        if inside(x, y, (300, 300), 50) {
            [25, 60, 185]
        } else {
            [240; 3]
        }
    });
    for doubtful in [pen, find(|_, _| [0; 3])] {
        assert_eq!(doubtful.share(), 0.0);
        assert!(doubtful.warning().is_some());
    }
    assert!(find(|_, _| [180, 110, 160]).warning().is_none());
}

#[test]
fn an_empty_slide_has_no_tissue() {
    // Glass in steps, as of two lights or the edge of a cover slip; and in light that falls off to the corners.
    for step in [3, 6, 10] {
        let seams = find(|x, y| [240 - step * ((x / 100 + y / 100) % 2) as u8; 3]);
        assert_eq!(seams.share(), 0.0, "{step}");
    }
    for fall in [10.0, 20.0, 30.0] {
        let vignette = find(|x, y| {
            let (x, y) = (f64::from(x) / 300.0 - 1.0, f64::from(y) / 300.0 - 1.0);
            let lost = fall * (x * x + y * y) / 2.0;
            [243.0 - lost, 240.0 - lost, 232.0 - lost].map(|v| v as u8)
        });
        assert_eq!(vignette.share(), 0.0, "{fall}");
    }
    assert_eq!(find(|_, _| [208, 198, 172]).share(), 0.0);
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

/// Real cases, where they are beside the checkout: a disc of 28.3 % in pale eosin.
#[test]
fn field_cases_of_pale_tissue_are_found() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data/field_cases/31-tissue");
    if !folder.is_dir() {
        return println!("skipped: no field cases at {}", folder.display());
    }
    for name in ["pale-clear-glass", "tma-yellow-glass", "stronger-control"] {
        let slide = ftuseg::slide::open(&folder.join(format!("{name}.tif"))).unwrap();
        let share = Tissue::find(slide.as_ref(), TissueMode::Auto)
            .unwrap()
            .share();
        println!("{name}: {share}");
        assert!((0.27..0.30).contains(&share), "{name}: {share}");
    }
}
