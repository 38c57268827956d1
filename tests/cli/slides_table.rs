//! `slides.csv`: what a batch found, slide by slide, true at every moment and after a merge.

use std::collections::HashMap;

use super::util::*;

/// The rows of a table by id, each by column.
fn table(dir: &Dir, out: &str) -> HashMap<String, HashMap<String, String>> {
    let mut table = csv::Reader::from_path(dir.join(out).join("slides.csv")).unwrap();
    let rows = table.deserialize::<HashMap<String, String>>();
    rows.map(|row| row.unwrap())
        .map(|row| (row["id"].clone(), row))
        .collect()
}

#[test]
fn a_slide_has_its_organs_counts_and_areas() {
    let dir = Dir::with_slide();
    dir.write("bad.tif", "no slide");
    dir.segment(["one.tif", "bad.tif"], "out").ends_with(1);
    let rows = table(&dir, "out");
    let record = dir.json("out/slides/one/slide.json");
    let organs = record["organs"].as_array().unwrap();
    let joined = |of: &dyn Fn(&serde_json::Value) -> String| {
        organs.iter().map(of).collect::<Vec<_>>().join(";")
    };
    let one = &rows["one"];
    assert_eq!(one["status"], "done");
    assert_eq!(
        one["organs"],
        joined(&|o| o["organ"].as_str().unwrap().to_owned())
    );
    assert_eq!(
        one["shares"],
        joined(&|o| format!("{:.4}", o["share"].as_f64().unwrap()))
    );
    assert_eq!(one["objects_by_organ"], "5;5");
    assert_eq!(one["objects"], "10");
    let area = |o: &serde_json::Value| format!("{:.6}", o["area_mm2"].as_f64().unwrap());
    assert_eq!(one["areas_mm2_by_organ"], joined(&area));
    let run = dir.json("out/run.json");
    assert_eq!(one["area_mm2"], area(&run["slides"][0]));
    assert_eq!(run["slides"][0]["organs"][0]["objects"], 5);
    let bad = &rows["bad"];
    assert_eq!(
        (bad["status"].as_str(), bad["failure"].as_str()),
        ("failed", "format")
    );
    assert!(bad["reason"].contains("not a readable slide") && bad["objects"].is_empty());
    // What is kept has the same figures.
    dir.segment(["one.tif"], "out").ends_with(0);
    let kept = &table(&dir, "out")["one"];
    assert_eq!(kept["status"], "skipped");
    for column in [
        "organs",
        "shares",
        "confidences",
        "objects",
        "area_mm2",
        "areas_mm2_by_organ",
    ] {
        assert_eq!(kept[column], one[column], "{column}");
    }
}

#[test]
fn joined_runs_have_one_table() {
    let dir = Dir::with_slide();
    dir.two_organs("two.tif");
    dir.segment(["one.tif"], "a").ends_with(0);
    dir.segment(["two.tif"], "b").ends_with(0);
    dir.ftuseg("merge")
        .args(["a", "b", "-o", "all"])
        .ends_with(0);
    let (all, a) = (table(&dir, "all"), table(&dir, "a"));
    assert_eq!(all.len(), 2);
    assert_eq!(all["one"]["shares"], a["one"]["shares"]);
    assert_eq!(all["two"]["objects"], "10");
}

#[cfg(unix)]
#[test]
fn a_kill_leaves_a_table_that_is_true() {
    let dir = Dir::with_slide();
    let names: Vec<String> = (0..6).map(|n| format!("s{n}.tif")).collect();
    names.iter().for_each(|name| dir.two_organs(name));
    let mut running = dir.segment(&names, "out").args(["--json-log"]).start();
    running.wait_until(|said| said.matches("\"event\":\"ended\"").count() >= 2);
    let _ = running.child.kill();
    let _ = running.child.wait();
    drop(running);
    let rows = table(&dir, "out");
    assert_eq!(rows.len(), names.len());
    for (id, row) in rows {
        if row["status"] == "done" {
            assert!(
                dir.join(format!("out/slides/{id}/slide.json")).is_file(),
                "{id}"
            );
            assert_eq!(row["objects"], "10");
        } else {
            assert_eq!(row["status"], "pending");
        }
    }
}
