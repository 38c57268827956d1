//! The report: per organ and over all, runs against each other, and what the router did.

use std::collections::BTreeMap;

use ftuseg_router::Organ;
use serde::Serialize;

use super::measures::{MEASURES, Measure};
use super::routing::{Routing, RoutingCost, costs, routing};
use super::score::{ImageScore, RunScores, ScoredRuns};
use super::statistics::{Estimate, grouped};
use super::sweep::{Thresholds, sweep};
use super::{ImageProblem, Truth};

/// A report, as `report.json` holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Version of this layout.
    pub schema: &'static str,
    /// Version of the program.
    pub version: &'static str,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Images of the truth.
    pub truth_images: usize,
    /// Rows of the truth that could not be used, and why.
    pub truth_problems: Vec<ImageProblem>,
    /// What is to be known of images that are scored all the same.
    pub notes: Vec<ImageProblem>,
    /// The runs.
    pub runs: Vec<RunReport>,
    /// Every later run against the first.
    pub comparisons: Vec<Comparison>,
    /// What routing errors cost, for every routed run that has a run with the true organs beside it.
    pub routing_costs: Vec<RoutingCost>,
}

/// One run's part.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// Per organ, in the organs' order, then images without an organ.
    pub organs: Vec<OrganFigures>,
    /// Over all: the mean of the organs' means, where organs are known.
    pub mean_of_organ_means: Option<Figures>,
    /// Over all: the mean of all images.
    pub mean_of_images: Option<Figures>,
    /// What the router did, where records say so.
    pub routing: Option<Routing>,
    /// The sweep of the models' thresholds, where the run has maps of probabilities.
    pub thresholds: Option<Thresholds>,
    /// The images.
    #[serde(flatten)]
    pub scores: RunScores,
}

/// Figures of one organ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrganFigures {
    /// The organ; none for images whose organ the truth does not say.
    pub organ: Option<String>,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Summaries of the measures. A measure that some images do not have stands beside its own, smaller n.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Figures {
    /// Dice.
    pub dice: Estimate,
    /// The other measures, by their keys; none where no image has one. See [`MEASURES`].
    #[serde(flatten)]
    pub others: BTreeMap<&'static str, Option<Estimate>>,
}

/// One run against another, image by image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The later run.
    pub run: String,
    /// The first run.
    pub against: String,
    /// Per organ.
    pub organs: Vec<OrganDifference>,
    /// The mean of the organs' mean differences.
    pub mean_of_organ_means: Option<RunDifference>,
    /// All images.
    pub mean_of_images: Option<RunDifference>,
}

/// The difference for one organ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrganDifference {
    /// The organ; none for images whose organ the truth does not say.
    pub organ: Option<String>,
    /// Its difference.
    #[serde(flatten)]
    pub difference: RunDifference,
}

/// A paired difference of Dice: the later run less the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RunDifference {
    /// Its mean and interval.
    #[serde(flatten)]
    pub summary: Estimate,
    /// Images on which the later run is better.
    pub won: usize,
    /// Images on which it is worse.
    pub lost: usize,
}

impl Report {
    /// Puts scores together. `truth_problems` are the rows of the truth that could not be read.
    pub fn new(
        truths: &[Truth],
        mut truth_problems: Vec<ImageProblem>,
        scored: ScoredRuns,
        seed: u64,
    ) -> Self {
        let runs = scored.runs;
        let comparisons = match runs.split_first() {
            Some((first, rest)) => rest.iter().map(|run| against(first, run, seed)).collect(),
            None => Vec::new(),
        };
        truth_problems.extend(scored.unreadable);
        let mut notes = without_organ(truths);
        notes.extend(scored.noted);
        Report {
            schema: "ftuseg/report/1",
            version: env!("CARGO_PKG_VERSION"),
            seed,
            truth_images: truths.len(),
            truth_problems,
            notes,
            comparisons,
            routing_costs: costs(&runs, seed),
            runs: runs.into_iter().map(|run| run_report(run, seed)).collect(),
        }
    }
}

/// The images without an organ, where others have one.
fn without_organ(truths: &[Truth]) -> Vec<ImageProblem> {
    if truths.iter().all(|truth| truth.organ.is_none()) {
        return Vec::new();
    }
    let missing = truths.iter().filter(|truth| truth.organ.is_none());
    missing
        .map(|truth| {
            let reason =
                "the truth does not say its organ, so it counts only in the mean of all images";
            ImageProblem::new(&truth.id, reason)
        })
        .collect()
}

/// The organs that there are, in their usual order, then none.
pub(super) fn groups(organs: impl Iterator<Item = Option<String>>) -> Vec<Option<String>> {
    let present: Vec<Option<String>> = organs.collect();
    let names = Organ::ALL.iter().map(|organ| Some(organ.name().to_owned()));
    names
        .chain(std::iter::once(None))
        .filter(|organ| present.contains(organ))
        .collect()
}

/// Scores by organ.
fn by_organ(images: &[ImageScore]) -> Vec<(Option<String>, Vec<&ImageScore>)> {
    groups(images.iter().map(|score| score.organ.clone()))
        .into_iter()
        .map(|organ| {
            let of_organ = images.iter().filter(|score| score.organ == organ);
            (organ.clone(), of_organ.collect())
        })
        .collect()
}

fn run_report(scores: RunScores, seed: u64) -> RunReport {
    let groups = by_organ(&scores.images);
    let organs = groups
        .iter()
        .filter_map(|(organ, images)| {
            Some(OrganFigures {
                organ: organ.clone(),
                figures: figures(&[images.as_slice()], seed)?,
            })
        })
        .collect();
    let known: Vec<&[&ImageScore]> = groups
        .iter()
        .filter(|(organ, _)| organ.is_some())
        .map(|(_, images)| images.as_slice())
        .collect();
    let all: Vec<&ImageScore> = scores.images.iter().collect();
    RunReport {
        organs,
        mean_of_organ_means: figures(&known, seed),
        mean_of_images: figures(&[all.as_slice()], seed),
        routing: routing(&scores, seed),
        thresholds: sweep(&scores.name, &scores.images, seed),
        scores,
    }
}

/// The figures of groups of images, each group with the same weight; none where there are no images.
fn figures(groups: &[&[&ImageScore]], seed: u64) -> Option<Figures> {
    let measure = |measure: &Measure| -> Option<Estimate> {
        let values: Vec<Vec<f64>> = groups
            .iter()
            .map(|images| images.iter().filter_map(|s| (measure.value)(s)).collect())
            .collect();
        let values: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
        grouped(&values, seed)
    };
    let (dice, others) = MEASURES.split_first()?;
    Some(Figures {
        dice: measure(dice)?,
        others: others
            .iter()
            .filter(|other| other.summarised)
            .map(|other| (other.key, measure(other)))
            .collect(),
    })
}

fn against(first: &RunScores, run: &RunScores, seed: u64) -> Comparison {
    let mut organs = Vec::new();
    let mut all: Vec<Vec<f64>> = Vec::new();
    let mut known: Vec<Vec<f64>> = Vec::new();
    for (organ, images) in by_organ(&run.images) {
        let differences: Vec<f64> = images
            .iter()
            .filter_map(|score| {
                let other = first.images.iter().find(|other| other.id == score.id)?;
                Some(score.pixels.dice - other.pixels.dice)
            })
            .collect();
        if let Some(difference) = difference(&[&differences], seed) {
            organs.push(OrganDifference {
                organ: organ.clone(),
                difference,
            });
        }
        if organ.is_some() {
            known.push(differences.clone());
        }
        all.push(differences);
    }
    let known: Vec<&[f64]> = known.iter().map(Vec::as_slice).collect();
    let all: Vec<f64> = all.concat();
    Comparison {
        run: run.name.clone(),
        against: first.name.clone(),
        organs,
        mean_of_organ_means: difference(&known, seed),
        mean_of_images: difference(&[&all], seed),
    }
}

fn difference(groups: &[&[f64]], seed: u64) -> Option<RunDifference> {
    let summary = grouped(groups, seed)?;
    let all = || groups.iter().flat_map(|group| group.iter());
    Some(RunDifference {
        summary,
        won: all().filter(|&&d| d > 0.0).count(),
        lost: all().filter(|&&d| d < 0.0).count(),
    })
}
