//! Finds tissue that differs too little from the glass for a fixed limit, but stands out against it.
//!
//! Otsu's limit splits what is not clearly stained in two. The darker part is tissue only if the two are far apart for
//! their spread, if there is an edge between them, and if it is no handful of px: glass in uneven light, noise and dust
//! are none of that.

use super::around;
use super::classify::Part;

/// Scores run from 0 to this; what has it or more is clearly stained.
const STRONG: usize = 64;
/// The most that one px may count, so that a grain of dust is no patch of tissue after smoothing.
const MOST_LOST: i32 = 60;
/// The least difference of colour, or else of brightness, between pale tissue and glass, grey levels.
const LEAST_COLOUR: f64 = 6.0;
const LEAST_DARKER: f64 = 16.0;
/// The least part of all variance that lies between the two classes. One class of noise, cut in two, has 0.64.
const LEAST_APART: f64 = 0.7;
/// The least step over the edge, as a part of the difference of the classes.
const LEAST_STEP: f64 = 0.5;
/// Px to each side of an edge between which the step is measured: beyond what smoothing mixes.
const REACH: usize = 4;
/// The least part of the scanned px.
const LEAST_SHARE: f64 = 0.001;
/// Px around which a hole or a thread is too narrow for smoothed px to tell.
const NARROW: usize = 3;

/// The part of the view that is pale tissue, if there is any. `is_out` are px that can be none: ink, void, their rims.
pub(super) fn find(
    rgb: &[u8],
    glass: [u8; 3],
    part: &Part,
    mut is_out: Vec<bool>,
) -> Option<Vec<bool>> {
    let (width, height) = (part.width, rgb.len() / 3 / part.width);
    part.set_outside(&mut is_out);
    let lost: [Vec<i16>; 3] = std::array::from_fn(|c| smooth(rgb, c, glass[c], width));
    let scores: Vec<u8> = (0..width * height)
        .map(|at| {
            let of = [lost[0][at], lost[1][at], lost[2][at]];
            let darkest = of.into_iter().max().unwrap_or(0);
            let lightest = of.into_iter().min().unwrap_or(0);
            (2 * darkest - lightest).clamp(0, STRONG as i16) as u8
        })
        .collect();
    let view = View {
        width,
        lost,
        in_doubt: in_doubt(&scores, &is_out, width, height),
        scores,
    };
    let scanned = part.len() as f64 * LEAST_SHARE;
    let mut found = None;
    let mut upper = STRONG;
    // Below pale tissue there can be paler.
    for _ in 0..3 {
        let Some(limit) = view.split(upper) else {
            break;
        };
        let mut map: Vec<bool> = view
            .scores
            .iter()
            .zip(&is_out)
            .map(|(&score, &out)| usize::from(score) >= limit && !out)
            .collect();
        map = opened(&map, width, height);
        if (map.iter().filter(|&&t| t).count() as f64) < scanned {
            break;
        }
        found = Some(map);
        upper = limit;
    }
    found
}

/// What the limit is looked for on.
struct View {
    width: usize,
    lost: [Vec<i16>; 3],
    scores: Vec<u8>,
    /// Px that are neither out nor clearly stained nor near either.
    in_doubt: Vec<bool>,
}

impl View {
    /// The limit below `upper` that splits tissue from glass, if there are both.
    fn split(&self, upper: usize) -> Option<usize> {
        let mut counts = [0_u64; STRONG];
        for at in self.doubtful(upper) {
            counts[usize::from(self.scores[at])] += 1;
        }
        let (limit, apart) = otsu(&counts[..upper])?;
        let means = self.means(upper, limit)?;
        let more = |c: usize| means[1][c] - means[0][c];
        let darkest = more(0).max(more(1)).max(more(2));
        let lightest = more(0).min(more(1)).min(more(2));
        let contrast = darkest - lightest >= LEAST_COLOUR || darkest >= LEAST_DARKER;
        let step = self.step(upper, limit)?;
        let wanted = LEAST_STEP * (means[1][3] - means[0][3]);
        (darkest > 0.0 && contrast && apart >= LEAST_APART && step >= wanted).then_some(limit)
    }

    fn doubtful(&self, upper: usize) -> impl Iterator<Item = usize> {
        (0..self.scores.len())
            .filter(move |&at| self.in_doubt[at] && usize::from(self.scores[at]) < upper)
    }

    /// The means of both classes: what the three colours lost, and the score.
    fn means(&self, upper: usize, limit: usize) -> Option<[[f64; 4]; 2]> {
        let mut sums = [[0_i64; 4]; 2];
        let mut counts = [0_i64; 2];
        for at in self.doubtful(upper) {
            let class = usize::from(usize::from(self.scores[at]) >= limit);
            counts[class] += 1;
            for (sum, lost) in sums[class].iter_mut().zip(&self.lost) {
                *sum += i64::from(lost[at]);
            }
            sums[class][3] += i64::from(self.scores[at]);
        }
        let mean = |class: usize| sums[class].map(|sum| sum as f64 / counts[class] as f64);
        counts
            .iter()
            .all(|&count| count > 0)
            .then(|| [mean(0), mean(1)])
    }

    /// How much the score changes on average where the classes meet.
    fn step(&self, upper: usize, limit: usize) -> Option<f64> {
        let height = self.scores.len() / self.width;
        let known = |at: usize| self.in_doubt[at] && usize::from(self.scores[at]) < upper;
        let (mut sum, mut edges) = (0_i64, 0_i64);
        let mut look = |[far_low, low, high, far_high]: [usize; 4]| {
            let [one, other] = [low, high].map(|at| usize::from(self.scores[at]) >= limit);
            if one != other && [far_low, low, high, far_high].into_iter().all(known) {
                let change = i64::from(self.scores[far_high]) - i64::from(self.scores[far_low]);
                sum += if other { change } else { -change };
                edges += 1;
            }
        };
        for y in 0..height {
            for x in REACH..self.width.saturating_sub(REACH + 1) {
                let at = y * self.width + x;
                look([at - REACH, at, at + 1, at + 1 + REACH]);
            }
        }
        let row = self.width;
        for y in REACH..height.saturating_sub(REACH + 1) {
            for at in y * row..(y + 1) * row {
                look([at - REACH * row, at, at + row, at + (1 + REACH) * row]);
            }
        }
        (edges > 0).then(|| sum as f64 / edges as f64)
    }
}

/// The mean of what a channel lost to the glass over 5 x 5 px.
fn smooth(rgb: &[u8], channel: usize, glass: u8, width: usize) -> Vec<i16> {
    const RADIUS: usize = 2;
    let height = rgb.len() / 3 / width;
    let lost = |at: usize| {
        let lost = i32::from(glass) - i32::from(rgb[at * 3 + channel]);
        lost.clamp(-MOST_LOST, MOST_LOST) as i16
    };
    let span = |at: usize, length: usize| at.saturating_sub(RADIUS)..(at + RADIUS + 1).min(length);
    let mut across = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            across.push(span(x, width).map(|x| lost(y * width + x)).sum::<i16>());
        }
    }
    let mut out = Vec::with_capacity(width * height);
    for y in 0..height {
        let rows = span(y, height);
        for x in 0..width {
            let all = (rows.len() * span(x, width).len()) as i16;
            let sum: i16 = rows.clone().map(|y| across[y * width + x]).sum();
            out.push(sum.div_euclid(all));
        }
    }
    out
}

/// Px that are neither out nor clearly stained nor near what is.
fn in_doubt(scores: &[u8], is_out: &[bool], width: usize, height: usize) -> Vec<bool> {
    let strong: Vec<bool> = scores.iter().map(|&s| usize::from(s) >= STRONG).collect();
    let near = around(&strong, width, height, 4, |strong, _| strong > 0);
    near.iter()
        .zip(is_out)
        .map(|(&near, &out)| !near && !out)
        .collect()
}

/// Without the parts that are narrower than `2 * NARROW + 1` px.
fn opened(map: &[bool], width: usize, height: usize) -> Vec<bool> {
    let core = around(map, width, height, NARROW, |tissue, all| tissue == all);
    around(&core, width, height, NARROW, |tissue, _| tissue > 0)
}

/// Otsu's limit (the first count of the upper class), and which part of the variance lies between the classes.
fn otsu(counts: &[u64]) -> Option<(usize, f64)> {
    let all: u64 = counts.iter().sum();
    let weighted = |power: i32| -> f64 {
        let values = counts.iter().enumerate();
        values
            .map(|(value, &count)| count as f64 * (value as f64).powi(power))
            .sum()
    };
    let (sum, squares) = (weighted(1), weighted(2));
    let variance = squares / all as f64 - (sum / all as f64).powi(2);
    if all == 0 || variance <= 0.0 {
        return None;
    }
    let (mut below, mut sum_below) = (0_u64, 0.0);
    let mut best = None;
    for limit in 1..counts.len() {
        below += counts[limit - 1];
        sum_below += counts[limit - 1] as f64 * (limit - 1) as f64;
        let above = all - below;
        if below == 0 || above == 0 {
            continue;
        }
        let means = (sum_below / below as f64, (sum - sum_below) / above as f64);
        let weight = below as f64 * above as f64 / (all as f64).powi(2);
        let apart = weight * (means.1 - means.0).powi(2) / variance;
        if best.is_none_or(|(_, most)| apart > most) {
            best = Some((limit, apart));
        }
    }
    // In a gap between the classes all limits are as good: the middle of it.
    let (first, apart) = best?;
    let gap = counts[first..]
        .iter()
        .take_while(|&&count| count == 0)
        .count();
    Some((first + gap / 2, apart))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn otsu_finds_the_gap_and_says_how_far_apart() {
        let mut counts = [0; 20];
        assert_eq!(otsu(&counts), None);
        (counts[2], counts[14]) = (70, 30);
        let (limit, apart) = otsu(&counts).unwrap();
        assert_eq!((limit, (apart * 100.0).round()), (8, 100.0));
        // One broad class is not two.
        let (_, apart) = otsu(&[10; 20]).unwrap();
        assert!(apart < 0.76, "{apart}");
    }
}
