//! The suite over the drawn slides, beside the pixels that are in them.
//!
//! `tests/fixtures/slides/make_slides.py` makes those for our own readers, `foreign/make_foreign.py` those in vendors'
//! formats, `zarr/make_zarr.py` those in folders, each with its `expected.csv`.

use std::path::PathBuf;

use ftuseg::slide::{OpenSlideReader, SlideReader};

use crate::conformance::{Picture, check, differences};
use crate::openslide_library::{has_openslide, open};

/// A line of `expected.csv`.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Expected {
    /// Path of the slide in the folder.
    pub file: String,
    /// The format's name.
    pub format: String,
    /// The compression's name.
    pub compression: String,
    levels: usize,
    /// The most that a sample may differ from the independent reader's; 0 for what is lossless.
    pub worst: u8,
    /// The most that samples may differ on average.
    pub mean: f64,
    /// um/px that the file states believably; empty where none.
    mpp: Option<f64>,
    /// Where it states that.
    source: String,
    /// The part that was scanned, as `x y width height`; empty where all was.
    #[serde(default)]
    bounds: String,
    /// The folder of the file.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl Expected {
    fn open(&self) -> Box<dyn SlideReader> {
        open(&self.path()).unwrap_or_else(|e| panic!("{e}"))
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.file)
    }

    /// The pixels of a level.
    fn picture(&self, level: usize) -> Picture {
        let stem = self.file.rsplit_once('.').unwrap().0.replace('/', "-");
        let png = image::open(self.folder.join(format!("{stem}.{level}.png"))).unwrap();
        let png = png.into_rgb8();
        Picture {
            width: png.width(),
            height: png.height(),
            rgb: png.into_raw(),
        }
    }

    /// The file's name, without folders.
    fn name(&self) -> &str {
        self.file.rsplit('/').next().unwrap()
    }
}

/// The folder of the drawn slides.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slides")
}

fn table(folder: PathBuf) -> Vec<Expected> {
    let mut table = csv::Reader::from_path(folder.join("expected.csv")).unwrap();
    let rows = table.deserialize().map(|row| Expected {
        folder: folder.clone(),
        ..row.unwrap()
    });
    rows.collect()
}

/// The slides that our own readers read.
pub fn native() -> Vec<Expected> {
    let mut all = table(folder());
    all.extend(table(folder().join("zarr")));
    all
}

/// The slides that only OpenSlide reads; none where it is not here.
pub fn foreign() -> Vec<Expected> {
    if has_openslide() {
        table(folder().join("foreign"))
    } else {
        Vec::new()
    }
}

fn all() -> Vec<Expected> {
    native().into_iter().chain(foreign()).collect()
}

#[test]
fn every_format_passes_the_suite() {
    for row in all() {
        check(row.name(), &|| row.open());
    }
}

#[test]
fn every_format_has_the_pixels_of_an_independent_reader() {
    let mut wrong = Vec::new();
    for row in all() {
        let slide = row.open();
        assert_eq!(slide.info().levels.len(), row.levels, "{}", row.file);
        wrong.extend(compare(&row, slide.as_ref(), row.levels));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Compares the first levels with what is expected; gives a line for each that differs by more than it may.
fn compare(row: &Expected, slide: &dyn SlideReader, levels: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    for level in 0..levels {
        let found = Picture::level(slide, level).unwrap();
        let what = format!("{} by {}, level {level}", row.file, slide.info().reader);
        let (worst, mean) = differences(&what, &found, &row.picture(level));
        let line = format!("{what}: samples differ by up to {worst}, {mean:.3} on average");
        println!("{line}");
        if worst > row.worst || mean > row.mean {
            wrong.push(line);
        }
    }
    wrong
}

#[test]
fn what_a_slide_says_of_itself_is_reported() {
    for row in all() {
        let slide = row.open();
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
        let bounds = info
            .bounds
            .map(|b| format!("{} {} {} {}", b.x, b.y, b.width, b.height));
        assert_eq!(bounds.unwrap_or_default(), row.bounds, "{}", row.file);
    }
}

#[test]
fn what_our_own_readers_read_they_do() {
    for row in native() {
        assert_eq!(row.open().info().reader, "ftuseg", "{}", row.file);
    }
    for row in foreign() {
        let reader = row.open().info().reader.clone();
        assert!(reader.starts_with("OpenSlide 4"), "{}: {reader}", row.file);
    }
}

/// What OpenSlide 4.0 shows with other px than the file has. So it is given no TIFF with other samples than bytes.
const ODD: [&str; 1] = ["grey-16-bit.tif"];

/// The drawn TIFFs that OpenSlide opens too have the same pixels by both readers.
#[test]
fn both_readers_see_the_same() {
    if !has_openslide() {
        return;
    }
    let mut wrong = Vec::new();
    let mut compared = 0;
    for row in native() {
        let Ok(slide) = OpenSlideReader::open(&row.path(), "TIFF") else {
            continue;
        };
        // It follows no SubIFDs.
        let levels = slide.info().levels.len();
        assert!(
            levels == row.levels || row.format == "OME-TIFF",
            "{}",
            row.file
        );
        check(row.name(), &|| {
            Box::new(OpenSlideReader::open(&row.path(), "TIFF").unwrap())
        });
        wrong.extend(compare(&row, &slide, levels));
        compared += 1;
    }
    println!("{compared} slides by both readers");
    wrong.retain(|line| !ODD.iter().any(|file| line.starts_with(file)));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared > 15, "{compared}");
}
