//! What a batch shows: lines, a table, JSON.

use serde_json::Value;

use super::util::*;

fn two() -> Dir {
    let dir = Dir::with_slide();
    dir.write("bad.tif", "no image");
    dir
}

#[test]
fn plain_lines_and_a_table() {
    let dir = two();
    let outcome = dir.segment(["one.tif", "bad.tif"], "out").ends_with(1);
    let record = dir.json("out/slides/one/slide.json");
    // Both organs have the same share here.
    let organ = record["organ"].as_str().unwrap();
    outcome.says(&[
        &format!("[1/2] one: {organ}, 10 objects"),
        "[2/2] bad: FAILED",
        "1 done, 0 already done, 1 failed",
        "bad.tif: not a readable slide",
    ]);
    // No terminal, no bars.
    assert!(
        !outcome.stderr.contains(['\r', '\x1b']),
        "{}",
        outcome.stderr
    );
    let lines: Vec<Vec<&str>> = outcome
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0],
        ["slide", "organ", "objects", "mm2", "seconds", "warnings"]
    );
    assert_eq!(lines[1][..4], ["one", "done", organ, "10"]);
    assert_eq!(lines[2][..3], ["bad", "FAILED:", "format"]);
    assert_eq!(lines[3][..4], ["sum", "(n", "=", "1)"]);
    // The area is that of the record.
    let organs = record["organs"].as_array().unwrap();
    let area: f64 = organs.iter().map(|o| o["area_mm2"].as_f64().unwrap()).sum();
    assert_eq!(lines[1][4], format!("{area:.3}"));
    let slide = &dir.json("out/run.json")["slides"][0];
    assert!((slide["area_mm2"].as_f64().unwrap() - area).abs() < 1e-9);

    // What is kept stands in the table too.
    let rerun = dir.segment(["one.tif"], "out").ends_with(0);
    let row: Vec<&str> = rerun
        .stdout
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(row[..5], ["one", "already", "done", organ, "10"]);
    assert_eq!(row[5], format!("{area:.3}"));
}

#[test]
fn quiet_still_names_what_failed() {
    let dir = two();
    let outcome = dir
        .segment(["one.tif", "bad.tif"], "out")
        .args(["--quiet"])
        .ends_with(1);
    assert_eq!(outcome.stdout, "");
    outcome.says(&["bad: FAILED", "1 failed"]);
    assert!(!outcome.stderr.contains("[1/2]"), "{}", outcome.stderr);
}

#[test]
fn json_lines_tell_the_whole_story() {
    let dir = two();
    let outcome = dir
        .segment(["one.tif", "bad.tif"], "out")
        .args(["--json-log"])
        .ends_with(1);
    let events: Vec<Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<&str> = events
        .iter()
        .map(|e| e["event"].as_str().unwrap())
        .collect();
    let count = |name: &str| names.iter().filter(|n| **n == name).count();
    assert_eq!(
        (count("started"), count("ended"), count("opened")),
        (2, 2, 1)
    );
    assert!(count("tiles") >= 1);
    assert_eq!(names.last(), Some(&"finished"));
    let last = events.last().unwrap();
    assert_eq!((&last["done"], &last["failed"]), (&1.into(), &1.into()));
    let run = dir.json("out/run.json");
    for slide in run["slides"].as_array().unwrap() {
        let told = events
            .iter()
            .find(|e| e["event"] == "ended" && e["slide"]["id"] == slide["id"]);
        assert_eq!(&told.unwrap()["slide"], slide);
    }
}

#[test]
fn a_memory_limit_changes_no_result() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "free").ends_with(0);
    dir.segment(["one.tif"], "tight")
        .args(["--memory-limit", "1K", "--threads", "3", "--batch", "2"])
        .ends_with(0);
    for file in ["mask.tif", "objects.geojson", "overlay.png"] {
        let path = |out: &str| dir.read(format!("{out}/slides/one/{file}"));
        assert!(path("free") == path("tight"), "{file}");
    }
    dir.segment(["one.tif"], "none")
        .args(["--memory-limit", "much"])
        .ends_with(2)
        .says(&["--memory-limit", "500M"]);
}

#[test]
fn a_reader_that_went_away_is_no_reason_to_fall_over() {
    let dir = Dir::with_slide();
    dir.bundle("bundle", &full_bundle());
    for arguments in [
        &["inspect", "one.tif"][..],
        &["models", "list", "--bundle", "bundle"],
        &["segment", "one.tif", "--out", "out", "--bundle", "bundle"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = std::process::Command::new(env!("CARGO_BIN_EXE_ftuseg"))
            .args(arguments)
            .current_dir(dir.join(""))
            .stdout(writer)
            .stderr(std::process::Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {said}");
    }
}
