//! The frame of a chart: where a value lies on the paper, and the ticks that say so.

use super::svg::{Anchor, INK, Svg};
use super::words::number;

/// The most ticks that an axis has.
const TICKS: f64 = 6.0;

/// How an axis counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// Evenly.
    Even,
    /// By factors.
    Logarithmic,
}

/// One axis.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
    /// Places of the ticks and what is written there.
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From 0 to 1, as Dice and probabilities are.
    pub fn fraction() -> Self {
        Axis::even(0.0, 1.0)
    }

    /// An even axis over some values; ends are moved out to the next ticks.
    pub fn over(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = ends(values);
        match low < high {
            true => Axis::even(low, high),
            false => Axis::even(low - 1.0, high + 1.0),
        }
    }

    fn even(low: f64, high: f64) -> Self {
        let step = nice_step((high - low) / TICKS);
        // Large numbers in thousands or millions: the room beside an axis is small.
        let (unit, letter) = match low.abs().max(high.abs()) {
            most if most >= 1e7 => (1e6, "M"),
            most if most >= 1e4 => (1e3, "k"),
            _ => (1.0, ""),
        };
        let places = (-(step / unit).log10().floor()).max(0.0) as usize;
        let first = (low / step + 1e-9).floor() as i64;
        let last = (high / step - 1e-9).ceil() as i64;
        let ticks: Vec<(f64, String)> = (first..=last)
            .map(|at| at as f64 * step)
            .map(|value| match value == 0.0 {
                true => (value, "0".to_owned()),
                false => (value, number(Some(value / unit), places) + letter),
            })
            .collect();
        Axis {
            low: first as f64 * step,
            high: last as f64 * step,
            scale: Scale::Even,
            ticks,
        }
    }

    /// A logarithmic axis over values above 0.
    pub fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = ends(values.filter(|value| *value > 0.0));
        let (low, high) = match high > 0.0 {
            true => (low * 0.8, high * 1.25),
            false => (1.0, 10.0),
        };
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let all = (first..=last)
            .flat_map(|power| [1.0, 2.0, 5.0].map(|part| part * 10_f64.powi(power)))
            .filter(|value| (low..=high).contains(value));
        let all: Vec<f64> = all.collect();
        // Over many powers of ten these alone are enough.
        let few = all.len() as f64 <= TICKS * 1.5;
        let is_power = |value: &f64| (value.log10() - value.log10().round()).abs() < 1e-9;
        let ticks = all.iter().filter(|value| few || is_power(value));
        let ticks = ticks.map(|&value| (value, plain(value))).collect();
        Axis {
            low,
            high,
            scale: Scale::Logarithmic,
            ticks,
        }
    }

    /// How far along the axis a value lies, 0..=1 within it.
    fn along(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Even => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }
}

/// The least and the greatest of some values, 0 and 0 of none.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let found = values.fold(None, |ends: Option<(f64, f64)>, value| {
        let (low, high) = ends.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    });
    found.unwrap_or((0.0, 0.0))
}

/// The next of 1, 2, 5 times a power of ten.
fn nice_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|f| f * power >= step * 0.999);
    factor.unwrap_or(10.0) * power
}

/// A large number with its thousands apart, a small one with as many decimals as it needs.
fn plain(value: f64) -> String {
    if value < 1.0 {
        return number(Some(value), (-value.log10().floor()) as usize);
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The part of the paper that a chart takes, with its axes.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Left, top, width and height of what lies between the axes.
    pub area: [f64; 4],
    /// The axis along the bottom.
    pub across: Axis,
    /// The axis along the left side.
    pub up: Axis,
}

impl Frame {
    /// Where a pair of values lies.
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        let [left, top, width, height] = self.area;
        [
            left + self.across.along(x) * width,
            top + (1.0 - self.up.along(y)) * height,
        ]
    }

    /// Draws the axis along the bottom with its ticks and name.
    pub fn draw_across(&self, svg: &mut Svg, across: &str) {
        let [left, top, width, height] = self.area;
        for (value, text) in &self.across.ticks {
            let x = self.at(*value, self.up.low)[0];
            svg.grid([x, top], [x, top + height]);
            svg.text([x, top + height + 16.0], Anchor::Middle, text);
        }
        svg.line(
            [left, top + height],
            [left + width, top + height],
            INK,
            1.0,
            "",
        );
        svg.text(
            [left + width / 2.0, top + height + 34.0],
            Anchor::Middle,
            across,
        );
    }

    /// Draws both axes with their ticks and names.
    pub fn draw(&self, svg: &mut Svg, across: &str, up: &str) {
        let [left, top, width, height] = self.area;
        for (value, text) in &self.up.ticks {
            let y = self.at(self.across.low, *value)[1];
            svg.grid([left, y], [left + width, y]);
            svg.text([left - 6.0, y + 4.0], Anchor::End, text);
        }
        self.draw_across(svg, across);
        svg.line([left, top], [left, top + height], INK, 1.0, "");
        svg.upwards([left - 48.0, top + height / 2.0], up);
    }

    /// The line on which both values are the same.
    pub fn identity(&self, svg: &mut Svg) {
        let low = self.across.low.max(self.up.low);
        let high = self.across.high.min(self.up.high);
        svg.line(self.at(low, low), self.at(high, high), INK, 1.0, "5 4");
    }

    /// A level line over the whole width.
    pub fn level(&self, svg: &mut Svg, value: f64, dash: &str) {
        let ends = [self.across.low, self.across.high].map(|x| self.at(x, value));
        svg.line(ends[0], ends[1], INK, 1.2, dash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_numbers_and_hold_all_values() {
        assert_eq!(
            told(&Axis::fraction()),
            ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        let axis = Axis::over([-3.0, 17.0].into_iter());
        assert_eq!(told(&axis), ["\u{2212}5", "0", "5", "10", "15", "20"]);
        assert!(axis.low <= -3.0 && axis.high >= 17.0);
        // One value, or none, has an axis too.
        assert_eq!(told(&Axis::over([2.0].into_iter())).len(), 5);
        assert!(Axis::over(std::iter::empty()).ticks.len() > 2);
        let large = Axis::over([0.0, 70_000.0].into_iter());
        assert_eq!(told(&large)[1], "20k");
        let small = Axis::over([0.0, 0.013].into_iter());
        assert_eq!(small.ticks[1].1, "0.005");
    }

    #[test]
    fn a_logarithmic_axis_counts_by_factors() {
        let axis = Axis::logarithmic([100.0, 2000.0].into_iter());
        assert_eq!(told(&axis), ["100", "200", "500", "1,000", "2,000"]);
        let frame = Frame {
            area: [0.0, 0.0, 100.0, 100.0],
            across: axis,
            up: Axis::fraction(),
        };
        let x = |value: f64| frame.at(value, 0.0)[0];
        assert!((x(200.0) - x(100.0) - (x(400.0) - x(200.0))).abs() < 1e-9);
        assert_eq!(frame.at(100.0, 1.0)[1], 0.0);
        let wide = Axis::logarithmic([1.0, 1e7].into_iter());
        assert_eq!(told(&wide)[..3], ["1", "10", "100"]);
        // Nothing above 0 is no reason to stop.
        assert!(Axis::logarithmic([0.0].into_iter()).ticks.len() < 30);
    }
}
