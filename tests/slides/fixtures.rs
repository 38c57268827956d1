//! The suite over the drawn slides, which `tests/fixtures/slides/make_slides.py` makes with their expected pixels.

use std::path::PathBuf;

use ftuseg::slide::{self, SlideReader};

use crate::conformance::{Picture, check, differences};

/// A line of `expected.csv`.
#[derive(Debug, serde::Deserialize)]
struct Expected {
    file: String,
    format: String,
    compression: String,
    levels: usize,
    /// The most that a sample may differ from the independent reader's; 0 for what is lossless.
    worst: u8,
    /// The most that samples may differ on average.
    mean: f64,
    /// um/px that the file states believably; empty where none.
    mpp: Option<f64>,
    /// Where it states that.
    source: String,
}

/// The folder of the drawn slides.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slides")
}

fn expected() -> Vec<Expected> {
    let mut table = csv::Reader::from_path(folder().join("expected.csv")).unwrap();
    table.deserialize().map(|row| row.unwrap()).collect()
}

fn open(file: &str) -> Box<dyn SlideReader> {
    slide::open(&folder().join(file)).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_format_passes_the_suite() {
    for row in expected() {
        check(&row.file, &|| open(&row.file));
    }
}

#[test]
fn every_format_has_the_pixels_of_an_independent_reader() {
    let mut wrong = Vec::new();
    for row in expected() {
        let slide = open(&row.file);
        assert_eq!(slide.info().levels.len(), row.levels, "{}", row.file);
        let stem = row.file.rsplit_once('.').unwrap().0;
        for level in 0..row.levels {
            let found = Picture::level(slide.as_ref(), level).unwrap();
            let png = image::open(folder().join(format!("{stem}.{level}.png"))).unwrap();
            let png = png.into_rgb8();
            let wanted = Picture {
                width: png.width(),
                height: png.height(),
                rgb: png.into_raw(),
            };
            let what = format!("{}, level {level}", row.file);
            let (worst, mean) = differences(&what, &found, &wanted);
            let line = format!("{what}: samples differ by up to {worst}, {mean:.3} on average");
            println!("{line}");
            if worst > row.worst || mean > row.mean {
                wrong.push(line);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_a_slide_says_of_itself_is_reported() {
    for row in expected() {
        let slide = open(&row.file);
        let info = slide.info();
        assert_eq!(info.format, row.format, "{}", row.file);
        assert_eq!(info.compression, row.compression, "{}", row.file);
        match (row.mpp, info.resolution) {
            (Some(mpp), Some(found)) => {
                assert!((found.mpp - mpp).abs() < 1e-9, "{}: {found:?}", row.file);
                assert_eq!(found.source.to_string(), row.source, "{}", row.file);
            }
            (None, None) => {}
            (wanted, found) => panic!("{}: {found:?} instead of {wanted:?}", row.file),
        }
    }
}
