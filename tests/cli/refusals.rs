//! What is refused or fails, how it is said, and with which exit code.

use std::fs;

use super::util::*;
use super::{assert_failed, slides_of, status};

#[test]
fn a_file_that_is_no_image_fails_and_says_why() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.write("text.tif", "This is no image at all.");
    dir.segment(["text.tif"], "out")
        .ends_with(1)
        .says(&["text.tif", "1 failed"]);
    assert_failed(
        &dir,
        "out",
        "text",
        "format",
        &["text.tif", "not a readable slide"],
    );
    assert!(slides_of(&dir, "out").is_empty());
}

#[test]
fn bad_files_do_not_keep_a_good_one_from_being_done() {
    let dir = Dir::with_slide();
    dir.write("a-text.svs", "no image");
    dir.write("b-empty.tif", "");
    let good = dir.read("one.tif");
    // Half of a TIFF has lost its directories; one whose tiles are overwritten has lost its pixels.
    dir.write("c-half.tif", &good[..good.len() / 2]);
    let mut garbled = good.clone();
    let tiles = 16..good.len() / 2;
    garbled[tiles].fill(0x55);
    dir.write("d-garbled.tif", &garbled);
    dir.write("e-broken.png", b"\x89PNG\r\n\x1a\nno more");
    dir.segment(["."], "out").ends_with(1);
    for (id, word) in [
        ("a-text", "a-text.svs"),
        ("b-empty", "empty"),
        ("c-half", "c-half.tif"),
        ("d-garbled", "d-garbled.tif"),
        ("e-broken", "e-broken.png"),
    ] {
        let slide = status(&dir, "out", id);
        assert_eq!(slide["status"], "failed", "{slide}");
        assert!(slide["reason"].as_str().unwrap().contains(word), "{slide}");
    }
    assert_eq!(status(&dir, "out", "one")["status"], "done");
    assert_eq!(slides_of(&dir, "out"), ["one"]);
    let rows = dir.submission("out");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].0, "one");
    let totals = &dir.json("out/run.json")["totals"];
    assert_eq!((&totals["done"], &totals["failed"]), (&1.into(), &5.into()));
}

#[test]
fn nothing_starts_without_slides_or_a_bundle() {
    let dir = Dir::with_slide();
    fs::create_dir(dir.join("empty")).unwrap();
    dir.write("notes/readme.txt", "no slide");
    dir.write("notes.csv", "name,file\none,one.tif\n");
    dir.write("no-paths.csv", "id,organ\none,kidney\n");
    dir.write("no-rows.csv", "id,path\n");
    for (input, words) in [
        ("empty", ["empty", "no slides"]),
        ("notes", ["notes", "no slides"]),
        ("missing.tif", ["missing.tif", "No such file"]),
        ("notes.csv", ["notes.csv", "id,path"]),
        ("no-paths.csv", ["no-paths.csv", "--images"]),
        ("no-rows.csv", ["no-rows.csv", "no slide"]),
    ] {
        // A good slide beside it does not help: a mistyped input is told at once, not after a night.
        dir.segment(["one.tif", input], "out")
            .ends_with(2)
            .says(&words);
        assert!(!dir.join("out").exists(), "{input}");
    }
    let nothing: [&str; 0] = [];
    dir.segment(nothing, "out").ends_with(2).says(&["INPUT"]);
    dir.segment(["one.tif"], "one.tif")
        .ends_with(2)
        .says(&["one.tif", "give a folder"]);
    for bundle in ["nowhere", "empty"] {
        dir.ftuseg("segment")
            .args(["one.tif", "--out", "out", "--bundle", bundle])
            .ends_with(2)
            .says(&[bundle, "bundle.toml", "--bundle DIR"]);
    }
    assert!(!dir.join("out").exists());
}

#[test]
fn a_bundle_with_an_unknown_key_is_refused_by_name() {
    let dir = Dir::with_slide();
    for (from, to, key) in [
        ("licence =", "color = 3\nlicence =", "color"),
        ("limit =", "limmit = 0.2\nlimit =", "limmit"),
        (
            "organ = \"lung\"",
            "organ = \"lung\"\nthreshhold = 0.4",
            "threshhold",
        ),
    ] {
        dir.bundle("bundle", &full_bundle().replace(from, to));
        dir.segment(["one.tif"], "out")
            .ends_with(2)
            .says(&["bundle.toml", key]);
    }
    dir.bundle("bundle", "this is no TOML");
    dir.segment(["one.tif"], "out")
        .ends_with(2)
        .says(&["bundle.toml"]);
    assert!(!dir.join("out").exists());
}

#[test]
fn a_model_with_another_sum_is_never_run() {
    let dir = Dir::with_slide();
    // Lung's model has the same file; the sums of the router and of prostate's model stay right.
    let mut bytes = dir.read("bundle/red.onnx");
    *bytes.last_mut().unwrap() ^= 1;
    dir.write("bundle/red.onnx", &bytes);
    // Found before the first slide, so that nothing has started.
    let refused = dir.segment(["one.tif"], "out").ends_with(2);
    for word in ["red.onnx", "sha256", &sha256(&bytes)] {
        assert!(refused.stderr.contains(word), "{}", refused.stderr);
    }
    assert!(!dir.join("out").exists());
    // What does not need it still works.
    dir.segment(["one.tif"], "baseline")
        .args(["--route", "baseline"])
        .ends_with(0);
    let verify = dir
        .ftuseg("models")
        .args(["verify", "--bundle", "bundle"])
        .ends_with(1);
    assert!(verify.stdout.contains("red.onnx: BAD"));
    assert!(verify.stdout.contains("green.onnx: good"));
}

#[test]
fn an_organ_without_a_model_fails_its_slide_by_name() {
    let dir = Dir::with_slide();
    dir.slide("blue.tif", (100, 80), Some(MPP), |_, _| [40, 40, 200]);
    dir.segment(["blue.tif", "one.tif"], "out").ends_with(1);
    assert_failed(
        &dir,
        "out",
        "blue",
        "usage",
        &["blue.tif", "no model", "large intestine"],
    );
    assert_eq!(status(&dir, "out", "one")["status"], "done");
}

#[test]
fn a_slide_without_a_resolution_is_not_guessed() {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("bare.tif", (300, 200), None, |x, y| two_organs(x, y, 1));
    let mut picture = image::RgbImage::new(300, 200);
    for (x, y, px) in picture.enumerate_pixels_mut() {
        px.0 = two_organs(x, y, 1);
    }
    picture.save(dir.join("flat.png")).unwrap();
    dir.segment(["bare.tif", "flat.png"], "out")
        .ends_with(1)
        .says(&["--mpp"]);
    for (id, file) in [("bare", "bare.tif"), ("flat", "flat.png")] {
        assert_failed(&dir, "out", id, "no-resolution", &[file, "um/px"]);
    }
    for route in ["baseline", "organ=kidney"] {
        dir.segment(["bare.tif"], route)
            .args(["--route", route])
            .ends_with(1)
            .says(&["--mpp"]);
    }
    dir.segment(["bare.tif", "flat.png"], "told")
        .args(["--mpp", "2"])
        .ends_with(0);
    for id in ["bare", "flat"] {
        let slide = dir.json(format!("told/slides/{id}/slide.json"));
        assert_eq!(slide["mpp"]["value"], 2.0);
        assert_eq!(slide["mpp"]["source"], "option");
    }
    // Half the um/px is half the size in the model's eyes, and a quarter of the area.
    dir.segment(["bare.tif"], "half")
        .args(["--mpp", "1"])
        .ends_with(0);
    let area = |out: &str| {
        let slide = dir.json(format!("{out}/slides/bare/slide.json"));
        let organs = slide["organs"].as_array().unwrap();
        organs
            .iter()
            .map(|organ| organ["area_mm2"].as_f64().unwrap())
            .sum::<f64>()
    };
    let ratio = area("told") / area("half");
    // Not quite, as blurred edges lie elsewhere.
    assert!((3.0..5.0).contains(&ratio), "{ratio}");
}

#[test]
fn senseless_options_are_refused_before_anything_starts() {
    let dir = Dir::with_slide();
    for (options, words) in [
        (
            &["--route", "sideways"][..],
            &["sideways", "organ=NAME"][..],
        ),
        (&["--route", "organ=liver"], &["liver"]),
        (&["--route", "organ=spleen"], &["spleen", "no model"]),
        (&["--route", "unet"], &["unet", "no model"]),
        (&["--mpp", "0"], &["--mpp", "0.02"]),
        (&["--mpp", "72dpi"], &["72dpi"]),
        (&["--threads", "0"], &["--threads"]),
        (
            &["--overlap", "40"],
            &["overlap of 40 px", "half a tile", "--overlap"],
        ),
        (&["--write", "mask,movie"], &["movie", "overlay"]),
        (&["--device", "tpu"], &["tpu"]),
        (&["--frobnicate"], &["--frobnicate"]),
    ] {
        dir.segment(["one.tif"], "out")
            .args(options)
            .ends_with(2)
            .says(words);
        assert!(!dir.join("out").exists(), "{options:?}");
    }
    let no_router = full_bundle();
    let models = no_router.find("[[model]]").unwrap();
    let head = no_router.find("[router]").unwrap();
    dir.bundle(
        "bundle",
        &format!("{}{}", &no_router[..head], &no_router[models..]),
    );
    dir.segment(["one.tif"], "out")
        .ends_with(2)
        .says(&["no router", "--route"]);
    dir.segment(["one.tif"], "out")
        .args(["--route", "organ=kidney"])
        .ends_with(0);
}

#[test]
fn a_named_library_that_is_none_is_an_error_and_never_passed_over() {
    let dir = Dir::with_slide();
    dir.write("library.so", "not a library\n");
    fs::create_dir(dir.join("empty")).unwrap();
    for (path, word) in [
        ("library.so", "not a shared library"),
        ("gone.so", "does not exist"),
        ("empty", "there is no"),
    ] {
        for backend in ["auto", "onnxruntime"] {
            let command = || {
                dir.ftuseg("segment")
                    .args(["one.tif", "--out", "out", "--bundle", "bundle"])
                    .args(["--backend", backend])
            };
            command().env("ORT_DYLIB_PATH", path).ends_with(2).says(&[
                path,
                word,
                "ORT_DYLIB_PATH",
            ]);
            command()
                .args(["--runtime", path])
                .ends_with(2)
                .says(&[path, word, "--runtime"]);
            assert!(!dir.join("out").exists());
        }
    }
}

#[test]
fn without_any_library_the_slower_runtime_serves_and_says_so_loudly() {
    let dir = Dir::with_slide();
    let empty = dir.join("empty");
    fs::create_dir(&empty).unwrap();
    let command = |backend: &str, out: &str| {
        dir.ftuseg("segment")
            .args(["one.tif", "--out", out, "--bundle", "bundle"])
            .args(["--backend", backend])
            .without_runtime(&empty)
    };
    command("auto", "out").ends_with(0).says(&[
        "WARNING",
        "four times slower",
        "no usable ONNX Runtime library",
    ]);
    let run = dir.json("out/run.json");
    assert_eq!(run["runtime"]["backend"], "rten");
    let warning = run["runtime"]["warning"].as_str().unwrap();
    assert!(warning.contains("slower"), "{warning}");
    assert_eq!(run["warnings"][0]["kind"], "slower");
    assert_eq!(run["totals"]["warnings"], 1);
    assert!(!dir.read("out/slides/one/mask.tif").is_empty());

    let refused = command("onnxruntime", "refused").ends_with(2);
    // It says what to type.
    refused.says(&["no usable ONNX Runtime library", "pip"]);
    assert!(!dir.join("refused").exists());

    // Who asks for it needs no warning.
    let asked = command("rten", "asked").ends_with(0);
    assert!(!asked.stderr.contains("WARNING"), "{}", asked.stderr);
    assert!(dir.json("asked/run.json")["runtime"]["warning"].is_null());
    assert!(fs::read_dir(&empty).unwrap().next().is_none());
}
