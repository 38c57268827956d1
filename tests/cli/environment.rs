//! The world outside: full disks, limits of the system, folders that cannot be written, strange names.

#![cfg(unix)]

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::util::*;
use super::{slides_of, status};

const INPUTS: [&str; 6] = ["a.tif", "b.tif", "c.tif", "d.tif", "e.tif", "f.tif"];

/// A folder with six slides, and an undisturbed run over them in `whole`.
fn six() -> Dir {
    let dir = Dir::with_slide();
    for (number, name) in INPUTS.into_iter().enumerate() {
        dir.slide(name, (300, 200), Some(MPP), |x, y| {
            two_organs(x + number as u32, y, 1)
        });
    }
    dir.segment(INPUTS, "whole").ends_with(0);
    dir
}

/// Bytes of all files below a folder.
fn bytes_of(path: &Path) -> u64 {
    walkdir::WalkDir::new(path)
        .into_iter()
        .map(|entry| entry.unwrap().metadata().unwrap())
        .filter(|meta| meta.is_file())
        .map(|meta| meta.len().next_multiple_of(4096))
        .sum()
}

/// Checks that what is in `out` is whole and told of truly.
fn check(dir: &Dir, out: &str) {
    let whole = dir.submission("whole");
    let run = dir.json(format!("{out}/run.json"));
    let there: Vec<String> = slides_of(dir, out);
    assert!(there.iter().all(|id| !id.starts_with('.')), "{there:?}");
    for slide in run["slides"].as_array().unwrap() {
        let id = slide["id"].as_str().unwrap();
        let is_done = matches!(slide["status"].as_str().unwrap(), "done" | "skipped");
        // A report that no longer fitted may not know of the last one.
        assert!(!is_done || there.iter().any(|name| name == id), "{slide}");
        if is_done {
            for file in ["mask.tif", "objects.geojson", "overlay.png"] {
                let path = |out: &str| dir.read(format!("{out}/slides/{id}/{file}"));
                assert!(path(out) == path("whole"), "{id}/{file}");
            }
        }
    }
    for row in dir.submission(out) {
        assert!(whole.contains(&row));
    }
}

#[test]
fn a_full_disk_ends_the_run_and_the_next_one_goes_on() {
    let dir = six();
    // Room for about three slides and the reports.
    let room = bytes_of(&dir.join("whole/slides")) / 2 + 65536;
    // The small disk is seen by this command alone, and goes with it.
    let outcome = dir
        .segment(INPUTS, "full/out")
        .after(&format!(
            "exec unshare -m sh -c '\
             mkdir full && mount -t tmpfs -o size={room} none full && mkdir full/out || exit 77; \
             \"$@\"; code=$?; cp -r full/out out; exit $code' sh \"$@\""
        ))
        .run();
    if matches!(outcome.code, Some(77 | 126 | 127)) || outcome.stderr.contains("unshare:") {
        println!(
            "skipped: no small disk can be mounted here: {}",
            outcome.stderr
        );
        return;
    }
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    outcome.says(&["No space left on device"]);
    // Where even the last report does not fit, that is said, and the one on the disk is of an earlier moment.
    let state = dir.json("out/run.json")["state"].clone();
    if outcome.stderr.contains("reports could not be written") {
        assert_eq!(state, "running");
    } else {
        outcome.says(&["the disk is full"]);
        assert_eq!(state, "disk-full");
    }
    check(&dir, "out");
    let (done, all) = (slides_of(&dir, "out").len(), INPUTS.len());
    assert!((1..all).contains(&done), "{done}");
    dir.segment(INPUTS, "out")
        .ends_with(0)
        .says(&[&format!("{} done, {done} already done", all - done)]);
    assert_eq!(
        dir.read("out/submission.csv"),
        dir.read("whole/submission.csv")
    );
}

#[test]
fn a_file_over_the_limit_fails_its_slide() {
    let dir = six();
    // Larger than every report and smaller than the pictures.
    let size = |file: &str| fs::metadata(dir.join(file)).unwrap().len();
    let picture = size("whole/slides/a/overlay.png");
    let blocks = size("whole/run.json").max(size("whole/slides/a/slide.json")) * 2 / 512;
    assert!(blocks * 1024 < picture, "{blocks} {picture}");
    // Blocks have 512 bytes in one shell and 1024 in another.
    dir.segment(INPUTS, "out")
        .after(&format!("ulimit -f {blocks}"))
        .ends_with(1)
        .says(&["File too large", "6 failed"]);
    assert_eq!(status(&dir, "out", "a")["kind"], "output");
    check(&dir, "out");
    dir.segment(INPUTS, "out").ends_with(0).says(&["6 done"]);
}

#[test]
fn too_few_open_files_never_spoil_anything() {
    let dir = six();
    let mut codes = Vec::new();
    for limit in 4..30 {
        let outcome = dir
            .segment(INPUTS, "out")
            .args(["--overwrite", "--threads", "2"])
            .after(&format!("ulimit -n {limit}"))
            .run();
        let code = outcome.code.unwrap_or_else(|| panic!("{outcome:#?}"));
        // 127: the system could not even load the program.
        assert!(matches!(code, 0..=2 | 127), "{outcome:#?}");
        if code != 0 {
            let is_said = ["Too many open files", "os error 24", "error while loading"]
                .iter()
                .any(|words| outcome.stderr.contains(words));
            assert!(is_said, "{outcome:#?}");
        }
        if dir.join("out/run.json").exists() {
            for id in slides_of(&dir, "out") {
                assert!(
                    id.starts_with('.')
                        || dir.join(format!("out/slides/{id}/slide.json")).is_file()
                );
            }
            dir.json("out/run.json");
        }
        codes.push(code);
    }
    println!("exit codes for 4 to 29 open files: {codes:?}");
    assert_eq!(codes.last(), Some(&0));
    assert_ne!(codes[0], 0);
    dir.segment(INPUTS, "out").ends_with(0);
    check(&dir, "out");
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_anything_starts() {
    let dir = Dir::with_slide();
    dir.write("file", "no folder");
    for (out, why) in [
        ("file", "cannot be made"),
        ("file/out", "cannot be made"),
        ("/proc/ftuseg", "nothing can be written into /proc"),
    ] {
        dir.segment(["one.tif"], out)
            .ends_with(2)
            .says(&[&format!("--out {out}"), why]);
    }
    fs::create_dir_all(dir.join("locked/slides")).unwrap();
    let set = |mode| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(dir.join("locked"), fs::Permissions::from_mode(mode)).unwrap();
    };
    set(0o555);
    if fs::write(dir.join("locked/probe"), "").is_ok() {
        println!("the rights of a folder were not tried: root may write everywhere");
    } else {
        dir.segment(["one.tif"], "locked")
            .ends_with(2)
            .says(&["locked", "cannot be written to"]);
    }
    set(0o755);
}

#[test]
fn names_may_hold_anything() {
    let dir = Dir::with_slide();
    fs::create_dir(dir.join("slides")).unwrap();
    let names: [&[u8]; 7] = [
        b"a line\nbreak.tif",
        b"\x1b[31mred.tif",
        b"no-\xff\xfe-text.tif",
        b"it's \"quoted\" & $HOME.tif",
        "切片.tif".as_bytes(),
        b"-rf.tif",
        b"tab\t.tif",
    ];
    for name in names {
        let path = dir.join("slides").join(std::ffi::OsStr::from_bytes(name));
        fs::copy(dir.join("one.tif"), path).unwrap();
    }
    fs::write(dir.join("slides/bad\n\x1b[2J.tif"), "no image").unwrap();
    let outcome = dir.segment(["slides"], "out").ends_with(1);
    // Nothing of a name reaches the terminal raw.
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.contains('\x1b'), "{text:?}");
    }
    outcome.says(&["bad\\n\\u{1b}[2J.tif"]);
    let rows = dir.submission("out");
    assert_eq!(rows.len(), names.len());
    assert!(rows.iter().all(|row| row.1 == rows[0].1));
    assert_eq!(slides_of(&dir, "out").len(), names.len());
    // And a rerun knows them all again.
    dir.segment(["slides"], "out")
        .ends_with(1)
        .says(&["0 done, 7 already done, 1 failed"]);
}

#[test]
fn two_files_of_one_name_are_told_apart_and_known_again() {
    let dir = Dir::with_slide();
    for folder in ["a", "b"] {
        fs::create_dir(dir.join(folder)).unwrap();
    }
    dir.two_organs("a/x.tif");
    dir.slide("b/x.tif", (300, 200), Some(MPP), |x, y| {
        two_organs(x + 9, y, 1)
    });
    // Whatever the order.
    for (inputs, expected) in [
        (["a", "b"], "done"),
        (["a", "b"], "skipped"),
        (["b", "a"], "skipped"),
    ] {
        dir.segment(inputs, "out").ends_with(0);
        let run = dir.json("out/run.json");
        for (slide, input) in run["slides"].as_array().unwrap().iter().zip(inputs) {
            assert_eq!(slide["id"], "x");
            assert_eq!(slide["status"], expected);
            assert_eq!(slide["path"], format!("{input}/x.tif"));
        }
    }
    assert_eq!(slides_of(&dir, "out").len(), 2);
    // A file that two inputs name is done once.
    dir.segment(["a", "a/x.tif", "a/../a"], "once").ends_with(0);
    assert_eq!(dir.submission("once").len(), 1);
}
