//! Peak memory of a big slide beside a small one: 80,000 x 80,000 px and 20,000 x 20,000 px, a quarter tissue each.
//!
//!     cargo bench -p ftuseg --bench big
//!
//! Each slide is opened, routed, segmented and written with all outputs by a process of its own, with networks that
//! answer at once, so that what is measured is reading, stitching and writing. Peak memory is the kernel's figure for
//! the process (`VmHWM`, Linux only). The slides are drawn, but their files are small: equal tiles are stored once.
//! `FTUSEG_BENCH_SIDES` sets other sides (`20000,80000`), `FTUSEG_BENCH_MPP` the models' um/px (`4,0.5`).

#[path = "shared/at_once.rs"]
mod at_once;
#[path = "shared/peak.rs"]
mod peak;
#[path = "shared/repeated.rs"]
mod repeated;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use ftuseg::batch::{Batch, discover};
use ftuseg::pipeline::{Engine, EngineOptions, Route};

/// How a child is told what to do: the slide and the output folder, and the models' um/px.
const CHILD: &str = "FTUSEG_BENCH_CHILD";
/// The most that the big slide may take of the small one's memory.
const MOST: f64 = 1.5;

fn main() {
    if let Ok(job) = std::env::var(CHILD) {
        // As the command does.
        ftuseg::memory::share_arenas();
        let (mpp, folder) = job.split_once(' ').expect("um/px and a folder");
        return segment(Path::new(folder), mpp.parse().expect("a number"));
    }
    let numbers = |name: &str, missing: &str| -> Vec<f64> {
        let text = std::env::var(name).unwrap_or_else(|_| missing.to_owned());
        text.split(',')
            .map(|n| n.trim().parse().expect("a number"))
            .collect()
    };
    let sides = numbers("FTUSEG_BENCH_SIDES", "20000,80000");
    let mut failed = false;
    for mpp in numbers("FTUSEG_BENCH_MPP", "4,0.5") {
        let peaks: Vec<f64> = sides
            .iter()
            .map(|&side| measure(side as u32, mpp))
            .collect();
        let (Some(first), Some(last)) = (peaks.first(), peaks.last()) else {
            continue;
        };
        let ratio = last / first;
        println!(
            "models at {mpp} um/px: the largest takes {ratio:.2} times the memory of the smallest (at most {MOST})"
        );
        failed |= ratio > MOST;
    }
    if failed {
        std::process::exit(1);
    }
}

/// Draws a slide and segments it in a process of its own; returns the peak memory in MiB, or 0 where the system does not
/// tell.
fn measure(side: u32, mpp: f64) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let started = Instant::now();
    let slide = folder.path().join("slide.tif");
    repeated::write(&slide, side, 0.5).expect("a slide");
    let drawn = started.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&slide).expect("the slide").len();
    let started = Instant::now();
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .env(CHILD, format!("{mpp} {}", folder.path().display()))
        .output()
        .expect("a child");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let peak = text.lines().find_map(|line| line.strip_prefix("peak "));
    let peak: f64 = peak.and_then(|p| p.parse().ok()).unwrap_or(0.0);
    println!(
        "{side} x {side} px, models at {mpp} um/px: drawn in {drawn:.1} s ({:.1} MB), done in {:.1} s, peak {peak:.0} MiB",
        bytes as f64 / 1e6,
        started.elapsed().as_secs_f64()
    );
    for line in text.lines().filter(|line| !line.starts_with("peak ")) {
        println!("    {line}");
    }
    peak
}

/// What the child does: all that `ftuseg segment` does.
fn segment(folder: &Path, mpp: f64) {
    let bundle = folder.join("bundle");
    at_once::write_bundle(&bundle, mpp);
    let engine = Engine::new(
        ftuseg::bundle::Bundle::load(&bundle).expect("a bundle"),
        Box::new(at_once::AtOnce::default()),
        EngineOptions {
            route: Route::Tile,
            readers: 2,
            ..EngineOptions::default()
        },
    );
    let batch = Batch::new(&engine, folder.join("out"));
    let jobs = discover(&[folder.join("slide.tif")], None).expect("the slide");
    let summary = batch.run(&jobs, &|_| {}).expect("a run");
    for slide in &summary.slides {
        println!(
            "{:?}: {} tiles, tissue and more in slide.json",
            slide.status, slide.tiles.inferred
        );
    }
    let record =
        std::fs::read_to_string(folder.join("out/slides/slide/slide.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    println!(
        "tissue {}, seconds by stage {}",
        record["tissue_share"], record["timings"]
    );
    println!("peak {}", peak::peak_mib("self").unwrap_or(0.0));
}
