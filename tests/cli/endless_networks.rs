//! A network that does not end: the slide's time limit and a signal end its run, and the slides after it are done.

use std::time::Duration;

use super::util::*;
use super::{slides_of, status};

/// Three slides; on the second one the network does not end.
fn three() -> Dir {
    let dir = Dir::new();
    dir.bundle("bundle", &one_organ("endless.onnx"));
    dir.two_organs("one.tif");
    dir.slide("blue.tif", (100, 100), Some(MPP), |_, _| [100, 100, 250]);
    dir.two_organs("two.tif");
    dir
}

/// A manifest with kidney's model alone.
fn one_organ(file: &str) -> String {
    format!(
        "name = \"tiny\"\nversion = \"1\"\nlicence = \"none\"\n{}",
        organ_model("kidney", file)
    )
}

const INPUTS: [&str; 3] = ["one.tif", "blue.tif", "two.tif"];

fn segment(dir: &Dir, inputs: &[&str], backend: &str, out: &str) -> TestCommand {
    dir.ftuseg("segment")
        .args(inputs)
        .args(["--out", out, "--bundle", "bundle", "--backend", backend])
        .args(["--route", "organ=kidney", "--tissue", "off"])
}

/// The runtimes that can be had here.
fn backends(dir: &Dir) -> Vec<&'static str> {
    let mut found = vec!["rten"];
    let tried = segment(dir, &["one.tif"], "onnxruntime", "tried").run();
    if tried.code == Some(0) {
        found.push("onnxruntime");
    } else {
        println!("skipped for ONNX Runtime: {}", tried.stderr);
    }
    found
}

#[test]
fn a_network_that_does_not_end_is_stopped_when_its_slide_is_late() {
    let dir = three();
    for backend in backends(&dir) {
        segment(&dir, &["one.tif", "two.tif"], backend, "whole").ends_with(0);
        let whole = dir.submission("whole");
        std::fs::remove_dir_all(dir.join("whole")).unwrap();
        segment(&dir, &INPUTS, backend, backend)
            .args(["--slide-timeout", "15"])
            .ends_with(1)
            .says(&["blue.tif", "--slide-timeout", "cancelled"]);
        let slide = status(&dir, backend, "blue");
        assert_eq!(
            (&slide["status"], &slide["kind"]),
            (&"failed".into(), &"timeout".into())
        );
        // The same network, which was stopped, does the slide that comes after it.
        assert_eq!(slides_of(&dir, backend), ["one", "two"]);
        assert_eq!(dir.submission(backend), whole);
        assert_eq!(dir.json(format!("{backend}/run.json"))["state"], "finished");
    }
}

#[test]
fn one_signal_ends_a_run_whose_network_does_not() {
    let dir = three();
    for backend in backends(&dir) {
        for (signal, code) in [("TERM", 143), ("INT", 130)] {
            let out = format!("{backend}-{signal}");
            let mut run = segment(&dir, &INPUTS, backend, &out)
                .args(["--json-log"])
                .start();
            run.wait_until(|stdout| {
                stdout
                    .lines()
                    .any(|line| line.contains("\"started\"") && line.contains("blue.tif"))
            });
            // Most likely the network runs by then.
            std::thread::sleep(Duration::from_secs(1));
            run.signal(signal);
            let outcome = run.end();
            assert_eq!(outcome.code, Some(code), "{outcome:#?}");
            assert_eq!(dir.json(format!("{out}/run.json"))["state"], "interrupted");
            let slide = status(&dir, &out, "blue");
            assert_eq!(slide["status"], "pending");
            assert!(slide["reason"].as_str().unwrap().contains("stopped"));
            assert_eq!(slides_of(&dir, &out), ["one"]);
        }
    }
}

#[test]
fn a_loop_on_constants_is_no_way_around_it() {
    let dir = three();
    let backends = backends(&dir);
    dir.bundle("bundle", &one_organ("endless-always.onnx"));
    for backend in backends {
        segment(&dir, &["one.tif"], backend, backend)
            .args(["--slide-timeout", "4"])
            .ends_with(1)
            .says(&["one.tif", "--slide-timeout", "cancelled"]);
    }
}
