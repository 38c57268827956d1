//! One bad slide is one bad slide: it panics, is lost, or changes while it is read, and the rest goes on. On every
//! runtime that there is here.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use ftuseg::backend::Backend;
use ftuseg::batch::{Batch, BatchError, Rerun, RunState, RunSummary, Status, discover};
use ftuseg::bundle::Bundle;
use ftuseg::pipeline::{Engine, EngineOptions};
use ftuseg::slide::{self, SlideError, SlideInfo, SlideReader};

use super::support::backends;
use super::util::*;

/// A slide with something wrong with it, as its file's name says.
struct Bad {
    slide: Box<dyn SlideReader>,
    path: PathBuf,
    reads: Mutex<u32>,
}

fn open(path: &Path) -> Result<Box<dyn SlideReader>, SlideError> {
    let slide = slide::open(path)?;
    if path.ends_with("panics-at-once.tif") {
        panic!("a decoder fell over");
    }
    Ok(Box::new(Bad {
        slide,
        path: path.to_owned(),
        reads: Mutex::new(0),
    }))
}

impl SlideReader for Bad {
    fn info(&self) -> &SlideInfo {
        self.slide.info()
    }

    fn read(
        &self,
        level: usize,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), SlideError> {
        let reads = {
            let mut reads = self.reads.lock().unwrap();
            *reads += 1;
            *reads
        };
        match self.path.file_stem().unwrap().to_str().unwrap() {
            "panics-late" if reads > 5 => panic!("a decoder fell over"),
            "is-lost" if reads == 3 => fs::remove_file(&self.path).unwrap(),
            "is-changed" if reads == 3 => {
                let file = fs::File::options().append(true).open(&self.path).unwrap();
                let length = file.metadata().unwrap().len();
                file.set_len(length + 1).unwrap();
            }
            "is-cut" if reads == 3 => {
                let file = fs::File::options().write(true).open(&self.path).unwrap();
                file.set_len(200).unwrap();
            }
            _ => {}
        }
        self.slide.read(level, x, y, width, height, out)
    }
}

const NAMES: [&str; 7] = [
    "a-good",
    "is-changed",
    "is-cut",
    "is-lost",
    "panics-at-once",
    "panics-late",
    "z-good",
];

fn run(
    dir: &Dir,
    backend: Box<dyn Backend>,
    set: impl Fn(&mut Batch<'_>),
) -> Result<RunSummary, BatchError> {
    let bundle = Bundle::load(&dir.join("bundle")).unwrap();
    let engine = Engine::new(bundle, backend, EngineOptions::default());
    let jobs = discover(&[dir.join("slides")], None).unwrap();
    let mut batch = Batch {
        open,
        ..Batch::new(&engine, dir.join("out"))
    };
    set(&mut batch);
    batch.run(&jobs, &|_| {})
}

#[test]
fn the_rest_goes_on_whatever_a_slide_does() {
    for number in 0..backends(1).len() {
        // Read by the pipeline's own threads, and by threads that can be left behind.
        for limit in [None, Some(Duration::from_secs(3600))] {
            let dir = Dir::with_slide();
            for name in NAMES {
                dir.two_organs(&format!("slides/{name}.tif"));
            }
            let backend = || backends(2).swap_remove(number);
            let summary = run(&dir, backend(), |batch| batch.slide_timeout = limit).unwrap();
            assert_eq!(summary.state, RunState::Finished);
            for (slide, (name, kind, word)) in summary.slides.iter().zip([
                ("a-good", None, ""),
                ("is-changed", Some("changed"), "was changed while"),
                ("is-cut", Some("format"), "is-cut.tif"),
                ("is-lost", Some("changed"), "was lost"),
                ("panics-at-once", Some("internal"), "a decoder fell over"),
                ("panics-late", Some("internal"), "panics-late.tif"),
                ("z-good", None, ""),
            ]) {
                assert_eq!(slide.id, name);
                // A file that was cut off may also be found to have changed.
                let is_cut = name == "is-cut" && slide.kind.as_deref() == Some("changed");
                assert!(slide.kind.as_deref() == kind || is_cut, "{slide:?}");
                let reason = slide.reason.as_deref().unwrap_or_default();
                assert!(reason.contains(word) || is_cut, "{slide:?}");
                assert_eq!(slide.is_there(), kind.is_none());
                assert_eq!(
                    dir.join(format!("out/slides/{name}")).exists(),
                    kind.is_none()
                );
            }
            let run_json = dir.json("out/run.json");
            assert_eq!(run_json["totals"]["failed"], 5);
            assert_eq!(dir.submission("out").len(), 2);

            // Mended, and only those are tried again.
            for name in NAMES {
                if !name.ends_with("good") {
                    let _ = fs::remove_file(dir.join(format!("slides/{name}.tif")));
                    dir.two_organs(&format!("slides/{name}.tif"));
                }
            }
            let summary = run(&dir, backend(), |batch| {
                batch.open = slide::open;
                batch.rerun = Rerun::Failed;
            })
            .unwrap();
            assert_eq!(summary.count(Status::Done), 5);
            assert_eq!(summary.count(Status::Skipped), 2);
            let rows = dir.submission("out");
            assert_eq!(rows.len(), NAMES.len());
            assert!(rows.iter().all(|row| row.1 == rows[0].1));
        }
    }
}

#[test]
fn a_batch_that_is_told_to_stop_before_it_starts_does_nothing() {
    let dir = Dir::with_slide();
    dir.two_organs("slides/one.tif");
    let backend = || backends(1).pop().unwrap();
    let stopped = run(&dir, backend(), |batch| {
        batch.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(matches!(stopped, Err(BatchError::Stopped)), "{stopped:?}");
    assert!(!dir.join("out/run.json").exists());
    let summary = run(&dir, backend(), |_| {}).unwrap();
    assert_eq!(summary.count(Status::Done), 1);
}
