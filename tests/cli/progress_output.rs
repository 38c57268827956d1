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
    let organs: Vec<String> = (record["organs"].as_array().unwrap().iter())
        .map(|organ| {
            let confidence = organ["confidence"].as_f64().unwrap().min(0.99);
            let confidence = format!("{confidence:.2}");
            let name = organ["organ"].as_str().unwrap();
            format!("{name} 50 % ({})", confidence.trim_start_matches('0'))
        })
        .collect();
    let organs = organs.join(", ");
    outcome.says(&[
        &format!("[1/2] one: {organs}, 10 objects"),
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
    let cells = |text: &str| -> Vec<Vec<String>> {
        let of = |line: &str| {
            let cells = line.split("  ").map(str::trim);
            let cells = cells.filter(|cell| !cell.is_empty());
            cells.map(str::to_owned).collect()
        };
        text.lines().map(of).collect()
    };
    let lines = cells(&outcome.stdout);
    assert_eq!(
        lines[0],
        [
            "slide",
            "organs",
            "objects",
            "mm2",
            "per mm2",
            "median um2",
            "seconds",
            "warnings"
        ]
    );
    assert_eq!(lines[1][..4], ["one", "done", &organs, "10"]);
    // Several organs have a line each.
    for (line, organ) in lines[2..4].iter().zip(record["organs"].as_array().unwrap()) {
        let figure =
            |key: &str, digits: usize| format!("{:.digits$}", organ[key].as_f64().unwrap());
        let name = organ["organ"].as_str().unwrap();
        assert_eq!(line[..2], [name, "5"]);
        assert_eq!(line[2], figure("area_mm2", 3));
        assert_eq!(line[3], figure("objects_per_mm2", 0));
        assert_eq!(line[4], figure("median_area_um2", 0));
    }
    // What failed is told below, with its reason.
    assert_eq!(lines[4][..2], ["sum (n = 1)", "10"]);
    assert_eq!(lines.len(), 5);
    // The area is that of the record.
    let found = record["organs"].as_array().unwrap();
    let area: f64 = found.iter().map(|o| o["area_mm2"].as_f64().unwrap()).sum();
    assert_eq!(lines[1][4], format!("{area:.3}"));
    let slide = &dir.json("out/run.json")["slides"][0];
    assert!((slide["area_mm2"].as_f64().unwrap() - area).abs() < 1e-9);

    // What is kept stands in the table too.
    let rerun = dir.segment(["one.tif"], "out").ends_with(0);
    let row = &cells(&rerun.stdout)[1];
    assert_eq!(row[..4], ["one", "already done", &organs, "10"]);
    assert_eq!(row[4], format!("{area:.3}"));
    rerun.says(&["1 of 1 slide is already done"]);
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
    for event in &events {
        assert_valid(event, "event");
    }
    let names: Vec<&str> = events
        .iter()
        .map(|e| e["event"].as_str().unwrap())
        .collect();
    let run = dir.json("out/run.json");
    // The first one says who runs, and what will be done.
    let begin = &events[0];
    assert_eq!(begin["event"], "begin");
    for what in ["versions", "bundle", "runtime", "settings"] {
        assert_eq!(begin[what], run[what], "{what}");
    }
    assert_eq!(
        begin["outputs"],
        serde_json::json!(["geojson", "mask", "objects", "overlay", "rle"])
    );
    let plans: Vec<_> = (begin["slides"].as_array().unwrap().iter())
        .map(|slide| (slide["id"].clone(), slide["plan"].clone()))
        .collect();
    assert_eq!(
        plans,
        [
            ("one".into(), "segment".into()),
            ("bad".into(), "segment".into())
        ]
    );
    // Whatever is told of a slide names it.
    for event in events.iter().filter(|e| !e["index"].is_null()) {
        let id = ["one", "bad"][event["index"].as_u64().unwrap() as usize];
        assert_eq!(event["id"], id, "{event}");
    }
    let count = |name: &str| names.iter().filter(|n| **n == name).count();
    assert_eq!(
        (count("started"), count("ended"), count("opened")),
        (2, 2, 1)
    );
    assert!(count("tiles") >= 1);
    assert_eq!(names.last(), Some(&"finished"));
    let last = events.last().unwrap();
    assert_eq!((&last["done"], &last["failed"]), (&1.into(), &1.into()));
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

#[test]
fn json_tells_warnings_as_events_and_what_is_kept() {
    let dir = Dir::with_slide();
    dir.slide("pen.tif", (300, 200), Some(MPP), |x, y| {
        match (40..160).contains(&x) && (40..120).contains(&y) {
            true => [40, 90, 240],
            false => [245; 3],
        }
    });
    let events = |options: &[&str]| -> Vec<Value> {
        let run = dir.segment(["one.tif", "pen.tif"], "out");
        let run = run.args(["--json-log"]).args(options).ends_with(0);
        let events = run
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        events
            .inspect(|event| assert_valid(event, "event"))
            .collect()
    };
    for (options, plan) in [
        (&["--write", "mask,rle"][..], "segment"),
        (&["--write", "mask,rle"], "keep"),
        (&["--write", "geojson"], "add"),
    ] {
        let events = events(options);
        for slide in events[0]["slides"].as_array().unwrap() {
            assert_eq!(slide["plan"], plan, "{slide}");
        }
        let warnings = events.iter().filter(|e| e["event"] == "warning");
        let (unknown, warnings): (Vec<&Value>, Vec<&Value>) =
            warnings.partition(|warning| warning["kind"] == "left-out");
        // Masks do not tell how probable objects are.
        assert_eq!(unknown.len(), usize::from(plan == "add"), "{unknown:?}");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0]["id"], "pen");
        assert_eq!(warnings[0]["index"], 1);
        assert_eq!(warnings[0]["kind"], "no-tissue");
    }
}

#[test]
fn one_reason_is_told_once() {
    let dir = Dir::with_slide();
    let names: Vec<String> = (0..20).map(|n| format!("images/s{n:02}.png")).collect();
    for name in &names {
        std::fs::create_dir_all(dir.join("images")).unwrap();
        image::RgbImage::new(30, 20).save(dir.join(name)).unwrap();
    }
    let outcome = dir.segment(["images"], "out").ends_with(1);
    assert_eq!(outcome.stdout, "");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(
        lines[0].contains("none of the 20 slides states its um/px"),
        "{}",
        lines[0]
    );
    assert!(lines[0].contains("--mpp X"), "{}", lines[0]);
    assert!(
        lines[2].contains("20 slides (s00, s01, s02 and 17 more): the slide does not state"),
        "{}",
        lines[2]
    );
    // A table above them that knows better is named, with what to type.
    let rows: String = names
        .iter()
        .map(|name| format!("{},0.5\n", &name[7..10]))
        .collect();
    dir.write("train.csv", format!("id,pixel_size\n{rows}"));
    dir.write("other.csv", "id,pixel_size\ns00,0.5\n");
    dir.write("images/words.csv", "no table at all");
    let command = "ftuseg segment train.csv --images images -o out";
    dir.segment(["images"], "out")
        .ends_with(1)
        .says(&["train.csv does for 20 of them", command]);
    let words = command.split(' ').skip(2);
    dir.ftuseg("segment")
        .args(words)
        .args(["--bundle", "bundle", "--backend", "rten"])
        .ends_with(0)
        .says(&["20 done"]);
    // Of other kinds the first is told while the run goes on, and all of them at its end.
    for n in 0..5 {
        dir.write(&format!("bad/{n}.tif"), "no slide");
    }
    let outcome = dir.segment(["bad"], "bad-out").ends_with(1);
    let count = |word: &str| outcome.stderr.matches(word).count();
    assert_eq!((count("FAILED"), count("not a readable slide")), (1, 2));
    outcome.says(&["5 slides (0, 1, 2 and 2 more): not a readable slide"]);
    for n in 0..5 {
        let run = dir.json("bad-out/run.json");
        assert_eq!(run["slides"][n]["status"], "failed");
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let dir = two();
    let run = |name: &str, value: &str| {
        dir.segment(["one.tif", "bad.tif"], "out")
            .env(name, value)
            .run()
    };
    // CLICOLOR_FORCE stands for a terminal, which a test has not.
    let forced = run("CLICOLOR_FORCE", "1");
    assert!(
        forced.stderr.contains("\x1b[31mFAILED\x1b[0m"),
        "{}",
        forced.stderr
    );
    assert!(forced.stdout.contains("\x1b[1m"), "{}", forced.stdout);
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color")] {
        let plain = run(name, value);
        assert!(!(plain.stderr + &plain.stdout).contains('\x1b'), "{name}");
    }
}
