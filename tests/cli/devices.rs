//! Devices: one that is asked for is used, with proof, or is an error; nothing else is used in its place.

use super::util::*;

/// A bundle of the real size's kind: bytes in, so that a device gets what it would get of the shipped models.
fn red_slide() -> Dir {
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    dir.slide("rg.tif", (128, 64), Some(MPP), |x, _| {
        if x < 64 { [250, 0, 0] } else { [0, 250, 0] }
    });
    dir
}

/// `ftuseg segment` on a device, with ONNX Runtime as it is found.
fn segment_on(dir: &Dir, device: &str, out: &str) -> TestCommand {
    dir.ftuseg("segment")
        .args(["rg.tif", "--out", out, "--bundle", "bundle"])
        .args([
            "--tissue",
            "off",
            "--route",
            "organ=kidney",
            "--device",
            device,
        ])
}

#[test]
fn a_device_without_its_runtime_is_an_error_that_says_what_to_type() {
    let dir = red_slide();
    let empty = dir.join("empty");
    std::fs::create_dir(&empty).unwrap();
    for (device, name) in [
        ("cuda", "cuda"),
        ("cuda:1", "cuda"),
        ("cuda:all", "cuda"),
        ("openvino", "openvino"),
    ] {
        segment_on(&dir, device, "out")
            .without_runtime(&empty)
            .ends_with(2)
            .says(&[&format!("ftuseg doctor --install {name}")]);
        assert!(!dir.join("out").exists());
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let dir = red_slide();
    segment_on(&dir, "gpu", "out")
        .ends_with(2)
        .says(&["cuda:N"]);
    segment_on(&dir, "cpu", "out")
        .args(["--precision", "bf16"])
        .ends_with(2)
        .says(&["--precision fp32"]);
    for (device, options, said) in [
        ("openvino", ["--backend", "rten"], "rten"),
        ("cuda:all", ["--backend", "rten"], "cuda:all"),
    ] {
        segment_on(&dir, device, "out")
            .args(options)
            .ends_with(2)
            .says(&[said]);
    }
    // What is wrong with the precision can only be said where that runtime is.
    let refused = segment_on(&dir, "openvino", "out")
        .args(["--precision", "fp16"])
        .ends_with(2);
    assert!(
        ["--precision bf16", "no ONNX Runtime for openvino"]
            .iter()
            .any(|said| refused.stderr.contains(said)),
        "{}",
        refused.stderr
    );
    segment_on(&dir, "cpu", "out")
        .args(["--precision", "fp16", "--backend", "rten"])
        .ends_with(2)
        .says(&["fp32"]);
    // The plain library is not one of CUDA's, however it is named.
    dir.write("lib/libonnxruntime.so", "no library");
    segment_on(&dir, "cuda", "out")
        .args(["--runtime", "lib/libonnxruntime.so"])
        .ends_with(2)
        .says(&["libonnxruntime_providers_cuda.so"]);
    assert!(!dir.join("out").exists());
}

#[test]
fn openvino_finds_what_the_plain_runtime_finds_and_proves_where_it_ran() {
    let dir = red_slide();
    let brought = dir
        .ftuseg("doctor")
        .args(["--bundle", "bundle", "--install", "openvino"])
        .run();
    if brought.code != Some(0) {
        println!(
            "skipped for OpenVINO, it cannot be had here: {}",
            brought.stderr
        );
        return;
    }
    // Whatever its outcome, the trial says what it measured.
    assert!(
        brought.stdout.contains("median of 15 rounds"),
        "{}",
        brought.stdout
    );
    segment_on(&dir, "openvino", "openvino").ends_with(0);
    segment_on(&dir, "cpu", "cpu").ends_with(0);
    assert_eq!(dir.submission("openvino"), dir.submission("cpu"));
    let run = dir.json("openvino/run.json");
    assert_eq!(run["device"]["name"], "openvino");
    let proof = run["device"]["proof"].as_str().unwrap();
    assert!(proof.contains("OpenVINOExecutionProvider"), "{proof}");
    assert_eq!(dir.json("cpu/run.json")["device"]["name"], "cpu");
    // Another device is another setting: a kept result would not say what it was made on.
    segment_on(&dir, "cpu", "openvino")
        .ends_with(2)
        .says(&["--overwrite"]);
    // The same library has no CUDA in it.
    segment_on(&dir, "cuda", "out").ends_with(2);
    assert!(!dir.join("out").exists());
}

#[test]
fn few_models_at_once_give_the_same_bytes() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "all").ends_with(0);
    dir.segment(["one.tif"], "few")
        .args(["--max-models", "1"])
        .ends_with(0);
    assert_eq!(dir.submission("all"), dir.submission("few"));
    assert_eq!(
        dir.read("all/slides/one/mask.tif"),
        dir.read("few/slides/one/mask.tif")
    );
    dir.segment(["one.tif"], "none")
        .args(["--max-models", "0"])
        .ends_with(2);
}
