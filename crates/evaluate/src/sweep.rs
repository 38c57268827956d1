//! Which threshold would have been best, organ by organ, and what that is worth on images that did not choose it.

use serde::Serialize;

use super::ImageProblem;
use super::dice_curve::{nearest_step, threshold};
use super::score::{ImageScore, Swept};
use super::statistics::{Estimate, grouped};

/// Fewer images than this choose no threshold for a bundle, whatever they say.
const ENOUGH: usize = 5;

/// What a sweep of the thresholds of one run's models came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Thresholds {
    /// One entry a target that decided images.
    pub targets: Vec<TargetSweep>,
    /// Images with probabilities that no sweep counts, and why.
    pub left_out: Vec<ImageProblem>,
    /// The thresholds as lines for a `bundle.toml`.
    pub toml: String,
}

/// The sweep of one target's threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetSweep {
    /// The target: an organ, or `baseline`, `unet`.
    pub target: String,
    /// Its models in the bundle.
    pub models: Vec<String>,
    /// The threshold that the run used.
    pub used: f64,
    /// What counts for the bundle: its organ, or the mean of the organs' means where it saw several.
    pub overall: Sweep,
    /// By true organ, where it saw several.
    pub organs: Vec<OrganSweep>,
}

/// The sweep on one organ's images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrganSweep {
    /// The true organ; none where the truth does not say.
    pub organ: Option<String>,
    /// The sweep.
    #[serde(flatten)]
    pub sweep: Sweep,
}

/// Mean Dice by threshold, px by px before any clean-up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sweep {
    /// How many images.
    pub n: usize,
    /// Mean Dice at the step (of 1/256) nearest to the threshold that was used.
    pub dice: f64,
    /// The best threshold.
    pub best: f64,
    /// Mean Dice at it. It is optimistic: the same images chose it.
    pub best_dice: f64,
    /// `best_dice` less `dice`; optimistic too, and never below 0.
    pub gain: f64,
    /// The honest figure; none where there are fewer than two images.
    pub leave_one_out: Option<LeaveOneOut>,
    /// Whether the best threshold is worth setting: five images or more chose it, and the interval of the honest gain does
    /// not include 0.
    pub clear_gain: bool,
    /// Threshold and mean Dice, at every fourth step.
    pub curve: Vec<(f64, f64)>,
}

/// Each image at the threshold that all others choose (leave-one-out cross-validation, Stone 1974).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeaveOneOut {
    /// Dice.
    pub dice: Estimate,
    /// Dice less that at the threshold that was used, image by image.
    pub gain: Estimate,
    /// The lowest threshold that was chosen.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

/// What a sweep says of changing a threshold; page and file go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    ClearGain,
    NoClearGain,
    FewImages,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::ClearGain => f.write_str("clear gain"),
            Verdict::NoClearGain => f.write_str("no clear gain"),
            Verdict::FewImages => write!(f, "fewer than {ENOUGH} images"),
        }
    }
}

impl Sweep {
    /// What it says of changing the threshold.
    pub(super) fn verdict(&self) -> Verdict {
        match (self.clear_gain, self.n >= ENOUGH) {
            (true, _) => Verdict::ClearGain,
            (false, true) => Verdict::NoClearGain,
            (false, false) => Verdict::FewImages,
        }
    }
}

/// Curves of the images of each organ.
type Groups<'a> = Vec<(Option<String>, Vec<&'a [f64]>)>;

/// Sweeps the thresholds of one run; none where it has no probabilities.
pub(super) fn sweep(run: &str, images: &[ImageScore], seed: u64) -> Option<Thresholds> {
    let mut left_out = Vec::new();
    // By target, models and threshold, in the order of the images.
    let mut found: Vec<(TargetSweepKey<'_>, Groups<'_>)> = Vec::new();
    for score in images {
        let mut leave = |reason: String| {
            left_out.push(ImageProblem::new(&score.id, reason));
        };
        let (decided, curve) = match &score.swept {
            Swept::Nothing => continue,
            Swept::LeftOut(reason) => {
                leave(reason.clone());
                continue;
            }
            Swept::Curve(decided, curve) => (decided, curve.as_slice()),
        };
        let of_organ = ftuseg_router::Organ::ALL
            .iter()
            .any(|organ| organ.name() == decided.target);
        if of_organ && score.organ.as_ref() != Some(&decided.target) {
            let organ = score.organ.as_deref().unwrap_or("of an unknown organ");
            leave(format!("it is {organ}, but {} decided it", decided.target));
            continue;
        }
        let key = (&decided.target, &decided.models, decided.threshold);
        let at = match found.iter().position(|(other, _)| *other == key) {
            Some(at) => at,
            None => {
                found.push((key, Vec::new()));
                found.len() - 1
            }
        };
        let groups = &mut found[at].1;
        match groups.iter_mut().find(|(organ, _)| *organ == score.organ) {
            Some((_, curves)) => curves.push(curve),
            None => groups.push((score.organ.clone(), vec![curve])),
        }
    }
    if found.is_empty() && left_out.is_empty() {
        return None;
    }
    let place = |organ: &str| {
        ftuseg_router::Organ::ALL
            .iter()
            .position(|o| o.name() == organ)
    };
    let order = |organ: Option<&str>| organ.and_then(place).unwrap_or(usize::MAX);
    found.sort_by_key(|((target, ..), _)| (order(Some(target)), (*target).clone()));
    let targets: Vec<TargetSweep> = found
        .into_iter()
        .map(|((target, models, used), mut groups)| {
            groups.sort_by_key(|(organ, _)| order(organ.as_deref()));
            let known: Vec<&[&[f64]]> = groups
                .iter()
                .filter(|(organ, _)| organ.is_some() || groups.len() == 1)
                .map(|(_, curves)| curves.as_slice())
                .collect();
            TargetSweep {
                target: target.clone(),
                models: models.clone(),
                used,
                overall: one(&known, used, seed),
                organs: match groups.len() {
                    1 => Vec::new(),
                    _ => groups
                        .iter()
                        .map(|(organ, curves)| OrganSweep {
                            organ: organ.clone(),
                            sweep: one(&[curves.as_slice()], used, seed),
                        })
                        .collect(),
                },
            }
        })
        .collect();
    Some(Thresholds {
        toml: toml(run, &targets),
        targets,
        left_out,
    })
}

type TargetSweepKey<'a> = (&'a String, &'a Vec<String>, f64);

/// The sweep of groups of images, each group with the same weight.
fn one(groups: &[&[&[f64]]], used: f64, seed: u64) -> Sweep {
    let used_step = nearest_step(used);
    let sums: Vec<(Vec<f64>, usize)> = groups
        .iter()
        .map(|group| (sum(group), group.len()))
        .collect();
    let mean = mean_curve(&sums, None);
    let best = best_step(&mean, used_step);
    let n = groups.iter().map(|group| group.len()).sum();
    let leave_one_out = (n >= 2).then(|| {
        let mut chosen = Vec::new();
        let mut values: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            let mut of_group = (Vec::new(), Vec::new());
            for curve in *group {
                let step = best_step(&mean_curve(&sums, Some((index, curve))), used_step);
                chosen.push(threshold(step));
                of_group.0.push(curve[step]);
                of_group.1.push(curve[step] - curve[used_step]);
            }
            values.push(of_group);
        }
        let dices: Vec<&[f64]> = values.iter().map(|of_group| &of_group.0[..]).collect();
        let gains: Vec<&[f64]> = values.iter().map(|of_group| &of_group.1[..]).collect();
        Some(LeaveOneOut {
            dice: grouped(&dices, seed)?,
            gain: grouped(&gains, seed)?,
            lowest: chosen.iter().copied().fold(f64::INFINITY, f64::min),
            highest: chosen.iter().copied().fold(0.0, f64::max),
        })
    });
    let leave_one_out = leave_one_out.flatten();
    Sweep {
        n,
        clear_gain: n >= ENOUGH
            && leave_one_out
                .as_ref()
                .is_some_and(|left| left.gain.low > 0.0),
        dice: mean[used_step],
        best: threshold(best),
        best_dice: mean[best],
        gain: mean[best] - mean[used_step],
        leave_one_out,
        curve: (3..mean.len())
            .step_by(4)
            .map(|step| (threshold(step), mean[step]))
            .collect(),
    }
}

fn sum(curves: &[&[f64]]) -> Vec<f64> {
    let mut sum = vec![0.0; super::dice_curve::STEPS];
    for curve in curves {
        sum.iter_mut().zip(*curve).for_each(|(s, v)| *s += v);
    }
    sum
}

/// The mean of the groups' mean curves, from their sums; without one curve of one group, if so wished.
fn mean_curve(sums: &[(Vec<f64>, usize)], without: Option<(usize, &&[f64])>) -> Vec<f64> {
    let mut mean = vec![0.0; super::dice_curve::STEPS];
    let mut groups = 0.0;
    for (index, (sum, n)) in sums.iter().enumerate() {
        let left = without.filter(|(group, _)| *group == index);
        let n = n - usize::from(left.is_some());
        if n == 0 {
            continue;
        }
        groups += 1.0;
        for (step, (mean, sum)) in mean.iter_mut().zip(sum).enumerate() {
            let less = left.map_or(0.0, |(_, curve)| curve[step]);
            *mean += (sum - less) / n as f64;
        }
    }
    mean.iter_mut().for_each(|value| *value /= groups);
    mean
}

/// The step with the highest mean; among equals the one nearest to the step that was used.
fn best_step(mean: &[f64], used: usize) -> usize {
    let highest = mean.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Sums in another order differ in their last bits.
    let best = (0..mean.len()).filter(|&step| mean[step] >= highest - 1e-12);
    best.min_by_key(|step| step.abs_diff(used)).unwrap_or(used)
}

/// The thresholds as lines for a `bundle.toml`. One that is not clearly better on images that did not choose it, or that few
/// images chose, is a comment.
fn toml(run: &str, targets: &[TargetSweep]) -> String {
    let mut text = format!(
        "# Thresholds of the run {}, as found by `ftuseg evaluate`. Set them in the [[model]] of that name.\n",
        toml::Value::from(run)
    );
    for target in targets {
        let sweep = &target.overall;
        let honest = match &sweep.leave_one_out {
            Some(left) => format!(
                "with each image at the threshold the others choose {:.4} (gain {:+.4}, 95 % interval {:+.4} to {:+.4})",
                left.dice.mean, left.gain.mean, left.gain.low, left.gain.high
            ),
            None => "one image cannot show what it is worth on others".to_owned(),
        };
        let verdict = match sweep.verdict() {
            Verdict::ClearGain => String::new(),
            Verdict::NoClearGain => {
                "; no clear gain (the interval includes 0), so left out".to_owned()
            }
            verdict => format!("; {verdict}, so left out"),
        };
        for model in &target.models {
            text += &format!(
                "\n# n = {}: Dice {:.4} at {}, {:.4} at {} (optimistic: chosen on the same images), {honest}{verdict}\n[[model]]\nname = {}\n{}threshold = {}\n",
                sweep.n,
                sweep.dice,
                target.used,
                sweep.best_dice,
                sweep.best,
                toml::Value::from(model.as_str()),
                if sweep.clear_gain { "" } else { "# " },
                sweep.best
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::dice_curve::STEPS;
    use super::super::recorded_route::Decided;
    use super::*;

    /// A curve with its only peak at a step.
    fn peak(step: usize, height: f64) -> Vec<f64> {
        let at = |s: usize| height - s.abs_diff(step) as f64 / 1000.0;
        (0..STEPS).map(at).collect()
    }

    fn score(id: &str, organ: &str, target: &str, curve: Vec<f64>) -> ImageScore {
        let decided = Decided {
            target: target.to_owned(),
            models: vec![format!("{target}-net")],
            threshold: 0.5,
        };
        ImageScore {
            swept: Swept::Curve(decided, curve),
            ..super::super::score::tests::plain(id, Some(organ), 0.5)
        }
    }

    #[test]
    fn the_best_threshold_is_optimistic_and_leaving_one_out_says_so() {
        // Two images that want 0.25 and 0.75: any step between is as good as the other for the mean.
        let images = [
            score("a", "lung", "lung", peak(63, 0.9)),
            score("b", "lung", "lung", peak(191, 0.9)),
        ];
        let found = sweep("r", &images, 1).unwrap();
        let [lung] = &found.targets[..] else {
            panic!("one target")
        };
        assert_eq!((lung.overall.n, lung.overall.best), (2, 0.5));
        assert!(lung.overall.gain.abs() < 1e-12);
        let left = lung.overall.leave_one_out.as_ref().unwrap();
        // Each is judged at what the other one wants.
        assert_eq!((left.lowest, left.highest), (0.25, 0.75));
        assert!((left.dice.mean - (0.9 - 0.128)).abs() < 1e-12);
        assert!((left.gain.mean + 0.064).abs() < 1e-12);
        assert!(found.toml.contains("# threshold = 0.5"), "{}", found.toml);
    }

    #[test]
    fn images_that_agree_have_the_same_gain_left_out_or_not() {
        let images: Vec<ImageScore> = ["a", "b", "c", "d", "e"]
            .map(|id| score(id, "spleen", "spleen", peak(76, 0.8)))
            .into();
        let found = sweep("r", &images, 1).unwrap();
        let overall = &found.targets[0].overall;
        assert_eq!(overall.best, 77.0 / 256.0);
        let left = overall.leave_one_out.as_ref().unwrap();
        assert!((overall.gain - 0.051).abs() < 1e-12);
        assert!((left.gain.mean - overall.gain).abs() < 1e-12);
        let parsed: toml::Table = found.toml.parse().unwrap();
        let few = sweep("r", &images[..4], 1).unwrap();
        assert!(few.toml.contains("# threshold = 0.3"), "{}", few.toml);
        let model = &parsed["model"].as_array().unwrap()[0];
        assert_eq!(model["name"].as_str(), Some("spleen-net"));
        assert_eq!(model["threshold"].as_float(), Some(77.0 / 256.0));
    }

    #[test]
    fn a_gain_whose_interval_includes_0_is_a_comment_and_no_clear_gain() {
        // Six images gain a little at a lower threshold; two lose at it, so that the interval of the gain includes 0.
        let mut images: Vec<ImageScore> = ["a", "b", "c", "d", "e", "f"]
            .map(|id| score(id, "lung", "lung", peak(76, 0.8)))
            .into();
        images.push(score("g", "lung", "lung", peak(230, 0.8)));
        images.push(score("h", "lung", "lung", peak(230, 0.8)));
        let found = sweep("r", &images, 1).unwrap();
        let overall = &found.targets[0].overall;
        let gain = overall.leave_one_out.as_ref().unwrap().gain;
        assert!(gain.mean > 0.0 && gain.low <= 0.0, "{gain:?}");
        assert!(!overall.clear_gain);
        assert_eq!(overall.verdict().to_string(), "no clear gain");
        assert!(found.toml.contains("# threshold = "), "{}", found.toml);
        assert!(
            found
                .toml
                .contains("no clear gain (the interval includes 0), so left out")
        );
        // Where all agree the gain is clear, and the line counts; of four images it does not.
        let clear = &sweep("r", &images[..6], 1).unwrap();
        assert!(clear.targets[0].overall.clear_gain && !clear.toml.contains("# threshold"));
        let few = &sweep("r", &images[..4], 1).unwrap();
        assert_eq!(few.targets[0].overall.verdict(), Verdict::FewImages);
    }

    #[test]
    fn a_single_model_is_swept_over_the_organs_with_equal_weight() {
        let mut images = vec![score("a", "lung", "baseline", peak(200, 0.5))];
        for id in ["b", "c", "d"] {
            images.push(score(id, "kidney", "baseline", peak(100, 0.9)));
        }
        let found = sweep("r", &images, 1).unwrap();
        let baseline = &found.targets[0];
        assert_eq!(baseline.organs.len(), 2);
        assert_eq!(baseline.organs[0].organ.as_deref(), Some("kidney"));
        assert_eq!((baseline.overall.n, baseline.organs[0].sweep.n), (4, 3));
        // With equal weights every step between the peaks is as good; the one in use stays.
        assert_eq!(baseline.overall.best, 0.5);
        assert!(baseline.organs[1].sweep.leave_one_out.is_none());
    }

    #[test]
    fn images_that_another_model_decided_are_named_and_left_out() {
        let images = [
            score("a", "lung", "kidney", peak(9, 0.5)),
            ImageScore {
                swept: Swept::LeftOut("why".into()),
                ..super::super::score::tests::plain("b", None, 0.1)
            },
        ];
        let found = sweep("r", &images, 1).unwrap();
        assert!(found.targets.is_empty());
        let ids: Vec<_> = found.left_out.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        let nothing = [super::super::score::tests::plain("a", Some("lung"), 0.5)];
        assert_eq!(sweep("r", &nothing, 1), None);
    }
}
