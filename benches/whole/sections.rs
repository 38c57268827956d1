//! What is measured, a section each.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ftuseg::bundle::{Bundle, ModelScale, default_bundle};
use ftuseg_provision::onnxruntime::{OPENVINO, locate_accelerated, search};
use ftuseg_router::Organ;
use tempfile::TempDir;

use crate::bare::{Bare, backend};
use crate::child::{Ran, segment};
use crate::drawn::{self, MPP};
use crate::page::{line, machine, median};

/// The slides' folder, a bundle whose models work at the slides' own um/px, and how much is measured.
pub(crate) struct Setting {
    folder: TempDir,
    bundle: PathBuf,
    pub(crate) side: u32,
    pub(crate) rounds: usize,
    pub(crate) threads: usize,
}

fn from_environment(name: &str, otherwise: u32) -> u32 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

impl Setting {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let bundle = folder.path().join("bundle");
        copy_bundle(&default_bundle()?, &bundle)?;
        Ok(Setting {
            folder,
            bundle,
            side: from_environment("FTUSEG_BENCH_SIDE", 6000).max(1000),
            rounds: from_environment("FTUSEG_BENCH_ROUNDS", 3).max(1) as usize,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    pub(crate) fn draw(
        &self,
        side: u32,
        share: f64,
        organs: &[Organ],
    ) -> Result<PathBuf, Box<dyn Error>> {
        drawn::draw(self.folder.path(), side, share, organs)
    }

    fn kidney(&self, slide: &Path) -> Result<Ran, Box<dyn Error>> {
        segment(slide, &self.bundle, &["--route", "organ=kidney"])
    }
}

/// The shipped bundle with its segmentation models told to work at the slides' um/px, so that a slide has many tiles.
fn copy_bundle(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir(to)?;
    let bundle = Bundle::load(from)?;
    let text = std::fs::read_to_string(from.join("bundle.toml"))?;
    let (router, models) = text
        .split_once("[[model]]")
        .ok_or("the bundle has no [[model]]")?;
    let mut models = models.to_owned();
    for model in &bundle.models {
        let ModelScale::Mpp(mpp) = model.fit else {
            return Err("a model of the bundle works on whole slides".into());
        };
        models = models.replace(&format!("mpp = {mpp:?}"), &format!("mpp = {MPP:?}"));
        std::fs::copy(from.join(&model.file), to.join(&model.file))?;
        if let Some(int8) = &model.int8 {
            std::fs::copy(from.join(&int8.file), to.join(&int8.file))?;
        }
    }
    if let Some(router) = &bundle.router {
        std::fs::copy(from.join(&router.file), to.join(&router.file))?;
    }
    std::fs::write(to.join("bundle.toml"), format!("{router}[[model]]{models}"))?;
    Ok(())
}

/// The page's title and what it was measured on.
pub(crate) fn head(setting: &Setting) -> String {
    format!(
        "# What runs cost\n\nWritten by `cargo bench -p ftuseg --bench whole -- --write`; nothing here is typed by hand. Medians of {} rounds, what is \
         compared measured in turn; the spread stands in brackets. Machine: {}, {} threads. Slides are drawn, JPEG tiles at \
         {MPP} um/px; the shipped models are told to work at that um/px.\n",
        setting.rounds,
        machine(),
        setting.threads
    )
}

/// The slide's wall time, all outputs written, over (tiles x a bare run of the same network).
pub(crate) fn overhead(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let slide = setting.draw(setting.side, 1.0, &[Organ::Kidney])?;
    let backend = backend(setting.threads)?;
    let mut bare = Bare::load(backend.as_ref(), &setting.bundle, "kidney")?;
    let (mut ratios, mut bares, mut tiles, mut writing) = (Vec::new(), Vec::new(), 0.0, Vec::new());
    for _ in 0..setting.rounds {
        let before = bare.seconds_a_tile(60)?;
        let ran = setting.kidney(&slide)?;
        let after = bare.seconds_a_tile(60)?;
        tiles = ran.number("/tiles/inferred");
        let a_tile = (before + after) / 2.0;
        let seconds = ran.number("/seconds") - ran.number("/timings/load");
        ratios.push(seconds / (tiles * a_tile));
        writing.push((seconds - ran.number("/timings/tiles")) / seconds);
        bares.push(a_tile * 1e3);
    }
    let mut text = format!(
        "## Overhead\n\nA slide of {side} x {side} px, all tissue, fp32, all outputs; loading the model apart. {tiles} tiles.\n\n\
         | | median | spread |\n| --- | --- | --- |\n",
        side = setting.side
    );
    line(&mut text, "slide / (tiles x bare run)", &ratios, 3);
    line(
        &mut text,
        "share of the slide before and after its tiles",
        &writing,
        3,
    );
    line(&mut text, "bare run of a tile, ms", &bares, 1);
    Ok(text)
}

/// Throughput of the ways that are to be faster than the plain runtime in fp32, over a bare session of that.
pub(crate) fn faster(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let slide = setting.draw(setting.side / 2, 1.0, &[Organ::Kidney])?;
    let backend = backend(setting.threads)?;
    let bundle = Bundle::load(&setting.bundle)?;
    let mut text = format!(
        "## Faster than the plain runtime\n\nA slide of {side} x {side} px, all tissue, all outputs, loading the model apart: \
         (tiles x a bare run in fp32 by the plain runtime) / time of the slide.\n\n\
         | | computed in | median | spread |\n| --- | --- | --- | --- |\n",
        side = setting.side / 2
    );
    let has_openvino = locate_accelerated(&search(None, false), &OPENVINO).is_ok();
    let mut cases: Vec<(&str, String, Vec<&str>)> = Vec::new();
    for spec in &bundle.models {
        let Some(organ) = spec.target.organ() else {
            continue;
        };
        let name = organ.name();
        if name != "kidney" && spec.int8.is_none() {
            continue;
        }
        let plain = ["--device", "cpu", "--precision", "fp32"];
        cases.push((name, format!("{name}, the plain runtime"), plain.to_vec()));
        if has_openvino {
            let faster = ["--device", "openvino"];
            cases.push((
                name,
                format!("{name}, `--device openvino`"),
                faster.to_vec(),
            ));
        }
        if spec.int8.is_some() {
            let faster = ["--device", "cpu", "--precision", "int8"];
            cases.push((name, format!("{name}, `--precision int8`"), faster.to_vec()));
        }
    }
    let mut found: Vec<(String, Vec<f64>)> = vec![(String::new(), Vec::new()); cases.len()];
    for _ in 0..setting.rounds {
        for ((name, _, more), (arithmetic, ratios)) in cases.iter().zip(&mut found) {
            let mut bare = Bare::load(backend.as_ref(), &setting.bundle, name)?;
            let before = bare.seconds_a_tile(30)?;
            let route = format!("organ={name}");
            let mut options = vec!["--route", route.as_str()];
            options.extend(more);
            let ran = segment(&slide, &setting.bundle, &options)?;
            let after = bare.seconds_a_tile(30)?;
            let seconds = ran.number("/seconds") - ran.number("/timings/load");
            ratios.push(ran.number("/tiles/inferred") * (before + after) / 2.0 / seconds);
            let said = ran.record.pointer("/made_by/runtime/arithmetic");
            let said = said.and_then(serde_json::Value::as_str).unwrap_or("?");
            *arithmetic = match more.contains(&"int8") {
                true => "int8".to_owned(),
                false => said.to_owned(),
            };
        }
    }
    for ((_, title, _), (arithmetic, ratios)) in cases.iter().zip(&found) {
        line(&mut text, &format!("{title} | {arithmetic}"), ratios, 2);
    }
    if !has_openvino {
        text.push_str("\nOpenVINO is not installed here (`ftuseg doctor --install openvino`).\n");
    }
    Ok(text)
}

/// From the start of the process to its end on a slide of one tile, and what of that is the tile.
pub(crate) fn start(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let slide = setting.draw(256, 1.0, &[Organ::Kidney])?;
    let backend = backend(setting.threads)?;
    let mut bare = Bare::load(backend.as_ref(), &setting.bundle, "kidney")?;
    let (mut fixed, mut routed, mut loads) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setting.rounds.max(5) {
        let tile = bare.seconds_a_tile(10)?;
        let ran = setting.kidney(&slide)?;
        fixed.push(ran.wall - tile * ran.number("/tiles/inferred"));
        loads.push(ran.number("/timings/load"));
        let ran = segment(&slide, &setting.bundle, &[])?;
        routed.push(ran.wall - tile * ran.number("/tiles/inferred"));
    }
    let mut text = "## Start\n\nThe whole run on a slide of one tile less that tile's run: starting, loading, writing.\n\n\
                    | seconds | median | spread |\n| --- | --- | --- |\n"
        .to_owned();
    line(&mut text, "one organ's network", &fixed, 2);
    line(&mut text, "of it loading the network", &loads, 2);
    line(&mut text, "with the router", &routed, 2);
    Ok(text)
}

/// A slide with a quarter tissue against the same all tissue, and routing's share of the time.
pub(crate) fn tissue(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let whole = setting.draw(setting.side, 1.0, &[Organ::Kidney])?;
    let quarter = setting.draw(setting.side, 0.5, &[Organ::Kidney])?;
    let (mut ratios, mut shares, mut routing, mut finding) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setting.rounds {
        let all = segment(&whole, &setting.bundle, &["--route", "slide"])?;
        let part = segment(&quarter, &setting.bundle, &["--route", "slide"])?;
        let seconds = |ran: &Ran| ran.number("/seconds") - ran.number("/timings/load");
        ratios.push(seconds(&part) / seconds(&all));
        shares.push(part.number("/tissue_share"));
        routing.push(all.number("/timings/route") / seconds(&all));
        finding.push(all.number("/timings/tissue") / seconds(&all));
    }
    let mut text = format!(
        "## Only tissue\n\nA slide of {side} x {side} px with tissue in a quarter of it against the same all tissue, routed.\n\n\
         | | median | spread |\n| --- | --- | --- |\n",
        side = setting.side
    );
    line(
        &mut text,
        "time of the quarter / time of the whole",
        &ratios,
        3,
    );
    line(&mut text, "tissue found in the quarter slide", &shares, 3);
    line(
        &mut text,
        "routing / the whole slide's time (loading the router included)",
        &routing,
        4,
    );
    line(
        &mut text,
        "finding tissue / the whole slide's time",
        &finding,
        4,
    );
    Ok(text)
}

/// Peak memory with one organ, with all of them, and with few networks at once.
pub(crate) fn memory(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let one = setting.draw(setting.side, 1.0, &[Organ::Kidney])?;
    let five = setting.draw(setting.side, 1.0, &Organ::ALL)?;
    let mut text = format!(
        "## Memory\n\nThe largest resident memory on a slide of {side} x {side} px, MiB.\n\n| | peak | targets on the slide |\n| --- | --- | --- |\n",
        side = setting.side
    );
    let cases: [(&str, &Path, &[&str]); 3] = [
        ("one organ", &one, &["--route", "organ=kidney"]),
        ("five organs, routed", &five, &[]),
        (
            "five organs, `--max-models 1`",
            &five,
            &["--max-models", "1"],
        ),
    ];
    for (name, slide, more) in cases {
        let ran = segment(slide, &setting.bundle, more)?;
        let targets = ran.record["organs"].as_array().map_or(0, Vec::len);
        let peak = ran
            .peak
            .map_or_else(|| "not known here".to_owned(), |mib| format!("{mib:.0}"));
        let _ = writeln!(text, "| {name} | {peak} | {targets} |");
    }
    Ok(text)
}

/// Time and memory against the slide's area.
pub(crate) fn growth(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let sides: Vec<u32> = (0..4)
        .map(|power| (setting.side / 8).max(256) << power)
        .collect();
    let slides = sides
        .iter()
        .map(|&side| setting.draw(side, 1.0, &[Organ::Kidney]))
        .collect::<Result<Vec<_>, _>>()?;
    let mut seconds = vec![Vec::new(); sides.len()];
    let (mut tiles, mut peaks) = (vec![0.0; sides.len()], vec![f64::NAN; sides.len()]);
    for _ in 0..setting.rounds {
        for (index, slide) in slides.iter().enumerate() {
            let ran = setting.kidney(slide)?;
            seconds[index].push(ran.number("/seconds") - ran.number("/timings/load"));
            tiles[index] = ran.number("/tiles/inferred");
            peaks[index] = ran.peak.unwrap_or(f64::NAN).max(peaks[index]);
        }
    }
    let mut text = "## How it grows\n\nTime and memory against the area of a slide that is all tissue. A tile's time would be the same in \
                    every line if time were linear; memory would be too.\n\n\
                    | side, px | area | tiles | time a tile / that of the largest | peak memory, MiB | |\n| --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    let last = sides.len() - 1;
    let largest = median(&seconds[last]) / tiles[last];
    for index in 0..sides.len() {
        let area = (f64::from(sides[index]) / f64::from(sides[0])).powi(2);
        let total = median(&seconds[index]) / median(&seconds[last]);
        let _ = writeln!(
            text,
            "| {} | {area:.0} x | {} | {:.2} | {:.0} | {} |",
            sides[index],
            tiles[index],
            median(&seconds[index]) / tiles[index] / largest,
            peaks[index],
            "#".repeat(((total * 40.0).round() as usize).max(1)),
        );
    }
    text.push_str("\nThe bars show the time of the whole slide.\n");
    Ok(text)
}

/// One thread against all.
pub(crate) fn threads(setting: &Setting) -> Result<String, Box<dyn Error>> {
    let slide = setting.draw(setting.side / 2, 1.0, &[Organ::Kidney])?;
    let mut text = format!(
        "## Threads\n\nA slide of {side} x {side} px, time with N threads over the time with all {}.\n\n| threads | median | spread |\n| --- | --- | --- |\n",
        setting.threads,
        side = setting.side / 2
    );
    let mut counts = vec![1];
    while let Some(&last) = counts.last()
        && last < setting.threads
    {
        counts.push((2 * last).min(setting.threads));
    }
    let mut seconds = vec![Vec::new(); counts.len()];
    for _ in 0..setting.rounds {
        for (index, count) in counts.iter().enumerate() {
            let count = count.to_string();
            let ran = segment(
                &slide,
                &setting.bundle,
                &["--route", "organ=kidney", "--threads", &count],
            )?;
            seconds[index].push(ran.number("/seconds") - ran.number("/timings/load"));
        }
    }
    let all = median(&seconds[counts.len() - 1]);
    for (count, seconds) in counts.iter().zip(&seconds) {
        let ratios: Vec<f64> = seconds.iter().map(|value| value / all).collect();
        line(&mut text, &count.to_string(), &ratios, 2);
    }
    Ok(text)
}
