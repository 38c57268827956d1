//! `ftuseg evaluate`: runs of several kinds against the truth, and what cannot be scored.

use std::collections::HashMap;

use super::util::*;

/// A folder with two slides, a run of them, and the run's submission as truth (with a change in the second).
fn with_run() -> Dir {
    let dir = Dir::with_slide();
    dir.two_organs("two.tif");
    dir.segment(["one.tif", "two.tif"], "out").ends_with(0);
    let rows: HashMap<_, _> = dir.submission("out").into_iter().collect();
    let half = rows["two"]
        .split(' ')
        .take(40)
        .collect::<Vec<_>>()
        .join(" ");
    dir.write(
        "truth.csv",
        format!(
            "id,organ,img_width,img_height,pixel_size,rle\none,kidney,300,200,2.0,{}\ntwo,lung,300,200,2.0,{half}\n",
            rows["one"]
        ),
    );
    dir
}

fn rows(dir: &Dir, out: &str) -> Vec<HashMap<String, String>> {
    let mut table = csv::Reader::from_path(dir.join(out).join("report.csv")).unwrap();
    table.deserialize().map(Result::unwrap).collect()
}

#[test]
fn a_run_is_scored_per_image_per_organ_and_over_all() {
    let dir = with_run();
    let said = dir
        .ftuseg("evaluate")
        .args(["--truth", "truth.csv", "--pred", "out", "--out", "report"])
        .ends_with(0)
        .stdout;
    assert!(
        said.contains("kidney") && said.contains("(n = 1)") && said.contains("(n = 2)"),
        "{said}"
    );
    let rows = rows(&dir, "report");
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[0]["dice"].as_str(), rows[0]["run"].as_str()),
        ("1.000000", "out")
    );
    assert_eq!(
        (rows[0]["hd95_um"].as_str(), rows[0]["object_f1"].as_str()),
        ("0.000000", "1.000000")
    );
    let second: f64 = rows[1]["dice"].parse().unwrap();
    assert!(0.0 < second && second < 1.0);
    assert!(!rows[1]["routed_to"].is_empty());
    let report = dir.json("report/report.json");
    let run = &report["runs"][0];
    assert_eq!(run["mean_of_images"]["dice"]["n"], 2);
    let mean = run["mean_of_organ_means"]["dice"]["mean"].as_f64().unwrap();
    assert!((mean - (1.0 + second) / 2.0).abs() < 1e-6);
    assert_eq!(run["routing"]["by_slide"]["n"], 2);
    assert_eq!(run["routing"]["confusion"].as_array().unwrap().len(), 2);
    let page = String::from_utf8(dir.read("report/report.html")).unwrap();
    for part in [
        "data:image/jpeg;base64,",
        "\"one\"",
        "Content-Security-Policy",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(
        !page.contains("http://localhost") && !page.contains("https://"),
        "the page asks nothing of a network"
    );
}

#[test]
fn other_tools_masks_are_scored_too_and_runs_are_compared() {
    let dir = with_run();
    let truth: HashMap<String, String> = {
        let mut table = csv::Reader::from_path(dir.join("truth.csv")).unwrap();
        let all = table
            .deserialize::<HashMap<String, String>>()
            .map(Result::unwrap);
        all.map(|row| (row["id"].clone(), row["rle"].clone()))
            .collect()
    };
    // the same masks as pictures, as a submission and as GeoJSON
    std::fs::create_dir(dir.join("pictures")).unwrap();
    std::fs::create_dir(dir.join("outlines")).unwrap();
    for id in ["one", "two"] {
        dir.ftuseg("rle")
            .args(["decode", "--width", "300", "--height", "200", "--out"])
            .args([format!("pictures/{id}.png"), truth[id].clone()])
            .ends_with(0);
        std::fs::copy(
            dir.join(format!("out/slides/{id}/objects.geojson")),
            dir.join(format!("outlines/{id}.geojson")),
        )
        .unwrap();
    }
    dir.ftuseg("evaluate")
        .args([
            "--truth",
            "truth.csv",
            "--out",
            "report",
            "--no-pictures",
            "--pred",
        ])
        .args(["out", "pictures", "out/submission.csv", "outlines"])
        .ends_with(0);
    let rows = rows(&dir, "report");
    assert_eq!(rows.len(), 8);
    let dice = |run: &str, id: &str| {
        let row = rows.iter().find(|row| row["run"] == run && row["id"] == id);
        row.unwrap()["dice"].clone()
    };
    assert_eq!(dice("pictures", "two"), "1.000000");
    for run in ["submission.csv", "outlines"] {
        assert_eq!(dice(run, "two"), dice("out", "two"), "{run}");
    }
    let report = dir.json("report/report.json");
    let difference = &report["comparisons"][0];
    assert_eq!(
        (difference["run"].as_str(), difference["against"].as_str()),
        (Some("pictures"), Some("out"))
    );
    assert_eq!(difference["mean_of_images"]["won"], 1);
    assert_eq!(difference["mean_of_images"]["lost"], 0);
    assert_eq!(difference["mean_of_images"]["n"], 2);
    assert!(
        report["runs"][1]["routing"].is_null(),
        "pictures know no router"
    );
}

#[test]
fn the_truth_may_be_mask_files() {
    let dir = with_run();
    dir.write(
        "masks.csv",
        "id,mask,organ\none,out/slides/one/mask.tif,kidney\ntwo,out/slides/two/objects.geojson,lung\n",
    );
    let command = || {
        dir.ftuseg("evaluate")
            .args(["--truth", "masks.csv", "--pred", "out", "--out", "r"])
    };
    // GeoJSON states no size
    command().ends_with(1).says(&["two", "img_width"]);
    assert_eq!(rows(&dir, "r").len(), 1);
    dir.write(
        "masks.csv",
        "id,mask,organ,img_width,img_height\none,out/slides/one/mask.tif,kidney,,\ntwo,out/slides/two/objects.geojson,lung,300,200\n",
    );
    command().ends_with(0);
    assert!(rows(&dir, "r").iter().all(|row| row["dice"] == "1.000000"));
}

#[test]
fn what_does_not_fit_is_named_and_the_rest_is_scored() {
    let dir = with_run();
    let good = String::from_utf8(dir.read("truth.csv")).unwrap();
    dir.write(
        "truth.csv",
        format!("{good}three,lung,10,10,,1 2\nfour,liver,10,10,,\nfive,lung,3,3,,1 99\n../six,lung,9,9,,\n"),
    );
    dir.write("small.csv", "id,rle\none,1 2\ntwo,3\n");
    let outcome = dir
        .ftuseg("evaluate")
        .args([
            "--truth",
            "truth.csv",
            "--pred",
            "out",
            "small.csv",
            "--out",
            "r",
        ])
        .ends_with(1);
    outcome.says(&[
        "three",
        "no mask",
        "four",
        "liver",
        "five",
        "small.csv: two",
        "../six",
    ]);
    let rows = rows(&dir, "r");
    assert_eq!(rows.iter().filter(|row| row["run"] == "out").count(), 2);
    assert_eq!(
        rows.iter().filter(|row| row["run"] == "small.csv").count(),
        1
    );
    let report = dir.json("r/report.json");
    assert_eq!(report["runs"][0]["mean_of_images"]["dice"]["n"], 2);
    assert_eq!(report["truth_problems"].as_array().unwrap().len(), 2);
}

#[test]
fn nothing_starts_without_truth_or_runs() {
    let dir = with_run();
    for (truth, pred, words) in [
        ("none.csv", "out", &["none.csv"][..]),
        ("truth.csv", "nowhere", &["nowhere", "submission.csv"]),
        ("one.tif", "out", &["one.tif"]),
    ] {
        dir.ftuseg("evaluate")
            .args(["--truth", truth, "--pred", pred, "--out", "r"])
            .ends_with(2)
            .says(words);
        assert!(!dir.join("r").exists());
    }
}

#[test]
fn names_cannot_break_the_page() {
    let dir = with_run();
    let text = String::from_utf8(dir.read("truth.csv")).unwrap();
    dir.write("truth.csv", format!("{text}</script><b>x,lung,10,10,,\n"));
    dir.ftuseg("evaluate")
        .args(["--truth", "truth.csv", "--pred", "out", "--out", "r"])
        .ends_with(1);
    let page = String::from_utf8(dir.read("r/report.html")).unwrap();
    assert_eq!(page.matches("</script>").count(), 1);
}
