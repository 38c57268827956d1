//! What the suite of [`ftuseg::testing`] is held against, and pictures compared with an independent reader's.

use ftuseg::RgbSlide;
use ftuseg::slide::{SlideError, SlideInfo, SlideReader};
pub use ftuseg::testing::{Picture, Random};
use ftuseg::testing::{Violation, check_reader};

/// Runs the suite on a slide. `what` names it in messages.
pub fn check(what: &str, open: &dyn Fn() -> Box<dyn SlideReader>) {
    check_reader(what, || Ok(open())).unwrap_or_else(|broken| panic!("{broken}"));
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

/// A slide that breaks one rule.
struct Broken {
    slide: RgbSlide<'static>,
    info: SlideInfo,
    how: &'static str,
}

impl Broken {
    fn open(how: &'static str) -> Box<dyn SlideReader> {
        let px: Vec<u8> = (0..60 * 40 * 3).map(|i| (i % 251) as u8).collect();
        let slide = RgbSlide::new(60, 40, px, 0.5).unwrap();
        let mut info = slide.info().clone();
        match how {
            "no levels" => info.levels.clear(),
            "grows" => info.levels.push(info.levels[0]),
            "too large" => info.levels[0].width = u32::MAX,
            _ => {}
        }
        Box::new(Broken { slide, info, how })
    }
}

impl SlideReader for Broken {
    fn info(&self) -> &SlideInfo {
        &self.info
    }

    fn read(
        &self,
        level: usize,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), SlideError> {
        let is_outside = x < 0 || y < 0;
        match self.how {
            "black outside" if is_outside => out.fill(0),
            "refuses outside" if is_outside => {
                return Err(SlideError::usage("pixels in memory".as_ref(), "outside"));
            }
            "moved" if x > 0 => return self.slide.read(level, x - 1, y, width, height, out),
            "any level" => return self.slide.read(0, x, y, width, height, out),
            "any buffer" if out.len() != width as usize * height as usize * 3 => {}
            _ => return self.slide.read(level, x, y, width, height, out),
        }
        Ok(())
    }
}

#[test]
fn the_suite_finds_what_a_reader_does_wrong() {
    let rule = |how| {
        let found = check_reader("pixels in memory", || Ok(Broken::open(how)));
        found.err().map(|Violation { rule, .. }| rule)
    };
    assert_eq!(rule("nothing"), None);
    for (how, part) in [
        ("no levels", "there is a level"),
        ("grows", "levels shrink"),
        ("too large", "at most 2^20"),
        ("black outside", "white outside"),
        ("refuses outside", "every region is read"),
        ("moved", "cut of its level"),
        ("any level", "not there"),
        ("any buffer", "another length"),
    ] {
        let rule = rule(how).unwrap_or_else(|| panic!("{how} passed"));
        assert!(rule.contains(part), "{how}: {rule}");
    }
}
