//! Variants of the same job: several models of one organ, tiles shown turned, int8 files.

use serde_json::Value;

use super::util::*;

/// A slide that is red on the left and green on the right.
fn red_and_green(dir: &Dir) {
    dir.slide("rg.tif", (128, 64), Some(MPP), |x, _| {
        if x < 64 { [250, 0, 0] } else { [0, 250, 0] }
    });
}

/// Adds lines to the manifest's model of kidney.
fn kidney_with(lines: &str) -> String {
    full_bundle().replacen(
        "name = \"kidney\"",
        &format!("name = \"kidney\"\n{lines}"),
        1,
    )
}

fn only_organ(dir: &Dir, out: &str) -> Value {
    dir.json(format!("{out}/slides/rg/slide.json"))["organs"][0].clone()
}

/// The columns that were found, from the RLE down columns.
fn columns_found(dir: &Dir, out: &str) -> Vec<usize> {
    let (_, text) = dir.submission(out).remove(0);
    let mask = decode_rle(&text, 128, 64);
    (0..128)
        .filter(|x| (0..64).any(|y| mask[y * 128 + x]))
        .collect()
}

#[test]
fn int8_runs_the_int8_file_and_says_where_there_is_none() {
    let dir = Dir::new();
    red_and_green(&dir);
    // The "int8 file" finds green where the model finds red, so that it shows which one ran.
    dir.bundle(
        "bundle",
        &kidney_with("int8 = { file = \"green.onnx\", sha256 = \"SUM(green.onnx)\" }"),
    );
    let run = |out: &str, precision: &str, route: &str| {
        let command = dir.segment(["rg.tif"], out).args(["--tissue", "off"]);
        let command = command.args(["--route", route, "--precision", precision]);
        command.ends_with(0)
    };
    run("fp32", "fp32", "organ=kidney");
    assert_eq!(only_organ(&dir, "fp32")["model"], "kidney");
    assert!(columns_found(&dir, "fp32").iter().all(|&x| x < 66));
    let said = run("int8", "int8", "organ=kidney").stderr;
    assert!(!said.contains("no int8 file"), "{said}");
    assert_eq!(only_organ(&dir, "int8")["model"], "kidney int8");
    assert!(columns_found(&dir, "int8").iter().all(|&x| x > 61));
    run("baseline", "int8", "baseline").says(&["no int8 file", "\"baseline\"", "fp32"]);
    assert_eq!(only_organ(&dir, "baseline")["model"], "baseline");

    let list = dir.ftuseg("models").args(["verify", "--bundle", "bundle"]);
    assert_eq!(
        list.ends_with(0).stdout.matches("green.onnx: good").count(),
        2
    );
}

#[test]
fn a_damaged_int8_file_stops_an_int8_run_before_it_starts() {
    let dir = Dir::new();
    red_and_green(&dir);
    let wrong = "0".repeat(64);
    dir.bundle(
        "bundle",
        &kidney_with(&format!(
            "int8 = {{ file = \"green.onnx\", sha256 = \"{wrong}\" }}"
        )),
    );
    let run = |precision: &str| {
        let command = dir
            .segment(["rg.tif"], "out")
            .args(["--precision", precision]);
        command.args(["--route", "organ=kidney"])
    };
    run("int8").ends_with(2).says(&["green.onnx", "sha256"]);
    run("fp32").ends_with(0);
}

#[test]
fn models_of_one_organ_are_averaged_and_named() {
    let dir = Dir::new();
    red_and_green(&dir);
    let second = organ_model("kidney", "green.onnx")
        .replace("name = \"kidney\"", "name = \"second\"\nweight = 0.5");
    dir.bundle("bundle", &format!("{}{second}", full_bundle()));
    dir.segment(["rg.tif"], "out")
        .args(["--route", "organ=kidney", "--tissue", "off"])
        .ends_with(0);
    assert_eq!(only_organ(&dir, "out")["model"], "kidney + second");
    // Red counts twice as much as green: 2/3 of 250 is found, 1/3 is not.
    let found = columns_found(&dir, "out");
    assert!(
        found.len() > 60 && found.iter().all(|&x| x < 66),
        "{found:?}"
    );
}

#[test]
fn the_way_tiles_are_shown_is_a_setting_of_the_result() {
    let dir = Dir::with_slide();
    for tta in ["none", "flips", "d4", "scales"] {
        dir.segment(["one.tif"], tta)
            .args(["--tta", tta])
            .ends_with(0);
        let record = dir.json(format!("{tta}/slides/one/slide.json"));
        assert_eq!(record["made_by"]["settings"]["tta"], tta);
        let tiles = &record["tiles"];
        assert_eq!(tiles["planned"], tiles["inferred"]);
    }
    // Networks that look at each px alone find the same, however a tile is turned.
    assert_eq!(dir.submission("none"), dir.submission("d4"));
    let tiles =
        |out: &str| dir.json(format!("{out}/slides/one/slide.json"))["tiles"]["planned"].as_u64();
    assert!(tiles("scales") > tiles("none"));
    dir.segment(["one.tif"], "none")
        .args(["--tta", "d4"])
        .ends_with(2)
        .says(&["other", "--overwrite"]);
}
