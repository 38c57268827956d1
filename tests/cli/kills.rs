//! Killed at any moment and run again: nothing is lost, half there, or done twice.
//!
//! `FTUSEG_KILLS` and `FTUSEG_KILL_SLIDES` set how often and over how many slides; a few by default.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::time::{Instant, SystemTime};

use ftuseg::batch::run_specific;
use ftuseg::mask::rle;
use ftuseg::slide;
use ftuseg::slide::mask_image::read_mask;
use serde_json::Value;

use super::slides_of;
use super::util::*;

const FILES: [&str; 5] = [
    "mask.tif",
    "objects.csv",
    "objects.geojson",
    "overlay.png",
    "slide.json",
];

fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Draws slides that all differ, large enough that kills find them half-way.
fn draw(dir: &Dir, count: u32) {
    for number in 0..count {
        let name = format!("slides/s{number:02}.tif");
        let size = (450 + 30 * (number % 4), 300 + 20 * (number % 3));
        dir.slide(&name, size, Some(MPP), |x, y| {
            two_organs(x + 2 * number, y + number, 1 + (number % 2))
        });
    }
}

fn command(dir: &Dir, out: &str, options: &[&str]) -> TestCommand {
    dir.segment(["slides"], out).args(options).args(["--quiet"])
}

/// A record without what may differ.
fn record(dir: &Dir, out: &str, id: &str) -> Value {
    let mut record = dir.json(format!("{out}/slides/{id}/slide.json"));
    run_specific::strip(&mut record, &run_specific::OF_SLIDE);
    record
}

/// The RLE of the mask that lies there.
fn row(dir: &Dir, out: &str, id: &str) -> String {
    let image = slide::open(&dir.join(format!("{out}/slides/{id}/mask.tif"))).unwrap();
    rle::encode(&read_mask(image.as_ref()).unwrap())
}

/// Checks that the reports are true of the disk, at whatever moment the program was killed. `is_new` tells a record of
/// the run's own settings. Returns each finished slide's record with its time.
fn check(
    dir: &Dir,
    out: &str,
    whole: &BTreeMap<String, Value>,
    is_new: impl Fn(&Value) -> bool,
) -> BTreeMap<String, (SystemTime, Vec<u8>)> {
    let mut finished = BTreeMap::new();
    if !dir.join(out).join("slides").exists() {
        return finished;
    }
    for id in slides_of(dir, out) {
        if id.starts_with('.') {
            continue;
        }
        for file in FILES {
            let path = dir.join(format!("{out}/slides/{id}/{file}"));
            assert!(path.is_file(), "half a folder: {}", path.display());
        }
        let record = record(dir, out, &id);
        if is_new(&record) {
            assert_eq!(record, whole[&id], "{id}");
            let path = dir.join(format!("{out}/slides/{id}/slide.json"));
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            finished.insert(id, (modified, fs::read(path).unwrap()));
        }
    }
    if dir.join(out).join("submission.csv").exists() {
        for (id, text) in dir.submission(out) {
            // Between two renames an older folder may have stepped aside, but then its row is gone already.
            assert_eq!(text, row(dir, out, &id), "{id}");
        }
    }
    if dir.join(out).join("objects.csv").exists() {
        // The lines of a slide are those of its own table.
        let all = String::from_utf8(dir.read(format!("{out}/objects.csv"))).unwrap();
        let mut lines = all.lines();
        let header = lines.next().unwrap();
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in lines {
            found
                .entry(line.split(',').next().unwrap())
                .or_default()
                .push(line);
        }
        for (id, lines) in found {
            let own =
                String::from_utf8(dir.read(format!("{out}/slides/{id}/objects.csv"))).unwrap();
            let own: Vec<&str> = own.lines().collect();
            assert_eq!((own[0], &own[1..]), (header, lines.as_slice()), "{id}");
        }
    }
    if dir.join(out).join("run.json").exists() {
        let run = dir.json(format!("{out}/run.json"));
        for slide in run["slides"].as_array().unwrap() {
            let id = slide["id"].as_str().unwrap();
            match slide["status"].as_str().unwrap() {
                "done" | "skipped" => {
                    // The report of the run before, where this one was killed before its first.
                    assert!(dir.join(format!("{out}/slides/{id}/slide.json")).exists());
                }
                "pending" => {}
                other => panic!("{id} is {other}: {slide}"),
            }
        }
    }
    finished
}

#[test]
fn killed_runs_end_like_undisturbed_ones() {
    let (kills, count) = (setting("FTUSEG_KILLS", 6), setting("FTUSEG_KILL_SLIDES", 5));
    let dir = Dir::new();
    dir.bundle("bundle", &full_bundle());
    draw(&dir, count);
    let started = Instant::now();
    command(&dir, "whole", &[]).ends_with(0);
    let duration = started.elapsed();
    command(&dir, "other", &["--overlap", "4"]).ends_with(0);
    let whole: BTreeMap<String, Value> = slides_of(&dir, "whole")
        .into_iter()
        .map(|id| (id.clone(), record(&dir, "whole", &id)))
        .collect();
    assert_eq!(whole.len(), count as usize);
    let settings = whole["s00"]["made_by"]["settings"].clone();
    let is_new = |record: &Value| record["made_by"]["settings"] == settings;

    // Random by time, as kills are; each moment is as good as any.
    let mut random = std::hash::RandomState::new().build_hasher();
    let (mut killed, mut found, mut rounds) = (0, 0, 0);
    while killed < kills {
        let out = format!("out{rounds}");
        // Every other round replaces a folder of other settings slide by slide.
        let options: &[&str] = match rounds % 2 {
            0 => &[],
            _ => {
                copy(&dir, "other", &out);
                &["--redo-changed"]
            }
        };
        let mut seen = BTreeMap::new();
        loop {
            let mut run = command(&dir, &out, options).start();
            random.write_u8(1);
            let pause = duration.mul_f64((random.finish() % 1000) as f64 / 1000.0);
            let has_ended = killed >= kills || run.ends_within(pause);
            if has_ended {
                let outcome = run.end();
                assert_eq!(outcome.code, Some(0), "{outcome:#?}");
            } else {
                // SIGKILL on Unix.
                run.child.kill().unwrap();
                run.child.wait().unwrap();
                killed += 1;
            }
            let finished = check(&dir, &out, &whole, is_new);
            for (id, before) in &seen {
                assert_eq!(finished.get(id), Some(before), "{id} was done twice");
            }
            found += finished.len() - seen.len();
            seen = finished;
            if has_ended {
                break;
            }
        }
        assert_eq!(slides_of(&dir, &out), slides_of(&dir, "whole"));
        for id in whole.keys() {
            for file in &FILES[..4] {
                let name = |out: &str| dir.read(format!("{out}/slides/{id}/{file}"));
                assert!(name(&out) == name("whole"), "{id}/{file}");
            }
        }
        let submission = |out: &str| dir.read(format!("{out}/submission.csv"));
        assert!(submission(&out) == submission("whole"));
        let objects = |out: &str| dir.read(format!("{out}/objects.csv"));
        assert!(objects(&out) == objects("whole"));
        let report = |out: &str| {
            let mut run = dir.json(format!("{out}/run.json"));
            run_specific::strip(&mut run, &run_specific::OF_RUN);
            run
        };
        assert_eq!(report(&out), report("whole"));
        rounds += 1;
        fs::remove_dir_all(dir.join(out)).unwrap();
    }
    println!(
        "{killed} kills over {rounds} rounds of {count} slides ({:.2} s undisturbed): {found} slides finished, each once",
        duration.as_secs_f64()
    );
    assert_eq!(found, rounds * count as usize);
}

fn copy(dir: &Dir, from: &str, to: &str) {
    for entry in walkdir::WalkDir::new(dir.join(from)) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(dir.join(from)).unwrap();
        let target = dir.join(to).join(path);
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
