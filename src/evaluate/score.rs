//! Scores every image of every run.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;

use super::boundary::hausdorff95;
use super::objects::{ObjectFigures, compare};
use super::overlap::{Overlap, PixelFigures};
use super::{EvaluateError, Prediction, Problem, Routed, Truth};
use crate::mask::Mask;

/// What one run reached on one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The image.
    pub id: String,
    /// Its organ, as the truth says.
    pub organ: Option<String>,
    /// px by px.
    #[serde(flatten)]
    pub pixels: PixelFigures,
    /// 95th percentile of the Hausdorff distance, px; none where one of the masks is empty.
    pub hd95_px: Option<f64>,
    /// The same in um, where um/px is known.
    pub hd95_um: Option<f64>,
    /// Object by object.
    pub objects: ObjectFigures,
    /// Where the router sent it, if the run's record says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routed: Option<Routed>,
}

/// All scores of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunScores {
    /// The run's name.
    pub name: String,
    /// Where it lies.
    pub path: String,
    /// The images that could be scored, in the truth's order.
    pub images: Vec<Score>,
    /// Images of the truth that the run has no mask of. They are in no mean.
    pub missing: Vec<String>,
    /// Images that could not be scored, and why. They are in no mean.
    pub problems: Vec<Problem>,
    /// Ids that the run has and the truth has not.
    pub unknown: Vec<String>,
}

/// What became of one image in one run.
enum Outcome {
    Scored(Box<Score>),
    Missing,
    Problem(String),
}

/// Scores all runs. Every truth is decoded once. Returns the runs' scores and the truths that could not be read.
pub fn score(truths: &[Truth], runs: &[Prediction]) -> (Vec<RunScores>, Vec<Problem>) {
    let outcomes: Vec<Result<Vec<Outcome>, String>> = truths
        .par_iter()
        .map(|truth| {
            let mask = truth.mask().map_err(|error| error.to_string())?;
            Ok(runs.iter().map(|run| one(truth, &mask, run)).collect())
        })
        .collect();
    let known: BTreeSet<&str> = truths.iter().map(|truth| truth.id.as_str()).collect();
    let mut scores: Vec<RunScores> = runs
        .iter()
        .map(|run| RunScores {
            name: run.name.clone(),
            path: run.path.display().to_string(),
            images: Vec::new(),
            missing: Vec::new(),
            problems: Vec::new(),
            unknown: run.unknown(&known),
        })
        .collect();
    let mut unreadable = Vec::new();
    for (truth, outcomes) in truths.iter().zip(outcomes) {
        match outcomes {
            Err(reason) => unreadable.push(Problem {
                id: truth.id.clone(),
                reason,
            }),
            Ok(outcomes) => {
                for (run, outcome) in scores.iter_mut().zip(outcomes) {
                    match outcome {
                        Outcome::Scored(score) => run.images.push(*score),
                        Outcome::Missing => run.missing.push(truth.id.clone()),
                        Outcome::Problem(reason) => run.problems.push(Problem {
                            id: truth.id.clone(),
                            reason,
                        }),
                    }
                }
            }
        }
    }
    (scores, unreadable)
}

fn one(truth: &Truth, mask: &Mask, run: &Prediction) -> Outcome {
    match run.mask(&truth.id, (mask.width(), mask.height())) {
        Ok(None) => Outcome::Missing,
        Ok(Some(found)) => match figures(truth, mask, &found, run) {
            Ok(score) => Outcome::Scored(Box::new(score)),
            Err(error) => Outcome::Problem(error.to_string()),
        },
        Err(error) => Outcome::Problem(error.to_string()),
    }
}

fn figures(
    truth: &Truth,
    mask: &Mask,
    found: &Mask,
    run: &Prediction,
) -> Result<Score, EvaluateError> {
    let mpp = truth.mpp.or_else(|| run.source(&truth.id).0);
    let hd95_px = hausdorff95(found, mask);
    Ok(Score {
        id: truth.id.clone(),
        organ: truth.organ.map(|organ| organ.name().to_owned()),
        pixels: Overlap::of(found, mask)?.figures(),
        hd95_px,
        hd95_um: hd95_px.zip(mpp).map(|(px, mpp)| px * mpp),
        objects: compare(found, mask),
        routed: run.routed(&truth.id),
    })
}
