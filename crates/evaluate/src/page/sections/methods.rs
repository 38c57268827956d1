//! A paragraph for a paper's methods section, with the figures in it.

use super::super::super::statistics::ROUNDS;
use super::super::super::{Estimate, Report, RunReport};
use super::super::blocks::{Block, Section};
use super::super::words::{count, list, number, organ};
use super::some;

pub(super) fn section(report: &Report) -> Option<Section> {
    let scored = report.runs.iter().any(|run| !run.scores.images.is_empty());
    let text = scored.then(|| text(report))?;
    let blocks = vec![Block::Copy("Methods".to_owned(), text)];
    some("methods", "For your paper", blocks)
}

/// The paragraph.
fn text(report: &Report) -> String {
    let mut sentences = vec![format!(
        "Segmentations were compared with reference annotations of {} using ftuseg {}.",
        images(report),
        report.version
    )];
    for run in report
        .runs
        .iter()
        .filter(|run| !run.scores.images.is_empty())
    {
        sentences.extend(of_run(run));
    }
    let unscored: usize = report
        .runs
        .iter()
        .map(|run| run.scores.problems.len() + run.scores.missing.len())
        .sum();
    if unscored + report.truth_problems.len() > 0 {
        sentences.push("Images that could not be scored are excluded from all means.".to_owned());
    }
    sentences.push(format!(
        "Dice is 2|A∩B|/(|A|+|B|) over pixels, 1 where both masks are empty; objects match one to one at an intersection over \
         union of at least 0.5. Intervals are 95 % percentile bootstrap intervals of the mean over images ({ROUNDS} samples, \
         seed {}).",
        report.seed
    ));
    sentences.join(" ")
}

/// `40 images (12 kidney, 28 lung)`.
fn images(report: &Report) -> String {
    let Some(first) = report.runs.iter().max_by_key(|run| run.scores.images.len()) else {
        return count(report.truth_images, "image");
    };
    let organs = first.organs.iter();
    let organs: Vec<String> = organs
        .map(|one| format!("{} {}", one.figures.dice.n, organ(one.organ.as_deref())))
        .collect();
    let all = count(first.scores.images.len(), "image");
    match first.organs.iter().all(|one| one.organ.is_none()) {
        true => all,
        false => format!("{all} ({})", organs.join(", ")),
    }
}

fn of_run(run: &RunReport) -> Vec<String> {
    let made = match &run.scores.made_by {
        Some(source) => format!(
            " (bundle {}, sha256 {}; {}; {})",
            source.bundle_title(),
            source
                .bundle
                .sha256
                .get(..12)
                .unwrap_or(&source.bundle.sha256),
            source.device_title(),
            source.settings_title()
        ),
        None => String::new(),
    };
    let mut figures = Vec::new();
    if let Some(all) = &run.mean_of_images {
        figures.push(format!("a mean Dice of {}", mean(&all.dice)));
        if let Some(organs) = run
            .mean_of_organ_means
            .as_ref()
            .filter(|_| run.organs.len() > 1)
        {
            figures.push(format!(
                "a mean of the organs' mean Dice of {}",
                mean(&organs.dice)
            ));
        }
        let other = |key: &str| all.others.get(key).copied().flatten();
        if let Some(f1) = other("object_f1") {
            figures.push(format!("a mean object F1 of {}", mean(&f1)));
        }
        if let Some(distance) = other("hd95_um") {
            figures.push(format!(
                "a median 95th-percentile Hausdorff distance of {} µm (n = {})",
                number(Some(distance.median), 1),
                distance.n
            ));
        }
    }
    let mut sentences = vec![format!(
        "{}{made} reached {}.",
        run.scores.name,
        list(&figures)
    )];
    if let Some(unseen) = &run.unseen {
        let rest = match &unseen.mean_of_images {
            Some(figures) => format!(
                "; over the images not seen in training, the mean Dice was {}",
                mean(&figures.dice)
            ),
            None => String::new(),
        };
        sentences.push(format!(
            "Its networks had been trained on {} of these images{rest}.",
            unseen.seen_images
        ));
    }
    sentences
}

fn mean(mean: &Estimate) -> String {
    format!(
        "{} (95 % interval {} to {}, n = {})",
        number(Some(mean.mean), 3),
        number(Some(mean.low), 3),
        number(Some(mean.high), 3),
        mean.n
    )
}
