//! The suite: what holds for every [`SlideReader`], whatever its format.

use ftuseg::slide::{SlideError, SlideReader};

/// RGB of a whole level, `[height, width, 3]`.
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Reads a whole level.
    pub fn level(slide: &dyn SlideReader, level: usize) -> Result<Self, SlideError> {
        let size = slide.info().levels[level];
        let mut rgb = vec![1; size.width as usize * size.height as usize * 3];
        slide.read(level, 0, 0, size.width, size.height, &mut rgb)?;
        Ok(Picture {
            width: size.width,
            height: size.height,
            rgb,
        })
    }

    /// Cuts a region out; what lies outside is white.
    fn cut(&self, region: Region) -> Vec<u8> {
        let mut out = Vec::new();
        for y in region.y..region.y + i64::from(region.height) {
            for x in region.x..region.x + i64::from(region.width) {
                let inside = (0..i64::from(self.width)).contains(&x)
                    && (0..i64::from(self.height)).contains(&y);
                if inside {
                    let at = (y * i64::from(self.width) + x) as usize * 3;
                    out.extend_from_slice(&self.rgb[at..at + 3]);
                } else {
                    out.extend_from_slice(&[255; 3]);
                }
            }
        }
        out
    }
}

#[derive(Debug, Clone, Copy)]
struct Region {
    x: i64,
    y: i64,
    width: u32,
    height: u32,
}

/// Numbers that look random and are the same in every run (Steele and others, 2014: SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Regions of a level: around its corners and edges, far outside, single px, and scattered ones.
fn regions(width: u32, height: u32, seed: u64) -> Vec<Region> {
    let (w, h) = (i64::from(width), i64::from(height));
    let region = |x, y, width, height| Region {
        x,
        y,
        width,
        height,
    };
    let mut all = vec![
        region(-7, -9, 20, 21),
        region(w - 8, h - 6, 19, 17),
        region(-5, h / 2, width.min(500) + 10, 3),
        region(w / 2, -5, 3, height.min(500) + 10),
        region(-40, -40, 30, 30),
        region(w + 3, 0, 5, 5),
        region(0, h, 4, 4),
        region(i64::MIN, i64::MAX, 4, 4),
        region(0, 0, 1, 1),
        region(w - 1, h - 1, 1, 1),
    ];
    let mut random = Random(seed);
    for _ in 0..30 {
        let x = random.below(u64::from(width) + 20) as i64 - 10;
        let y = random.below(u64::from(height) + 20) as i64 - 10;
        let size = |random: &mut Random| random.below(70) as u32 + 1;
        all.push(region(x, y, size(&mut random), size(&mut random)));
    }
    all
}

/// Runs the suite on a slide. `what` names it in messages.
pub fn check(what: &str, open: &dyn Fn() -> Box<dyn SlideReader>) {
    let slide = open();
    sizes(what, slide.as_ref());
    let levels: Vec<Picture> = (0..slide.info().levels.len())
        .map(|level| Picture::level(slide.as_ref(), level).unwrap_or_else(|e| panic!("{e}")))
        .collect();
    cuts(what, slide.as_ref(), &levels, 1);
    // A reader of its own, so that no thread finds its tiles decoded already.
    let fresh = open();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (fresh, levels) = (fresh.as_ref(), &levels);
            scope.spawn(move || cuts(what, fresh, levels, 10 + thread));
        }
    });
    refusals(what, slide.as_ref());
}

/// Levels shrink, and downsamples follow from their sizes.
fn sizes(what: &str, slide: &dyn SlideReader) {
    let info = slide.info();
    assert!(!info.levels.is_empty(), "{what}");
    assert_eq!(info.downsample(0), (1.0, 1.0), "{what}");
    for (number, level) in info.levels.iter().enumerate() {
        assert!(level.width > 0 && level.height > 0, "{what}");
        let (across, down) = info.downsample(number);
        let back = across * f64::from(level.width);
        assert!((back - f64::from(info.width())).abs() < 1e-6, "{what}");
        assert!((across / down - 1.0).abs() < 0.2, "{what}: level {number}");
    }
    for pair in info.levels.windows(2) {
        assert!(pair[1].width <= pair[0].width, "{what}");
        assert!(pair[1].height <= pair[0].height, "{what}");
        assert_ne!(pair[0], pair[1], "{what}");
    }
}

/// Every region equals the same region cut from the whole level.
fn cuts(what: &str, slide: &dyn SlideReader, levels: &[Picture], seed: u64) {
    for (level, whole) in levels.iter().enumerate() {
        for region in regions(whole.width, whole.height, seed + level as u64) {
            // Not white, so that px that are not written show.
            let mut out = vec![1; region.width as usize * region.height as usize * 3];
            slide
                .read(
                    level,
                    region.x,
                    region.y,
                    region.width,
                    region.height,
                    &mut out,
                )
                .unwrap_or_else(|e| panic!("{e}"));
            let expected = if region.x == i64::MIN {
                vec![255; out.len()]
            } else {
                whole.cut(region)
            };
            assert!(out == expected, "{what}: level {level}, {region:?}");
        }
    }
}

/// What does not exist is an error that names the file, not a panic.
fn refusals(what: &str, slide: &dyn SlideReader) {
    let beyond = slide.info().levels.len();
    let refused = |level, length: usize| {
        let error = slide.read(level, 0, 0, 2, 2, &mut vec![0; length]);
        let error = error.expect_err(what);
        assert_eq!(error.kind(), "usage", "{what}: {error}");
        assert!(error.to_string().contains(what), "{what}: {error}");
    };
    refused(beyond, 12);
    refused(0, 11);
    refused(0, 0);
}

/// Compares a level with an independent reader's: the largest difference of a sample, and the mean one.
pub fn differences(what: &str, found: &Picture, expected: &Picture) -> (u8, f64) {
    let size = |picture: &Picture| (picture.width, picture.height);
    assert_eq!(size(found), size(expected), "{what}");
    let each = found.rgb.iter().zip(&expected.rgb);
    let each = each.map(|(a, b)| a.abs_diff(*b));
    let worst = each.clone().max().unwrap();
    let sum: f64 = each.map(f64::from).sum();
    (worst, sum / found.rgb.len() as f64)
}
