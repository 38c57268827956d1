//! What happens while a slide's file does not answer: signals, locks, timeouts.
//!
//! A lease that this test holds on the file stops whoever opens it, in the system itself, as a share that stalls does.

use std::fs::{self, File};
use std::os::fd::AsRawFd;

use super::util::*;
use super::{slides_of, status};

/// Chooses the signal that tells a lease's holder that somebody waits; the same number on every kind of Linux.
const F_SETSIG: libc::c_int = 10;

/// A file that nobody can open until this is dropped.
struct Stalled {
    _file: File,
}

impl Stalled {
    /// None where the file system knows no leases.
    fn new(dir: &Dir, name: &str) -> Option<Self> {
        let file = File::options()
            .read(true)
            .write(true)
            .open(dir.join(name))
            .unwrap();
        let take = || {
            // SAFETY: fcntl with these commands takes a descriptor, which is open, and an integer. The system tells
            // the holder that somebody waits by a signal; SIGURG is one that is ignored unless asked for.
            unsafe {
                libc::fcntl(file.as_raw_fd(), F_SETSIG, libc::SIGURG) == 0
                    && libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK) == 0
            }
        };
        // A process that another test is just starting may hold the file for a moment.
        let taken = (0..100).any(|_| {
            take() || {
                std::thread::sleep(std::time::Duration::from_millis(10));
                false
            }
        });
        if !taken {
            println!(
                "skipped: no lease can be had here: {}",
                std::io::Error::last_os_error()
            );
        }
        taken.then_some(Stalled { _file: file })
    }
}

fn three() -> Dir {
    let dir = Dir::with_slide();
    dir.two_organs("stalled.tif");
    dir.two_organs("two.tif");
    dir
}

const INPUTS: [&str; 3] = ["one.tif", "stalled.tif", "two.tif"];
/// So long that no test sees its end.
const NEVER: [&str; 2] = ["--slide-timeout", "36000"];

fn has_begun(stdout: &str) -> bool {
    stdout
        .lines()
        .any(|line| line.contains("\"started\"") && line.contains("stalled.tif"))
}

#[test]
fn a_slide_that_does_not_answer_is_given_up() {
    let dir = three();
    let Some(stalled) = Stalled::new(&dir, "stalled.tif") else {
        return;
    };
    let outcome = dir
        .segment(INPUTS, "out")
        .args(["--slide-timeout", "2"])
        .ends_with(1);
    outcome.says(&["stalled.tif", "--slide-timeout", "2 s"]);
    let slide = status(&dir, "out", "stalled");
    assert_eq!(
        (&slide["status"], &slide["kind"]),
        (&"failed".into(), &"timeout".into())
    );
    drop(stalled);
    // On a machine that is busy enough the others can be late too.
    dir.segment(INPUTS, "out").ends_with(0);
    assert_eq!(slides_of(&dir, "out"), ["one", "stalled", "two"]);
}

#[test]
fn no_slide_is_in_time_for_a_senseless_limit() {
    let dir = Dir::with_slide();
    dir.segment(["one.tif"], "out")
        .args(["--slide-timeout", "0.000001"])
        .ends_with(1);
    assert_eq!(status(&dir, "out", "one")["kind"], "timeout");
    for wrong in ["0", "-1", "nan", "inf", "soon"] {
        dir.segment(["one.tif"], "none")
            .args([format!("--slide-timeout={wrong}")])
            .ends_with(2)
            .says(&["--slide-timeout"]);
    }
}

#[test]
fn a_signal_drops_the_slide_at_hand_and_writes_the_reports() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let dir = three();
        let Some(stalled) = Stalled::new(&dir, "stalled.tif") else {
            return;
        };
        let mut run = dir
            .segment(INPUTS, "out")
            .args(NEVER)
            .args(["--json-log"])
            .start();
        run.wait_until(has_begun);
        run.signal(signal);
        let outcome = run.end();
        assert_eq!(outcome.code, Some(code), "{outcome:#?}");
        outcome.says(&["stopped", "run the same command again"]);
        assert_eq!(dir.json("out/run.json")["state"], "interrupted");
        // The slide before it was being written, and was finished.
        assert_eq!(status(&dir, "out", "one")["status"], "done");
        for id in ["stalled", "two"] {
            let slide = status(&dir, "out", id);
            assert_eq!(slide["status"], "pending");
            assert!(
                slide["reason"].as_str().unwrap().contains("stopped"),
                "{slide}"
            );
        }
        assert_eq!(slides_of(&dir, "out"), ["one"]);
        assert_eq!(dir.submission("out").len(), 1);
        drop(stalled);
        dir.segment(INPUTS, "out")
            .ends_with(0)
            .says(&["2 done, 1 already done"]);
    }
}

#[test]
fn a_second_signal_stops_at_once() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let dir = three();
        let Some(stalled) = Stalled::new(&dir, "stalled.tif") else {
            return;
        };
        // Without a timeout the program waits for the file itself, and cannot drop the slide.
        let mut run = dir.segment(INPUTS, "out").args(["--json-log"]).start();
        run.wait_until(has_begun);
        let pause = std::time::Duration::from_millis(100);
        // Signals that come too close count as one.
        while !run.ends_within(pause) {
            run.signal(signal);
        }
        assert_eq!(run.end().code, Some(code));
        drop(stalled);
        // Nobody holds the lock, and what was done is there.
        dir.segment(INPUTS, "out")
            .ends_with(0)
            .says(&["2 done, 1 already done"]);
    }
}

#[test]
fn one_folder_has_one_writer() {
    let dir = three();
    let Some(stalled) = Stalled::new(&dir, "stalled.tif") else {
        return;
    };
    let mut first = dir
        .segment(INPUTS, "out")
        .args(NEVER)
        .args(["--json-log"])
        .start();
    first.wait_until(has_begun);
    let report = || fs::read(dir.join("out/run.json")).unwrap();
    let running = report();
    assert_eq!(dir.json("out/run.json")["state"], "running");
    dir.segment(["two.tif"], "out")
        .ends_with(2)
        .says(&[&format!("process {}", first.child.id()), "--wait"]);
    dir.ftuseg("merge")
        .args(["out", "--out", "all"])
        .ends_with(2)
        .says(&["still writing"]);
    assert_eq!(report(), running);
    let second = dir.segment(INPUTS, "out").args(["--wait"]).start();
    drop(stalled);
    assert_eq!(first.end().code, Some(0));
    let outcome = second.end();
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    outcome.says(&["0 done, 3 already done"]);
}
