//! The suite over real slides, where they are beside the checkout.

use std::path::{Path, PathBuf};

use ftuseg::slide::{OpenSlideReader, SlideReader};

use crate::conformance::{Picture, check, differences};
use crate::openslide_library::{has_openslide, open};

fn slides() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/slides");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no real slides at {}", folder.display());
    None
}

/// What is true of a slide.
struct Known {
    name: &'static str,
    compression: &'static str,
    levels: &'static [(u32, u32)],
    mpp: Option<f64>,
}

#[test]
fn real_aperio_slides_open_with_what_they_say() {
    let Some(folder) = slides() else { return };
    let all = [
        Known {
            name: "cmu-1-small-region.svs",
            compression: "JPEG",
            levels: &[(2220, 2967)],
            mpp: Some(0.499),
        },
        Known {
            name: "small.svs",
            compression: "JPEG",
            levels: &[(16, 16)],
            mpp: Some(0.499),
        },
        Known {
            name: "tcga-cr-7395-01a-01-ts1.svs",
            compression: "JPEG 2000",
            levels: &[(4443, 3567), (2221, 1783)],
            // It states none: no MPP, no resolution tags.
            mpp: None,
        },
    ];
    for known in all {
        let name = known.name;
        let path = folder.join(name);
        let open =
            || -> Box<dyn SlideReader> { open(&path).unwrap_or_else(|error| panic!("{error}")) };
        let slide = open();
        let info = slide.info();
        assert_eq!(info.format, "Aperio SVS", "{name}");
        assert_eq!(info.compression, known.compression, "{name}");
        let sizes: Vec<_> = info.levels.iter().map(|l| (l.width, l.height)).collect();
        assert_eq!(sizes, known.levels, "{name}");
        assert_eq!(info.resolution.map(|r| r.mpp), known.mpp, "{name}");
        check(name, &open);
    }
}

#[test]
fn real_broken_files_are_refused_by_name() {
    let Some(folder) = slides() else { return };
    for name in ["broken.svs", "unopenable.tiff"] {
        let path = folder.join(name);
        let Err(error) = open(&path) else {
            panic!("{name} opened");
        };
        assert!(error.to_string().contains(name), "{error}");
    }
    // This one opens, but its one tile is broken.
    let slide = open(&folder.join("unreadable.svs")).unwrap();
    let error = slide.read(0, 0, 0, 4, 4, &mut [0; 48]).unwrap_err();
    assert!(error.to_string().contains("unreadable.svs"), "{error}");
}

#[test]
fn real_dicom_slides_pass_the_suite() {
    let Some(folder) = slides() else { return };
    if !has_openslide() {
        return;
    }
    // The second box is the first one's thumbnail, of the same series: either names the slide.
    let all = [
        ("boxes_0.dcm", 16),
        ("boxes_1.dcm", 16),
        ("sm_image.dcm", 50),
        ("sm_image_dots.dcm", 50),
    ];
    for (name, side) in all {
        let path = folder.join(name);
        let slide = open(&path).unwrap_or_else(|e| panic!("{e}"));
        let info = slide.info();
        assert_eq!(info.format, "DICOM", "{name}");
        assert_eq!((info.width(), info.height()), (side, side), "{name}");
        assert_eq!(info.resolution.map(|r| r.mpp), Some(0.499), "{name}");
        check(name, &|| open(&path).unwrap());
    }
}

/// Real slides that both readers know have the same pixels, and the same size and um/px.
#[test]
fn both_readers_see_the_same_in_real_slides() {
    let Some(folder) = slides() else { return };
    if !has_openslide() {
        return;
    }
    for (name, most) in [
        ("cmu-1-small-region.svs", 5),
        ("tcga-cr-7395-01a-01-ts1.svs", 3),
    ] {
        let path = folder.join(name);
        let ours = open(&path).unwrap();
        let theirs = OpenSlideReader::open(&path, "Aperio SVS").unwrap();
        assert_eq!(ours.info().levels, theirs.info().levels, "{name}");
        assert_eq!(ours.info().format, theirs.info().format, "{name}");
        let mpp = |slide: &dyn SlideReader| slide.info().resolution.map(|r| r.mpp);
        assert_eq!(mpp(ours.as_ref()), mpp(&theirs), "{name}");
        check(name, &|| {
            Box::new(OpenSlideReader::open(&path, "Aperio SVS").unwrap())
        });
        let found = Picture::level(ours.as_ref(), 0).unwrap();
        let (worst, mean) = differences(name, &found, &Picture::level(&theirs, 0).unwrap());
        println!("{name}: samples differ by up to {worst}, {mean:.4} on average");
        assert!(worst <= most, "{name}: {worst}");
    }
}
