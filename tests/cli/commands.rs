//! The small subcommands: rle, inspect, route, models, doctor, samples, and every help.

use std::fs;

use super::util::*;

#[test]
fn rle_goes_both_ways() {
    let dir = Dir::new();
    let text = "2 3 9 1 12 4 38 2";
    dir.ftuseg("rle")
        .args([
            "decode", "--width", "5", "--height", "8", "--out", "m.png", text,
        ])
        .ends_with(0);
    let picture = image::open(dir.join("m.png")).unwrap().into_luma8();
    assert_eq!(picture.dimensions(), (5, 8));
    let expected = decode_rle(text, 5, 8);
    for (px, set) in picture.pixels().zip(expected) {
        assert_eq!(px.0[0], if set { 255 } else { 0 });
    }
    let encoded = dir.ftuseg("rle").args(["encode", "m.png"]).ends_with(0);
    assert_eq!(encoded.stdout.trim_end(), text);

    for (text, size) in [
        (" \n", ("3", "2")),
        ("1 6\n", ("3", "2")),
        ("1 1", ("1", "1")),
    ] {
        dir.ftuseg("rle")
            .args([
                "decode", "--width", size.0, "--height", size.1, "--out", "s.png", "-",
            ])
            .input(text)
            .ends_with(0);
        let encoded = dir.ftuseg("rle").args(["encode", "s.png"]).ends_with(0);
        assert_eq!(encoded.stdout.trim(), text.trim());
    }
    for wrong in [
        "1", "0 2", "1 0", "5 2 3 1", "1 4 3 1", "40 2", "one two", "1 -2",
    ] {
        let outcome = dir
            .ftuseg("rle")
            .args([
                "decode",
                "--width",
                "5",
                "--height",
                "8",
                "--out",
                "wrong.png",
                wrong,
            ])
            .ends_with(2);
        assert!(
            outcome.stderr.starts_with("error:"),
            "{wrong}: {}",
            outcome.stderr
        );
        assert!(!dir.join("wrong.png").exists(), "{wrong}");
    }
    dir.ftuseg("rle")
        .args([
            "decode",
            "--width",
            "0",
            "--height",
            "8",
            "--out",
            "wrong.png",
            "",
        ])
        .ends_with(2);
    dir.write("text.png", "no image");
    dir.ftuseg("rle")
        .args(["encode", "text.png"])
        .ends_with(2)
        .says(&["text.png"]);
}

#[test]
fn masks_of_a_run_encode_to_their_submission() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "out").ends_with(0);
    let encoded = dir
        .ftuseg("rle")
        .args(["encode", "out/slides/one/mask.tif"])
        .ends_with(0);
    assert_eq!(encoded.stdout.trim_end(), dir.submission("out")[0].1);
}

#[test]
fn inspect_shows_size_levels_and_resolution() {
    let dir = Dir::with_slide();
    dir.slide("bare.tif", (70, 60), None, |_, _| [244; 3]);
    let shown = dir
        .ftuseg("inspect")
        .args(["one.tif", "bare.tif"])
        .ends_with(0)
        .stdout;
    for line in [
        "300 x 200 px",
        "um/px        2 (from the TIFF resolution tags)",
        "150 x 100 px, downsample 2.000",
        "75 x 50 px, downsample 4.000",
        "70 x 60 px",
        "not stated; set it with --mpp X",
    ] {
        assert!(shown.contains(line), "{line:?} is missing:\n{shown}");
    }
    dir.write("text.svs", "no image");
    let outcome = dir
        .ftuseg("inspect")
        .args(["text.svs", "one.tif"])
        .ends_with(1);
    outcome.says(&["text.svs"]);
    assert!(outcome.stdout.contains("300 x 200 px"));
}

#[test]
fn route_prints_shares_that_add_up() {
    let dir = Dir::with_slide();
    dir.slide("glass.tif", (100, 80), Some(MPP), |_, _| [244; 3]);
    dir.write("text.tif", "no image");
    let command = |inputs: &[&str]| {
        dir.ftuseg("route")
            .args(inputs)
            .args(["--bundle", "bundle", "--backend", "rten"])
    };
    let outcome = command(&["one.tif", "text.tif", "glass.tif"]).ends_with(1);
    outcome.says(&["text", "FAILED"]);
    let rows: Vec<Vec<&str>> = outcome
        .stdout
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(rows[0], ["id", "organ", "share", "confidence", "cells"]);
    let mut organs: Vec<&str> = rows[1..3].iter().map(|row| row[1]).collect();
    organs.sort_unstable();
    assert_eq!(organs, ["kidney", "prostate"]);
    let shares: f64 = rows[1..3]
        .iter()
        .map(|row| row[2].parse::<f64>().unwrap())
        .sum();
    assert!((shares - 1.0).abs() < 2e-4, "{shares}");
    assert_eq!(rows[3][..2], ["glass", "-"]);
    assert_eq!(rows.len(), 4);
    let slide = command(&["one.tif"])
        .args(["--route", "organ=lung"])
        .ends_with(0);
    assert!(
        slide.stdout.contains("one\tlung\t1.0000\t1.0000"),
        "{}",
        slide.stdout
    );
    dir.write("m.csv", "id,path,organ\na,one.tif,liver\n");
    command(&["m.csv"])
        .args(["--route", "given"])
        .ends_with(1)
        .says(&["liver"]);
}

#[test]
fn models_are_listed_verified_and_inspected() {
    let dir = Dir::with_slide();
    let stated = full_bundle().replace(
        "name = \"kidney\"",
        "dice = [{ organ = \"kidney\", mean = 0.875, n = 7, set = \"kept out\" }]\nname = \"kidney\"",
    );
    dir.bundle("bundle", &stated);
    let command = |what: &str| {
        let command = dir.ftuseg("models").args([what, "--bundle", "bundle"]);
        command.args(["--backend", "rten"]).ends_with(0).stdout
    };
    let list = command("list");
    for word in [
        "tiny 1",
        "router",
        "kidney",
        "0.875 (n = 7)",
        "red-float.onnx",
        "no Dice stated",
    ] {
        assert!(list.contains(word), "{word:?} is missing:\n{list}");
    }
    let verified = command("verify");
    assert_eq!(verified.matches(": good").count(), 5, "{verified}");
    let inspected = command("inspect");
    for word in [
        "kidney: loads in rten",
        "router: loads",
        "2 um/px",
        "overlap 8 px",
        "bytes",
        "floats",
    ] {
        assert!(
            inspected.contains(word),
            "{word:?} is missing:\n{inspected}"
        );
    }
    dir.ftuseg("models")
        .args(["list", "--bundle", "nowhere"])
        .ends_with(2)
        .says(&["nowhere", "--bundle DIR"]);
}

#[test]
fn the_doctor_tells_well_from_ill() {
    let dir = Dir::with_slide();
    let empty = dir.join("empty");
    fs::create_dir(&empty).unwrap();
    let doctor = |bundle: &str, backend: &str, code: i32| {
        dir.ftuseg("doctor")
            .args(["--bundle", bundle, "--backend", backend])
            .without_runtime(&empty)
            .ends_with(code)
            .stdout
    };
    let well = doctor("bundle", "rten", 0);
    for word in [
        "tiny 1",
        "rten",
        "kidney: works",
        "baseline: works",
        "All is well",
    ] {
        assert!(well.contains(word), "{word:?} is missing:\n{well}");
    }
    for (shown, word) in [
        (doctor("nowhere", "rten", 1), "no model bundle \"nowhere\""),
        (
            doctor("bundle", "onnxruntime", 1),
            "no usable ONNX Runtime library",
        ),
    ] {
        assert!(
            shown.contains("NOT USABLE") && shown.contains(word),
            "{shown}"
        );
        assert!(!shown.contains("All is well"));
    }
    dir.write("bundle/green.onnx", "damaged");
    let ill = doctor("bundle", "rten", 1);
    assert!(
        ill.contains("prostate: FAILS") && ill.contains("kidney: works"),
        "{ill}"
    );
    // Without the router, slides cannot be segmented either.
    dir.bundle("bundle", &full_bundle());
    dir.write("bundle/router.onnx", "damaged");
    let ill = doctor("bundle", "rten", 1);
    assert!(
        ill.contains("router.onnx") && ill.contains("FAILS"),
        "{ill}"
    );
}

#[test]
fn samples_are_drawn_with_their_truth() {
    let dir = Dir::new();
    let draw = |out: &str, seed: &str| {
        dir.ftuseg("samples")
            .args(["--out", out, "--cores", "1", "--size", "200"])
            .args(["--mpp", "4", "--seed", seed])
            .ends_with(0);
    };
    draw("drawn", "1");
    let mut table = csv::Reader::from_path(dir.join("drawn/train.csv")).unwrap();
    let header = table.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|title| title == name).unwrap();
    let mut organs = Vec::new();
    for row in table.records() {
        let row = row.unwrap();
        let field = |name: &str| row[column(name)].to_owned();
        assert_eq!(
            (field("img_width"), field("img_height")),
            ("200".into(), "200".into())
        );
        assert_eq!(field("pixel_size"), "4");
        let set = decode_rle(&field("rle"), 200, 200)
            .iter()
            .filter(|&&s| s)
            .count();
        assert!((50..30_000).contains(&set), "{}: {set} px", field("id"));
        let image = format!("drawn/train_images/{}.tiff", field("id"));
        let shown = dir.ftuseg("inspect").args([image]).ends_with(0).stdout;
        assert!(shown.contains("200 x 200 px"), "{shown}");
        assert!(shown.contains("um/px        4 ("), "{shown}");
        organs.push(field("organ"));
    }
    assert_eq!(
        organs,
        ["kidney", "prostate", "largeintestine", "spleen", "lung"]
    );
    assert!(dir.join("drawn/two-organs.tif").is_file());
    assert!(dir.join("drawn/two-organs-truth.tif").is_file());

    draw("again", "1");
    draw("other", "2");
    for file in ["train.csv", "train_images/lung-1.tiff", "two-organs.tif"] {
        let [drawn, rerun, other] =
            ["drawn", "again", "other"].map(|out| dir.read(format!("{out}/{file}")));
        assert!(drawn == rerun, "{file}: the same seed drew another slide");
        assert!(drawn != other, "{file}: another seed drew the same slide");
    }
    dir.ftuseg("samples")
        .args(["--out", "wrong", "--mpp", "0"])
        .ends_with(2)
        .says(&["--mpp"]);
}

#[test]
fn every_help_names_its_options() {
    let dir = Dir::new();
    let engine = [
        "--bundle",
        "--backend",
        "--device",
        "--runtime",
        "--offline",
        "--threads",
    ];
    let with = |more: &[&'static str]| [&engine[..], more].concat();
    for (subcommand, words) in [
        (
            &["segment"][..],
            with(&[
                "INPUT",
                "--out",
                "--images",
                "--route",
                "--mpp",
                "--tissue",
                "--overlap",
                "--blend",
                "--tta",
                "--precision",
                "--batch",
                "--write",
                "--overwrite",
            ]),
        ),
        (
            &["route"],
            with(&["INPUT", "--images", "--route", "--mpp", "--tissue"]),
        ),
        (&["inspect"], vec!["SLIDE"]),
        (&["rle"], vec!["encode", "decode"]),
        (
            &["rle", "decode"],
            vec!["--width", "--height", "--out", "RLE"],
        ),
        (&["rle", "encode"], vec!["MASK"]),
        (
            &["models"],
            vec!["list", "verify", "inspect", "install", "installed"],
        ),
        (
            &["evaluate"],
            vec![
                "--truth",
                "--pred",
                "--out",
                "--images",
                "--no-pictures",
                "--seed",
            ],
        ),
        (&["doctor"], with(&[])),
        (&["demo"], with(&["--out", "--seed"])),
        (
            &["samples"],
            vec!["--out", "--cores", "--size", "--mpp", "--seed"],
        ),
    ] {
        let help = dir
            .ftuseg(subcommand[0])
            .args(&subcommand[1..])
            .args(["--help"])
            .ends_with(0)
            .stdout;
        for word in words {
            assert!(
                help.contains(word),
                "{subcommand:?} --help lacks {word}:\n{help}"
            );
        }
    }
    let all = dir.ftuseg("--help").ends_with(0).stdout;
    for subcommand in [
        "segment", "evaluate", "route", "inspect", "rle", "models", "doctor", "demo", "samples",
    ] {
        assert!(all.contains(&format!("\n  {subcommand} ")), "{all}");
    }
    dir.ftuseg("nonsense").ends_with(2).says(&["nonsense"]);
    let version = dir.ftuseg("--version").ends_with(0).stdout;
    assert_eq!(
        version.trim(),
        concat!("ftuseg ", env!("CARGO_PKG_VERSION"))
    );
}
