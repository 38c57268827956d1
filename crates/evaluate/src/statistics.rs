//! Means that stand beside their n, medians, and seeded bootstrap intervals.

use serde::Serialize;

/// Bootstrap samples.
pub(super) const ROUNDS: usize = 5000;

/// The mean of some values and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// How many values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their median.
    pub median: f64,
    /// Lower end of the 95 % bootstrap interval of the mean (Efron 1979, percentiles).
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

/// Summarises values; none where there are none.
pub fn summarise(values: &[f64], seed: u64) -> Option<Estimate> {
    grouped(&[values], seed)
}

/// Summarises the mean of the groups' means: a large group counts as much as a small one. Values are drawn again within
/// their groups. Empty groups are left out; none where all are empty. `n` and `median` are those of all values together.
pub fn grouped(groups: &[&[f64]], seed: u64) -> Option<Estimate> {
    let groups: Vec<&[f64]> = groups.iter().copied().filter(|g| !g.is_empty()).collect();
    if groups.is_empty() {
        return None;
    }
    let mut random = SplitMix(seed);
    let mut means: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            mean(
                groups
                    .iter()
                    .map(|group| mean((0..group.len()).map(|_| group[random.below(group.len())]))),
            )
        })
        .collect();
    let mut all: Vec<f64> = groups.iter().flat_map(|g| g.iter().copied()).collect();
    Some(Estimate {
        n: all.len(),
        mean: mean(groups.iter().map(|group| mean(group.iter().copied()))),
        median: percentile(&mut all, 0.5),
        low: percentile(&mut means, 0.025),
        high: percentile(&mut means, 0.975),
    })
}

/// The mean of the groups' means; empty groups are left out, none where all are empty.
pub fn mean_of_groups(groups: &[Vec<f64>]) -> Option<f64> {
    let means: Vec<f64> = groups
        .iter()
        .filter(|group| !group.is_empty())
        .map(|group| mean(group.iter().copied()))
        .collect();
    (!means.is_empty()).then(|| mean(means.iter().copied()))
}

/// A share of many things that come in images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// How many things.
    pub n: usize,
    /// How many of them are meant.
    pub right: usize,
    /// In how many images.
    pub images: usize,
    /// Their share.
    pub share: f64,
    /// Lower end of the 95 % bootstrap interval; whole images are drawn.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

/// The share of all things together, from how many there are in each image, `(meant, all)`. Images without any are left
/// out; none where there are no others.
pub fn ratio(images: &[(usize, usize)], seed: u64) -> Option<Ratio> {
    let images: Vec<(usize, usize)> = images.iter().copied().filter(|i| i.1 > 0).collect();
    if images.is_empty() {
        return None;
    }
    let sum = |drawn: &mut dyn Iterator<Item = (usize, usize)>| {
        drawn.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    };
    let share = |(right, n): (usize, usize)| right as f64 / n as f64;
    let (right, n) = sum(&mut images.iter().copied());
    let mut random = SplitMix(seed);
    let mut shares: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            share(sum(
                &mut (0..images.len()).map(|_| images[random.below(images.len())])
            ))
        })
        .collect();
    Some(Ratio {
        n,
        right,
        images: images.len(),
        share: share((right, n)),
        low: percentile(&mut shares, 0.025),
        high: percentile(&mut shares, 0.975),
    })
}

/// The mean of all values together where values come in images, whose own are alike: whole images are drawn again. `n` and
/// `median` are those of all values; none where there are none.
pub fn clustered(images: &[Vec<f64>], seed: u64) -> Option<Estimate> {
    let mut all: Vec<f64> = images.iter().flatten().copied().collect();
    if all.is_empty() {
        return None;
    }
    let sums: Vec<(f64, usize)> = images
        .iter()
        .filter(|values| !values.is_empty())
        .map(|values| (values.iter().sum(), values.len()))
        .collect();
    let mut random = SplitMix(seed);
    let mut means: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let drawn = (0..sums.len()).map(|_| sums[random.below(sums.len())]);
            let (sum, n) = drawn.fold((0.0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            sum / n as f64
        })
        .collect();
    Some(Estimate {
        n: all.len(),
        mean: mean(all.iter().copied()),
        median: percentile(&mut all, 0.5),
        low: percentile(&mut means, 0.025),
        high: percentile(&mut means, 0.975),
    })
}

/// The 95 % bootstrap interval of a figure of some things (Efron 1979, percentiles): things are drawn again, and the figure is
/// taken of each draw, from the places drawn. Draws that have no such figure are left out; none where fewer than half have one.
pub fn bootstrap(
    things: usize,
    seed: u64,
    figure: impl Fn(&[usize]) -> Option<f64>,
) -> Option<(f64, f64)> {
    let mut random = SplitMix(seed);
    let mut figures: Vec<f64> = (0..if things == 0 { 0 } else { ROUNDS })
        .filter_map(|_| {
            let drawn: Vec<usize> = (0..things).map(|_| random.below(things)).collect();
            figure(&drawn)
        })
        .collect();
    let is_enough = 2 * figures.len() >= ROUNDS;
    is_enough.then(|| {
        (
            percentile(&mut figures, 0.025),
            percentile(&mut figures, 0.975),
        )
    })
}

/// How well pairs of measurements of the same things agree: the intraclass correlation of single measurements for absolute
/// agreement in a two-way model, ICC(A,1) of McGraw and Wong 1996 (ICC(2,1) of Shrout and Fleiss 1979). None of fewer than two
/// pairs, and where nothing varies.
pub fn intraclass_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    if pairs.len() < 2 {
        return None;
    }
    let (one, two) = pairs
        .iter()
        .fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let (one, two) = (one / n, two / n);
    let middle = (one + two) / 2.0;
    // Mean squares between things, between the two ways of measuring, and of what is left.
    let things = 2.0 * sum(pairs, |pair| ((pair.0 + pair.1) / 2.0 - middle).powi(2)) / (n - 1.0);
    let ways = n * ((one - middle).powi(2) + (two - middle).powi(2));
    let all = sum(pairs, |pair| {
        (pair.0 - middle).powi(2) + (pair.1 - middle).powi(2)
    });
    let rest = (all - things * (n - 1.0) - ways).max(0.0) / (n - 1.0);
    let below = things + rest + 2.0 * (ways - rest) / n;
    (below > 0.0).then(|| (things - rest) / below)
}

fn sum(pairs: &[(f64, f64)], value: impl Fn(&(f64, f64)) -> f64) -> f64 {
    pairs.iter().map(value).sum()
}

/// The standard deviation of a sample; none of fewer than two values.
pub fn deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let middle = mean(values.iter().copied());
    let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The mean of some values; none of none.
pub fn plain_mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| mean(values.iter().copied()))
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// The percentile (0..=1) of some values, interpolated between neighbours as NumPy does; changes their order. 0 of none.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let low = at.floor() as usize;
    // Cheaper than sorting, which counts where there is a value for every px of an edge.
    let (_, &mut value, above) = values.select_nth_unstable_by(low, f64::total_cmp);
    let next = above
        .iter()
        .copied()
        .min_by(f64::total_cmp)
        .unwrap_or(value);
    value + (next - value) * (at - low as f64)
}

/// The generator SplitMix64 (Steele et al. 2014). Written here so that a report never changes with a library.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number under `end`; the bias of 2^-64 times `end` is nothing here.
    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(percentile(&mut values, 0.5), 2.5);
        assert!((percentile(&mut values, 0.95) - 3.85).abs() < 1e-12);
        assert_eq!(percentile(&mut values, 1.0), 4.0);
        assert_eq!(percentile(&mut [], 0.5), 0.0);
    }

    #[test]
    fn every_group_has_the_same_weight() {
        let found = grouped(&[&[1.0; 9], &[0.0], &[]], 1).unwrap();
        assert_eq!((found.n, found.mean, found.median), (10, 0.5, 1.0));
        let plain = summarise(&[1.0, 1.0, 1.0, 0.0], 1).unwrap();
        assert_eq!(plain.mean, 0.75);
        assert!(plain.low < 0.75 && 0.75 < plain.high);
        assert_eq!(summarise(&[], 1), None);
    }

    #[test]
    fn a_share_of_things_in_images_draws_images() {
        let found = ratio(&[(10, 10), (0, 0), (0, 30)], 3).unwrap();
        assert_eq!((found.n, found.right, found.images), (40, 10, 2));
        assert_eq!((found.share, found.low, found.high), (0.25, 0.0, 1.0));
        assert_eq!(ratio(&[(0, 0)], 1), None);
        assert_eq!(
            mean_of_groups(&[vec![1.0, 0.0], vec![], vec![1.0]]),
            Some(0.75)
        );
        assert_eq!(mean_of_groups(&[vec![]]), None);
    }

    #[test]
    fn values_of_one_image_are_drawn_together() {
        let images = [vec![1.0; 90], vec![0.0; 10], vec![]];
        let found = clustered(&images, 5).unwrap();
        assert_eq!((found.n, found.mean, found.median), (100, 0.9, 1.0));
        // Two images, of which one alone may be drawn.
        assert_eq!((found.low, found.high), (0.0, 1.0));
        assert_eq!(clustered(&[vec![]], 5), None);
        assert_eq!(deviation(&[1.0, 3.0]), Some(2.0_f64.sqrt()));
        assert_eq!((deviation(&[1.0]), plain_mean(&[])), (None, None));
    }

    #[test]
    fn intraclass_correlations_are_those_of_shrout_and_fleiss() {
        // The first and the third judge of Shrout and Fleiss 1979, table 2: mean squares 4.6 between targets, 33.333 between
        // judges, 0.733 of what is left.
        let pairs = [
            (9.0, 5.0),
            (6.0, 3.0),
            (8.0, 6.0),
            (7.0, 2.0),
            (10.0, 6.0),
            (6.0, 4.0),
        ];
        let found = intraclass_correlation(&pairs).unwrap();
        assert!((found - 0.238_683_128).abs() < 1e-8, "{found}");
        let same = [(1.0, 1.0), (2.0, 2.0), (5.0, 5.0)];
        assert_eq!(intraclass_correlation(&same), Some(1.0));
        // A constant bias is no agreement, though the correlation is 1.
        let biased = same.map(|(one, two)| (one + 10.0, two));
        assert!(intraclass_correlation(&biased).unwrap() < 0.1);
        for none in [&[][..], &[(1.0, 2.0)], &[(1.0, 1.0), (1.0, 1.0)]] {
            assert_eq!(intraclass_correlation(none), None);
        }
        let of = |drawn: &[usize]| {
            let drawn: Vec<_> = drawn.iter().map(|&place| pairs[place]).collect();
            intraclass_correlation(&drawn)
        };
        let (low, high) = bootstrap(pairs.len(), 1, of).unwrap();
        assert!(low < found && found < high);
        assert_eq!(bootstrap(pairs.len(), 1, of), Some((low, high)));
        assert_eq!(bootstrap(0, 1, of), None);
        assert_eq!(bootstrap(4, 1, |_| None), None);
    }

    #[test]
    fn an_interval_is_that_of_the_normal_approximation_and_the_same_every_time() {
        // 0..=1 evenly: a standard deviation of 0.2887 over the root of 401
        let values: Vec<f64> = (0..=400).map(|i| f64::from(i) / 400.0).collect();
        let found = summarise(&values, 7).unwrap();
        let half = 1.96 * 0.2894 / 401f64.sqrt();
        assert!(((found.high - found.mean) / half - 1.0).abs() < 0.1);
        assert_eq!(Some(found), summarise(&values, 7));
    }
}
