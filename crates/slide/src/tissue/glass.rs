//! Measures the colour of the glass.

use super::classify::Part;

/// Most that neighbours on glass differ by, grey levels: noise of a camera.
const NOISE: u8 = 8;

/// The colour of the glass: for each channel the 95th percentile of what is bright, or else of what is flat and has
/// no colour of a stain; none where neither is.
pub(super) fn colour(rgb: &[u8], part: &Part) -> Option<[u8; 3]> {
    let all = part.len();
    // Glass is bright in all channels.
    let bright = Histogram::of(part.px(rgb).filter(|p| p.iter().all(|&v| v >= 190)));
    if bright.all > 0 && bright.all >= all / 200 {
        return Some(bright.high());
    }
    // Or it is tinted or dim. Tissue is never so flat, and its stains take green first.
    let (mut like_glass, mut flat) = (0, Histogram::default());
    for [p, right, below] in part.neighbours(rgb) {
        if p.iter().all(|&v| v >= 140) && !takes_green(p) {
            like_glass += 1;
            let near = |other: &[u8]| p.iter().zip(other).all(|(&a, &b)| a.abs_diff(b) <= NOISE);
            if near(right) && near(below) {
                flat.add(p);
            }
        }
    }
    (flat.all * 5 >= like_glass * 4 && flat.all > 0 && flat.all >= all / 20).then(|| flat.high())
}

/// Whether less green is left than of red and blue, as in all tissue that is stained red, violet or purple.
fn takes_green(p: &[u8]) -> bool {
    let [red, green, blue] = [p[0], p[1], p[2]].map(i32::from);
    2 * green < red + blue - 12
}

/// Whether the scanned part is bright and of one colour, so that nobody would look for tissue there.
pub(super) fn is_blank(rgb: &[u8], part: &Part) -> bool {
    let all = Histogram::of(part.px(rgb));
    let middle = all.quantile(all.all.div_ceil(2));
    let differs = |p: &&[u8]| p.iter().zip(middle).any(|(&v, m)| v.abs_diff(m) > 30);
    middle.iter().all(|&v| v >= 140) && part.px(rgb).filter(differs).count() * 1000 < all.all.max(1)
}

/// Light that no stained slide is seen in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Light {
    /// This share of the picture is black.
    Dark(f64),
    /// No px has a colour.
    Grey,
}

/// Whether the scanned part is mostly black, or grey all over; frames and pens alone make neither.
pub(super) fn light(rgb: &[u8], part: &Part) -> Option<Light> {
    let all = part.px(rgb).count();
    let black = part.px(rgb).filter(|p| p.iter().all(|&v| v < 32)).count();
    if black * 2 > all {
        return Some(Light::Dark(black as f64 / all as f64));
    }
    // Rounding makes a little colour of grey.
    let is_grey = |p: &[u8]| p.iter().all(|&v| v.abs_diff(p[0]) <= 2);
    (all > 0 && part.px(rgb).all(is_grey)).then_some(Light::Grey)
}

/// How often each value is there, channel by channel.
struct Histogram {
    counts: [[usize; 256]; 3],
    all: usize,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: [[0; 256]; 3],
            all: 0,
        }
    }
}

impl Histogram {
    fn of<'a>(px: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut histogram = Histogram::default();
        px.for_each(|p| histogram.add(p));
        histogram
    }

    fn add(&mut self, p: &[u8]) {
        self.all += 1;
        for (count, &v) in self.counts.iter_mut().zip(p) {
            count[usize::from(v)] += 1;
        }
    }

    /// The 95th percentile.
    fn high(&self) -> [u8; 3] {
        self.quantile(self.all.div_ceil(20))
    }

    /// For each channel the largest value that at least so many px have or exceed.
    fn quantile(&self, wanted: usize) -> [u8; 3] {
        self.counts.map(|count| {
            let mut above = 0;
            for value in (0..=255_u8).rev() {
                above += count[usize::from(value)];
                if above >= wanted {
                    return value;
                }
            }
            255
        })
    }
}
