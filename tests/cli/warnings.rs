//! What looks doubtful is said: in records, in the report, in the table, in JSON lines and on the last line.

use super::status;
use super::util::*;

#[test]
fn a_sound_slide_has_an_empty_list() {
    let dir = Dir::with_slide();
    let outcome = dir.segment(["one.tif"], "out").ends_with(0);
    outcome.says(&["0 warnings"]);
    let none = serde_json::json!([]);
    assert_eq!(dir.json("out/slides/one/slide.json")["warnings"], none);
    let run = dir.json("out/run.json");
    assert_eq!(run["warnings"], none);
    assert_eq!(run["slides"][0]["warnings"], none);
    assert_eq!(run["totals"]["warnings"], 0);
}

#[test]
fn no_tissue_is_a_doubt_unless_the_picture_is_blank() {
    let dir = Dir::with_slide();
    // Light that falls off towards the rim is no picture.
    dir.slide("blank.tif", (300, 200), Some(MPP), |x, y| {
        [245 - (x.abs_diff(150) + y.abs_diff(100)) as u8 / 16; 3]
    });
    // A pen's mark is no tissue, but no blank either.
    dir.slide("pen.tif", (300, 200), Some(MPP), |x, y| {
        match (40..160).contains(&x) && (40..120).contains(&y) {
            true => [40, 90, 240],
            false => [245; 3],
        }
    });
    let outcome = dir
        .segment(["blank.tif", "pen.tif"], "out")
        .args(["--write", "rle,mask"])
        .ends_with(0);
    outcome.says(&["1 warning;", "warning: no tissue was found", "--tissue off"]);
    assert!(outcome.stdout.contains("no-tissue"), "{}", outcome.stdout);
    let warnings = |id: &str| status(&dir, "out", id)["warnings"].clone();
    assert_eq!(warnings("blank"), serde_json::json!([]));
    assert_eq!(warnings("pen")[0]["kind"], "no-tissue");
    let record = dir.json("out/slides/pen/slide.json");
    assert_eq!(record["warnings"], warnings("pen"));
    // A slide that is kept keeps its doubts.
    let rerun = dir
        .segment(["blank.tif", "pen.tif"], "out")
        .args(["--write", "rle,mask", "--json-log"])
        .ends_with(0);
    assert_eq!(warnings("pen")[0]["kind"], "no-tissue");
    let events: Vec<serde_json::Value> = rerun
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.last().unwrap()["warnings"], 1);
    let ended = events
        .iter()
        .find(|e| e["event"] == "ended" && e["slide"]["id"] == "pen");
    assert_eq!(ended.unwrap()["slide"]["warnings"], warnings("pen"));
    // And whoever scores the run is told.
    dir.write(
        "truth.csv",
        "id,organ,img_width,img_height,rle\npen,kidney,300,200,\nblank,kidney,300,200,\n",
    );
    dir.ftuseg("evaluate")
        .args(["--truth", "truth.csv", "--pred", "out", "--out", "report"])
        .ends_with(0);
    let notes = dir.json("report/report.json")["notes"].clone();
    assert_eq!(notes.as_array().unwrap().len(), 1, "{notes}");
    assert_eq!(notes[0]["id"], "pen");
    assert!(
        notes[0]["reason"]
            .as_str()
            .unwrap()
            .contains("no tissue was found"),
        "{notes}"
    );
}

#[test]
fn cells_under_the_limit_are_a_doubt() {
    let dir = Dir::with_slide();
    dir.bundle(
        "bundle",
        &full_bundle().replace("limit = 0.4", "limit = 0.999"),
    );
    dir.segment(["one.tif"], "out").ends_with(0);
    let slide = status(&dir, "out", "one");
    assert_eq!(slide["warnings"][0]["kind"], "unsure", "{slide}");
    let text = slide["warnings"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("cells of tissue (") && text.contains("went to baseline"),
        "{text}"
    );
}

#[test]
fn tissue_of_no_known_organ_is_a_doubt_and_gets_no_mask() {
    let dir = Dir::with_slide();
    let bundle = full_bundle().replace("router.onnx", "router-other.onnx");
    dir.bundle(
        "bundle",
        &bundle.replace("limit = 0.4", "limit = 0.4\nother = true"),
    );
    dir.slide("skin.tif", (300, 200), Some(MPP), |_, _| [140, 90, 210]);
    let outcome = dir
        .segment(["skin.tif"], "out")
        .args(["--write", "rle,mask,geojson,overlay"])
        .ends_with(0);
    outcome.says(&["1 warning;", "none of the organs", "--route organ=NAME"]);
    let record = dir.json("out/slides/skin/slide.json");
    assert_eq!(record["organ"], "other");
    assert_eq!(record["organs"][0]["model"], serde_json::Value::Null);
    assert_eq!(record["organs"][0]["label"], 0);
    assert_eq!(record["organ_map"]["legend"]["o"], "other");
    assert_eq!(record["warnings"][0]["kind"], "other-tissue");
    assert_eq!(record["tiles"]["inferred"], 0);
    assert!(dir.read("out/submission.csv").ends_with(b"skin,\n"));
    let routed = dir
        .ftuseg("route")
        .args(["skin.tif", "--bundle", "bundle"])
        .ends_with(0);
    assert!(
        routed.stdout.contains("skin\tother\t1.0000"),
        "{}",
        routed.stdout
    );
    // A kept slide stays what it was, and whoever knows better says so.
    dir.segment(["skin.tif"], "out")
        .args(["--write", "rle,mask,geojson,overlay"])
        .ends_with(0)
        .says(&["1 already done"]);
    dir.segment(["skin.tif"], "forced")
        .args(["--route", "organ=kidney"])
        .ends_with(0)
        .says(&["0 warnings"]);
    let forced = dir.json("forced/slides/skin/slide.json");
    assert_eq!(forced["organs"][0]["area_px"], 300 * 200);
}

#[test]
fn um_per_px_that_the_file_contradicts_are_a_doubt_and_count() {
    let dir = Dir::with_slide();
    let given = MPP / 2.0;
    dir.segment(["one.tif"], "out")
        .args(["--mpp", &given.to_string()])
        .ends_with(0);
    let slide = status(&dir, "out", "one");
    assert_eq!(slide["warnings"][0]["kind"], "resolution", "{slide}");
    let text = slide["warnings"][0]["text"].as_str().unwrap();
    assert!(text.contains("100 % apart"), "{text}");
    let record = dir.json("out/slides/one/slide.json");
    assert_eq!(record["mpp"]["value"], given);
    assert_eq!(record["warnings"], slide["warnings"]);
    // A table's count the same; who rounds is not spoken to.
    dir.write(
        "slides.csv",
        format!(
            "id,path,mpp\nfar,one.tif,{}\nnear,one.tif,{}\n",
            MPP * 3.0,
            MPP * 1.05
        ),
    );
    dir.segment(["slides.csv"], "table").ends_with(0);
    let kinds = |id: &str| -> Vec<String> {
        let slide = status(&dir, "table", id);
        let all = slide["warnings"].as_array().unwrap().iter();
        all.map(|w| w["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(kinds("far").contains(&"resolution".to_owned()));
    assert!(!kinds("near").contains(&"resolution".to_owned()));
}

#[test]
fn a_picture_in_other_light_is_a_doubt() {
    let dir = Dir::with_slide();
    let spot = |x: u32, y: u32| (100..160).contains(&x) && (60..120).contains(&y);
    dir.slide("dark.tif", (300, 200), Some(MPP), |x, y| match spot(x, y) {
        true => [20, 180, 60],
        false => [4; 3],
    });
    dir.slide("grey.tif", (300, 200), Some(MPP), |x, y| match spot(x, y) {
        true => [120; 3],
        false => [240; 3],
    });
    dir.segment(["one.tif", "dark.tif", "grey.tif"], "out")
        .ends_with(0);
    for (id, word) in [("dark", "% of the picture is black"), ("grey", "grey only")] {
        let warnings = status(&dir, "out", id)["warnings"].clone();
        let all: Vec<&serde_json::Value> = warnings.as_array().unwrap().iter().collect();
        let told = all.iter().find(|w| w["kind"] == "not-brightfield");
        let text = told.unwrap_or_else(|| panic!("{id}: {warnings}"))["text"].as_str();
        assert!(text.unwrap().contains(word), "{warnings}");
    }
    assert_eq!(
        status(&dir, "out", "one")["warnings"],
        serde_json::json!([])
    );
}
