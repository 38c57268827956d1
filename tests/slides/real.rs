//! The suite over real slides, where they are beside the checkout.

use std::path::{Path, PathBuf};

use ftuseg::slide::{self, SlideReader};

use crate::conformance::check;

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
        let open = || -> Box<dyn SlideReader> {
            slide::open(&path).unwrap_or_else(|error| panic!("{error}"))
        };
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
    for name in ["broken.svs", "unopenable.tiff", "boxes_0.dcm"] {
        let path = folder.join(name);
        let Err(error) = slide::open(&path) else {
            panic!("{name} opened");
        };
        assert!(error.to_string().contains(name), "{error}");
    }
}
