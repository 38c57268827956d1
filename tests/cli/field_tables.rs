//! Ids and tables as they were met in the field; the inputs lie beside the project where they are there at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::util::*;

/// The folder of a field case, if it is there.
fn case(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/field_cases");
    let found = folder.join(name);
    if !found.is_dir() {
        println!("skipped: no field case {name}");
        return None;
    }
    found.canonicalize().ok()
}

/// `ftuseg segment` with the bundle whose answer is known.
fn segment(dir: &Dir, inputs: &[PathBuf], out: &str) -> TestCommand {
    let bundle = case("_bundles/red-0.5").unwrap();
    dir.ftuseg("segment")
        .args(inputs)
        .args(["--out", out, "--backend", "rten", "--route", "baseline"])
        .args(["--bundle".as_ref(), bundle.as_os_str()])
}

/// Dice by id, of a run against a table.
fn scores(dir: &Dir, truth: &Path, run: &str, code: i32) -> BTreeMap<String, f64> {
    dir.ftuseg("evaluate")
        .args(["--truth".as_ref(), truth.as_os_str()])
        .args(["--pred", run, "--out", "report", "--no-pictures"])
        .ends_with(code);
    let report = dir.json("report/report.json");
    let images = report["runs"][0]["images"].as_array().unwrap();
    images
        .iter()
        .map(|image| {
            let id = image["id"].as_str().unwrap().to_owned();
            (id, image["dice"].as_f64().unwrap())
        })
        .collect()
}

fn slides(dir: &Dir, out: &str) -> Vec<Value> {
    dir.json(format!("{out}/run.json"))["slides"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn ids_of_any_kind_pair_with_the_truth() {
    let Some(folder) = case("11-ids") else { return };
    let dir = Dir::new();
    segment(&dir, std::slice::from_ref(&folder), "out").ends_with(0);
    let ids = ["TCGA-XX 01 (HE)", "präparat_é", "slide#3,v2"];
    let rows = dir.submission("out");
    assert!(rows.iter().map(|row| row.0.as_str()).eq(ids));
    let truth = folder.join("truth.csv");
    for run in ["out", "out/submission.csv"] {
        let found = scores(&dir, &truth, run, 0);
        assert_eq!(found.len(), 3);
        assert!(found.values().all(|&dice| dice == 1.0), "{found:?}");
    }
}

#[test]
fn ids_that_collide_as_names_are_told_apart() {
    let Some(folder) = case("34-id-collision") else {
        return;
    };
    let dir = Dir::new();
    segment(&dir, &[folder.join("slides.csv")], "out").ends_with(0);
    let found = scores(&dir, &folder.join("truth.csv"), "out", 0);
    assert_eq!(found.len(), 2);
    assert!(found.values().all(|&dice| dice == 1.0), "{found:?}");
    // S1 in two folders, and a real S1-2.
    segment(&dir, &[folder.join("f")], "f").ends_with(0);
    let found = slides(&dir, "f");
    let mut ids: Vec<&str> = found.iter().map(|s| s["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["S1", "S1", "S1-2"]);
    let real = found.iter().find(|s| s["id"] == "S1-2").unwrap();
    assert_eq!(real["folder"], "slides/S1-2");
    // No figure for an id that two slides have, and a word about it.
    segment(&dir, &[folder.join("double.csv")], "double").ends_with(0);
    assert_eq!(slides(&dir, "double").len(), 2);
    dir.write("x.csv", "id,img_height,img_width,rle\nx,300,400,1 2\n");
    assert!(scores(&dir, &dir.join("x.csv"), "double", 1).is_empty());
    let report = dir.json("report/report.json");
    let reason = report["runs"][0]["problems"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("2 slides have the id"), "{reason}");
}

#[test]
fn a_new_slide_of_an_old_name_stops_nothing() {
    let Some(folder) = case("29-new-slide") else {
        return;
    };
    let dir = Dir::new();
    for (name, status) in [("b", "done"), ("a", "done"), ("b", "skipped")] {
        let from = folder.join(format!("s/{name}/x.tif"));
        let to = dir.join(format!("s/{name}/x.tif"));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        if !to.exists() {
            fs::copy(from, &to).unwrap();
        }
        segment(&dir, &["s".into()], "out").ends_with(0);
        let all = slides(&dir, "out");
        let path = format!("s/{name}/x.tif");
        let slide = all.iter().find(|s| s["path"] == path.as_str()).unwrap();
        assert_eq!(
            (&slide["id"], &slide["status"]),
            (&"x".into(), &status.into())
        );
    }
    let all = slides(&dir, "out");
    assert_eq!(all.len(), 2);
    let old = all.iter().find(|s| s["path"] == "s/b/x.tif").unwrap();
    assert_eq!(old["folder"], "slides/x");
}

#[cfg(unix)]
#[test]
fn two_links_to_one_file_are_two_slides() {
    let Some(folder) = case("22-symlinks") else {
        return;
    };
    let dir = Dir::new();
    // A copy may hold the links as texts.
    fs::create_dir(dir.join("work")).unwrap();
    for name in ["patient-1.tif", "patient-2.tif"] {
        let file = folder.join("store/sha256-aa.tif");
        std::os::unix::fs::symlink(file, dir.join("work").join(name)).unwrap();
    }
    segment(&dir, &["work".into()], "out")
        .ends_with(0)
        .says(&["2 done", "the same file as"]);
    let found = slides(&dir, "out");
    assert_eq!(
        (&found[0]["id"], &found[1]["id"]),
        (&"patient-1".into(), &"patient-2".into())
    );
    assert_eq!(found[0]["warnings"][0]["kind"], "same-file");
}

#[test]
fn tables_of_many_programs_name_one_slide_each() {
    let Some(folder) = case("10-tables") else {
        return;
    };
    let dir = Dir::new();
    for name in [
        "backslash",
        "big-organ",
        "bom",
        "crlf-quotes",
        "header-case",
        "index-col",
        "nan-organ",
        "semicolon",
        "tab",
        "trailing-blank",
        "utf16",
    ] {
        segment(&dir, &[folder.join(format!("{name}.csv"))], name).ends_with(0);
        let found = slides(&dir, name);
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(
            (&found[0]["id"], &found[0]["status"]),
            (&"one".into(), &"done".into())
        );
    }
    segment(&dir, &[folder.join("xlsx.csv")], "xlsx")
        .ends_with(2)
        .says(&["xlsx.csv", "spreadsheet", "CSV"]);
}

#[test]
fn images_with_upper_case_endings_are_found() {
    let Some(folder) = case("28-hubmap-2021") else {
        return;
    };
    let dir = Dir::new();
    segment(&dir, &[folder.join("t2.csv")], "out")
        .args(["--images".as_ref(), folder.join("train").as_os_str()])
        .ends_with(0);
    let found = slides(&dir, "out");
    assert_eq!(
        (&found[0]["id"], &found[0]["status"]),
        (&"0abc".into(), &"done".into())
    );
}
