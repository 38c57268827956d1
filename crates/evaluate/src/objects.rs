//! How far the objects of two masks agree: which were found, which are too many, and how well the found ones fit.

use std::collections::BTreeMap;

use serde::Serialize;

use super::statistics::plain_mean;
use ftuseg_mask::{Mask, Objects};

/// An object counts as found when its IoU with a found one is at least this.
pub const MATCH_IOU: f64 = 0.5;

/// What object by object comparison comes to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ObjectFigures {
    /// Objects that were found.
    pub found: usize,
    /// Objects of the truth.
    pub truth: usize,
    /// Pairs with an IoU of at least [`MATCH_IOU`].
    pub matched: usize,
    /// `2 matched / (found + truth)`; 1 where there are no objects at all.
    pub f1: f64,
    /// Mean Dice of the matched pairs; none where there are none.
    pub matched_dice: Option<f64>,
    /// Mean IoU of the matched pairs (the segmentation quality of Kirillov et al. 2019); none where there are none.
    pub matched_iou: Option<f64>,
    /// Panoptic quality (Kirillov et al. 2019): `f1` times the mean IoU of the matched pairs. 0 where none match, 1 where there
    /// are no objects at all.
    pub pq: f64,
}

impl ObjectFigures {
    /// The figures of so many objects, from the Dice and the IoU of each matched pair.
    fn new(found: usize, truth: usize, dices: &[f64], ious: &[f64]) -> Self {
        let f1 = match found + truth {
            0 => 1.0,
            all => 2.0 * dices.len() as f64 / all as f64,
        };
        let matched_iou = plain_mean(ious);
        ObjectFigures {
            found,
            truth,
            matched: dices.len(),
            f1,
            matched_dice: plain_mean(dices),
            matched_iou,
            pq: match (found + truth, matched_iou) {
                (0, _) => 1.0,
                (_, iou) => f1 * iou.unwrap_or(0.0),
            },
        }
    }
}

/// Compares the 4-connected objects of two masks of one size. Each object is matched at most once, the best pairs first.
pub fn compare(found: &Mask, truth: &Mask) -> ObjectFigures {
    compare_objects(&Objects::find(found), &Objects::find(truth))
}

/// Compares objects that were told apart already, by labels say. Each is matched at most once, the best pairs first.
pub fn compare_objects(found: &Objects, truth: &Objects) -> ObjectFigures {
    match_objects(found, truth).0
}

/// An object of the truth, and how well one found object covers it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TrueObject {
    /// Its area, px.
    pub area: u64,
    /// Dice with the found object that fits it best; 0 where none touches it.
    pub dice: f64,
    /// Whether it was matched.
    pub matched: bool,
}

/// What [`compare_objects`] says, and each object of the truth.
pub(super) fn match_objects(found: &Objects, truth: &Objects) -> (ObjectFigures, Vec<TrueObject>) {
    let areas = |objects: &Objects| -> Vec<u64> { objects.iter().map(|o| o.area()).collect() };
    let (found_areas, truth_areas) = (areas(found), areas(truth));
    let mut objects: Vec<TrueObject> = truth_areas
        .iter()
        .map(|&area| TrueObject {
            area,
            dice: 0.0,
            matched: false,
        })
        .collect();
    let mut pairs: Vec<(f64, usize, usize, u64)> = shared(found, truth)
        .into_iter()
        .map(|((f, t), both)| {
            let dice = 2.0 * both as f64 / (found_areas[f] + truth_areas[t]) as f64;
            objects[t].dice = objects[t].dice.max(dice);
            let union = found_areas[f] + truth_areas[t] - both;
            (both as f64 / union as f64, f, t, both)
        })
        .filter(|pair| pair.0 >= MATCH_IOU)
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut used_found, mut used_truth) = (vec![false; found.len()], vec![false; truth.len()]);
    let (mut dices, mut ious) = (Vec::new(), Vec::new());
    for (iou, f, t, both) in pairs {
        if !used_found[f] && !used_truth[t] {
            (used_found[f], used_truth[t]) = (true, true);
            objects[t].matched = true;
            dices.push(2.0 * both as f64 / (found_areas[f] + truth_areas[t]) as f64);
            ious.push(iou);
        }
    }
    let figures = ObjectFigures::new(found.len(), truth.len(), &dices, &ious);
    (figures, objects)
}

/// The px that each found and each true object have in common, where there are any.
fn shared(found: &Objects, truth: &Objects) -> BTreeMap<(usize, usize), u64> {
    let runs = |objects: &Objects| -> Vec<(u32, u32, u32, usize)> {
        let mut runs: Vec<_> = objects
            .iter()
            .enumerate()
            .flat_map(|(index, object)| {
                let runs = object.runs().iter();
                runs.map(move |run| (run.y, run.start, run.end, index))
            })
            .collect();
        runs.sort_unstable();
        runs
    };
    let (a, b) = (runs(found), runs(truth));
    let mut both = BTreeMap::new();
    // The runs of each side that the present place may lie in. Objects of one side may lie over each other.
    let mut open_a: Vec<(u32, usize)> = Vec::new();
    let mut open_b: Vec<(u32, usize)> = Vec::new();
    let (mut i, mut j, mut row) = (0, 0, None);
    loop {
        let from_a = match (a.get(i), b.get(j)) {
            (None, None) => break,
            (Some(one), Some(other)) => (one.0, one.1) <= (other.0, other.1),
            (one, _) => one.is_some(),
        };
        let (y, start, end, index) = if from_a { a[i] } else { b[j] };
        if row != Some(y) {
            open_a.clear();
            open_b.clear();
            row = Some(y);
        }
        let (own, others) = match from_a {
            true => (&mut open_a, &mut open_b),
            false => (&mut open_b, &mut open_a),
        };
        others.retain(|&(other_end, _)| other_end > start);
        for &(other_end, other) in others.iter() {
            let pair = if from_a {
                (index, other)
            } else {
                (other, index)
            };
            *both.entry(pair).or_insert(0) += u64::from(end.min(other_end) - start);
        }
        own.retain(|&(own_end, _)| own_end > start);
        own.push((end, index));
        match from_a {
            true => i += 1,
            false => j += 1,
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(places: &[(u32, u32, u32)]) -> Mask {
        let mut mask = Mask::new(200, 100).unwrap();
        for &(x, y, side) in places {
            for row in y..y + side {
                mask.set_row_run(row, x..x + side);
            }
        }
        mask
    }

    #[test]
    fn objects_are_found_missed_and_too_many() {
        let truth = squares(&[(0, 0, 10), (50, 0, 10), (100, 0, 10)]);
        // the first is exact, the second half off, the third missing, and one is invented
        let found = squares(&[(0, 0, 10), (57, 0, 10), (150, 50, 10)]);
        let figures = compare(&found, &truth);
        assert_eq!((figures.found, figures.truth, figures.matched), (3, 3, 1));
        assert!((figures.f1 - 2.0 / 6.0).abs() < 1e-12);
        assert_eq!(figures.matched_dice, Some(1.0));
        // One pair with an IoU of 1, two missed and two too many.
        assert_eq!(figures.matched_iou, Some(1.0));
        assert!((figures.pq - 1.0 / (1.0 + 1.0 + 1.0)).abs() < 1e-12);
        let (_, objects) = match_objects(&Objects::find(&found), &Objects::find(&truth));
        let told = objects.iter().map(|o| (o.area, o.dice, o.matched));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [(100, 1.0, true), (100, 0.3, false), (100, 0.0, false)]
        );
    }

    #[test]
    fn one_large_object_does_not_match_two() {
        let truth = squares(&[(0, 0, 10), (11, 0, 10)]);
        let mut found = truth.clone();
        found.set_row_run(5, 0..21);
        let figures = compare(&found, &truth);
        assert_eq!((figures.found, figures.matched), (1, 0));
        // an object cut into two equal halves, each of exactly half the union, matches once
        let mut halves = truth.clone();
        halves.clear();
        for row in 0..10 {
            halves.set_row_run(row, 0..5);
        }
        assert_eq!(compare(&halves, &squares(&[(0, 0, 10)])).matched, 1);
    }

    #[test]
    fn objects_that_lie_over_each_other_are_compared_one_by_one() {
        let square = |x: u32, side: u32| -> Vec<ftuseg_mask::Run> {
            let run = |y| ftuseg_mask::Run {
                y,
                start: x,
                end: x + side,
            };
            (0..side).map(run).collect()
        };
        // A large object with two small ones in it, against the same and one more.
        let truth = Objects::of_shapes([square(0, 20), square(2, 6), square(10, 6)]);
        let found = Objects::of_shapes([square(10, 6), square(0, 20), square(2, 6), square(40, 3)]);
        let figures = compare_objects(&found, &truth);
        assert_eq!((figures.found, figures.truth, figures.matched), (4, 3, 3));
        assert_eq!(figures.matched_dice, Some(1.0));
        let both = shared(&found, &truth);
        assert_eq!(both.values().sum::<u64>(), 400 + 4 * 36 + 2 * 36);
    }

    #[test]
    fn nothing_agrees_with_nothing() {
        let empty = Mask::new(10, 10).unwrap();
        let figures = compare(&empty, &empty);
        assert_eq!((figures.f1, figures.matched_dice), (1.0, None));
        assert_eq!((figures.pq, figures.matched_iou), (1.0, None));
        let figures = compare(&squares(&[(0, 0, 10)]), &squares(&[(50, 0, 10)]));
        assert_eq!((figures.pq, figures.matched_iou), (0.0, None));
    }
}
