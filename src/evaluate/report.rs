//! The report: per organ and over all, runs against each other, and what the router did.

use ftuseg_router::Organ;
use serde::Serialize;

use super::score::{RunScores, Score};
use super::statistics::{Summary, grouped, summarise};
use super::{Problem, Truth};

/// A report, as `report.json` holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    pub truth_problems: Vec<Problem>,
    /// The runs.
    pub runs: Vec<RunReport>,
    /// Every later run against the first.
    pub comparisons: Vec<Comparison>,
}

/// One run's part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// Per organ, in the organs' order, then images without an organ.
    pub organs: Vec<OrganFigures>,
    /// Over all: the mean of the organs' means, where organs are known.
    pub mean_of_organ_means: Option<Figures>,
    /// Over all: the mean of all images.
    pub mean_of_images: Option<Figures>,
    /// What the router did, where records say so.
    pub routing: Option<Routing>,
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
pub struct Figures {
    /// Dice.
    pub dice: Summary,
    /// IoU.
    pub iou: Option<Summary>,
    /// Precision.
    pub precision: Option<Summary>,
    /// Recall.
    pub recall: Option<Summary>,
    /// 95th percentile of the Hausdorff distance, um.
    pub hd95_um: Option<Summary>,
    /// F1 of the objects.
    pub object_f1: Option<Summary>,
    /// Mean Dice of matched objects.
    pub matched_dice: Option<Summary>,
    /// Found area over true area, less 1.
    pub area_error: Option<Summary>,
}

/// One run against another, image by image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The later run.
    pub run: String,
    /// The first run.
    pub against: String,
    /// Per organ.
    pub organs: Vec<(Option<String>, Difference)>,
    /// The mean of the organs' mean differences.
    pub mean_of_organ_means: Option<Difference>,
    /// All images.
    pub mean_of_images: Option<Difference>,
}

/// A paired difference of Dice: the later run less the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Its mean and interval.
    #[serde(flatten)]
    pub summary: Summary,
    /// Images on which the later run is better.
    pub won: usize,
    /// Images on which it is worse.
    pub lost: usize,
}

/// What the router did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Routing {
    /// Names of the columns of `confusion`.
    pub targets: Vec<String>,
    /// A row a true organ: images by where most of their tissue went.
    pub confusion: Vec<(String, Vec<usize>)>,
    /// Share of the images of which most tissue went to their own organ.
    pub by_slide: Summary,
    /// Mean share of an image's tissue that went to its own organ.
    pub by_tissue: Summary,
    /// Images by confidence, ten steps: the step's lower end, n, mean confidence, share that was right.
    pub reliability: Vec<(f64, usize, f64, f64)>,
    /// Expected calibration error over these steps (Naeini et al. 2015).
    pub calibration_error: f64,
}

impl Report {
    /// Puts scores together.
    pub fn new(
        truths: &[Truth],
        truth_problems: Vec<Problem>,
        runs: Vec<RunScores>,
        seed: u64,
    ) -> Self {
        let comparisons = match runs.split_first() {
            Some((first, rest)) => rest.iter().map(|run| against(first, run, seed)).collect(),
            None => Vec::new(),
        };
        Report {
            schema: "ftuseg/report/1",
            version: env!("CARGO_PKG_VERSION"),
            seed,
            truth_images: truths.len(),
            truth_problems,
            runs: runs.into_iter().map(|run| run_report(run, seed)).collect(),
            comparisons,
        }
    }
}

/// The organs of some scores, in their usual order, then none.
fn groups<'a>(images: &'a [Score]) -> Vec<(Option<String>, Vec<&'a Score>)> {
    let names = Organ::ALL.iter().map(|organ| Some(organ.name().to_owned()));
    names
        .chain(std::iter::once(None))
        .map(|organ| {
            let of_organ: Vec<&'a Score> = images.iter().filter(|s| s.organ == organ).collect();
            (organ, of_organ)
        })
        .filter(|(_, images)| !images.is_empty())
        .collect()
}

fn run_report(scores: RunScores, seed: u64) -> RunReport {
    let groups = groups(&scores.images);
    let organs = groups
        .iter()
        .filter_map(|(organ, images)| {
            Some(OrganFigures {
                organ: organ.clone(),
                figures: figures(&[images.as_slice()], seed)?,
            })
        })
        .collect();
    let known: Vec<&[&Score]> = groups
        .iter()
        .filter(|(organ, _)| organ.is_some())
        .map(|(_, images)| images.as_slice())
        .collect();
    let all: Vec<&Score> = scores.images.iter().collect();
    RunReport {
        organs,
        mean_of_organ_means: figures(&known, seed),
        mean_of_images: figures(&[all.as_slice()], seed),
        routing: routing(&all, seed),
        scores,
    }
}

/// The figures of groups of images, each group with the same weight; none where there are no images.
fn figures(groups: &[&[&Score]], seed: u64) -> Option<Figures> {
    let measure = |value: &dyn Fn(&Score) -> Option<f64>| -> Option<Summary> {
        let values: Vec<Vec<f64>> = groups
            .iter()
            .map(|images| images.iter().filter_map(|s| value(s)).collect())
            .collect();
        let values: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
        grouped(&values, seed)
    };
    Some(Figures {
        dice: measure(&|s| Some(s.pixels.dice))?,
        iou: measure(&|s| Some(s.pixels.iou)),
        precision: measure(&|s| Some(s.pixels.precision)),
        recall: measure(&|s| Some(s.pixels.recall)),
        hd95_um: measure(&|s| s.hd95_um),
        object_f1: measure(&|s| Some(s.objects.f1)),
        matched_dice: measure(&|s| s.objects.matched_dice),
        area_error: measure(&|s| s.pixels.area_error),
    })
}

fn against(first: &RunScores, run: &RunScores, seed: u64) -> Comparison {
    let mut organs = Vec::new();
    let mut all: Vec<Vec<f64>> = Vec::new();
    let mut known: Vec<Vec<f64>> = Vec::new();
    for (organ, images) in groups(&run.images) {
        let differences: Vec<f64> = images
            .iter()
            .filter_map(|score| {
                let other = first.images.iter().find(|other| other.id == score.id)?;
                Some(score.pixels.dice - other.pixels.dice)
            })
            .collect();
        if let Some(difference) = difference(&[&differences], seed) {
            organs.push((organ.clone(), difference));
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

fn difference(groups: &[&[f64]], seed: u64) -> Option<Difference> {
    let summary = grouped(groups, seed)?;
    let all = || groups.iter().flat_map(|group| group.iter());
    Some(Difference {
        summary,
        won: all().filter(|&&d| d > 0.0).count(),
        lost: all().filter(|&&d| d < 0.0).count(),
    })
}

fn routing(images: &[&Score], seed: u64) -> Option<Routing> {
    let routed: Vec<_> = images
        .iter()
        .filter_map(|score| Some((score.organ.as_deref()?, score.routed.as_ref()?)))
        .collect();
    let mut targets: Vec<String> = Organ::ALL.iter().map(|o| o.name().to_owned()).collect();
    for (_, to) in &routed {
        if !targets.contains(&to.to) {
            targets.push(to.to.clone());
        }
    }
    let confusion = Organ::ALL
        .iter()
        .map(|organ| organ.name())
        .filter(|organ| routed.iter().any(|(truth, _)| truth == organ))
        .map(|organ| {
            let count = |target: &String| {
                let mut of_organ = routed.iter().filter(|(truth, _)| *truth == organ);
                of_organ.by_ref().filter(|(_, to)| to.to == *target).count()
            };
            (organ.to_owned(), targets.iter().map(count).collect())
        })
        .collect();
    let right: Vec<f64> = routed
        .iter()
        .map(|(truth, to)| f64::from(u8::from(to.to == *truth)))
        .collect();
    let own_share: Vec<f64> = routed
        .iter()
        .map(|(truth, to)| {
            let own = to.shares.iter().find(|(name, _)| name == truth);
            own.map_or(0.0, |(_, share)| *share)
        })
        .collect();
    let mut reliability = Vec::new();
    let mut error = 0.0;
    for step in 0..10 {
        let low = f64::from(step) / 10.0;
        let inside: Vec<(f64, f64)> = routed
            .iter()
            .zip(&right)
            .map(|((_, to), &right)| (to.confidence, right))
            .filter(|(sure, _)| ((sure * 10.0).floor().min(9.0) - f64::from(step)).abs() < 0.5)
            .collect();
        if inside.is_empty() {
            continue;
        }
        let n = inside.len() as f64;
        let sure = inside.iter().map(|i| i.0).sum::<f64>() / n;
        let was_right = inside.iter().map(|i| i.1).sum::<f64>() / n;
        error += n / routed.len() as f64 * (sure - was_right).abs();
        reliability.push((low, inside.len(), sure, was_right));
    }
    Some(Routing {
        targets,
        confusion,
        by_slide: summarise(&right, seed)?,
        by_tissue: summarise(&own_share, seed)?,
        reliability,
        calibration_error: error,
    })
}
