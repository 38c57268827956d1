//! `--device auto` where the device that was proven cannot be used any more: the processor does the work, and a warning
//! says why. By name it is an error that says what is damaged.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ftuseg::backend::Trial;
use serde_json::Value;

use super::util::*;

const PACKAGE: &str = "accelerators/onnxruntime-openvino-1.24.1";
const CAPI: &str = "accelerators/onnxruntime-openvino-1.24.1/onnxruntime/capi";
const THREADS: usize = 2;

/// A sum as pip's lists have it.
fn listed(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:08b}"))
        .collect();
    bits.as_bytes()
        .chunks(6)
        .map(|six| {
            let six = format!("{:0<6}", std::str::from_utf8(six).unwrap());
            LETTERS[usize::from_str_radix(&six, 2).unwrap()] as char
        })
        .collect()
}

/// Puts files into `cache` as if pip had brought them, with their list, and a trial that speaks for them.
fn bring(dir: &Dir, library: &[u8], companions: &[&str]) {
    let mut record = String::new();
    let mut add = |name: &str, bytes: &[u8]| {
        dir.write(&format!("cache/{CAPI}/{name}"), bytes);
        record += &format!(
            "onnxruntime/capi/{name},sha256={},{}\n",
            listed(bytes),
            bytes.len()
        );
    };
    add("libonnxruntime.so.1.24.1", library);
    for name in companions {
        add(name, name.as_bytes());
    }
    dir.write(
        &format!("cache/{PACKAGE}/onnxruntime_openvino-1.24.1.dist-info/RECORD"),
        record,
    );
    trial(dir, &sha256(library));
}

fn trial(dir: &Dir, sum: &str) {
    Trial::new(sum, THREADS, "bf16", 2.0, 15, 1.0)
        .keep(&dir.join("cache"))
        .unwrap();
}

/// `ftuseg segment` with nothing but what is in `cache`.
fn segment_on(dir: &Dir, device: &str, out: &str) -> TestCommand {
    dir.ftuseg("segment")
        .args(["one.tif", "--out", out, "--bundle", "bundle"])
        .args(["--route", "organ=kidney", "--tissue", "off"])
        .args(["--device", device, "--threads", &THREADS.to_string()])
        .without_runtime(&dir.join("cache"))
}

/// The one warning of a run that OpenVINO was passed over.
fn warning(dir: &Dir, out: &str) -> String {
    let run = dir.json(format!("{out}/run.json"));
    let [warning] = &run["warnings"].as_array().unwrap()[..] else {
        panic!("not one warning in {run:#}");
    };
    assert_eq!(warning["kind"], "slower");
    let text = warning["text"].as_str().unwrap();
    assert!(text.contains("OpenVINO"), "{text}");
    text.to_owned()
}

const PROVIDER: &str = "libonnxruntime_providers_openvino.so";

#[test]
fn what_is_damaged_is_passed_over_by_auto_and_an_error_by_name() {
    let dir = Dir::with_slide();
    bring(&dir, b"no library", &[PROVIDER, "libopenvino.so.2541"]);
    let companion = format!("cache/{CAPI}/libopenvino.so.2541");
    for (number, (bytes, word)) in [
        (Some(&b"libopenvino.so.25"[..]), "17 bytes"),
        (Some(b"Libopenvino.so.2541"), "sha256"),
        (None, "does not exist"),
    ]
    .into_iter()
    .enumerate()
    {
        match bytes {
            Some(bytes) => dir.write(&companion, bytes),
            None => fs::remove_file(dir.join(&companion)).unwrap(),
        }
        let out = format!("auto{number}");
        let outcome = segment_on(&dir, "auto", &out).ends_with(0);
        outcome.says(&["WARNING", "OpenVINO", "libopenvino.so.2541", word]);
        let text = warning(&dir, &out);
        assert!(
            text.contains("libopenvino.so.2541") && text.contains(word),
            "{text}"
        );
        assert_eq!(dir.json(format!("{out}/run.json"))["device"]["name"], "cpu");
        segment_on(&dir, "openvino", "named").ends_with(2).says(&[
            "libopenvino.so.2541",
            word,
            "ftuseg doctor --install openvino",
        ]);
        assert!(!dir.join("named").exists());
    }
    // Nobody asked for it.
    let outcome = segment_on(&dir, "cpu", "cpu").ends_with(0);
    assert!(!outcome.stderr.contains("OpenVINO"), "{}", outcome.stderr);
    assert_eq!(dir.submission("cpu"), dir.submission("auto0"));
}

#[test]
fn what_is_gone_or_another_than_was_tried_is_told_of() {
    let dir = Dir::with_slide();
    bring(&dir, b"no library", &[PROVIDER]);
    fs::remove_dir_all(dir.join(format!("cache/{PACKAGE}"))).unwrap();
    segment_on(&dir, "auto", "gone").ends_with(0);
    assert!(warning(&dir, "gone").contains("nothing there yet"));
    let kept = fs::read_dir(dir.join("cache")).unwrap();
    let file = kept
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "json"))
        .unwrap();
    fs::write(&file, "{").unwrap();
    segment_on(&dir, "auto", "broken").ends_with(0);
    let text = warning(&dir, "broken");
    assert!(
        text.contains("openvino-trial") && text.contains("cannot be read"),
        "{text}"
    );
    // Without a trial nothing was proven, and nothing is missing; rten is still told of.
    fs::remove_file(&file).unwrap();
    segment_on(&dir, "auto", "none").ends_with(0);
    let run = dir.json("none/run.json").to_string();
    assert!(!run.contains("OpenVINO"), "{run}");
}

/// Where a real library lies, if there is one: from a run with whatever is found here.
fn real(dir: &Dir, device: &str) -> Option<(PathBuf, Value)> {
    let out = format!("real-{device}");
    let outcome = dir
        .ftuseg("segment")
        .args(["one.tif", "--out", &out, "--bundle", "bundle", "--offline"])
        .args(["--route", "organ=kidney", "--tissue", "off"])
        .args(["--backend", "onnxruntime", "--device", device])
        .run();
    if outcome.code != Some(0) {
        println!("skipped for {device}: {}", outcome.stderr);
        return None;
    }
    let runtime = dir.json(format!("{out}/run.json"))["runtime"].clone();
    let library = runtime["library"].as_str().unwrap().into();
    Some((library, runtime))
}

#[test]
fn a_library_that_is_whole_and_does_not_drive_it_serves_the_processor() {
    let dir = Dir::with_slide();
    let Some((library, _)) = real(&dir, "cpu") else {
        return;
    };
    bring(&dir, &fs::read(library).unwrap(), &[PROVIDER]);
    segment_on(&dir, "auto", "out")
        .ends_with(0)
        .says(&["WARNING", "OpenVINO"]);
    warning(&dir, "out");
    let run = dir.json("out/run.json");
    assert_eq!(run["device"]["name"], "cpu");
    assert_eq!(run["runtime"]["backend"], "onnxruntime");
    assert_eq!(dir.submission("out"), dir.submission("real-cpu"));
    segment_on(&dir, "openvino", "named")
        .ends_with(2)
        .says(&["openvino", "cannot be used"]);
}

#[test]
fn one_damaged_byte_beside_a_real_openvino_is_seen() {
    let dir = Dir::with_slide();
    let (Some((library, runtime)), Some((plain, _))) = (real(&dir, "openvino"), real(&dir, "cpu"))
    else {
        return;
    };
    let (Some(package), Some(real_cache)) = (library.ancestors().nth(3), plain.ancestors().nth(4))
    else {
        return;
    };
    if !real_cache.join("onnxruntime").is_dir() || !package.ends_with(Path::new(PACKAGE)) {
        println!("skipped: the libraries lie in no cache folder");
        return;
    }
    // The same cache, of links; one file of it is to be ours.
    symlink_all(package, &dir.join(format!("cache/{PACKAGE}")));
    symlink(
        real_cache.join("onnxruntime"),
        dir.join("cache/onnxruntime"),
    )
    .unwrap();
    trial(&dir, runtime["sha256"].as_str().unwrap());
    segment_on(&dir, "auto", "whole")
        .args(["--verbose"])
        .ends_with(0)
        .says(&["running on onnxruntime", "openvino in"]);
    let run = dir.json("whole/run.json");
    assert_eq!(run["device"]["name"], "openvino");
    assert_eq!(run["warnings"], serde_json::json!([]));
    let name = "libopenvino_intel_cpu_plugin.so";
    let companion = dir.join(format!("cache/{CAPI}/{name}"));
    let mut bytes = fs::read(&companion).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&companion).unwrap();
    fs::write(&companion, bytes).unwrap();
    segment_on(&dir, "auto", "damaged").ends_with(0);
    assert!(warning(&dir, "damaged").contains(name));
    let run = dir.json("damaged/run.json");
    assert_eq!(run["device"]["name"], "cpu");
    assert_eq!(run["runtime"]["backend"], "onnxruntime");
    segment_on(&dir, "openvino", "named")
        .ends_with(2)
        .says(&[name, "ftuseg doctor --install openvino"]);
}

/// The folders of a tree, with links in place of its files.
fn symlink_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            symlink_all(&entry.path(), &target);
        } else {
            symlink(entry.path(), target).unwrap();
        }
    }
}
