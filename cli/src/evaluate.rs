//! `ftuseg evaluate`: how well runs agree with the truth.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{anyhow, bail};

use super::advice;
use super::console::printable;
use ftuseg_evaluate::{
    Classes, Estimate, Figures, ImageProblem, OrganFigures, Pictures, Prediction, Reference,
    Report, ReportOptions, group, read_truth, score, write,
};
use ftuseg_router::Organ;

/// Arguments of `ftuseg evaluate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The truth: Kaggle's train.csv (id, rle, img_width, img_height), or a table with a column mask (an image or
    /// GeoJSON). The columns organ, and pixel_size or mpp, are used if present
    #[arg(long, value_name = "CSV")]
    truth: PathBuf,
    /// A run: a results folder of `ftuseg segment`, a submission.csv, or a folder of ID.png, ID.tif, ID.jpg or ID.geojson.
    /// Further runs are compared with the first
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    pred: Vec<PathBuf>,
    /// Folder for report.json, report.csv and report.html
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Folder of the images, for the pictures in the report [default: the paths in the runs' records]
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// A class of GeoJSON polygons to count; may be repeated [default: the classes that mean functional tissue units]
    #[arg(long = "class", value_name = "NAME")]
    classes: Vec<String>,
    /// Leave pictures out of the report
    #[arg(long)]
    no_pictures: bool,
    /// Title of the report
    #[arg(long, value_name = "TEXT", default_value = "Segmentation report")]
    title: String,
    /// Folder for every figure as SVG and PNG and every table as CSV, Markdown and LaTeX; those of an earlier report are
    /// replaced
    #[arg(long, value_name = "DIR")]
    figures: Option<PathBuf>,
    /// Published results to show alongside: hubmap-2022, the course paper's networks on the challenge [default: those of
    /// the challenge if the truth is its train.csv, or a part of it]
    #[arg(long, value_name = "NAME", value_parser = reference)]
    reference: Option<Reference>,
    /// Random seed of the bootstrap intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// The published results of a name.
fn reference(name: &str) -> Result<Reference, String> {
    match name {
        "hubmap-2022" => Ok(Reference::Hubmap2022),
        _ => Err("the only reference is hubmap-2022".to_owned()),
    }
}

/// The last second that has a date of four figures for its year.
const LAST_DATE: u64 = 253_402_300_799;

/// The present in UTC, or the time in `SOURCE_DATE_EPOCH`, by which whoever needs the same bytes again sets it.
fn date() -> anyhow::Result<String> {
    let time = match std::env::var("SOURCE_DATE_EPOCH") {
        Err(_) => SystemTime::now(),
        Ok(text) => {
            let seconds = text.parse().ok().filter(|seconds| *seconds <= LAST_DATE);
            let seconds = seconds.ok_or_else(|| {
                anyhow!("SOURCE_DATE_EPOCH is {text:?}, not a number of seconds since 1970")
            })?;
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
        }
    };
    let text = humantime::format_rfc3339_seconds(time).to_string();
    Ok(text.replace('T', " ").replace('Z', " UTC"))
}

/// Runs the command and returns its exit code: 1 when something of the truth could not be scored. `words` are what was
/// typed behind the program's name.
pub(super) fn run(args: &Args, words: &[OsString]) -> anyhow::Result<u8> {
    if args.out.is_file() {
        bail!("--out {} is a file; give a folder", args.out.display());
    }
    if let Some(figures) = args.figures.as_deref().filter(|figures| figures.is_file()) {
        bail!("--figures {} is a file; give a folder", figures.display());
    }
    // However the program is called, the command is the same.
    let options = ReportOptions {
        title: args.title.clone(),
        date: date()?,
        command: std::iter::once("ftuseg".to_owned())
            .chain(words.iter().map(|word| word.to_string_lossy().into_owned()))
            .collect(),
        seed: args.seed,
        reference: args.reference,
    };
    let classes = Classes::of(&args.classes).map_err(|reason| anyhow!("--class: {reason}"))?;
    let (truths, problems) = read_truth(&args.truth)?;
    let mut runs = Vec::new();
    for path in &args.pred {
        let mut run = Prediction::open(path)?;
        let same = |name: &str| runs.iter().any(|other: &Prediction| other.name == name);
        if same(&run.name) {
            // Two folders of one name: the path tells them apart.
            run.name = path.display().to_string();
        }
        runs.push(run);
    }
    let pictures = (!args.no_pictures).then(|| Pictures::of(args.images.as_deref(), truths.len()));
    let mut scored = score(&truths, &runs, pictures.as_ref(), &classes);
    let gallery = std::mem::take(&mut scored.gallery);
    let report = Report::new(&truths, problems, scored, options);
    let files = write(&report, &gallery, &args.out, args.figures.as_deref())?;
    tell(&report);
    let (drawn, shown) = gallery.counts();
    tell!(
        "report on {}, {drawn} of them with outlines and {shown} with their picture: {}",
        count(report.truth_images, "image"),
        args.out.join("report.html").display()
    );
    if let Some(figures) = &args.figures {
        tell!(
            "{} with figures and tables in {}",
            count(files, "file"),
            figures.display()
        );
    }
    let whole = report.truth_problems.is_empty()
        && report
            .runs
            .iter()
            .all(|run| run.scores.problems.is_empty() && run.scores.missing.is_empty());
    Ok(if whole { 0 } else { super::SOME_FAILED })
}

/// As many of something as there are: `1 image`, `2 images`.
fn count(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

/// The headline figures on standard output; what could not be scored on standard error.
fn tell(report: &Report) {
    for run in &report.runs {
        let name = printable(&run.scores.name);
        say!("{name}");
        say_figures(
            &run.organs,
            run.mean_of_organ_means.as_ref(),
            run.mean_of_images.as_ref(),
        );
        if let Some(unseen) = &run.unseen {
            let (was, them) = match unseen.seen_images {
                1 => ("was", "it"),
                _ => ("were", "them"),
            };
            say!(
                "  {} of these images {was} seen in training: Dice on {them} says nothing about new images",
                unseen.seen_images
            );
            match unseen.unseen_images {
                0 => say!("  no image is left that was not seen in training"),
                n => say!("  over the {} not seen in training:", count(n, "image")),
            }
            say_figures(
                &unseen.organs,
                unseen.mean_of_organ_means.as_ref(),
                unseen.mean_of_images.as_ref(),
            );
        }
        tell_problems(&name, &run.scores.problems);
        tell_all(&name, &run.scores.missing, "the run has no mask for it");
        tell_all(&name, &run.scores.unknown, "not in the truth");
    }
    for names in &report.identical_runs {
        let names: Vec<String> = names.iter().map(|name| printable(name)).collect();
        say!("identical on every image: {}", names.join(", "));
    }
    tell_problems("truth", &report.truth_problems);
    tell_problems("note", &report.notes);
}

/// Dice per organ and over all.
fn say_figures(organs: &[OrganFigures], of_organs: Option<&Figures>, of_images: Option<&Figures>) {
    let line = |name: &str, dice: &Estimate| {
        say!(
            "  {name:<26} Dice {:.4} [{:.4}, {:.4}] (n = {})",
            dice.mean,
            dice.low,
            dice.high,
            dice.n
        );
    };
    for organ in organs {
        let name = match organ.organ.as_deref() {
            Some(name) => name.parse().map_or(name, |organ: Organ| organ.label()),
            None => "organ unknown",
        };
        line(name, &organ.figures.dice);
    }
    for (name, figures) in [
        ("mean of the organs' means", of_organs),
        ("mean of all images", of_images),
    ] {
        if let Some(figures) = figures {
            line(name, &figures.dice);
        }
    }
}

/// Problems of single images, those of one kind in one line.
fn tell_problems(of: &str, problems: &[ImageProblem]) {
    let reasons: Vec<String> = problems.iter().map(advice::problem).collect();
    let problems = problems.iter().map(|problem| problem.id.as_str());
    tell_groups(of, problems.zip(reasons.iter().map(String::as_str)));
}

/// The same of many images.
fn tell_all(of: &str, ids: &[String], reason: &str) {
    tell_groups(of, ids.iter().map(|id| (id.as_str(), reason)));
}

/// A line for each image of a few; one line with a count and examples for many.
fn tell_groups<'a>(of: &str, problems: impl Iterator<Item = (&'a str, &'a str)>) {
    for group in group(problems) {
        let reason = printable(&group.reason);
        match group.ids.as_slice() {
            [id] => tell!("{of}: {}: {reason}", printable(id)),
            ids => tell!(
                "{of}: {} images: {reason} ({}; all in report.json)",
                ids.len(),
                printable(&group.examples())
            ),
        }
    }
}
