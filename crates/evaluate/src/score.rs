//! Scores every image of every run, and draws it while its masks are at hand.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use super::boundary::hausdorff95;
use super::dice_curve::dice_curve;
use super::identical::fingerprint;
use super::objects::{ObjectFigures, TrueObject, match_objects};
use super::overlap::{Overlap, PixelFigures};
use super::picture::{Gallery, Picture, Pictures};
use super::recorded_route::{self, Decided};
use super::{Classes, EvaluateError, ImageProblem, Prediction, RecordedRoute, RunSource, Truth};
use ftuseg_mask::{Mask, Objects};
use ftuseg_records::SlideRecord;
use ftuseg_slide::mask_image::LabelMask;

/// What one run reached on one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ImageScore {
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
    /// Area of all that is there.
    pub area: Areas,
    /// The training image of the run's bundle that this image looks like: its networks have seen it, so these figures are no
    /// measure of how well they do on new images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_image: Option<String>,
    /// Where the router sent it, if the run's record says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routed: Option<RecordedRoute>,
    /// What its map of probabilities says.
    #[serde(skip)]
    pub(super) swept: Swept,
    /// um/px, where it is known.
    #[serde(skip)]
    pub(super) mpp: Option<f64>,
    /// Tells masks apart: see [`fingerprint`].
    #[serde(skip)]
    pub(super) fingerprint: u64,
    /// The truth's objects.
    #[serde(skip)]
    pub(super) true_objects: Vec<TrueObject>,
}

/// Found and true area of an image's objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Areas {
    /// px that were found.
    pub found_px: u64,
    /// px of the truth.
    pub truth_px: u64,
    /// The same in mm2, where um/px is known.
    pub found_mm2: Option<f64>,
    /// The truth in mm2, where um/px is known.
    pub truth_mm2: Option<f64>,
    /// The tissue that the run found in the image, mm2, where its record says.
    pub tissue_mm2: Option<f64>,
}

impl Areas {
    fn of(overlap: Overlap, mpp: Option<f64>, record: Option<&SlideRecord>) -> Self {
        let mm2 = |px: u64| mpp.map(|mpp| px as f64 * mpp * mpp / 1e6);
        let tissue = record.and_then(|record| {
            let all = mm2(u64::from(record.width) * u64::from(record.height))?;
            Some(all * record.tissue_share)
        });
        Areas {
            found_px: overlap.found,
            truth_px: overlap.truth,
            found_mm2: mm2(overlap.found),
            truth_mm2: mm2(overlap.truth),
            tissue_mm2: tissue.filter(|&mm2| mm2 > 0.0),
        }
    }
}

/// What an image's map of probabilities says of thresholds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Swept {
    /// The run has no map of it.
    Nothing,
    /// It cannot be used, and why.
    LeftOut(String),
    /// Who decided it, and Dice at every step.
    Curve(Decided, Vec<f64>),
}

/// All scores of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunScores {
    /// The run's name.
    pub name: String,
    /// Where it lies.
    pub path: String,
    /// How it sent slides to models, if its record says: `tile`, `slide`, `given`, `baseline`, ...
    pub route: Option<String>,
    /// sha256 of its bundle, if its record says.
    pub bundle: Option<String>,
    /// What made it, if its record says.
    pub made_by: Option<RunSource>,
    /// Why it is not known what made it; none where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_unknown: Option<String>,
    /// How many warnings of each kind its records hold: those of the run, and those of the images that could be scored.
    pub warnings: BTreeMap<String, usize>,
    /// The images that could be scored, in the truth's order.
    pub images: Vec<ImageScore>,
    /// Images of the truth that the run has no mask of. They are in no mean.
    pub missing: Vec<String>,
    /// Images that could not be scored, and why. They are in no mean.
    pub problems: Vec<ImageProblem>,
    /// Ids that the run has and the truth has not.
    pub unknown: Vec<String>,
}

/// What scoring comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredRuns {
    /// The runs, in their order.
    pub runs: Vec<RunScores>,
    /// Truths that could not be read, and why.
    pub unreadable: Vec<ImageProblem>,
    /// Images whose picture could not be shown, and of whose files a part does not count. They are scored.
    pub noted: Vec<ImageProblem>,
    /// The pictures.
    pub gallery: Gallery,
}

/// What became of one image in one run.
enum Outcome {
    Scored(Box<ImageScore>),
    Missing,
    Problem(EvaluateError),
}

/// What became of one image.
struct Seen {
    outcomes: Vec<Outcome>,
    picture: Option<Picture>,
    notes: Vec<String>,
    /// Kinds of the warnings in each run's record of it.
    warnings: Vec<Vec<&'static str>>,
}

/// Scores all runs, image by image: every mask is decoded once, for its figures and for its picture, and dropped.
///
/// `classes` are those of GeoJSON polygons that count.
pub fn score(
    truths: &[Truth],
    runs: &[Prediction],
    pictures: Option<&Pictures<'_>>,
    classes: &Classes,
) -> ScoredRuns {
    let seen: Vec<Result<Seen, EvaluateError>> = truths
        .par_iter()
        .map(|truth| one(truth, runs, pictures, classes))
        .collect();
    let known: BTreeSet<&str> = truths.iter().map(|truth| truth.id.as_str()).collect();
    let mut scored = ScoredRuns {
        runs: runs
            .iter()
            .map(|run| RunScores {
                name: run.name.clone(),
                path: run.path.display().to_string(),
                route: run.about.as_ref().map(|run| run.settings.route.clone()),
                bundle: run.about.as_ref().map(|run| run.bundle.sha256.clone()),
                made_by: run.about.as_ref().map(RunSource::of),
                source_unknown: run.source_unknown.clone(),
                warnings: counted(
                    run.about
                        .iter()
                        .flat_map(|run| &run.warnings)
                        .map(|warning| warning.kind.name()),
                ),
                images: Vec::new(),
                missing: Vec::new(),
                problems: Vec::new(),
                unknown: run.unknown(&known),
            })
            .collect(),
        unreadable: Vec::new(),
        noted: Vec::new(),
        gallery: Gallery::default(),
    };
    for (truth, seen) in truths.iter().zip(seen) {
        let id = truth.id.as_str();
        let seen = match seen {
            Ok(seen) => seen,
            Err(error) => {
                scored.unreadable.push(ImageProblem::of(id, &error));
                continue;
            }
        };
        let outcomes = seen.outcomes.into_iter().zip(seen.warnings);
        for (run, (outcome, warnings)) in scored.runs.iter_mut().zip(outcomes) {
            if matches!(outcome, Outcome::Scored(_)) {
                for (kind, count) in counted(warnings.into_iter()) {
                    *run.warnings.entry(kind).or_insert(0) += count;
                }
            }
            match outcome {
                Outcome::Scored(score) => run.images.push(*score),
                Outcome::Missing => run.missing.push(id.to_owned()),
                Outcome::Problem(error) => run.problems.push(ImageProblem::of(id, &error)),
            }
        }
        let notes = seen.notes.into_iter();
        scored
            .noted
            .extend(notes.map(|note| ImageProblem::new(id, note)));
        scored.gallery.images.extend(seen.picture);
    }
    scored
}

/// How often each name comes.
fn counted(names: impl Iterator<Item = &'static str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }
    counts
}

fn one(
    truth: &Truth,
    runs: &[Prediction],
    pictures: Option<&Pictures<'_>>,
    classes: &Classes,
) -> Result<Seen, EvaluateError> {
    let truth_mask = truth.read(classes)?;
    let mask = &truth_mask.mask;
    let truth_objects = OnceCell::new();
    let mut notes: Vec<String> = truth_mask
        .left_out
        .iter()
        .map(|words| format!("truth: {words}"))
        .collect();
    let mut records: Vec<Option<SlideRecord>> = Vec::new();
    for run in runs {
        let record = run.record(&truth.id).transpose();
        records.push(record.unwrap_or_else(|error| {
            notes.push(format!("{}: {error}", run.name));
            None
        }));
    }
    let warnings = records
        .iter()
        .map(|record| {
            let warnings = record.iter().flat_map(|record| &record.warnings);
            warnings.map(|warning| warning.kind.name()).collect()
        })
        .collect();
    let mut drawing = pictures.map(|pictures| {
        let recorded = records.iter().flatten().next();
        let recorded = recorded.map(|record| Path::new(&record.input.path));
        pictures.start(&truth.id, mask, recorded, runs.len())
    });
    let outcomes = runs
        .iter()
        .zip(&records)
        .enumerate()
        .map(|(index, (run, record))| {
            let size = (mask.width(), mask.height());
            let found = match run.mask(&truth.id, size, classes) {
                Ok(Some(found)) => found,
                Ok(None) => return Outcome::Missing,
                Err(error) => return Outcome::Problem(error),
            };
            let left_out = found.left_out.iter();
            notes.extend(left_out.map(|words| format!("{}: {words}", run.name)));
            let doubts = record.iter().flat_map(|record| record.warnings.clone());
            notes.extend(doubts.map(|warning| format!("{}: {}", run.name, warning.text)));
            if let Some(drawing) = &mut drawing {
                drawing.add(index, &found.mask);
            }
            let objects = truth_objects.get_or_init(|| objects_of(&truth_mask));
            match figures(truth, (mask, objects), &found, run, record.as_ref()) {
                Ok(score) => Outcome::Scored(Box::new(score)),
                Err(error) => Outcome::Problem(error),
            }
        })
        .collect();
    let picture = drawing.map(|drawing| {
        let (picture, problem) = drawing.finish();
        notes.extend(problem);
        picture
    });
    Ok(Seen {
        outcomes,
        picture,
        notes,
        warnings,
    })
}

/// The objects of a mask: by its labels where it has any.
fn objects_of(read: &LabelMask) -> Objects {
    match &read.objects {
        Some(objects) => objects.clone(),
        None => Objects::find(&read.mask),
    }
}

fn figures(
    truth: &Truth,
    (mask, objects): (&Mask, &Objects),
    found: &LabelMask,
    run: &Prediction,
    record: Option<&SlideRecord>,
) -> Result<ImageScore, EvaluateError> {
    let found_objects = objects_of(found);
    let found = &found.mask;
    let mpp = truth.mpp.or_else(|| record.and_then(recorded_route::mpp));
    let hd95_px = hausdorff95(found, mask);
    let overlap = Overlap::of(found, mask)?;
    let (object_figures, true_objects) = match_objects(&found_objects, objects);
    Ok(ImageScore {
        id: truth.id.clone(),
        organ: truth.organ.map(|organ| organ.name().to_owned()),
        pixels: overlap.figures(),
        hd95_px,
        hd95_um: hd95_px.zip(mpp).map(|(px, mpp)| px * mpp),
        objects: object_figures,
        area: Areas::of(overlap, mpp, record),
        training_image: record.and_then(|record| record.training_image.clone()),
        routed: record.and_then(recorded_route::routed),
        swept: swept(&truth.id, mask, run, record),
        mpp,
        fingerprint: fingerprint(found, &found_objects),
        true_objects,
    })
}

/// Dice at every threshold. A map that cannot be used costs the image its place in the sweep, and no more.
fn swept(id: &str, truth: &Mask, run: &Prediction, record: Option<&SlideRecord>) -> Swept {
    let Some(path) = run.probabilities(id) else {
        return Swept::Nothing;
    };
    let decided = match record.map(recorded_route::decided) {
        Some(Ok(decided)) => decided,
        Some(Err(reason)) => return Swept::LeftOut(reason),
        None => return Swept::LeftOut("its record cannot be read".to_owned()),
    };
    let curve = ftuseg_slide::open(&path).and_then(|map| {
        let size = (map.info().width(), map.info().height());
        if size != (truth.width(), truth.height()) {
            return Ok(Err(format!(
                "its map of probabilities is {} x {} px, but the truth is {} x {} px",
                size.0,
                size.1,
                truth.width(),
                truth.height()
            )));
        }
        dice_curve(map.as_ref(), truth).map(Ok)
    });
    match curve {
        Ok(Ok(curve)) => Swept::Curve(decided, curve),
        Ok(Err(reason)) => Swept::LeftOut(reason),
        Err(error) => Swept::LeftOut(error.to_string()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run of which only the images matter.
    pub fn run(name: &str, images: Vec<ImageScore>) -> RunScores {
        RunScores {
            name: name.to_owned(),
            path: name.to_owned(),
            route: None,
            bundle: None,
            made_by: None,
            source_unknown: None,
            warnings: BTreeMap::new(),
            images,
            missing: Vec::new(),
            problems: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// A score of an image of which only Dice matters.
    pub fn plain(id: &str, organ: Option<&str>, dice: f64) -> ImageScore {
        ImageScore {
            id: id.to_owned(),
            organ: organ.map(str::to_owned),
            pixels: PixelFigures {
                dice,
                iou: dice / (2.0 - dice),
                ..Overlap {
                    found: 1,
                    truth: 1,
                    both: 1,
                }
                .figures()
            },
            hd95_px: None,
            hd95_um: None,
            objects: ObjectFigures {
                found: 0,
                truth: 0,
                matched: 0,
                f1: 1.0,
                matched_dice: None,
                matched_iou: None,
                pq: 1.0,
            },
            area: Areas::default(),
            training_image: None,
            routed: None,
            swept: Swept::Nothing,
            mpp: None,
            fingerprint: 0,
            true_objects: Vec::new(),
        }
    }
}
