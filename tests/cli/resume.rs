//! Which slides a rerun does, why, and what the reports say of the others.

use std::fs;
use std::time::{Duration, SystemTime};

use super::util::*;
use super::{assert_failed, slides_of, status};

/// A folder with three slides and a run over them in `out`.
fn three() -> Dir {
    let dir = Dir::with_slide();
    for name in ["two.tif", "three.tif"] {
        fs::copy(dir.join("one.tif"), dir.join(name)).unwrap();
    }
    dir.segment(["one.tif", "two.tif", "three.tif"], "out")
        .ends_with(0);
    dir
}

fn touch(dir: &Dir, name: &str) {
    fs::File::options()
        .write(true)
        .open(dir.join(name))
        .unwrap()
        .set_modified(SystemTime::now() + Duration::from_secs(7))
        .unwrap();
}

#[test]
fn a_run_over_some_slides_loses_none_of_the_others() {
    let dir = three();
    let rows = dir.submission("out");
    let record = dir.read("out/slides/two/slide.json");
    dir.segment(["three.tif"], "out")
        .ends_with(0)
        .says(&["1 already done", "2 more from earlier runs"]);
    // The inputs come first, then the others by their names.
    let mut rerun = dir.submission("out");
    assert_eq!(rerun[0].0, "three");
    rerun.sort();
    let mut sorted = rows.clone();
    sorted.sort();
    assert_eq!(rerun, sorted);
    for id in ["one", "two"] {
        let slide = status(&dir, "out", id);
        assert_eq!(slide["status"], "skipped");
        assert_eq!(slide["earlier"], true);
        assert_eq!(slide["objects"], 10);
    }
    let totals = &dir.json("out/run.json")["totals"];
    assert_eq!(
        (&totals["slides"], &totals["skipped"]),
        (&3.into(), &1.into())
    );
    assert_eq!(totals["earlier"], 2);
    assert_eq!(dir.read("out/slides/two/slide.json"), record);

    // A new slide into the same folder: the same.
    dir.two_organs("four.tif");
    dir.segment(["four.tif"], "out").ends_with(0);
    assert_eq!(dir.submission("out").len(), 4);

    // A folder that somebody removed is not spoken of any more.
    fs::remove_dir_all(dir.join("out/slides/two")).unwrap();
    dir.segment(["four.tif"], "out").ends_with(0);
    let ids: Vec<String> = dir.submission("out").into_iter().map(|row| row.0).collect();
    assert_eq!(ids, ["four", "one", "three"]);
    assert_eq!(dir.json("out/run.json")["totals"]["slides"], 3);
}

#[test]
fn failures_of_earlier_runs_are_not_forgotten() {
    let dir = Dir::with_slide();
    dir.write("bad.tif", "no image");
    dir.segment(["bad.tif"], "out").ends_with(1);
    let reason = status(&dir, "out", "bad")["reason"].clone();
    // Another input: this run is fine, and the report still names the other one's failure.
    dir.segment(["one.tif"], "out").ends_with(0);
    let slide = status(&dir, "out", "bad");
    assert_eq!(
        (&slide["status"], &slide["reason"]),
        (&"failed".into(), &reason)
    );
    assert_eq!(slide["earlier"], true);
}

#[test]
fn other_settings_for_some_slides_are_not_mixed_with_the_rest() {
    let dir = three();
    let rows = dir.submission("out");
    fs::remove_dir_all(dir.join("out/slides/one")).unwrap();
    // The input itself is not there, but its neighbours were made otherwise.
    dir.segment(["one.tif"], "out")
        .args(["--route", "baseline"])
        .ends_with(2)
        .says(&[
            "2 of 2 slides here",
            "route: tile -> baseline",
            "--redo-changed",
        ]);
    assert_eq!(dir.submission("out"), rows);
    dir.segment(["one.tif"], "out")
        .args(["--route", "baseline", "--redo-changed"])
        .ends_with(0)
        .says(&["2 of 2 slides here", "submission.csv leaves them out"]);
    let ids: Vec<String> = dir.submission("out").into_iter().map(|row| row.0).collect();
    assert_eq!(ids, ["one"]);
    let slide = status(&dir, "out", "two");
    assert_eq!(slide["status"], "skipped");
    assert!(
        slide["reason"]
            .as_str()
            .unwrap()
            .contains("with other settings (route: tile -> baseline)")
    );
    assert_eq!(slides_of(&dir, "out"), ["one", "three", "two"]);
}

#[test]
fn changed_slides_are_done_again_and_the_rest_is_kept() {
    let dir = three();
    fs::remove_dir_all(dir.join("out/slides/two")).unwrap();
    let inputs = ["one.tif", "two.tif", "three.tif"];
    let other = ["--overlap", "4"];
    dir.segment(["two.tif"], "out")
        .args(["--redo-changed", "--overlap", "4"])
        .ends_with(0);
    let kept = dir.read("out/slides/two/slide.json");
    dir.segment(inputs, "out")
        .args(other)
        .ends_with(2)
        .says(&["with other settings (overlap: not given -> 4)"]);
    dir.segment(inputs, "out")
        .args(other)
        .args(["--redo-changed"])
        .ends_with(0)
        .says(&[
            "2 done, 1 already done",
            "not reused",
            "2 slides (one, three): it was made by an earlier run with other settings (overlap",
        ]);
    assert_eq!(dir.read("out/slides/two/slide.json"), kept);
    let why = status(&dir, "out", "one")["done_again"].clone();
    assert!(
        why.as_str().unwrap().contains("overlap: not given -> 4"),
        "{why}"
    );
    assert_eq!(dir.json("out/run.json")["totals"]["done_again"], 2);
    assert_eq!(dir.submission("out").len(), 3);
    // Another file of the same name gets a folder of its own, or takes the old one's if that is to be replaced.
    fs::create_dir(dir.join("elsewhere")).unwrap();
    dir.two_organs("elsewhere/one.tif");
    touch(&dir, "elsewhere/one.tif");
    let command = || dir.segment(["elsewhere/one.tif"], "out").args(other);
    let path = || dir.json("out/slides/one/slide.json")["input"]["path"].clone();
    let before = path();
    command().ends_with(0).says(&["1 done"]);
    assert_eq!(path(), before);
    let slides = dir.json("out/run.json")["slides"].clone();
    let folder = slides[0]["folder"].as_str().unwrap().to_owned();
    assert!(folder.starts_with("slides/one~"), "{folder}");
    assert_eq!(slides[0]["warnings"][0]["kind"], "same-id");
    assert_eq!(dir.submission("out").len(), 4);
    fs::remove_dir_all(dir.join("out").join(folder)).unwrap();
    command().args(["--redo-changed"]).ends_with(0);
    assert_eq!(path(), "elsewhere/one.tif");
}

#[test]
fn another_version_of_the_runtime_is_not_claimed_for_old_slides() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "out").ends_with(0);
    let mut record = dir.json("out/slides/one/slide.json");
    record["made_by"]["runtime"]["version"] = "0.0.1".into();
    dir.write("out/slides/one/slide.json", record.to_string());
    dir.segment(["one.tif"], "out")
        .ends_with(2)
        .says(&["(runtime version: 0.0.1 -> ", "--redo-changed"]);
    dir.segment(["one.tif"], "out")
        .args(["--redo-changed"])
        .ends_with(0)
        .says(&["1 done"]);
}

#[test]
fn a_rerun_says_why_it_does_a_slide_again() {
    let dir = three();
    let good = dir.read("out/slides/one/mask.tif");
    let inputs = ["one.tif", "two.tif", "three.tif"];
    for (spoil, why) in [
        ("touch", "its file has changed"),
        ("grow", "its file has another size"),
        ("record", "its slide.json cannot be read"),
        ("mask", "its mask cannot be read"),
    ] {
        match spoil {
            "touch" => touch(&dir, "one.tif"),
            "grow" => {
                let mut bytes = dir.read("one.tif");
                bytes.extend([0; 16]);
                dir.write("one.tif", bytes);
            }
            "record" => dir.write("out/slides/one/slide.json", "{"),
            _ => dir.write("out/slides/one/mask.tif", &good[..good.len() / 2]),
        }
        dir.segment(inputs, "out").ends_with(0).says(&[
            "1 done, 2 already done",
            "not reused",
            why,
        ]);
        let slide = status(&dir, "out", "one");
        assert!(
            slide["done_again"].as_str().unwrap().contains(why),
            "{slide}"
        );
        assert_eq!(dir.read("out/slides/one/mask.tif"), good, "{spoil}");
    }
}

#[test]
fn a_slide_that_ended_the_program_is_tried_last() {
    let dir = Dir::with_slide();
    dir.two_organs("two.tif");
    dir.write("m.csv", "id,path\nfirst,two.tif\nthen,one.tif\n");
    let begun = dir.join("out/slides/.first.begun");
    // As two runs leave it that ended at this slide.
    fs::create_dir_all(dir.join("out/slides")).unwrap();
    fs::write(&begun, "2").unwrap();
    dir.segment(["m.csv"], "out").ends_with(0);
    assert!(!begun.exists(), "a slide that is done is not at hand");
    let ended = |id: &str| {
        let path = dir.join(format!("out/slides/{id}/slide.json"));
        fs::metadata(path).unwrap().modified().unwrap()
    };
    assert!(ended("first") > ended("then"));
    assert_eq!(slides_of(&dir, "out"), ["first", "then"]);
}

#[test]
fn content_counts_where_it_is_asked_for() {
    let dir = Dir::with_slide();
    let command = || dir.segment(["one.tif"], "out").args(["--verify-input"]);
    dir.segment(["one.tif"], "out").ends_with(0);
    // What was made without a sum cannot be compared.
    command().ends_with(0).says(&["1 done", "has no sha256"]);
    let record = dir.json("out/slides/one/slide.json");
    assert_eq!(record["input"]["sha256"], sha256(&dir.read("one.tif")));
    // The time alone changes nothing now.
    touch(&dir, "one.tif");
    command().ends_with(0).says(&["1 already done"]);
    // Other bytes of the same size and time do, which nothing else would see.
    let before = fs::metadata(dir.join("one.tif")).unwrap();
    let mut bytes = dir.read("one.tif");
    *bytes.last_mut().unwrap() ^= 1;
    dir.write("one.tif", bytes);
    fs::File::options()
        .write(true)
        .open(dir.join("one.tif"))
        .unwrap()
        .set_modified(before.modified().unwrap())
        .unwrap();
    command().says_after(&["its file has other bytes"]);
}

impl TestCommand {
    /// Runs to whatever end, and checks what it says.
    fn says_after(self, words: &[&str]) {
        self.run().says(words);
    }
}

#[test]
fn only_failures_are_tried_again_where_that_is_asked() {
    let dir = Dir::with_slide();
    dir.two_organs("two.tif");
    dir.two_organs("three.tif");
    let good = dir.read("two.tif");
    dir.write("two.tif", &good[..good.len() / 2]);
    dir.segment(["one.tif", "two.tif"], "out").ends_with(1);
    assert_failed(&dir, "out", "two", "format", &["two.tif"]);
    dir.write("two.tif", good);
    let inputs = ["one.tif", "two.tif", "three.tif"];
    dir.segment(inputs, "out")
        .args(["--retry-failed"])
        .ends_with(0)
        .says(&["1 done, 1 already done, 0 failed, 1 not done yet"]);
    assert_eq!(status(&dir, "out", "two")["status"], "done");
    assert_eq!(status(&dir, "out", "three")["status"], "pending");
    assert_eq!(slides_of(&dir, "out"), ["one", "two"]);
    dir.segment(inputs, "out").ends_with(0);
    assert_eq!(slides_of(&dir, "out"), ["one", "three", "two"]);
}

#[test]
fn a_slide_that_fails_again_keeps_its_older_result_and_says_so() {
    let dir = three();
    let mask = dir.read("out/slides/one/mask.tif");
    let bytes = dir.read("one.tif");
    dir.write("one.tif", &bytes[..bytes.len() / 2]);
    dir.segment(["one.tif", "two.tif", "three.tif"], "out")
        .ends_with(1);
    let slide = status(&dir, "out", "one");
    assert_eq!(slide["status"], "failed");
    assert!(
        slide["reason"].as_str().unwrap().contains("earlier run"),
        "{slide}"
    );
    assert_eq!(dir.read("out/slides/one/mask.tif"), mask);
    // Its row would speak of a file that is no more.
    assert!(dir.submission("out").iter().all(|row| row.0 != "one"));
}

#[test]
fn without_masks_a_rerun_still_keeps_what_is_there() {
    let dir = Dir::with_slide();
    let command = || dir.segment(["one.tif"], "out").args(["--write", "rle"]);
    command().ends_with(0);
    let rows = dir.read("out/submission.csv");
    command().ends_with(0);
    assert_eq!(status(&dir, "out", "one")["status"], "skipped");
    assert_eq!(dir.read("out/submission.csv"), rows);
    // A table of an earlier run does not outlive its masks.
    dir.segment(["one.tif"], "out")
        .args(["--write", "mask", "--overwrite"])
        .ends_with(0);
    assert!(!dir.join("out/submission.csv").exists());
}
