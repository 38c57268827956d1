//! `ftuseg evaluate`: how well runs agree with the truth.

use std::path::PathBuf;

use anyhow::{anyhow, bail};

use super::advice;
use super::console::printable;
use ftuseg_evaluate::{Classes, Pictures, Prediction, Report, read_truth, score, write};

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
    #[arg(long, value_name = "DIR")]
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
    /// Random seed of the bootstrap intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Images of a run that the truth does not know, as many as are told of by name.
const TOLD: usize = 10;

/// Runs the command and returns its exit code: 1 when something of the truth could not be scored.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    if args.out.is_file() {
        bail!("--out {} is a file; give a folder", args.out.display());
    }
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
    let report = Report::new(&truths, problems, scored, args.seed);
    write(&report, &gallery, &args.out)?;
    tell(&report);
    let (drawn, shown) = gallery.counts();
    tell!(
        "report on {} images, {drawn} of them with outlines and {shown} with their picture, in {}",
        report.truth_images,
        args.out.display()
    );
    let whole = report.truth_problems.is_empty()
        && report
            .runs
            .iter()
            .all(|run| run.scores.problems.is_empty() && run.scores.missing.is_empty());
    Ok(if whole { 0 } else { super::SOME_FAILED })
}

/// The headline figures on standard output; what could not be scored on standard error.
fn tell(report: &Report) {
    for run in &report.runs {
        say!("{}", run.scores.name);
        for organ in &run.organs {
            let dice = &organ.figures.dice;
            let name = organ.organ.as_deref().unwrap_or("organ unknown");
            say!(
                "  {name:<26} Dice {:.4} [{:.4}, {:.4}] (n = {})",
                dice.mean,
                dice.low,
                dice.high,
                dice.n
            );
        }
        for (name, figures) in [
            ("mean of the organs' means", &run.mean_of_organ_means),
            ("mean of all images", &run.mean_of_images),
        ] {
            if let Some(figures) = figures {
                let dice = &figures.dice;
                say!(
                    "  {name:<26} Dice {:.4} [{:.4}, {:.4}] (n = {})",
                    dice.mean,
                    dice.low,
                    dice.high,
                    dice.n
                );
            }
        }
        for problem in &run.scores.problems {
            let reason = advice::problem(problem);
            let [name, id, reason] =
                [&run.scores.name, &problem.id, &reason].map(|text| printable(text));
            tell!("{name}: {id}: {reason}");
        }
        for id in &run.scores.missing {
            tell!(
                "{}: {}: the run has no mask for it",
                printable(&run.scores.name),
                printable(id)
            );
        }
        // A run of a whole archive may have thousands; the report names them all.
        for id in run.scores.unknown.iter().take(TOLD) {
            tell!(
                "{}: {}: not in the truth",
                printable(&run.scores.name),
                printable(id)
            );
        }
        if let Some(more @ 1..) = run.scores.unknown.len().checked_sub(TOLD) {
            tell!(
                "{}: and {more} more that are not in the truth",
                printable(&run.scores.name)
            );
        }
    }
    for (of, problems) in [("truth", &report.truth_problems), ("note", &report.notes)] {
        for problem in problems {
            let reason = advice::problem(problem);
            tell!("{of}: {}: {}", printable(&problem.id), printable(&reason));
        }
    }
}
