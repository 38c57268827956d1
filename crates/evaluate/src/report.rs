//! The report: per organ and over all, runs against each other, and what the router did.

use std::collections::BTreeMap;

use ftuseg_router::Organ;
use serde::Serialize;

use super::agreement::{Agreement, agreement};
use super::identical::identical;
use super::measures::{MEASURES, Measure};
use super::object_size::{ObjectSizes, by_size};
use super::panoptic::{Panoptic, panoptic};
use super::routing::{Routing, RoutingCost, costs, routing};
use super::score::{ImageScore, RunScores, ScoredRuns};
use super::seen::{Unseen, unseen};
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
    /// What the report is called.
    pub title: String,
    /// When it was made, in UTC.
    pub date: String,
    /// The command that made it, word by word.
    pub command: Vec<String>,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Published results that stand beside the report's.
    pub reference: Option<Reference>,
    /// Images of the truth.
    pub truth_images: usize,
    /// Rows of the truth that could not be used, and why.
    pub truth_problems: Vec<ImageProblem>,
    /// What is to be known of images that are scored all the same.
    pub notes: Vec<ImageProblem>,
    /// The runs.
    pub runs: Vec<RunReport>,
    /// Names of runs that found the same on every image, two or more at a time.
    pub identical_runs: Vec<Vec<String>>,
    /// Every later run against the first.
    pub comparisons: Vec<Comparison>,
    /// What routing errors cost, for every routed run that has a run with the true organs beside it.
    pub routing_costs: Vec<RoutingCost>,
}

/// What the report is to say of itself, and how it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportOptions {
    /// What it is called.
    pub title: String,
    /// When it is made, in UTC.
    pub date: String,
    /// The command that makes it, word by word.
    pub command: Vec<String>,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Published results to show beside the report's; where none are chosen, those of the challenge stand beside a truth that
    /// is the challenge's own table.
    pub reference: Option<Reference>,
}

impl Default for ReportOptions {
    fn default() -> Self {
        ReportOptions {
            title: "Segmentation report".to_owned(),
            date: String::new(),
            command: Vec::new(),
            seed: 1,
            reference: None,
        }
    }
}

/// Published results that can stand beside the report's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Reference {
    /// Two networks on images of the HuBMAP + HPA 2022 challenge, from the course paper that this program carries on.
    #[serde(rename = "hubmap-2022")]
    Hubmap2022,
}

impl Reference {
    /// The results that belong to a truth: those of the challenge, if all of it is the challenge's.
    fn of(truths: &[Truth]) -> Option<Self> {
        let all = !truths.is_empty() && truths.iter().all(|truth| truth.of_challenge);
        all.then_some(Reference::Hubmap2022)
    }
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
    /// The same figures without images that the run's networks have seen in training; none where no image is one.
    pub unseen: Option<Unseen>,
    /// Counts, areas and densities against the truth's; none where no image could be scored.
    pub agreement: Option<Agreement>,
    /// Panoptic quality over the objects of an organ's images together; none where no image could be scored.
    pub panoptic: Option<Panoptic>,
    /// Dice of true objects by their size; none where there are no objects.
    pub object_sizes: Option<ObjectSizes>,
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
    /// Whether the interval does not include 0.
    pub clear: bool,
}

impl Report {
    /// Puts scores together. `truth_problems` are the rows of the truth that could not be read.
    pub fn new(
        truths: &[Truth],
        mut truth_problems: Vec<ImageProblem>,
        scored: ScoredRuns,
        options: ReportOptions,
    ) -> Self {
        let seed = options.seed;
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
            title: options.title,
            date: options.date,
            command: options.command,
            seed,
            reference: options.reference.or_else(|| Reference::of(truths)),
            truth_images: truths.len(),
            truth_problems,
            notes,
            comparisons,
            identical_runs: identical(&runs),
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
fn by_organ<'a>(images: &[&'a ImageScore]) -> Vec<(Option<String>, Vec<&'a ImageScore>)> {
    groups(images.iter().map(|score| score.organ.clone()))
        .into_iter()
        .map(|organ| {
            let of_organ = images.iter().filter(|score| score.organ == organ);
            (organ.clone(), of_organ.copied().collect())
        })
        .collect()
}

fn run_report(scores: RunScores, seed: u64) -> RunReport {
    let all: Vec<&ImageScore> = scores.images.iter().collect();
    let (organs, mean_of_organ_means, mean_of_images) = organ_figures(&all, seed);
    RunReport {
        organs,
        mean_of_organ_means,
        mean_of_images,
        unseen: unseen(&scores.images, seed),
        agreement: agreement(&scores.images, seed),
        panoptic: panoptic(&scores.images, seed),
        object_sizes: by_size(&scores.images, seed),
        routing: routing(&scores, seed),
        thresholds: sweep(&scores.name, &scores.images, seed),
        scores,
    }
}

/// The figures of each organ, the mean of the organs' means, and the mean of all images.
pub(super) fn organ_figures(
    images: &[&ImageScore],
    seed: u64,
) -> (Vec<OrganFigures>, Option<Figures>, Option<Figures>) {
    let groups = by_organ(images);
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
    (organs, figures(&known, seed), figures(&[images], seed))
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
    let images: Vec<&ImageScore> = run.images.iter().collect();
    for (organ, images) in by_organ(&images) {
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
        clear: summary.low > 0.0 || summary.high < 0.0,
    })
}
