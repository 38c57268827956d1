//! Outputs that are added to a finished run: made from what is there, with the bytes of a fresh run.

use std::fs;

use super::status;
use super::util::*;

/// A run with these outputs.
fn run(dir: &Dir, out: &str, list: &str) -> TestCommand {
    dir.segment(["one.tif"], out).args(["--write", list])
}

/// A table or a collection of objects without how probable they are, which no mask tells.
fn without_probabilities(path: &std::path::Path, bytes: Vec<u8>) -> Vec<u8> {
    const NAMES: [&str; 4] = [
        "mean_probability",
        "lowest_probability",
        "Mean probability",
        "Lowest probability",
    ];
    if path.ends_with("objects.csv") {
        let mut table = csv::Reader::from_reader(bytes.as_slice());
        let headers = table.headers().unwrap().clone();
        let kept = |row: &csv::StringRecord| {
            let fields = headers.iter().zip(row);
            let fields = fields.filter(|(name, _)| !NAMES.contains(name));
            fields
                .map(|(_, field)| format!("{field};"))
                .collect::<String>()
                + "\n"
        };
        let rows = table.records().map(|row| kept(&row.unwrap()));
        return rows.collect::<String>().into_bytes();
    }
    if path.ends_with("objects.geojson") {
        let mut all: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        for feature in all["features"].as_array_mut().unwrap() {
            let measured = feature["properties"]["measurements"].as_object_mut();
            measured
                .unwrap()
                .retain(|name, _| !NAMES.contains(&name.as_str()));
        }
        return serde_json::to_vec(&all).unwrap();
    }
    bytes
}

/// Checks that the files of two runs are the same, and their records but for the times; where one was made from a mask
/// alone, but for the probabilities of its objects, too.
fn assert_same(dir: &Dir, one: &str, other: &str) {
    let files = |out: &str| {
        let mut files = dir.snapshot(format!("{out}/slides/one"));
        files.retain(|path, _| !path.as_os_str().is_empty() && !path.ends_with("slide.json"));
        let files = files.into_iter().map(|(path, (bytes, _))| {
            let bytes = without_probabilities(&path, bytes);
            (path, bytes)
        });
        files.collect::<Vec<_>>()
    };
    assert!(files(one) == files(other), "{one} {other}");
    let record = |out: &str| {
        let mut record = dir.json(format!("{out}/slides/one/slide.json"));
        ftuseg::batch::run_specific::strip(&mut record, &ftuseg::batch::run_specific::OF_SLIDE);
        let warnings = record["warnings"].as_array_mut().unwrap();
        warnings.retain(|warning| {
            !warning["text"]
                .as_str()
                .unwrap()
                .starts_with("how probable")
        });
        record
    };
    assert_eq!(record(one), record(other), "{one} {other}");
    let rows = |out: &str| fs::read(dir.join(out).join("submission.csv")).ok();
    assert_eq!(rows(one), rows(other), "{one} {other}");
    let settings = |out: &str| dir.json(format!("{out}/run.json"))["settings"].clone();
    assert_eq!(settings(one), settings(other));
}

#[test]
fn what_masks_and_rles_hold_is_made_from_them() {
    let dir = Dir::with_slide();
    run(&dir, "all", "all").ends_with(0);
    for first in ["mask", "rle", "mask,geojson", "rle,overlay"] {
        run(&dir, first, first).ends_with(0);
        run(&dir, first, "all")
            .args(["--verbose"])
            .ends_with(0)
            .says(&[
                "1 finished slide will get",
                "without running the models again",
                "1 done",
            ]);
        assert_eq!(
            status(&dir, first, "one")["done_again"],
            serde_json::Value::Null
        );
        assert_same(&dir, first, "all");
        // Now nothing is missing.
        run(&dir, first, "all")
            .ends_with(0)
            .says(&["1 already done"]);
    }
}

#[test]
fn what_is_there_stays_and_new_slides_get_it_too() {
    let dir = Dir::with_slide();
    dir.two_organs("two.tif");
    run(&dir, "out", "mask").ends_with(0);
    run(&dir, "out", "rle").ends_with(0).says(&["1 done"]);
    run(&dir, "both", "mask,rle").ends_with(0);
    assert_same(&dir, "out", "both");
    run(&dir, "out", "rle")
        .ends_with(0)
        .says(&["1 already done"]);
    dir.segment(["one.tif", "two.tif"], "out")
        .args(["--write", "rle"])
        .ends_with(0)
        .says(&["1 done, 1 already done"]);
    assert!(dir.join("out/slides/two/mask.tif").is_file());
    // What is done anew is what was asked for.
    run(&dir, "out", "rle").args(["--overwrite"]).ends_with(0);
    assert!(!dir.join("out/slides/one/mask.tif").exists());
}

#[test]
fn probabilities_need_the_models_and_that_is_said_before() {
    let dir = Dir::with_slide();
    run(&dir, "out", "all").ends_with(0);
    run(&dir, "fresh", "all,prob").ends_with(0);
    run(&dir, "out", "prob").ends_with(0).says(&[
        "1 finished slide will be segmented again, since prob.tif cannot be made from masks",
        "1 done",
    ]);
    assert_same(&dir, "out", "fresh");
    // Without a mask or an RLE there is nothing to make the others from.
    run(&dir, "bare", "geojson").ends_with(0);
    run(&dir, "bare", "all")
        .ends_with(0)
        .says(&["not reused", "so is the mask that it could be made from"]);
}

#[test]
fn a_mask_that_is_not_what_the_record_says_is_not_built_upon() {
    let dir = Dir::with_slide();
    const LIST: &str = "mask,geojson,overlay,rle";
    run(&dir, "good", LIST).ends_with(0);
    run(&dir, "empty", "mask")
        .args(["--route", "organ=lung"])
        .ends_with(0);
    for (name, bytes) in [
        ("other", dir.read("empty/slides/one/mask.tif")),
        ("broken", b"no mask".to_vec()),
    ] {
        run(&dir, name, "mask").ends_with(0);
        dir.write(&format!("{name}/slides/one/mask.tif"), bytes);
        run(&dir, name, LIST)
            .ends_with(0)
            .says(&["not reused", "mask"]);
        assert_same(&dir, name, "good");
    }
    // A link out of the folder is no result of ours.
    #[cfg(unix)]
    {
        let mask = dir.join("good/slides/one/mask.tif");
        fs::rename(&mask, dir.join("mask.tif")).unwrap();
        std::os::unix::fs::symlink(dir.join("mask.tif"), &mask).unwrap();
        run(&dir, "good", LIST).ends_with(0);
        assert!(fs::symlink_metadata(&mask).unwrap().is_file());
        fs::write(dir.join("mask.tif"), "changed").unwrap();
        assert_same(&dir, "good", "other");
    }
    // What somebody deleted is made again from the mask.
    fs::remove_file(dir.join("good/slides/one/overlay.png")).unwrap();
    run(&dir, "good", LIST)
        .ends_with(0)
        .says(&["will get overlay made from what is there"]);
    assert_same(&dir, "good", "other");
}
