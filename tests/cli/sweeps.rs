//! What `ftuseg evaluate` says of thresholds and of routing errors, from runs whose answers are known.

use std::collections::HashMap;

use super::evaluate::{report, rows, with_run};
use super::report_schema::keeps;
use super::util::*;

#[test]
fn thresholds_are_swept_and_written_for_the_bundle() {
    let dir = with_run();
    let slides = ["one.tif", "two.tif", "three.tif", "four.tif", "five.tif"];
    slides.iter().for_each(|name| dir.two_organs(name));
    let truth = String::from_utf8(dir.read("truth.csv")).unwrap();
    let run = |out: &str, route: &str| {
        dir.segment(slides, out)
            .args(["--route", route, "--write", "mask,prob"])
            .ends_with(0);
    };
    run("lung", "organ=lung");
    run("routed", "tile");
    run("single", "baseline");
    let evaluate = |table: &str, runs: &[&str]| {
        dir.write("t.csv", table);
        dir.ftuseg("evaluate")
            .args(["--truth", "t.csv", "--no-pictures", "--out", "r", "--pred"])
            .args(runs)
            .ends_with(0);
        report(&dir, "r")
    };
    // Truth: what kidney's and lung's model both finds at 220 / 255 in the left half, and nowhere else.
    let left: String = {
        let mut runs = Vec::new();
        for x in 0..150_u32 {
            for y in 0..200_u32 {
                if two_organs(x, y, 1) == KIDNEY_FTU {
                    runs.push(format!("{} 1", x * 200 + y + 1));
                }
            }
        }
        runs.join(" ")
    };
    let lungs =
        ["one", "two", "three", "four", "five"].map(|id| format!("{id},lung,300,200,2.0,{left}\n"));
    let header = "id,organ,img_width,img_height,pixel_size,rle\n";
    let found = evaluate(
        &format!("{header}{}", lungs.concat()),
        &["lung", "routed", "single"],
    );
    let sweep = &found["runs"][0]["thresholds"];
    let lung = &sweep["targets"][0];
    assert_eq!(
        (lung["target"].as_str(), lung["models"][0].as_str()),
        (Some("lung"), Some("lung"))
    );
    // Red is 110 in kidney tissue, 220 in its FTU, at most 100 in prostate: every threshold between finds exactly the FTU.
    let overall = &lung["overall"];
    assert_eq!(
        (overall["n"].as_u64(), overall["dice"].as_f64()),
        (Some(5), Some(1.0))
    );
    assert_eq!(
        (overall["best"].as_f64(), overall["gain"].as_f64()),
        (Some(0.5), Some(0.0))
    );
    let curve: Vec<(f64, f64)> = serde_json::from_value(overall["curve"].clone()).unwrap();
    for (threshold, dice) in curve {
        let exact = threshold > 110.0 / 255.0 && threshold < 220.0 / 255.0;
        assert_eq!(dice == 1.0, exact, "at {threshold}: {dice}");
    }
    // All tissue was sent to kidney and prostate, so no image says anything of one model's threshold.
    let routed = &found["runs"][1]["thresholds"];
    assert_eq!(routed["targets"].as_array().unwrap().len(), 0);
    assert_eq!(routed["left_out"].as_array().unwrap().len(), 5);
    let reason = routed["left_out"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("several models"), "{reason}");
    assert_eq!(
        found["runs"][2]["thresholds"]["targets"][0]["target"],
        "baseline"
    );
    let text = String::from_utf8(dir.read("r/thresholds.toml")).unwrap();
    assert!(
        text.contains("name = \"lung\"") && text.contains("n = 5") && text.contains("optimistic")
    );
    toml::from_str::<toml::Table>(&text).unwrap();

    // A truth that wants all tissue in the left half: lower thresholds are better, and all images agree on that.
    let mut tissue = Vec::new();
    for x in 0..150_u32 {
        for y in 0..200_u32 {
            if two_organs(x, y, 1) != VOID {
                tissue.push(format!("{} 1", x * 200 + y + 1));
            }
        }
    }
    let tissue = tissue.join(" ");
    let lungs = ["one", "two", "three", "four", "five"]
        .map(|id| format!("{id},lung,300,200,2.0,{tissue}\n"));
    let found = evaluate(&format!("{header}{}", lungs.concat()), &["lung"]);
    let overall = &found["runs"][0]["thresholds"]["targets"][0]["overall"];
    assert_eq!(overall["best_dice"], 1.0);
    let best = overall["best"].as_f64().unwrap();
    // The nearest to 0.5 of those that find it all.
    assert_eq!(best, (110.0_f64 / 255.0 * 256.0).floor() / 256.0);
    let left_out = &overall["leave_one_out"];
    assert_eq!(left_out["dice"]["n"], 5);
    assert_eq!(left_out["lowest"].as_f64(), Some(best));
    let gains = [&left_out["gain"]["mean"], &overall["gain"]].map(|gain| gain.as_f64().unwrap());
    assert!((gains[0] - gains[1]).abs() < 1e-12 && gains[0] > 0.1);
    let text = String::from_utf8(dir.read("r/thresholds.toml")).unwrap();
    let parsed: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(parsed["model"][0]["threshold"].as_float(), Some(best));
    // That line does what it says: with it in the bundle, the mask is the truth.
    let bundle = String::from_utf8(dir.read("bundle/bundle.toml")).unwrap();
    let line = format!("organ = \"lung\"\nthreshold = {best}\n");
    dir.write(
        "bundle/bundle.toml",
        bundle.replace("organ = \"lung\"\n", &line),
    );
    run("better", "organ=lung");
    let found = evaluate(&format!("{header}{}", lungs.concat()), &["better"]);
    assert_eq!(found["runs"][0]["mean_of_images"]["dice"]["mean"], 1.0);
    // No probabilities, no thresholds; and none of an older report stay.
    evaluate(&truth, &["out"]);
    assert!(!dir.join("r/thresholds.toml").exists());
}

#[test]
fn a_damaged_map_of_probabilities_costs_only_the_sweep() {
    let dir = with_run();
    dir.segment(["one.tif", "two.tif"], "prob")
        .args(["--write", "mask,prob", "--route", "baseline"])
        .ends_with(0);
    dir.write("prob/slides/one/prob.tif", "no image");
    dir.ftuseg("evaluate")
        .args(["--truth", "truth.csv", "--pred", "prob", "--out", "r"])
        .ends_with(0);
    let report = report(&dir, "r");
    let run = &report["runs"][0];
    assert_eq!(run["images"].as_array().unwrap().len(), 2);
    assert_eq!(run["thresholds"]["left_out"][0]["id"], "one");
    assert_eq!(run["thresholds"]["targets"][0]["overall"]["n"], 1);
    assert!(run["thresholds"]["targets"][0]["overall"]["leave_one_out"].is_null());
}

#[test]
fn the_cost_of_routing_errors_is_dice_with_the_true_organ_less_dice_as_routed() {
    let dir = Dir::with_slide();
    // A slide all of kidney, and one whose kidney looks like prostate to the router.
    dir.slide("plain.tif", (160, 200), Some(MPP), |x, y| {
        two_organs(x, y, 1)
    });
    dir.slide("green.tif", (160, 200), Some(MPP), |x, y| {
        let [red, green, blue] = two_organs(x, y, 1);
        if [red, green, blue] == VOID {
            VOID
        } else {
            [red, 250, blue]
        }
    });
    dir.write(
        "m.csv",
        "id,path,organ\nplain,plain.tif,kidney\ngreen,green.tif,kidney\n",
    );
    for (out, route) in [
        ("routed", "tile"),
        ("given", "given"),
        ("single", "baseline"),
    ] {
        dir.segment(["m.csv"], out)
            .args(["--route", route])
            .ends_with(0);
    }
    let rows_of: HashMap<_, _> = dir.submission("given").into_iter().collect();
    let truth: String = ["plain", "green"]
        .map(|id| format!("{id},kidney,160,200,2.0,{}\n", rows_of[id]))
        .concat();
    dir.write(
        "truth.csv",
        format!("id,organ,img_width,img_height,pixel_size,rle\n{truth}"),
    );
    dir.ftuseg("evaluate")
        .args([
            "--truth",
            "truth.csv",
            "--out",
            "r",
            "--pred",
            "routed",
            "given",
            "single",
        ])
        .ends_with(0);
    let report = report(&dir, "r");
    let dice = |id: &str| -> f64 {
        let row = rows(&dir, "r")
            .into_iter()
            .find(|row| row["run"] == "routed" && row["id"] == id);
        row.unwrap()["dice"].parse().unwrap()
    };
    assert_eq!(dice("plain"), 1.0);
    assert!(dice("green") < 0.9);
    let costs = report["routing_costs"].as_array().unwrap();
    assert_eq!(costs.len(), 1, "only a routed run has routing errors");
    assert_eq!(
        (costs[0]["run"].as_str(), costs[0]["given"].as_str()),
        (Some("routed"), Some("given"))
    );
    let all = &costs[0]["mean_of_images"];
    assert_eq!(
        (all["given"].as_f64(), all["cost"]["n"].as_u64()),
        (Some(1.0), Some(2))
    );
    let expected = (1.0 - dice("green")) / 2.0;
    assert!((all["cost"]["mean"].as_f64().unwrap() - expected).abs() < 1e-6);
    assert_eq!(costs[0]["sent_elsewhere"]["cost"]["n"], 1);
    let routing = &report["runs"][0]["routing"];
    assert_eq!(routing["by_slide"]["mean"], 0.5);
    let cells = &routing["by_cell"];
    assert!(cells["n"].as_u64().unwrap() > 2 && cells["images"] == 2);
    assert!(0.0 < cells["share"].as_f64().unwrap() && cells["share"].as_f64().unwrap() < 1.0);
    assert!(report["runs"][1]["routing"].is_null() && report["runs"][2]["routing"].is_null());

    // The schema is no rubber stamp.
    for pointer in ["/runs/0/images/0/dice", "/seed", "/routing_costs/0/given"] {
        let mut broken = report.clone();
        *broken.pointer_mut(pointer).unwrap() = serde_json::json!(["wrong"]);
        assert!(!keeps(&broken), "{pointer}");
    }
    let mut more = report.clone();
    more["runs"][0]["images"][0]["unheard_of"] = 1.into();
    assert!(!keeps(&more));
}
