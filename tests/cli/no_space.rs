//! Files that no longer fit: what was there stays whole, the error names the file, and nothing half-written is left.

#![cfg(unix)]

use std::fs;

use super::evaluate::with_run;
use super::util::*;

/// The blocks of `ulimit -f` that a file of so many bytes does not fit in, whatever the shell's blocks are (512 or 1024
/// bytes); half as many bytes fit in any case.
fn blocks_under(bytes: u64) -> u64 {
    bytes.div_ceil(1024) - 1
}

fn size(dir: &Dir, name: &str) -> u64 {
    fs::metadata(dir.join(name)).unwrap().len()
}

/// Names in a folder, hidden ones too.
fn names(dir: &Dir, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(dir.join(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_decoded_rle_that_does_not_fit_leaves_the_old_picture() {
    let dir = Dir::new();
    // Noise, so that the picture is large.
    let mut state = 1_u32;
    let runs: Vec<String> = (0..20_000)
        .filter_map(|pair| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 31 == 1).then(|| format!("{} 1", 2 * pair + 1))
        })
        .collect();
    let decode = |text: &str, out: &str| {
        dir.ftuseg("rle")
            .args(["decode", "--width", "200", "--height", "200"])
            .args(["--out", out, "-"])
            .input(text)
    };
    decode("1 5", "m.png").ends_with(0);
    let old = dir.snapshot("");
    decode(&runs.join(" "), "large.png").ends_with(0);
    let limit = blocks_under(size(&dir, "large.png"));
    assert!(limit > 0);
    fs::remove_file(dir.join("large.png")).unwrap();
    for out in ["m.png", "new.png"] {
        decode(&runs.join(" "), out)
            .after(&format!("ulimit -f {limit}"))
            .ends_with(2)
            .says(&[out, "File too large"]);
    }
    let now = dir.snapshot("");
    let files = |all: &std::collections::BTreeMap<_, (Vec<u8>, _)>| {
        let files = all
            .iter()
            .map(|(path, (bytes, _))| (std::path::PathBuf::clone(path), bytes.clone()));
        files.collect::<Vec<_>>()
    };
    assert_eq!(files(&now), files(&old));
}

#[test]
fn a_report_that_does_not_fit_leaves_the_old_one() {
    let dir = with_run();
    let evaluate = |seed: &str, out: &str| {
        dir.ftuseg("evaluate")
            .args(["--truth", "truth.csv", "--pred", "out", "--out", out])
            .args(["--seed", seed])
    };
    evaluate("1", "report").ends_with(0);
    let old = dir.snapshot("report");
    let page = size(&dir, "report/report.html");
    let limit = blocks_under(page);
    assert!(
        size(&dir, "report/report.json") < limit * 512,
        "the page is to be the first that does not fit"
    );
    for out in ["report", "fresh"] {
        evaluate("2", out)
            .after(&format!("ulimit -f {limit}"))
            .ends_with(2)
            .says(&[&format!("{out}/report.html"), "File too large"]);
    }
    let now = dir.snapshot("report");
    let root = std::path::Path::new("");
    for (path, (bytes, time)) in &old {
        // The folder itself has had names in it that are gone.
        assert!(&now[path].0 == bytes && (path == root || now[path].1 == *time));
    }
    assert_eq!(now.len(), old.len());
    assert!(names(&dir, "fresh").is_empty());
    evaluate("2", "report").ends_with(0);
    assert_eq!(
        names(&dir, "report"),
        ["report.csv", "report.html", "report.json"]
    );
    assert_ne!(
        dir.read("report/report.json"),
        old[std::path::Path::new("report.json")].0
    );
}

#[test]
fn a_picture_that_does_not_fit_leaves_the_slides_old_folder() {
    let dir = Dir::with_slide();
    let segment = || dir.segment(["one.tif"], "out").args(["--overwrite"]);
    segment().ends_with(0);
    let old = dir.snapshot("out/slides/one");
    let limit = blocks_under(size(&dir, "out/slides/one/overlay.png"));
    for file in ["mask.tif", "objects.geojson", "slide.json"] {
        assert!(size(&dir, &format!("out/slides/one/{file}")) < limit * 512);
    }
    segment()
        .after(&format!("ulimit -f {limit}"))
        .ends_with(1)
        .says(&["overlay.png", "File too large", "1 failed"]);
    assert!(dir.snapshot("out/slides/one") == old);
    assert_eq!(names(&dir, "out/slides"), ["one"]);
    let left: Vec<String> = names(&dir, "out");
    assert!(left.iter().all(|name| !name.contains(".part")), "{left:?}");
}
