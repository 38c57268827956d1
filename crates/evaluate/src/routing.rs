//! What the router did: where images and cells went, how sure it was, and what its errors cost.

use ftuseg_router::Organ;
use serde::Serialize;

use super::RecordedRoute;
use super::score::{ImageScore, RunScores};
use super::statistics::{Estimate, Ratio, grouped, mean_of_groups, ratio, summarise};

/// What the router did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Routing {
    /// Names of the columns of `confusion`.
    pub targets: Vec<String>,
    /// A row a true organ.
    pub confusion: Vec<ConfusionRow>,
    /// Share of the images of which most tissue went to their own organ.
    pub by_slide: Estimate,
    /// Mean share of an image's tissue that went to its own organ.
    pub by_tissue: Estimate,
    /// Share of all cells of tissue that went to their image's organ; none where records hold no map of cells. Its
    /// interval draws images, since the cells of one image are alike.
    pub by_cell: Option<Ratio>,
    /// Images that went mostly to a model for all organs, since the router was not sure, or to none. They are not in the reliability.
    pub abstained: usize,
    /// Images by confidence, in ten steps.
    pub reliability: Vec<ReliabilityStep>,
    /// Expected calibration error over these steps (Naeini et al. 2015); none where the router always abstained.
    pub calibration_error: Option<f64>,
}

/// Where the images of one organ went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfusionRow {
    /// The true organ.
    pub organ: String,
    /// Images by where most of their tissue went.
    pub images: Vec<usize>,
    /// Cells by where they went.
    pub cells: Vec<usize>,
}

/// Images of which the router was about as sure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityStep {
    /// Lower end of the step; it is 0.1 wide.
    pub from: f64,
    /// How many images.
    pub n: usize,
    /// Mean confidence.
    pub confidence: f64,
    /// Share of the images that went to their own organ.
    pub right: f64,
}

/// What routing errors cost: Dice with each image's true organ against Dice as routed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoutingCost {
    /// The routed run.
    pub run: String,
    /// The run with the true organs, made with the same bundle.
    pub given: String,
    /// Per organ.
    pub organs: Vec<OrganCost>,
    /// The mean of the organs' means.
    pub mean_of_organ_means: Option<Cost>,
    /// The mean of all images.
    pub mean_of_images: Option<Cost>,
    /// Only the images whose tissue did not all go to their own organ.
    pub sent_elsewhere: Option<Cost>,
}

/// The cost for one organ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrganCost {
    /// The organ.
    pub organ: Option<String>,
    /// Its cost.
    #[serde(flatten)]
    pub cost: Cost,
}

/// Dice with the true organ and as routed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Mean Dice with the true organ.
    pub given: f64,
    /// Mean Dice as routed.
    pub routed: f64,
    /// The first less the second, image by image: what routing errors cost.
    pub cost: Estimate,
}

/// What the router did in a run; none where records do not say, or where no router was asked.
pub(super) fn routing(run: &RunScores, seed: u64) -> Option<Routing> {
    if !asked_a_router(run) {
        return None;
    }
    let routed: Vec<(&str, &RecordedRoute)> = run
        .images
        .iter()
        .filter_map(|score| Some((score.organ.as_deref()?, score.routed.as_ref()?)))
        .collect();
    let mut targets: Vec<String> = Organ::ALL.iter().map(|o| o.name().to_owned()).collect();
    for (_, to) in &routed {
        for name in std::iter::once(&to.to).chain(to.cells.iter().map(|(name, _)| name)) {
            if !targets.contains(name) {
                targets.push(name.clone());
            }
        }
    }
    let right: Vec<f64> = routed
        .iter()
        .map(|(truth, to)| f64::from(u8::from(to.to == *truth)))
        .collect();
    let share: Vec<f64> = routed
        .iter()
        .map(|(truth, to)| to.share_of(truth))
        .collect();
    let cells: Vec<(usize, usize)> = routed
        .iter()
        .map(|(truth, to)| to.cells_of(truth))
        .collect();
    let decided: Vec<(f64, f64)> = routed
        .iter()
        .zip(&right)
        .filter(|((_, to), _)| is_organ(&to.to))
        .map(|((_, to), &right)| (to.confidence, right))
        .collect();
    let (reliability, calibration_error) = reliability(&decided);
    Some(Routing {
        confusion: confusion(&routed, &targets),
        by_slide: summarise(&right, seed)?,
        by_tissue: summarise(&share, seed)?,
        by_cell: ratio(&cells, seed),
        abstained: routed.len() - decided.len(),
        reliability,
        calibration_error,
        targets,
    })
}

fn is_organ(target: &str) -> bool {
    Organ::ALL.iter().any(|organ| organ.name() == target)
}

/// A run without a record of its route may have asked one.
fn asked_a_router(run: &RunScores) -> bool {
    matches!(run.route.as_deref(), None | Some("tile" | "slide"))
}

fn confusion(routed: &[(&str, &RecordedRoute)], targets: &[String]) -> Vec<ConfusionRow> {
    let organs = Organ::ALL.iter().map(|organ| organ.name());
    organs
        .filter(|organ| routed.iter().any(|(truth, _)| truth == organ))
        .map(|organ| {
            let of_organ = || routed.iter().filter(|(truth, _)| *truth == organ);
            let images = |target: &String| of_organ().filter(|(_, to)| to.to == *target).count();
            let cells = |target: &String| of_organ().map(|(_, to)| to.cells_of(target).0).sum();
            ConfusionRow {
                organ: organ.to_owned(),
                images: targets.iter().map(images).collect(),
                cells: targets.iter().map(cells).collect(),
            }
        })
        .collect()
}

/// Ten steps of confidence, and how far confidence and rightness lie apart over them.
fn reliability(decided: &[(f64, f64)]) -> (Vec<ReliabilityStep>, Option<f64>) {
    let step_of = |sure: f64| (sure * 10.0).floor().clamp(0.0, 9.0) as u32;
    let mut error = 0.0;
    let mut steps = Vec::new();
    for step in 0..10 {
        let inside = || decided.iter().filter(|(sure, _)| step_of(*sure) == step);
        let count = inside().count();
        if count == 0 {
            continue;
        }
        let n = count as f64;
        let confidence = inside().map(|i| i.0).sum::<f64>() / n;
        let right = inside().map(|i| i.1).sum::<f64>() / n;
        error += n / decided.len() as f64 * (confidence - right).abs();
        steps.push(ReliabilityStep {
            from: f64::from(step) / 10.0,
            n: count,
            confidence,
            right,
        });
    }
    (steps, (!decided.is_empty()).then_some(error))
}

/// The cost of every routed run for which there is a run of the same bundle with the true organs.
pub(super) fn costs(runs: &[RunScores], seed: u64) -> Vec<RoutingCost> {
    let routed = runs
        .iter()
        .filter(|run| run.route.is_some() && run.bundle.is_some() && asked_a_router(run));
    routed
        .filter_map(|run| {
            let same = |other: &&RunScores| {
                other.route.as_deref() == Some("given") && other.bundle == run.bundle
            };
            Some(cost(run, runs.iter().find(same)?, seed))
        })
        .collect()
}

fn cost(run: &RunScores, given: &RunScores, seed: u64) -> RoutingCost {
    let pairs: Vec<(&ImageScore, f64)> = run
        .images
        .iter()
        .filter_map(|score| {
            let other = given.images.iter().find(|other| other.id == score.id)?;
            Some((score, other.pixels.dice))
        })
        .collect();
    let groups = super::report::groups(pairs.iter().map(|(score, _)| score.organ.clone()));
    let of = |wanted: &dyn Fn(&ImageScore) -> bool| -> Vec<(f64, f64)> {
        let chosen = pairs.iter().filter(|(score, _)| wanted(score));
        chosen
            .map(|(score, given)| (*given, score.pixels.dice))
            .collect()
    };
    let by_organ: Vec<_> = groups
        .into_iter()
        .map(|organ| {
            let pairs = of(&|score| score.organ == organ);
            (organ, pairs)
        })
        .collect();
    let known = by_organ.iter().filter(|(organ, _)| organ.is_some());
    let known: Vec<&[(f64, f64)]> = known.map(|(_, pairs)| pairs.as_slice()).collect();
    let elsewhere = of(&|score| match (&score.organ, &score.routed) {
        (Some(organ), Some(routed)) => routed.share_of(organ) < 1.0 - 1e-9,
        _ => false,
    });
    RoutingCost {
        run: run.name.clone(),
        given: given.name.clone(),
        organs: by_organ
            .iter()
            .filter_map(|(organ, pairs)| {
                Some(OrganCost {
                    organ: organ.clone(),
                    cost: summary(&[pairs], seed)?,
                })
            })
            .collect(),
        mean_of_organ_means: summary(&known, seed),
        mean_of_images: summary(&[&of(&|_| true)], seed),
        sent_elsewhere: summary(&[&elsewhere], seed),
    }
}

/// The cost over groups of pairs (with the true organ, as routed), each group with the same weight.
fn summary(groups: &[&[(f64, f64)]], seed: u64) -> Option<Cost> {
    let part = |value: fn(&(f64, f64)) -> f64| -> Vec<Vec<f64>> {
        let of_group = |group: &&[(f64, f64)]| group.iter().map(value).collect();
        groups.iter().map(of_group).collect()
    };
    let cost = part(|pair| pair.0 - pair.1);
    let cost: Vec<&[f64]> = cost.iter().map(Vec::as_slice).collect();
    Some(Cost {
        given: mean_of_groups(&part(|pair| pair.0))?,
        routed: mean_of_groups(&part(|pair| pair.1))?,
        cost: grouped(&cost, seed)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::score::tests::plain;
    use super::*;

    fn sent(id: &str, organ: &str, to: &str, confidence: f64, dice: f64) -> ImageScore {
        ImageScore {
            routed: Some(RecordedRoute {
                to: to.to_owned(),
                confidence,
                shares: vec![(to.to_owned(), 1.0)],
                cells: vec![(to.to_owned(), 4)],
            }),
            ..plain(id, Some(organ), dice)
        }
    }

    fn run(name: &str, route: Option<&str>, images: Vec<ImageScore>) -> RunScores {
        RunScores {
            route: route.map(str::to_owned),
            bundle: route.map(|_| "sum".to_owned()),
            ..super::super::score::tests::run(name, images)
        }
    }

    fn images() -> Vec<ImageScore> {
        vec![
            sent("a", "lung", "lung", 0.95, 0.5),
            sent("b", "lung", "kidney", 0.85, 0.1),
            sent("c", "kidney", "kidney", 0.95, 0.9),
            sent("d", "kidney", "baseline", 0.3, 0.4),
        ]
    }

    #[test]
    fn images_and_cells_are_counted_by_where_they_went() {
        let routing = routing(&run("r", Some("tile"), images()), 1).unwrap();
        assert_eq!(routing.targets.last().map(String::as_str), Some("baseline"));
        let lung = &routing.confusion[1];
        assert_eq!(
            (lung.organ.as_str(), lung.images[0], lung.images[4]),
            ("lung", 1, 1)
        );
        assert_eq!((lung.cells[0], lung.cells[4]), (4, 4));
        assert_eq!((routing.by_slide.mean, routing.by_slide.n), (0.5, 4));
        let cells = routing.by_cell.unwrap();
        assert_eq!((cells.right, cells.n, cells.images), (8, 16, 4));
        assert_eq!(routing.abstained, 1);
        // One step of 0.8 to 0.9 that was wrong, one of 0.9 to 1 with two that were right.
        assert_eq!(routing.reliability.len(), 2);
        let expected = (0.85 + 2.0 * 0.05) / 3.0;
        assert!((routing.calibration_error.unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn only_runs_that_asked_a_router_have_a_confusion_matrix() {
        for route in ["given", "baseline", "unet", "organ=lung"] {
            assert_eq!(routing(&run("r", Some(route), images()), 1), None);
        }
        assert!(routing(&run("r", None, images()), 1).is_some());
    }

    #[test]
    fn the_cost_is_dice_with_the_true_organ_less_dice_as_routed() {
        let truly = [
            ("a", "lung", 0.5),
            ("b", "lung", 0.7),
            ("c", "kidney", 0.9),
            ("d", "kidney", 0.6),
        ];
        let given = truly.map(|(id, organ, dice)| sent(id, organ, organ, 1.0, dice));
        let mut runs = vec![
            run("routed", Some("tile"), images()),
            run("given", Some("given"), given.into()),
        ];
        let found = costs(&runs, 1);
        assert_eq!(found.len(), 1);
        let all = found[0].mean_of_images.unwrap();
        assert!((all.cost.mean - 0.2).abs() < 1e-12 && all.cost.n == 4);
        let elsewhere = found[0].sent_elsewhere.unwrap();
        assert_eq!(elsewhere.cost.n, 2);
        assert!((elsewhere.given - 0.65).abs() < 1e-12 && (elsewhere.routed - 0.25).abs() < 1e-12);
        let kidney = &found[0].organs[0];
        assert_eq!(kidney.organ.as_deref(), Some("kidney"));
        assert!((kidney.cost.cost.mean - 0.1).abs() < 1e-12);
        // Another bundle's run with the true organs says nothing of this one.
        runs[1].bundle = Some("other".to_owned());
        assert!(costs(&runs, 1).is_empty());
    }
}
