//! What is known before the first slide is said before it; short options, names of organs, lists of folders.

use std::fs;

use super::assert_failed;
use super::util::*;

#[test]
fn folders_that_are_not_there_are_told_before_anything_is_done() {
    let dir = Dir::with_slide();
    dir.write("train.csv", "id,pixel_size\none,2.0\n");
    for images in ["nowhere", "one.tif"] {
        dir.segment(["train.csv"], "out")
            .args(["--images", images])
            .ends_with(2)
            .says(&[&format!("--images {images}")]);
    }
    dir.write("file", "");
    dir.segment(["one.tif"], "file/out")
        .ends_with(2)
        .says(&["file/out"]);
    assert!(!dir.join("out").exists());
    for table in ["slides.xlsx", "slides.ods"] {
        dir.write(table, b"PK\x03\x04");
        dir.segment([table], "out")
            .ends_with(2)
            .says(&["spreadsheet", "save it as CSV"]);
    }
}

#[test]
fn a_um_px_that_cannot_be_is_a_doubt_with_the_size() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "fine")
        .args(["--mpp", "0.03"])
        .ends_with(0)
        .says(&[
            "warning: 0.03 um/px (option) make the slide 0.009 x 0.006 mm",
            "may be wrong",
        ]);
    let record = dir.json("fine/slides/one/slide.json");
    let warnings = record["warnings"].as_array().unwrap();
    assert!(
        warnings
            .iter()
            .any(|w| w["text"].as_str().unwrap().contains("0.009 x 0.006 mm"))
    );
    dir.slide("fine.tif", (300, 200), Some(0.05), |x, y| {
        two_organs(x, y, 1)
    });
    let outcome = dir.ftuseg("inspect").args(["fine.tif"]).ends_with(0);
    assert!(
        outcome.stdout.contains("no slide scanner has px so small"),
        "{}",
        outcome.stdout
    );
}

/// A network for whole slides needs no um/px, and a tolerance in um does.
#[test]
fn a_tolerance_in_um_without_um_px_is_told_before_the_networks_run() {
    let dir = Dir::new();
    let whole = full_bundle().replace(
        "output = \"logit\"\ntile = 64\nmpp = 2.0\n",
        "output = \"logit\"\ntile = 64\nfit = \"whole\"\n",
    );
    dir.bundle("bundle", &whole);
    dir.two_organs("stated.tif");
    dir.slide("silent.tif", (300, 200), None, |x, y| two_organs(x, y, 1));
    let run = |out: &str, options: &[&str]| {
        dir.segment(["silent.tif", "stated.tif"], out)
            .args(["--route", "baseline"])
            .args(options)
    };
    let outcome = run("out", &["--simplify", "3"]).ends_with(1);
    let first = outcome.stderr.lines().next().unwrap_or_default();
    for word in [
        "warning: silent does not state its um/px, so it will fail",
        "--simplify is in um",
        "--mpp X",
        "leave --simplify out",
    ] {
        assert!(first.contains(word), "{}", outcome.stderr);
    }
    outcome.says(&["1 done", "1 failed"]);
    // A failure of the kind "output" would mean that the networks ran first.
    let words = ["silent.tif", "cannot be simplified", "um/px"];
    assert_failed(&dir, "out", "silent", "no-resolution", &words);
    // Where no outline is written, or the size is given, nothing is lacking.
    for (out, options) in [
        ("mask", &["--simplify", "3", "--write", "mask"][..]),
        ("given", &["--simplify", "3", "--mpp", "2"]),
        ("exact", &[]),
    ] {
        let outcome = run(out, options).ends_with(0);
        assert!(!outcome.stderr.contains("um/px"), "{}", outcome.stderr);
    }
}

#[test]
fn short_options_and_any_case_of_an_organ_do() {
    let dir = Dir::with_slide();
    dir.ftuseg("segment")
        .args([
            "one.tif", "-o", "out", "-q", "-j", "2", "-v", "--bundle", "bundle",
        ])
        .args(["--backend", "rten", "--route", "organ=Kidney"])
        .ends_with(0)
        .says(&["running on rten", "2 threads", "1 done"]);
    assert_eq!(dir.json("out/slides/one/slide.json")["organ"], "kidney");
    // The bundle has no model for it, which is said in words for people.
    for name in ["Large Intestine", "largeintestine", "LARGE-INTESTINE"] {
        dir.segment(["one.tif"], "none")
            .args(["--route", &format!("organ={name}")])
            .ends_with(2)
            .says(&["no model for large intestine"]);
    }
    let quiet = dir.segment(["one.tif"], "quiet").ends_with(0);
    assert!(!quiet.stderr.contains("running on"), "{}", quiet.stderr);
}

#[test]
fn a_folder_is_listed() {
    let dir = Dir::new();
    dir.two_organs("slides/deep/a.tif");
    dir.slide("slides/b.tif", (300, 200), None, |x, y| two_organs(x, y, 1));
    let outcome = dir.ftuseg("inspect").args(["slides"]).ends_with(0);
    let lines: Vec<Vec<&str>> = outcome
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0][0], "slide");
    assert_eq!(lines[1][..6], ["b.tif", "TIFF", "300", "x", "200", "?"]);
    assert_eq!(
        lines[2],
        [
            "deep/a.tif",
            "TIFF",
            "300",
            "x",
            "200",
            "2",
            "0.60",
            "x",
            "0.40"
        ]
    );
    outcome.says(&["2 slides; 1 without um/px"]);
    dir.write("slides/bad.tif", "no slide");
    let outcome = dir.ftuseg("inspect").args(["slides"]).ends_with(1);
    assert!(outcome.stdout.contains("FAILED"), "{}", outcome.stdout);
    outcome.says(&["1 cannot be read"]);
}

#[test]
fn shells_and_man_know_every_command() {
    let dir = Dir::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = dir.ftuseg("completions").args([shell]).ends_with(0).stdout;
        for word in ["segment", "--slide-timeout", "merge"] {
            let word = if shell == "fish" {
                word.trim_start_matches('-')
            } else {
                word
            };
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    dir.ftuseg("completions").args(["tcsh"]).ends_with(2);
    let page = dir.ftuseg("man").ends_with(0).stdout;
    assert!(
        page.contains(".TH ftuseg 1") && page.contains("segment"),
        "{page}"
    );
    dir.ftuseg("man").args(["man1"]).ends_with(0);
    let names: Vec<String> = fs::read_dir(dir.join("man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in [
        "ftuseg.1",
        "ftuseg-segment.1",
        "ftuseg-merge.1",
        "ftuseg-rle-encode.1",
    ] {
        assert!(names.iter().any(|one| one == name), "{name}: {names:?}");
    }
}
