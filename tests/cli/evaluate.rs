//! `ftuseg evaluate`: runs of several kinds against the truth, and what cannot be scored.

use std::collections::HashMap;

use super::report_schema::check;
use super::util::*;

/// A folder with two slides, a run of them, and the run's submission as truth (with a change in the second).
pub fn with_run() -> Dir {
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

/// The report in a folder, which keeps to its schema.
pub fn report(dir: &Dir, out: &str) -> serde_json::Value {
    let report = dir.json(format!("{out}/report.json"));
    check(&report);
    report
}

/// The rows of `report.csv`.
pub fn rows(dir: &Dir, out: &str) -> Vec<HashMap<String, String>> {
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
    let report = report(&dir, "report");
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
    let report = report(&dir, "report");
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
fn a_submission_scores_as_kaggle_defines_it() {
    let dir = Dir::new();
    let (width, height) = (37_usize, 23_usize);
    // Runs that begin and end anywhere, some over several columns; some masks are empty.
    let mut state = 5_usize;
    let mut random = |end: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % end
    };
    let mut mask = || -> String {
        let (mut at, mut runs) = (1, Vec::new());
        for _ in 0..random(9) {
            let (start, length) = (at + random(60), 1 + random(90));
            if start + length > width * height + 1 {
                break;
            }
            runs.push(format!("{start} {length}"));
            at = start + length + 1;
        }
        runs.join(" ")
    };
    let mut pairs: Vec<(String, String)> = (0..40).map(|_| (mask(), mask())).collect();
    pairs.push((String::new(), String::new()));
    let mut truth = String::from("id,rle,organ,img_width,img_height\n");
    let mut submission = String::from("id,rle\n");
    let mut dices = Vec::new();
    for (id, (wanted, found)) in pairs.iter().enumerate() {
        truth += &format!("{id},{wanted},spleen,{width},{height}\n");
        submission += &format!("{id},{found}\n");
        let masks = [wanted, found].map(|text| decode_rle(text, width, height));
        let count = |mask: &[bool]| mask.iter().filter(|&&px| px).count();
        let both = masks[0].iter().zip(&masks[1]).filter(|(a, b)| **a && **b);
        dices.push(match count(&masks[0]) + count(&masks[1]) {
            0 => 1.0,
            sum => 2.0 * both.count() as f64 / sum as f64,
        });
    }
    assert!(dices.contains(&0.0) && dices.contains(&1.0));
    dir.write("truth.csv", truth);
    dir.write("submission.csv", submission);
    dir.ftuseg("evaluate")
        .args([
            "--truth",
            "truth.csv",
            "--pred",
            "submission.csv",
            "--out",
            "r",
        ])
        .ends_with(0);
    let report = report(&dir, "r");
    let dice = &report["runs"][0]["mean_of_images"]["dice"];
    let mean = dices.iter().sum::<f64>() / dices.len() as f64;
    assert!((dice["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert_eq!(dice["n"], 41);
    for (row, expected) in rows(&dir, "r").iter().zip(dices) {
        assert_eq!(row["dice"], format!("{expected:.6}"));
    }
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
    // Each row has one thing wrong with it, and the word that tells of it.
    let bad = [
        ("liver,10,10,,", "wrong-organ", "liver"),
        ("lung,3,3,,1 99", "past-the-end", "reaches past"),
        ("lung,10,10,,1 2 3", "odd-count", "pairs"),
        ("lung,10,10,,1 5 3 2", "overlap", "must not overlap"),
        ("lung,10,10,,7 2 1 2", "unsorted", "sort the runs"),
        ("lung,10,10,,0 2", "from-zero", "count from 1"),
        ("lung,10,ten,,1 2", "bad-size", "img_height"),
        ("lung,,,,1 2", "no-size", "img_width"),
        ("lung,10,10,-1,1 2", "bad-mpp", "um/px"),
    ];
    let mut table = good.clone();
    for (rest, id, _) in &bad {
        table += &format!("{id},{rest}\n");
    }
    // These cannot be scored in this run: it has no mask of the one, another size of the other.
    table += "absent,lung,10,10,,1 2\n../out,lung,9,9,,\none,lung,300,200,,\n";
    dir.write(
        "truth.csv",
        table.replace("two,lung,300,200", "two,lung,200,300"),
    );
    dir.write("small.csv", "id,rle\none,1 2\ntwo,3\nstranger,1 2\n");
    let outcome = dir
        .ftuseg("evaluate")
        .args([
            "--truth",
            "truth.csv",
            "--out",
            "r",
            "--pred",
            "out",
            "small.csv",
        ])
        .ends_with(1);
    outcome.says(&["small.csv: stranger: not in the truth"]);
    let report = report(&dir, "r");
    let problems = report["truth_problems"].as_array().unwrap();
    for (_, id, word) in bad {
        let problem = problems.iter().find(|p| p["id"] == id);
        let reason = problem.unwrap_or_else(|| panic!("{id} is not told of"))["reason"].as_str();
        assert!(reason.unwrap().contains(word), "{id}: {reason:?}");
        outcome.says(&[id]);
    }
    let twice = problems.iter().find(|p| p["id"] == "one").unwrap();
    assert!(twice["reason"].as_str().unwrap().contains("second time"));
    assert_eq!(problems.len(), bad.len() + 1);

    let run = &report["runs"][0];
    let told = |list: &serde_json::Value| -> Vec<String> {
        let ids = list.as_array().unwrap().iter();
        ids.map(|p| p.as_str().or(p["id"].as_str()).unwrap().to_owned())
            .collect()
    };
    assert_eq!(told(&run["missing"]), ["absent", "../out"]);
    assert_eq!(told(&run["problems"]), ["two"]);
    let reason = run["problems"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("300 x 200 px, but the truth is 200 x 300"),
        "{reason}"
    );
    assert_eq!(
        told(&report["runs"][1]["problems"]),
        ["two"],
        "an odd count"
    );
    assert_eq!(told(&report["runs"][1]["unknown"]), ["stranger"]);
    // What is left is scored.
    let ids: Vec<_> = rows(&dir, "r")
        .into_iter()
        .map(|row| row["id"].clone())
        .collect();
    assert_eq!(ids, ["one", "one"]);
    assert_eq!(run["mean_of_images"]["dice"]["n"], 1);
    let page = String::from_utf8(dir.read("r/report.html")).unwrap();
    assert!(
        page.contains("must not overlap"),
        "the page tells of it too"
    );
}

#[test]
fn an_image_without_organ_is_told_of_and_scored_all_the_same() {
    let dir = with_run();
    let truth = String::from_utf8(dir.read("truth.csv")).unwrap();
    let command = |name: &str| {
        let arguments = [
            "--truth",
            name,
            "--pred",
            "out",
            "--out",
            "r",
            "--no-pictures",
        ];
        dir.ftuseg("evaluate").args(arguments)
    };
    dir.write("some.csv", truth.replace("two,lung", "two,"));
    command("some.csv")
        .ends_with(0)
        .says(&["two", "does not say its organ"]);
    let some = report(&dir, "r");
    assert_eq!(some["notes"][0]["id"], "two");
    let run = &some["runs"][0];
    assert_eq!(run["mean_of_images"]["dice"]["n"], 2);
    assert_eq!(run["mean_of_organ_means"]["dice"]["n"], 1);
    assert!(run["organs"][1]["organ"].is_null());
    // A table that knows no organs at all says nothing wrong.
    dir.write("none.csv", truth.replace(",organ,", ",comment,"));
    command("none.csv").ends_with(0);
    let none = report(&dir, "r");
    assert_eq!(none["notes"].as_array().unwrap().len(), 0);
    assert!(none["runs"][0]["mean_of_organ_means"].is_null());
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
    // The data's script and the page's own.
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(page.contains("\\u003c/script>"));
}
