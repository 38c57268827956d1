//! `segmentation.dcm`: the px of the mask in the coordinates of the slide, in the slide's own series where that is DICOM, and
//! with the same bytes however it came about.

use std::path::Path;
use std::process::Command;

use super::assert_failed;
use super::util::*;

const FILE: &str = "segmentation.dcm";

/// Whether bytes hold others.
fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn the_same_bytes_fresh_added_and_with_any_number_of_threads() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("big.tif", (1201, 799), Some(MPP), |x, y| {
        two_organs(x, y, 4)
    });
    let run = |out: &str, list: &str| dir.segment(["big.tif"], out).args(["--write", list]);
    run("fresh", "mask,dicom-seg").ends_with(0);
    let fresh = dir.read(format!("fresh/slides/big/{FILE}"));
    assert_eq!(&fresh[128..132], b"DICM");
    run("one", "mask,dicom-seg")
        .args(["--threads", "1"])
        .ends_with(0);
    assert!(dir.read(format!("one/slides/big/{FILE}")) == fresh);
    // Added to a finished run, from its mask and from its RLE.
    for before in ["mask", "rle"] {
        run(before, before).ends_with(0);
        run(before, "dicom-seg")
            .args(["--verbose"])
            .ends_with(0)
            .says(&["without running the models again"]);
        assert!(
            dir.read(format!("{before}/slides/big/{FILE}")) == fresh,
            "{before}"
        );
    }
    // A file that is gone is made again, and one that was not asked for is not written.
    std::fs::remove_file(dir.join(format!("mask/slides/big/{FILE}"))).unwrap();
    run("mask", "dicom-seg").ends_with(0);
    assert!(dir.read(format!("mask/slides/big/{FILE}")) == fresh);
    run("all", "all").ends_with(0);
    assert!(!dir.join(format!("all/slides/big/{FILE}")).exists());
    // Other px are another instance of the same study.
    let uids = |bytes: &[u8]| {
        let element = |tag: &[u8; 4]| {
            let at = bytes
                .windows(6)
                .position(|w| w[..4] == *tag && w[4..] == *b"UI")
                .unwrap();
            let length = usize::from(u16::from_le_bytes([bytes[at + 6], bytes[at + 7]]));
            bytes[at + 8..at + 8 + length].to_vec()
        };
        (element(b"\x08\0\x18\0"), element(b"\x20\0\x0d\0"))
    };
    run("kidney", "dicom-seg")
        .args(["--route", "organ=kidney"])
        .ends_with(0);
    let other = dir.read(format!("kidney/slides/big/{FILE}"));
    assert_ne!(uids(&other).0, uids(&fresh).0);
    assert_eq!(uids(&other).1, uids(&fresh).1);
}

#[test]
fn it_grows_with_the_objects_and_not_with_the_slide() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    let square = |x: u32, y: u32| (100..140).contains(&x) && (100..140).contains(&y);
    for (name, size) in [("small.tif", (600, 600)), ("large.tif", (6000, 4000))] {
        dir.slide(name, size, Some(MPP), |x, y| match (x, y) {
            _ if square(x, y) => KIDNEY_FTU,
            (0..600, 0..600) => KIDNEY,
            _ => VOID,
        });
        dir.segment([name], "out")
            .args(["--route", "organ=kidney", "--write", "dicom-seg"])
            .ends_with(0);
    }
    let size = |id: &str| dir.read(format!("out/slides/{id}/{FILE}")).len();
    let (small, large) = (size("small"), size("large"));
    assert!(
        small < 64 << 10 && large.abs_diff(small) < 200,
        "{small} and {large}"
    );
}

#[test]
fn without_um_per_px_it_is_refused() {
    let dir = Dir::new();
    // A model that works without them.
    let kidney = organ_model("kidney", "red.onnx");
    let whole = kidney.replace("mpp = 2.0", "fit = \"whole\"");
    dir.bundle("bundle", &full_bundle().replace(&kidney, &whole));
    dir.slide("bare.tif", (300, 200), None, |x, y| two_organs(x, y, 1));
    let run = |out: &str, list: &str| {
        dir.segment(["bare.tif"], out)
            .args(["--route", "organ=kidney", "--write", list])
    };
    run("mask", "mask").ends_with(0);
    let outcome = run("out", "rle,mask,dicom-seg").ends_with(1);
    let first = outcome.stderr.lines().next().unwrap_or_default();
    for word in [
        "warning: bare does not state its um/px, so it will fail",
        "dicom-seg states the size of a px",
        "--mpp X",
        "or leave dicom-seg out",
    ] {
        assert!(first.contains(word), "{}", outcome.stderr);
    }
    // A failure of the kind "output" would mean that the networks ran first.
    let words = ["bare.tif", "a DICOM segmentation", "um/px"];
    assert_failed(&dir, "out", "bare", "no-resolution", &words);
    assert!(!dir.join("out/slides/bare").exists());
    run("given", "mask,dicom-seg")
        .args(["--mpp", "2"])
        .ends_with(0);
    assert!(dir.join(format!("given/slides/bare/{FILE}")).is_file());
}

/// Reads it with the libraries that people use; how many segments and frames they find.
fn read(python: &std::ffi::OsStr, folder: &Path, source: Option<&Path>) -> (usize, usize) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop/read_dicom_seg.py");
    let read = Command::new(python)
        .arg(script)
        .arg(folder)
        .args(source)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{}: {said}", folder.display());
    let text = String::from_utf8(read.stdout).unwrap();
    let (segments, frames) = text.trim().split_once(' ').unwrap();
    (segments.parse().unwrap(), frames.parse().unwrap())
}

fn python() -> Option<std::ffi::OsString> {
    let python = std::env::var_os("FTUSEG_INTEROP_PYTHON");
    if python.is_none() {
        println!("skipped: FTUSEG_INTEROP_PYTHON names no Python with highdicom and pydicom");
    }
    python
}

/// `tests/interop/read_dicom_seg.py` in the Python that `FTUSEG_INTEROP_PYTHON` names (test.sh makes it).
#[test]
fn the_libraries_of_others_read_the_px_of_the_mask() {
    let Some(python) = python() else { return };
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("big.tif", (1201, 799), Some(MPP), |x, y| {
        two_organs(x, y, 4)
    });
    dir.slide("gläs.tif", (700, 500), Some(MPP), |_, _| [244; 3]);
    dir.segment(["big.tif", "gläs.tif"], "out")
        .args(["--write", "mask,dicom-seg"])
        .ends_with(0);
    let (segments, frames) = read(&python, &dir.join("out/slides/big"), None);
    assert!(segments == 2 && frames > 2, "{segments} {frames}");
    // The standard wants a segment and a frame at least: the frame is empty.
    assert_eq!(read(&python, &dir.join("out/slides/gläs"), None), (1, 1));
    dir.segment(["big.tif"], "baseline")
        .args(["--route", "baseline", "--write", "mask,dicom-seg"])
        .ends_with(0);
    assert_eq!(read(&python, &dir.join("baseline/slides/big"), None).0, 1);
}

#[test]
fn in_dicom_it_belongs_to_the_slides_own_series() {
    let Some(python) = python() else { return };
    if std::env::var_os("FTUSEG_OPENSLIDE").is_none() {
        assert!(std::env::var_os("FTUSEG_REQUIRE_OPENSLIDE").is_none());
        println!("skipped: FTUSEG_OPENSLIDE names no OpenSlide");
        return;
    }
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("big.tif", (1201, 799), Some(MPP), |x, y| {
        two_organs(x, y, 4)
    });
    let made = Command::new(&python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop/make_dicom_slide.py"))
        .args([dir.join("big.tif"), dir.join("dicom")])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    // Named by its smaller level: the series is the same.
    let said = dir
        .segment(["dicom/level-1.dcm"], "out")
        .args(["--write", "mask,dicom-seg", "--slide-timeout", "600"])
        .ends_with(0);
    let folder = dir.join("out/slides/level-1");
    let (segments, frames) = read(&python, &folder, Some(&dir.join("dicom/level-0.dcm")));
    assert!(segments == 2 && frames > 20, "{segments} {frames}");
    // Who the patient is stands there, and nowhere else.
    let seg = dir.read(format!("out/slides/level-1/{FILE}"));
    assert!(holds(&seg, b"P-0017") && holds(&seg, b"M\xfcller^\xc4nne"));
    assert!(!holds(&seg, b"PRIVATE-SECRET"));
    for (path, (bytes, _)) in dir.snapshot("out") {
        let is_seg = path.ends_with(FILE);
        assert!(is_seg || !holds(&bytes, b"P-0017"), "{}", path.display());
    }
    assert!(!said.stderr.contains("P-0017") && !said.stdout.contains("P-0017"));
    // A header that lies is refused with its reason, and names nobody.
    let mut bytes = dir.read("dicom/level-0.dcm");
    let at = bytes
        .windows(14)
        .position(|w| w == b"1.2.276.0.99.5")
        .unwrap();
    bytes[at] = b'x';
    dir.write("dicom/level-0.dcm", bytes);
    let said = dir
        .segment(["dicom/level-1.dcm"], "lies")
        .args(["--write", "mask,dicom-seg"])
        .ends_with(1);
    said.says(&["segmentation.dcm", "(0020,0052)"]);
    assert!(!said.stderr.contains("P-0017"), "{}", said.stderr);
}

/// The drawn series that says little of itself, and the real slides in `../shared/data/slides`.
#[test]
fn slides_that_say_little_are_read_too() {
    let Some(python) = python() else { return };
    if std::env::var_os("FTUSEG_OPENSLIDE").is_none() {
        assert!(std::env::var_os("FTUSEG_REQUIRE_OPENSLIDE").is_none());
        println!("skipped: FTUSEG_OPENSLIDE names no OpenSlide");
        return;
    }
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/slides");
    let drawn = fixture("slides/foreign/dicom/level-0.dcm");
    let real = ["boxes_0.dcm", "sm_image.dcm"].map(|name| shared.join(name));
    for slide in std::iter::once(drawn).chain(real) {
        let name = slide.file_stem().unwrap().to_string_lossy().into_owned();
        if !slide.is_file() {
            println!("skipped: {} is not there", slide.display());
            continue;
        }
        dir.segment([&slide], &name)
            .args([
                "--write",
                "mask,dicom-seg",
                "--route",
                "organ=kidney",
                "--tissue",
                "off",
            ])
            .ends_with(0);
        read(
            &python,
            &dir.join(format!("{name}/slides/{name}")),
            Some(&slide),
        );
    }
}
