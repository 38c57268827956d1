//! Pythons that lie, hang, print rubbish, or hold a package.

use std::fs;

use super::super::python::{NoPackage, Places, package_of};
use super::super::{LibraryError, PlaceKind, PlaceOutcome, locate};
use super::*;

const LIMIT: Duration = Duration::from_secs(20);

/// The answer of a Python with a package in `capi`.
fn answer(capi: &Path, version: &str, sum: Option<&str>) -> String {
    let mut text = format!(
        "echo rubbish\necho ftuseg-folder {}\necho ftuseg-version {}\n",
        hex(capi),
        hex(version)
    );
    if let Some(sum) = sum {
        text += &format!("echo ftuseg-sum {} {sum}\n", hex(LIBRARY_NAME));
    }
    text + "echo ftuseg-end\n"
}

#[test]
fn strange_answers_are_findings() {
    let dir = tempfile::tempdir().unwrap();
    let scripts = [
        "exit 1",
        "echo garbage; printf '\\377\\000\\033[31m'",
        "echo ftuseg-folder zz; echo ftuseg-end",
        "echo ftuseg-folder 2f746d70",
        "kill -9 $$",
        "yes 2>/dev/null; exit 3",
    ];
    for text in scripts {
        let result = package_of(&ONNX_RUNTIME, &script(dir.path(), text), LIMIT);
        match result {
            Err(NoPackage::NoAnswer(reason)) => {
                assert!(
                    !reason.chars().any(char::is_control) && reason.len() < 400,
                    "{reason:?}"
                );
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    let none = package_of(&ONNX_RUNTIME, &script(dir.path(), "echo ftuseg-end"), LIMIT);
    assert!(matches!(none, Err(NoPackage::NotInstalled)));
    let missing = package_of(
        &ONNX_RUNTIME,
        &Python::new(dir.path().join("no-such-python")),
        LIMIT,
    );
    assert!(matches!(missing, Err(NoPackage::NoAnswer(_))));
    let relative = format!("echo ftuseg-folder {}\necho ftuseg-end", hex("capi"));
    assert!(matches!(
        package_of(&ONNX_RUNTIME, &script(dir.path(), &relative), LIMIT),
        Err(NoPackage::NotInstalled)
    ));
}

#[test]
fn a_hanging_python_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    let text = format!("sleep 2; touch '{}'", mark.display());
    // `exec` and a child of its own: the second holds the pipes open after its parent is gone.
    for text in ["exec sleep 600".to_owned(), text] {
        let result = package_of(
            &ONNX_RUNTIME,
            &script(dir.path(), &text),
            Duration::from_millis(100),
        );
        assert!(matches!(result, Err(NoPackage::NoAnswer(reason)) if reason.contains("0.1 s")));
    }
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!mark.exists(), "the script went on after its time");
}

#[test]
fn a_grandchild_that_keeps_the_pipe_does_not_hold_us_up() {
    let dir = tempfile::tempdir().unwrap();
    let result = package_of(
        &ONNX_RUNTIME,
        &script(
            dir.path(),
            "sleep 600 & echo ftuseg-end; kill_me=$!; (sleep 5; kill $kill_me) &",
        ),
        LIMIT,
    );
    assert!(matches!(result, Err(NoPackage::NotInstalled)), "{result:?}");
}

#[test]
fn a_good_package_is_used_and_a_bad_one_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let (Some(good), Some(old)) = (
        compile(dir.path(), &fake_code("1.30.0", 30)),
        compile(dir.path(), &fake_code("1.20.1", 20)),
    ) else {
        return;
    };
    let (good_folder, old_folder) = (good.parent().unwrap(), old.parent().unwrap());
    let empty = tempfile::tempdir_in(dir.path()).unwrap();
    let wrong = "0".repeat(64);
    let mut search = empty_search(dir.path());
    search.pythons = vec![
        script(dir.path(), "echo hello"),
        script(dir.path(), &answer(empty.path(), "1.31.1", None)),
        script(dir.path(), &answer(old_folder, "1.20.1", None)),
        script(dir.path(), &answer(old_folder, "not a version", None)),
        script(dir.path(), &answer(good_folder, "1.30.0", Some(&wrong))),
        script(dir.path(), &answer(good_folder, "1.30.0", None)),
    ];
    let mut said = Vec::new();
    let found = locate(&search, &mut |line| said.push(line.to_owned())).unwrap();
    assert_eq!(
        (found.path, found.source, found.version.as_str()),
        (good, PlaceKind::Python, "1.30.0")
    );
    // The third and the fourth come to the same finding, once without loading and once with.
    let reasons = [
        "no sensible answer",
        "has no lib",
        "at least 1.24 is needed",
        "is damaged",
    ];
    assert_eq!(said.len(), reasons.len(), "{said:#?}");
    assert_eq!(found.findings.len(), reasons.len() + 1);
    for ((line, finding), reason) in said.iter().zip(&found.findings).zip(reasons) {
        assert!(line.contains(reason), "{line}");
        assert!(
            matches!(&finding.outcome, PlaceOutcome::PassedOver { reason: r } if r.contains(reason))
        );
    }
}

/// A real Python finds the package without running any of it, and nothing of the current folder.
#[test]
fn a_real_python_does_not_import_the_package() {
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("s\u{ef}te \"packages'");
    let (capi, info) = (
        site.join("onnxruntime/capi"),
        site.join("onnxruntime-1.30.0.dist-info"),
    );
    fs::create_dir_all(&capi).unwrap();
    fs::create_dir_all(&info).unwrap();
    fs::write(site.join("onnxruntime/__init__.py"), "raise SystemExit(7)").unwrap();
    fs::write(capi.join(LIBRARY_NAME), "library").unwrap();
    fs::write(
        info.join("METADATA"),
        "Metadata-Version: 2.1\nName: onnxruntime\nVersion: 1.30.0\n",
    )
    .unwrap();
    // The digest of "library" in the form that installers write.
    let record = format!(
        "onnxruntime/capi/{LIBRARY_NAME},sha256=txjxNU9yRzEuyghtmgJK_l-nF93qWt7d1vErz5RbLow,7\n"
    );
    fs::write(info.join("RECORD"), record).unwrap();
    let mut python = Python::new("/usr/bin/env");
    let mut path = std::ffi::OsString::from("PYTHONPATH=");
    path.push(&site);
    python.arguments = vec![path, "python3".into()];
    match package_of(&ONNX_RUNTIME, &python, LIMIT) {
        Ok(package) => {
            assert_eq!(package.library, capi.join(LIBRARY_NAME));
            assert_eq!(package.versions, ["1.30.0"]);
            assert_eq!(
                package.sums,
                [super::super::probe::sum(&package.library).unwrap()]
            );
        }
        Err(NoPackage::NoAnswer(reason)) if reason.contains("127") => {
            println!("skipped: no python3 ({reason})")
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_active_python_comes_first_and_links_are_not_mistaken() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    let (system, other) = (place("system/python3"), place("other/python3"));
    fs::write(&system, "").unwrap();
    fs::write(&other, "").unwrap();
    std::os::unix::fs::symlink(&system, place("system/python")).unwrap();
    let active = place("venv/bin/python");
    std::os::unix::fs::symlink(&system, &active).unwrap();
    std::os::unix::fs::symlink(&system, place("venv/bin/python3")).unwrap();
    let folders = ["venv/bin", "system", "other"].map(|f| dir.path().join(f));
    let mut path = std::env::join_paths(&folders).unwrap();
    path.push(":relative");
    let places = Places {
        virtual_env: Some(dir.path().join("venv")),
        conda_prefix: Some(dir.path().join("none")),
        path: Some(path),
    };
    let found: Vec<_> = places
        .pythons()
        .into_iter()
        .map(|p| (p.program, p.has_packages))
        .collect();
    assert_eq!(found, [(active, true), (system, false), (other, false)]);
    assert!(Places::default().pythons().is_empty());
}

#[test]
fn no_python_at_all_says_what_to_type() {
    let dir = tempfile::tempdir().unwrap();
    let mut search = empty_search(dir.path());
    search.wheel = Some(ONNX_RUNTIME.wheels[0]);
    let error = locate(&search, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("ensurepip"), "{error}");
    assert!(
        matches!(error, LibraryError::NotFound { reason, .. } if matches!(*reason, LibraryError::PipMissing { .. }))
    );
}
