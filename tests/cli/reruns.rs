//! What a second run does again, keeps, refuses, or passes over.

use std::fs;
use std::time::{Duration, SystemTime};

use super::util::*;
use super::{slides_of, status};

#[test]
fn a_second_run_does_only_what_is_missing() {
    let dir = Dir::with_slide();
    fs::copy(dir.join("one.tif"), dir.join("two.tif")).unwrap();
    let inputs = ["one.tif", "two.tif"];
    dir.segment(inputs, "out").ends_with(0);
    let rows = dir.read("out/submission.csv");
    let first = dir.snapshot("out/slides");

    // Another number of threads is no other setting.
    dir.segment(inputs, "out")
        .args(["--threads", "3"])
        .ends_with(0)
        .says(&["2 already done"]);
    assert_eq!(dir.snapshot("out/slides"), first);
    assert_eq!(dir.read("out/submission.csv"), rows);
    for id in ["one", "two"] {
        let slide = status(&dir, "out", id);
        assert_eq!(slide["status"], "skipped");
        assert_eq!(slide["objects"], 10);
    }

    fs::remove_dir_all(dir.join("out/slides/two")).unwrap();
    dir.segment(inputs, "out").ends_with(0);
    assert_eq!(status(&dir, "out", "one")["status"], "skipped");
    assert_eq!(status(&dir, "out", "two")["status"], "done");
    assert_eq!(dir.read("out/submission.csv"), rows);
    // The folder itself, four outputs and the record.
    assert_eq!(dir.snapshot("out/slides/one").len(), 6);

    // A file that somebody deleted makes the slide incomplete, and is made anew.
    fs::remove_file(dir.join("out/slides/one/objects.geojson")).unwrap();
    dir.segment(inputs, "out").ends_with(0);
    assert_eq!(status(&dir, "out", "one")["status"], "done");
    assert_eq!(status(&dir, "out", "two")["status"], "skipped");

    let later = SystemTime::now() + Duration::from_secs(5);
    fs::File::options()
        .write(true)
        .open(dir.join("one.tif"))
        .unwrap()
        .set_modified(later)
        .unwrap();
    dir.segment(inputs, "out").ends_with(0);
    assert_eq!(status(&dir, "out", "one")["status"], "done");
    assert_eq!(status(&dir, "out", "two")["status"], "skipped");
    assert_eq!(dir.read("out/submission.csv"), rows);
    assert_eq!(slides_of(&dir, "out"), ["one", "two"]);
}

#[test]
fn results_of_other_settings_are_not_mixed_in() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "out").ends_with(0);
    // All but the lock, which every program takes.
    let everything = || {
        let mut all = dir.snapshot("out");
        all.retain(|path, _| !path.as_os_str().is_empty() && !path.ends_with(".ftuseg.lock"));
        all
    };
    let first = everything();
    for (options, told) in [
        (&["--overlap", "4"][..], "(overlap: not given -> 4)"),
        (&["--route", "baseline"], "(route: tile -> baseline)"),
        (
            &["--blend", "crop", "--mpp", "1.5", "--tissue", "off"],
            "(tissue: auto -> off; blend: gaussian -> crop; mpp: not given -> 1.5)",
        ),
    ] {
        dir.segment(["one.tif"], "out")
            .args(options)
            .ends_with(2)
            .says(&["with other settings", told, "--overwrite"]);
        assert_eq!(everything(), first, "{options:?}");
    }
    let other = full_bundle().replace("limit = 0.4", "limit = 0.39");
    dir.bundle("bundle", &other);
    dir.segment(["one.tif"], "out").ends_with(2).says(&[
        "(bundle: tiny 1 (",
        ") -> tiny 1 (",
        "--overwrite",
    ]);
    dir.segment(["one.tif"], "out")
        .args(["--overwrite", "--route", "baseline"])
        .ends_with(0);
    assert_eq!(status(&dir, "out", "one")["status"], "done");
    assert_eq!(dir.json("out/slides/one/slide.json")["organ"], "baseline");
    assert_eq!(slides_of(&dir, "out"), ["one"]);
}

#[test]
fn a_long_resolution_is_the_same_setting_the_next_time() {
    let dir = Dir::with_slide();
    // A number that a careless JSON reader gives back with another last bit.
    let mpp = ["--mpp", "1.9453871940548013"];
    for expected in ["done", "skipped"] {
        dir.segment(["one.tif"], "out").args(mpp).ends_with(0);
        assert_eq!(status(&dir, "out", "one")["status"], expected);
    }
}

#[test]
fn what_a_manifest_says_of_a_slide_counts_as_its_input() {
    let dir = Dir::with_slide();
    let run = |row: &str| {
        dir.write("m.csv", format!("id,path,mpp,organ\n{row}\n"));
        dir.segment(["m.csv"], "out")
            .args(["--route", "given"])
            .ends_with(0);
        status(&dir, "out", "a")["status"].clone()
    };
    assert_eq!(run("a,one.tif,2.0,kidney"), "done");
    assert_eq!(run("a,one.tif,2.0,kidney"), "skipped");
    assert_eq!(run("a,one.tif,1.5,kidney"), "done");
    assert_eq!(dir.json("out/slides/a/slide.json")["mpp"]["value"], 1.5);
    assert_eq!(run("a,one.tif,1.5,prostate"), "done");
    assert_eq!(dir.json("out/slides/a/slide.json")["organ"], "prostate");
    assert_eq!(run("a,one.tif,1.5,prostate"), "skipped");
}

#[test]
fn leftovers_of_a_killed_run_are_neither_results_nor_in_the_way() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "whole").ends_with(0);
    let record = dir.read("whole/slides/one/slide.json");
    // A run that was killed while it wrote, or while it replaced an older folder.
    for left in ["out/slides/.one.part-999999", "out/slides/.one.old"] {
        dir.write(&format!("{left}/slide.json"), &record);
        dir.write(&format!("{left}/mask.tif"), "half");
    }
    dir.write("out/.submission.csv.part-999999", "id,");
    let same = |what: &str| {
        let (one, two) = (
            dir.read(format!("out/{what}")),
            dir.read(format!("whole/{what}")),
        );
        assert!(one == two, "{what}");
    };
    for (options, expected) in [
        (&[][..], "done"),
        (&[], "skipped"),
        (&["--overwrite"], "done"),
    ] {
        dir.segment(["one.tif"], "out")
            .args::<&str>(options.iter().copied())
            .ends_with(0);
        assert_eq!(status(&dir, "out", "one")["status"], expected);
        same("slides/one/mask.tif");
        same("submission.csv");
    }
    // A folder without a readable record was not made by a finished run.
    dir.write("out/slides/one/slide.json", &record[..record.len() / 2]);
    dir.segment(["one.tif"], "out").ends_with(0);
    assert_eq!(status(&dir, "out", "one")["status"], "done");
    same("slides/one/mask.tif");
}

#[test]
fn results_inside_the_searched_folder_are_no_slides() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.two_organs("slides/one.tif");
    for expected in ["done", "skipped", "skipped"] {
        dir.segment(["slides"], "slides/results").ends_with(0);
        assert_eq!(status(&dir, "slides/results", "one")["status"], expected);
        assert_eq!(slides_of(&dir, "slides/results"), ["one"]);
    }
}

#[test]
fn only_the_files_asked_for_are_written() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "all").ends_with(0);
    for (list, files) in [
        ("mask", &["mask.tif", "slide.json"][..]),
        ("rle", &["slide.json"]),
        (
            "geojson,overlay",
            &["objects.geojson", "overlay.png", "slide.json"],
        ),
        (
            "objects,geojson.gz,instances,parquet",
            &[
                "instances.ome.tif",
                "objects.csv",
                "objects.geojson.gz",
                "objects.parquet",
                "slide.json",
            ],
        ),
    ] {
        // Twice: what is not written cannot be what a rerun relies on.
        for _ in 0..2 {
            dir.segment(["one.tif"], list)
                .args(["--write", list])
                .ends_with(0);
            let found: Vec<_> = dir
                .snapshot(format!("{list}/slides/one"))
                .into_keys()
                .filter(|path| !path.as_os_str().is_empty())
                .collect();
            assert!(
                found
                    .iter()
                    .map(|p| p.to_str().unwrap())
                    .eq(files.iter().copied()),
                "{found:?}"
            );
            let table = dir.join(list).join("submission.csv");
            assert_eq!(table.exists(), list == "rle");
        }
    }
    assert_eq!(dir.submission("rle"), dir.submission("all"));
}
