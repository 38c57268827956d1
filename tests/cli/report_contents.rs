//! What a report says of itself and of its runs: how it was made, what was seen in training, what is the same, what is no mask.

use serde_json::Value;

use super::evaluate::{report, rows, with_run};
use super::util::*;

const EPOCH: &str = "SOURCE_DATE_EPOCH";

fn evaluate(dir: &Dir, more: &[&str]) -> TestCommand {
    dir.ftuseg("evaluate")
        .args(["--truth", "truth.csv", "--out", "r", "--no-pictures"])
        .args(more)
}

fn page(dir: &Dir) -> String {
    String::from_utf8(dir.read("r/report.html")).unwrap()
}

/// Says in a slide's record that it looks like a training image.
fn mark_as_seen(dir: &Dir, slide: &str, training_image: &str) {
    let file = format!("out/slides/{slide}/slide.json");
    let mut record = dir.json(&file);
    record["training_image"] = training_image.into();
    assert_valid(&record, "slide");
    dir.write(&file, record.to_string());
}

#[test]
fn a_report_says_when_how_and_of_what_it_was_made() {
    let dir = with_run();
    std::fs::create_dir(dir.join("masks")).unwrap();
    std::fs::copy(
        dir.join("out/slides/one/mask.tif"),
        dir.join("masks/one.tif"),
    )
    .unwrap();
    let command = || {
        evaluate(
            &dir,
            &["--pred", "out", "masks", "--title", "Kidneys <b> & \"co\""],
        )
        .env(EPOCH, "86400")
    };
    command().ends_with(1);
    let found = report(&dir, "r");
    assert_eq!(found["title"], "Kidneys <b> & \"co\"");
    assert_eq!(found["date"], "1970-01-02 00:00:00 UTC");
    let words = found["command"].as_array().unwrap();
    assert!(words.contains(&Value::from("evaluate")) && words.contains(&Value::from("truth.csv")));
    let run = dir.json("out/run.json");
    let made_by = &found["runs"][0]["made_by"];
    for (key, value) in [
        ("backend", &run["runtime"]["backend"]),
        ("device", &run["device"]["name"]),
        ("settings", &run["settings"]),
    ] {
        assert_eq!(&made_by[key], value, "{key}");
    }
    assert_eq!(made_by["bundle"]["sha256"], run["bundle"]["sha256"]);
    // Masks alone say nothing of who made them, and the report says that.
    assert!(found["runs"][1]["made_by"].is_null());
    assert!(
        found["runs"][1]["source_unknown"]
            .as_str()
            .unwrap()
            .contains("mask files alone")
    );
    let html = page(&dir);
    assert!(html.contains("<title>Kidneys &lt;b&gt; &amp; &quot;co&quot;</title>"));
    for part in ["1970-01-02 00:00:00 UTC", "route=tile", "How it was made"] {
        assert!(html.contains(part), "{part}");
    }
    // The same again is the same bytes.
    let files = ["report.json", "report.csv", "report.html"].map(|name| format!("r/{name}"));
    let before = files.each_ref().map(|file| dir.read(file));
    command().ends_with(1);
    assert!(files.each_ref().map(|file| dir.read(file)) == before);
    // A damaged record is told of, not passed over.
    dir.write("out/run.json", "{");
    command().ends_with(1);
    let found = report(&dir, "r");
    assert!(
        found["runs"][0]["source_unknown"]
            .as_str()
            .unwrap()
            .contains("run.json")
    );
    for bad in ["soon", "-1", "99999999999999"] {
        evaluate(&dir, &["--pred", "out"])
            .env(EPOCH, bad)
            .ends_with(2)
            .says(&[EPOCH, bad]);
    }
}

#[test]
fn warnings_in_the_records_are_counted_by_kind() {
    let dir = with_run();
    let file = "out/slides/two/slide.json";
    let mut record = dir.json(file);
    record["warnings"] = serde_json::json!([
        { "kind": "unsure", "text": "a" }, { "kind": "unsure", "text": "b" }, { "kind": "samples", "text": "c" }
    ]);
    dir.write(file, record.to_string());
    evaluate(&dir, &["--pred", "out"]).ends_with(0);
    let warnings = &report(&dir, "r")["runs"][0]["warnings"];
    assert_eq!(warnings, &serde_json::json!({ "samples": 1, "unsure": 2 }));
    assert!(page(&dir).contains("1 samples, 2 unsure"));
}

#[test]
fn published_results_stand_there_only_where_they_belong() {
    let dir = with_run();
    let paper = "Course paper";
    evaluate(&dir, &["--pred", "out"]).ends_with(0);
    assert!(report(&dir, "r")["reference"].is_null() && !page(&dir).contains(paper));
    evaluate(&dir, &["--pred", "out", "--reference", "hubmap-2022"]).ends_with(0);
    assert_eq!(report(&dir, "r")["reference"], "hubmap-2022");
    assert!(page(&dir).contains(paper));
    evaluate(&dir, &["--pred", "out", "--reference", "x"])
        .ends_with(2)
        .says(&["hubmap-2022"]);
    // The challenge's own table: numbers for ids, and its sources. Drawn slides have another source.
    let table = |source: &str| {
        format!(
            "id,organ,data_source,img_width,img_height,rle\n10044,lung,{source},9,9,1 3\n62,lung,{source},9,9,\n"
        )
    };
    dir.write("found.csv", "id,rle\n10044,1 3\n62,\n");
    for (source, is_there) in [
        ("HPA", true),
        ("Hubmap", true),
        ("drawn", false),
        ("", false),
    ] {
        dir.write("truth.csv", table(source));
        evaluate(&dir, &["--pred", "found.csv"]).ends_with(0);
        assert_eq!(page(&dir).contains(paper), is_there, "{source}");
    }
}

#[test]
fn images_seen_in_training_are_marked_and_figures_without_them_stand_beside() {
    let dir = with_run();
    evaluate(&dir, &["--pred", "out"]).ends_with(0);
    assert!(report(&dir, "r")["runs"][0]["unseen"].is_null());
    assert!(!page(&dir).contains("seen in training:"));
    mark_as_seen(&dir, "one", "10044");
    let said = evaluate(&dir, &["--pred", "out", "truth.csv"])
        .ends_with(0)
        .stdout;
    for words in [
        "1 of these images was seen in training: Dice on it says nothing about new images",
        "over the 1 image not seen in training:",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let found = report(&dir, "r");
    let run = &found["runs"][0];
    let unseen = &run["unseen"];
    assert_eq!(
        (
            unseen["seen_images"].as_u64(),
            unseen["unseen_images"].as_u64()
        ),
        (Some(1), Some(1))
    );
    assert_eq!(run["mean_of_images"]["dice"]["n"], 2);
    assert_eq!(unseen["mean_of_images"]["dice"]["n"], 1);
    assert_eq!(
        unseen["mean_of_images"]["dice"]["mean"],
        run["images"][1]["dice"]
    );
    assert_eq!(unseen["organs"].as_array().unwrap().len(), 1);
    assert_eq!(run["images"][0]["training_image"], "10044");
    // Who knows no training images says nothing of them.
    assert!(found["runs"][1]["unseen"].is_null());
    assert_eq!(rows(&dir, "r")[0]["training_image"], "10044");
    let html = page(&dir);
    for part in [
        "out: its networks were trained on 1 of the 2 images. Dice on an image seen in training says nothing about new images.",
        "Mean Dice over images not seen in training",
        "Its networks had been trained on 1 of these images",
        "\"training_image\":\"10044\"",
    ] {
        assert!(html.contains(part), "{part}");
    }
    mark_as_seen(&dir, "two", "<b>");
    let said = evaluate(&dir, &["--pred", "out"]).ends_with(0).stdout;
    assert!(
        said.contains("no image is left that was not seen in training"),
        "{said}"
    );
    let unseen = &report(&dir, "r")["runs"][0]["unseen"];
    assert!(unseen["mean_of_images"].is_null());
    assert!(page(&dir).contains("No image is left to measure it on"));
}

#[test]
fn identical_runs_are_said_to_be_identical_once() {
    let dir = with_run();
    std::fs::copy(dir.join("out/submission.csv"), dir.join("again.csv")).unwrap();
    let said = evaluate(&dir, &["--pred", "out", "again.csv", "truth.csv"])
        .ends_with(0)
        .stdout;
    assert_eq!(said.matches("identical").count(), 1, "{said}");
    assert!(
        said.contains("identical on every image: out, again.csv"),
        "{said}"
    );
    assert_eq!(
        report(&dir, "r")["identical_runs"],
        serde_json::json!([["out", "again.csv"]])
    );
    let html = page(&dir);
    assert_eq!(html.matches("out and again.csv are identical").count(), 1);
    assert!(
        !html.contains("Dice of again.csv minus")
            && html.contains("Dice of truth.csv minus Dice of out")
    );
    // One px of another value, and they are not.
    let text = String::from_utf8(dir.read("again.csv")).unwrap();
    dir.write("again.csv", text.trim_end().to_owned() + " 59999 1\n");
    evaluate(&dir, &["--pred", "out", "again.csv"]).ends_with(0);
    assert_eq!(report(&dir, "r")["identical_runs"], serde_json::json!([]));
}

#[test]
fn what_hundreds_of_images_have_in_common_is_one_line_with_examples() {
    let dir = Dir::new();
    let ids = |from: usize| (from..from + 300).map(|id| format!("core-{id}"));
    let truth: String = ids(0).map(|id| format!("{id},lung,9,9,1 3\n")).collect();
    dir.write(
        "truth.csv",
        format!("id,organ,img_width,img_height,rle\n{truth}"),
    );
    let found: String = ids(297).map(|id| format!("{id},1 3\n")).collect();
    dir.write("found.csv", format!("id,rle\n{found}"));
    let outcome = evaluate(&dir, &["--pred", "found.csv"]).ends_with(1);
    outcome.says(&[
        "found.csv: 297 images: the run has no mask for it (core-0, core-1, core-2 and 294 more; all in report.json)",
        "found.csv: 297 images: not in the truth (core-300, core-301, core-302 and 294 more; all in report.json)",
    ]);
    assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
    let found = report(&dir, "r");
    for list in ["missing", "unknown"] {
        assert_eq!(found["runs"][0][list].as_array().unwrap().len(), 297);
    }
    let html = page(&dir);
    assert_eq!(
        html.matches("the run has no mask for it").count(),
        4,
        "shown, and to copy"
    );
    assert!(html.contains("core-0, core-1, core-2 and 294 more") && !html.contains("core-200,"));
}

#[test]
fn pictures_of_tissue_are_no_masks() {
    let dir = with_run();
    let noise = |x: u32, y: u32| (x * 7919 + y * 104_729 + x * y * 31) as u8;
    std::fs::create_dir(dir.join("photos")).unwrap();
    for (id, dot) in [("one", 0), ("two", 255)] {
        // Mostly glass, and one px may be black.
        let picture = image::RgbImage::from_fn(300, 200, |x, y| match (x, y) {
            (0, 0) => image::Rgb([dot; 3]),
            (100..180, 60..140) => image::Rgb([
                200 + noise(x, y) % 30,
                120 + noise(y, x) % 60,
                180 + noise(x, x + y) % 40,
            ]),
            _ => image::Rgb([255; 3]),
        });
        picture.save(dir.join(format!("photos/{id}.png"))).unwrap();
    }
    let outcome = evaluate(&dir, &["--pred", "out", "photos"]).ends_with(1);
    outcome.says(&[
        "photos: one: ",
        "it is a picture and no mask",
        "give the mask that was made of it",
    ]);
    assert_eq!(
        report(&dir, "r")["runs"][1]["problems"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}
