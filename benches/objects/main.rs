//! What comes after a slide's last tile: objects found, measured, outlined and written, in numbers up to a million.
//!
//!     cargo bench -p ftuseg --bench objects [-- many|share] [-- --write]
//!
//! Slides are drawn with as many dark units as are wanted, and a backend answers at once with how dark each px is (`many`);
//! or the shipped networks run on every tile, and such answers take the place of theirs (`share`). Each slide is done by a
//! process of its own through all that `ftuseg segment` does. With `--write`, what was measured takes its place in
//! `benches/RESULTS.md`. `FTUSEG_BENCH_ROUNDS` sets the rounds (3; a million objects are done once), `FTUSEG_BENCH_MOST` the
//! most objects (a million). Where `FTUSEG_BENCH_PYTHON` names a Python with
//! scikit-image, rasterio and shapely, `benches/objects.py` does the same masks.

#[path = "../shared/at_once.rs"]
mod at_once;
#[path = "../shared/page.rs"]
mod page;
#[path = "../shared/peak.rs"]
mod peak;
#[path = "../shared/repeated.rs"]
mod repeated;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use ftuseg::Target;
use ftuseg::backend::{
    About, Backend, BackendChoice, BackendError, NetworkInput, NetworkOutput, Session,
    SessionOptions, choose,
};
use ftuseg::batch::{Batch, Event, Status, discover};
use ftuseg::bundle::{Bundle, default_bundle};
use ftuseg::pipeline::{Engine, EngineOptions, Route};
use ftuseg::provision::onnxruntime::search;
use ftuseg::slide::TissueMode;
use serde_json::{Value, json};

use at_once::{AtOnce, Dark, write_bundle_of};
use page::{line, machine, median};
use peak::{forget_peak, peak_mib};
use repeated::{Pattern, write_pattern};

/// How a child is told what to do: whose answers, which outputs, and the folder with `slide.tif`.
const CHILD: &str = "FTUSEG_BENCH_OBJECTS";
/// A Python with scikit-image, rasterio and shapely.
const PYTHON: &str = "FTUSEG_BENCH_PYTHON";
/// All outputs but the map of probabilities.
const EVERYTHING: &str = "all,parquet,geojson.gz,instances";
/// The most objects that Python is given.
const MOST_FOR_PYTHON: u64 = 100_000;
/// um/px of the drawn slides.
const MPP: f64 = 0.5;

type Outcome = Result<String, Box<dyn Error>>;
type Section = (&'static str, fn(usize) -> Outcome);

const SECTIONS: [Section; 2] = [("many", many), ("share", share)];

fn main() {
    let outcome = match std::env::var(CHILD) {
        Ok(job) => segment(&job).map(|said| println!("{said}")),
        Err(_) => measure(),
    };
    if let Err(error) = outcome {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` itself adds this one.
    wanted.retain(|word| word != "--bench");
    let write = wanted.iter().any(|word| word == "--write");
    wanted.retain(|word| word != "--write");
    let rounds = std::env::var("FTUSEG_BENCH_ROUNDS").ok();
    let rounds = rounds
        .and_then(|text| text.parse().ok())
        .unwrap_or(3)
        .max(1);
    for (name, section) in SECTIONS {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        let text = section(rounds)?;
        println!("{text}");
        if write {
            let path = page::path();
            let (head, mut parts) = page::read(&path);
            let name = format!("objects-{name}");
            match parts.iter_mut().find(|part| part.0 == name) {
                Some(part) => part.1 = text,
                None => parts.push((name, text)),
            }
            std::fs::write(path, page::of(&head, &parts))?;
        }
    }
    Ok(())
}

/// Time and memory after the last tile, from a thousand objects to a million.
fn many(rounds: usize) -> Outcome {
    let python = std::env::var_os(PYTHON);
    let mut text = format!(
        "## Objects\n\nBy `cargo bench -p ftuseg --bench objects`, on {}, {} threads, load average {} before it. From the last tile of a slide to the end of the run, with a backend that answers at once, each slide by a process \
         of its own, and all of `--write {EVERYTHING}`. Units of some 24 px lie in cells of 32 px, every fifth with a hole. Memory \
         is that of the process: what it held at the last tile, and its peak after that.\n\n\
         | objects | side, px | seconds | spread | us an object | held, MiB | peak, MiB |\n| --- | --- | --- | --- | --- | --- | --- |\n",
        machine(),
        threads(),
        load()
    );
    let mut beside = String::new();
    let most: u32 = std::env::var("FTUSEG_BENCH_MOST")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    let numbers = [32_u32, 100, 316, 1000].into_iter();
    for across in numbers.filter(|across| across * across <= most.max(1024)) {
        let folder = tempfile::tempdir()?;
        let side = draw(folder.path(), across, 32)?;
        let mut runs = Vec::new();
        let rounds = if across == 1000 { 1 } else { rounds };
        for _ in 0..rounds {
            runs.push(run(folder.path(), "stand-in", EVERYTHING)?);
        }
        let of = |name: &str| -> Vec<f64> { runs.iter().map(|run| number(run, name)).collect() };
        let objects = u64::from(across) * u64::from(across);
        let (seconds, most) = (of("after"), |name: &str| {
            of(name).into_iter().fold(f64::NAN, f64::max)
        });
        let low = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let high = seconds.iter().copied().fold(0.0, f64::max);
        let middle = median(&seconds);
        let _ = writeln!(
            text,
            "| {objects} | {side} | {middle:.2} (n = {}) | [{low:.2}, {high:.2}] | {:.1} | {:.0} | {:.0} |",
            seconds.len(),
            middle / objects as f64 * 1e6,
            most("held"),
            most("peak"),
        );
        if let Some(python) = &python
            && objects <= MOST_FOR_PYTHON
        {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/objects.py");
            let mut command = Command::new(python);
            command
                .arg(script)
                .arg(folder.path().join("out/slides/slide/mask.tif"));
            let said = answer(command)?;
            if said["objects"] != objects {
                return Err(
                    format!("Python finds {} objects of {objects}", said["objects"]).into(),
                );
            }
            let _ = writeln!(
                beside,
                "| {objects} | {:.1} | {:.1} | {:.0} |",
                number(&said, "seconds"),
                number(&said, "seconds") / middle,
                number(&said, "peak")
            );
        }
    }
    if !beside.is_empty() {
        let _ = write!(
            text,
            "\n`mask.tif` of the same slides in Python, by one run each of `benches/objects.py`: `label` and `regionprops_table` of \
             scikit-image to CSV, `rasterio.features.shapes` and shapely to GeoJSON; no other output.\n\n\
             | objects | seconds | times of ours | peak, MiB |\n| --- | --- | --- | --- |\n{beside}"
        );
    }
    Ok(text)
}

/// The share of what comes after the last tile in the time of a slide under the shipped networks.
fn share(rounds: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    let side = draw(folder.path(), 100, 200)?;
    let mut text = format!(
        "## After the last tile\n\nBy `cargo bench -p ftuseg --bench objects`, on {}, {} threads, load average {} before it. A drawn slide of {side} x {side} px at {MPP} um/px with \
         10,000 units of some 150 px. The shipped bundle's router runs on every cell and its kidney network, at its own um/px (4.0), \
         on every tile; their answers are replaced by kidney, and by how dark the px are. Loading the model apart.\n\n| | median | spread |\n| --- | --- | --- |\n",
        machine(),
        threads(),
        load()
    );
    let wanted = [
        ("what `ftuseg segment` writes", "all"),
        (
            "all of `--write all,parquet,geojson.gz,instances`",
            EVERYTHING,
        ),
    ];
    let (mut shares, mut seconds) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..rounds {
        for (place, (_, outputs)) in wanted.iter().enumerate() {
            let run = run(folder.path(), "networks", outputs)?;
            let objects = number(&run, "objects");
            if objects != 1e4 {
                return Err(format!("{objects} objects were found of 10,000").into());
            }
            shares[place].push(number(&run, "after") / number(&run, "slide"));
            seconds[place].push(number(&run, "slide"));
        }
    }
    for (place, (name, _)) in wanted.iter().enumerate() {
        line(
            &mut text,
            &format!("share of the slide's time, {name}"),
            &shares[place],
            3,
        );
        line(&mut text, "the slide, seconds", &seconds[place], 1);
    }
    Ok(text)
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or(f64::NAN)
}

/// Draws `slide.tif` with `across` x `across` units, each in a cell of `cell` px, and says how long its sides are.
fn draw(folder: &Path, across: u32, cell: u32) -> Result<u32, Box<dyn Error>> {
    let side = across * cell;
    let half = f64::from(cell) / 2.0;
    // As many whole cells as make whole tiles.
    let whole = 256 * cell / common(256, cell);
    let pattern = whole * 2048_u32.div_ceil(whole);
    let unit = |x: u32, y: u32| {
        let (dx, dy) = (
            f64::from(x % cell) + 0.5 - half,
            f64::from(y % cell) + 0.5 - half,
        );
        let place = y / cell * (pattern / cell) + x / cell;
        let (angle, far) = (dy.atan2(dx), dx.hypot(dy) / f64::from(cell));
        let phase = f64::from(place % 17);
        let wave = 1.0 + 0.1 * (angle * 5.0 + phase).sin() + 0.04 * (angle * 11.0 + phase).sin();
        let is_hole = place.is_multiple_of(5) && far < 0.12;
        match far < 0.38 * wave && !is_hole {
            true => [60, 40, 90],
            false => [240, 205, 225],
        }
    };
    let slide = folder.join("slide.tif");
    write_pattern(
        &slide,
        (side, MPP),
        Pattern::of(pattern, unit),
        |size| 0..size,
        95,
    )?;
    Ok(side)
}

/// The greatest number that divides both.
fn common(one: u32, other: u32) -> u32 {
    match other {
        0 => one,
        _ => common(other, one % other),
    }
}

/// Does the slide of a folder in a process of its own.
fn run(folder: &Path, answers: &str, outputs: &str) -> Result<Value, Box<dyn Error>> {
    let out = folder.join("out");
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.env(CHILD, format!("{answers} {outputs} {}", folder.display()));
    answer(command)
}

/// The last line that a program prints, as JSON.
fn answer(mut command: Command) -> Result<Value, Box<dyn Error>> {
    let said = command.output()?;
    eprint!("{}", String::from_utf8_lossy(&said.stdout));
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into());
    }
    let text = String::from_utf8(said.stdout)?;
    Ok(serde_json::from_str(
        text.lines().last().unwrap_or_default(),
    )?)
}

/// What the child does.
fn segment(job: &str) -> Result<Value, Box<dyn Error>> {
    // As the command does.
    ftuseg::memory::share_arenas();
    let mut words = job.splitn(3, ' ');
    let mut word = || words.next().ok_or("a word is missing");
    let (answers, outputs, folder) = (word()?, word()?, Path::new(word()?));
    let engine = match answers {
        "networks" => networks()?,
        _ => stand_in(&folder.join("bundle"))?,
    };
    let mut batch = Batch::new(&engine, folder.join("out"));
    batch.outputs = outputs.parse()?;
    let jobs = discover(&[folder.join("slide.tif")], None)?;
    let (opened, last) = (OnceLock::new(), OnceLock::new());
    let summary = batch.run(&jobs, &|event| match event {
        Event::Opened { .. } => {
            opened.get_or_init(Instant::now);
        }
        Event::Tiles { tiles, .. } if tiles.inferred == tiles.planned && tiles.planned > 0 => {
            last.get_or_init(|| (Instant::now(), forget_peak()));
        }
        _ => {}
    })?;
    let ended = Instant::now();
    let is_done = summary.slides.iter().all(|one| one.status == Status::Done);
    let (true, Some(opened), Some((last, held))) = (is_done, opened.get(), last.get()) else {
        return Err(format!("the slide was not done: {:?}", summary.slides).into());
    };
    let record = std::fs::read(folder.join("out/slides/slide/slide.json"))?;
    let record: Value = serde_json::from_slice(&record)?;
    let organs = record["organs"].as_array().ok_or("no organs")?.iter();
    Ok(json!({
        "objects": organs.map(|organ| number(organ, "objects")).sum::<f64>(),
        "slide": (ended - *opened).as_secs_f64() - number(&record["timings"], "load"),
        "after": (ended - *last).as_secs_f64(),
        "held": held,
        "peak": peak_mib("self"),
    }))
}

/// What else the machine is doing: how many programs were running or waiting in the last minute.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.unwrap_or("?").to_owned()
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// An engine that answers at once with how dark each px is, at the slide's um/px.
fn stand_in(folder: &Path) -> Result<Engine, Box<dyn Error>> {
    write_bundle_of(folder, MPP, 1);
    Ok(Engine::new(
        Bundle::load(folder)?,
        Box::new(AtOnce::default()),
        EngineOptions {
            route: Route::Fixed(Target::Baseline),
            tissue: TissueMode::Off,
            readers: threads(),
            ..EngineOptions::default()
        },
    ))
}

/// An engine that runs the shipped networks and answers with how dark each px is.
fn networks() -> Result<Engine, Box<dyn Error>> {
    Ok(Engine::new(
        Bundle::load(&default_bundle()?)?,
        Box::new(Replaced(backend()?)),
        EngineOptions {
            route: Route::Tile,
            readers: threads(),
            ..EngineOptions::default()
        },
    ))
}

/// The runtime that the program uses by default.
fn backend() -> Result<Box<dyn Backend>, Box<dyn Error>> {
    let (choice, found) = (BackendChoice::OnnxRuntime, search(None, false));
    let mut tell = |line: &str| eprintln!("{line}");
    Ok(choose(choice, &found, threads(), &mut tell)?)
}

/// A backend whose answers are worked out and not used.
struct Replaced(Box<dyn Backend>);

struct ReplacedSession {
    network: Box<dyn Session>,
    answers: Dark,
}

impl Backend for Replaced {
    fn about(&self) -> &About {
        self.0.about()
    }

    fn load(
        &self,
        name: &str,
        onnx: &[u8],
        how: SessionOptions,
    ) -> Result<Box<dyn Session>, BackendError> {
        Ok(Box::new(ReplacedSession {
            network: self.0.load(name, onnx, how)?,
            answers: Dark { side: 1 },
        }))
    }
}

impl Session for ReplacedSession {
    fn run(&mut self, input: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
        let mut said = self.network.run(input)?;
        match said.shape[..] {
            // The router is sure of the first organ.
            [_, organs] => {
                let of_cell = |place| f32::from(u8::from(place % organs == 0));
                said.values = (0..said.values.len()).map(of_cell).collect();
                Ok(said)
            }
            _ => self.answers.run(input),
        }
    }
}
