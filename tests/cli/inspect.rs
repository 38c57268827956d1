//! `ftuseg inspect` prints what is true of a slide.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the command, which may fetch nothing; returns its exit code, standard output and errors.
fn inspect(slide: &Path) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ftuseg"))
        .arg("inspect")
        .arg(slide)
        .env("FTUSEG_OFFLINE", "1")
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// The value behind a word at the start of a line.
fn value(text: &str, word: &str) -> Option<String> {
    let line = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(word))?;
    Some(line.trim().to_owned())
}

fn drawn(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/slides")
        .join(name)
}

#[test]
fn a_resolution_that_is_not_used_is_shown_with_the_reason() {
    let (code, text, _) = inspect(&drawn("bigtiff-big-endian.tif"));
    assert_eq!(code, 0);
    assert_eq!(
        value(&text, "um/px").unwrap(),
        "not stated; set it with --mpp X"
    );
    assert_eq!(
        value(&text, "not used").unwrap(),
        "72 px per inch of the TIFF resolution tags: it is a default for screens or printers, not a calibration"
    );
    let (_, text, _) = inspect(&drawn("aperio-jpeg-rgb.tif"));
    assert_eq!(
        value(&text, "um/px").unwrap(),
        "0.499 (from the Aperio description)"
    );
    assert_eq!(value(&text, "reader").unwrap(), "ftuseg");
    assert!(value(&text, "tissue").unwrap().ends_with('%'), "{text}");
}

#[test]
fn a_vendors_slide_is_shown_or_says_what_to_do() {
    let (code, text, error) = inspect(&drawn("foreign/mirax.mrxs"));
    if code == 0 {
        assert_eq!(value(&text, "format").unwrap(), "MIRAX");
        assert_eq!(value(&text, "scanned").unwrap(), "96 x 64 px at 32, 32");
        assert!(
            value(&text, "reader").unwrap().starts_with("OpenSlide 4"),
            "{text}"
        );
    } else {
        println!("skipped: {error}");
        assert!(
            std::env::var_os("FTUSEG_REQUIRE_OPENSLIDE").is_none(),
            "{error}"
        );
        assert!(error.contains("pip install openslide-bin"), "{error}");
    }
}

#[test]
fn a_picture_shows_the_tissue_that_was_found() {
    let work = tempfile::tempdir().unwrap();
    let picture = work.path().join("look.png");
    let run = |slides: &[PathBuf]| {
        Command::new(env!("CARGO_BIN_EXE_ftuseg"))
            .arg("inspect")
            .args(slides)
            .arg("--picture")
            .arg(&picture)
            .output()
            .unwrap()
    };
    let slide = work.path().join("slide.png");
    let drawn = image::RgbImage::from_fn(120, 90, |x, _| {
        image::Rgb(if (40..80).contains(&x) {
            [170, 90, 150]
        } else {
            [240; 3]
        })
    });
    drawn.save(&slide).unwrap();
    // One slide only.
    let two = run(&[slide.clone(), slide.clone()]);
    assert_eq!(two.status.code(), Some(2));
    assert!(!picture.exists());
    let one = run(&[slide]);
    assert_eq!(one.status.code(), Some(0), "{one:?}");
    let shown = image::open(&picture).unwrap().into_rgb8();
    assert_eq!(shown.dimensions(), (120, 90));
    assert_eq!(shown.get_pixel(60, 45).0, [170, 90, 150]);
    assert_eq!(shown.get_pixel(10, 45).0, [240; 3]);
    let outline = shown.pixels().filter(|p| p.0 == [255, 230, 0]).count();
    assert_eq!(outline, 2 * 90);
    // Written whole: nothing else lies there.
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 2);
}

#[test]
fn every_real_file_is_told_truly() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/slides");
    if !folder.is_dir() {
        return println!("skipped: no real slides at {}", folder.display());
    }
    // Name, format, size, um/px, and for some a resolution that is not used.
    let known = [
        (
            "boxes-no-icc.png",
            "PNG",
            "300 x 250 px",
            "not stated",
            None,
        ),
        ("boxes.png", "PNG", "300 x 250 px", "not stated", None),
        (
            "boxes.tiff",
            "TIFF",
            "300 x 250 px",
            "not stated",
            Some("28.3465 px per centimetre of the TIFF resolution tags"),
        ),
        (
            "cmu-1-small-region.svs",
            "Aperio SVS",
            "2220 x 2967 px",
            "0.499",
            None,
        ),
        ("small.svs", "Aperio SVS", "16 x 16 px", "0.499", None),
        (
            "tcga-cr-7395-01a-01-ts1.svs",
            "Aperio SVS",
            "4443 x 3567 px",
            "not stated",
            None,
        ),
        ("\u{1f610}.png", "PNG", "300 x 250 px", "not stated", None),
        ("\u{1f610}.svs", "Aperio SVS", "16 x 16 px", "0.499", None),
    ];
    for (name, format, size, mpp, not_used) in known {
        let (code, text, error) = inspect(&folder.join(name));
        assert_eq!(code, 0, "{name}: {error}");
        assert_eq!(value(&text, "format").as_deref(), Some(format), "{name}");
        assert_eq!(value(&text, "size").as_deref(), Some(size), "{name}");
        assert!(
            value(&text, "um/px").unwrap().starts_with(mpp),
            "{name}: {text}"
        );
        let found = value(&text, "not used");
        assert_eq!(found.is_some(), not_used.is_some(), "{name}: {text}");
        assert!(
            found
                .unwrap_or_default()
                .starts_with(not_used.unwrap_or("")),
            "{name}: {text}"
        );
    }
    for name in ["broken.svs", "unopenable.tiff", "unreadable.svs"] {
        let (code, _, error) = inspect(&folder.join(name));
        assert_eq!(code, 1, "{name}");
        assert!(error.contains(name), "{error}");
    }
    let (code, text, error) = inspect(&folder.join("sm_image.dcm"));
    if code == 0 {
        assert_eq!(value(&text, "format").as_deref(), Some("DICOM"));
        assert_eq!(
            value(&text, "um/px").as_deref(),
            Some("0.499 (from the OpenSlide properties)")
        );
    } else {
        println!("skipped: {error}");
    }
}
