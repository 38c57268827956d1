//! Memory over a long batch: what a slide takes is given back.

#![cfg(target_os = "linux")]

use super::util::*;

/// Resident memory of a process in kB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Runs a batch of so many small slides and returns the resident memory after the first `early` and at the end, kB.
fn batch(count: usize, early: usize, options: &[&str]) -> (u64, u64) {
    let dir = Dir::with_slide();
    std::fs::create_dir(dir.join("slides")).unwrap();
    for number in 0..count {
        let path = dir.join(format!("slides/s{number:04}.tif"));
        std::fs::hard_link(dir.join("one.tif"), path).unwrap();
    }
    let mut run = dir
        .segment(["slides"], "out")
        .args(options)
        .args(["--json-log", "--quiet"])
        .start();
    let ended =
        |wanted: usize| move |stdout: &str| stdout.matches("\"event\":\"ended\"").count() >= wanted;
    run.wait_until(ended(early));
    let first = resident(run.child.id());
    // Before the last one has ended, for then the program may be gone.
    run.wait_until(ended(count - 2));
    let last = resident(run.child.id());
    assert_eq!(run.end().code, Some(0));
    assert_eq!(dir.submission("out").len(), count);
    (first, last)
}

/// 1,000 slides take minutes: `cargo test --release --test cli -- --ignored --nocapture a_thousand`.
#[test]
#[ignore = "takes minutes"]
fn a_thousand_slides_take_no_more_memory_than_a_hundred() {
    for options in [&[][..], &["--memory-limit", "64M"]] {
        let (first, last) = batch(1000, 100, options);
        println!("{options:?}: {first} kB after 100 slides, {last} kB at the end of 1000");
        assert!(
            last <= first + first / 20,
            "{options:?}: {first} kB, then {last} kB"
        );
    }
}

#[test]
fn memory_does_not_grow_with_the_slides() {
    // A slide is 180 kB of px: if each left that behind, 150 would be 27 MB. An allocator's moods make half a dozen, and
    // more on a busy machine; but they pass, and a leak is there every time.
    let grows = |_| {
        let (first, last) = batch(200, 50, &[]);
        println!("{first} kB after 50 slides, {last} kB at the end of 200");
        last > first + 14_000
    };
    assert!(!(0..3).all(grows), "it grew three times");
}
