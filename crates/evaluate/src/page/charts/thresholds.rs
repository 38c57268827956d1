//! Mean Dice by threshold.

use super::super::super::Sweep;
use super::super::axes::{Axis, Frame};
use super::super::svg::{LEGEND_LINE, Svg, colour};
use super::super::words::clipped;
use super::{Figure, LEGEND_LETTERS};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 260.0;

/// A curve: its name, its sweep and the threshold in use.
pub(in super::super) type Curve<'a> = (String, &'a Sweep, f64);

/// The figure of one run.
pub(in super::super) fn thresholds(curves: &[Curve<'_>], run: usize, name: &str) -> Figure {
    let names: Vec<String> = curves
        .iter()
        .map(|(name, ..)| clipped(name, LEGEND_LETTERS))
        .collect();
    let top = 12.0 + LEGEND_LINE * names.len() as f64;
    let mut svg = Svg::new(WIDTH + 90.0, top + HEIGHT + 44.0);
    svg.legend([70.0, 12.0], &names);
    let frame = Frame {
        area: [70.0, top, WIDTH, HEIGHT],
        across: Axis::fraction(),
        up: Axis::fraction(),
    };
    frame.draw(&mut svg, "threshold", "mean Dice");
    for (at, (_, sweep, used)) in curves.iter().enumerate() {
        let places: Vec<[f64; 2]> = sweep
            .curve
            .iter()
            .map(|&(t, dice)| frame.at(t, dice))
            .collect();
        svg.path(&places, colour(at), 1.8);
        svg.mark(at, frame.at(*used, sweep.dice), 5.0, true, None);
        svg.mark(at, frame.at(sweep.best, sweep.best_dice), 5.0, false, None);
    }
    Figure {
        name: format!("thresholds-{run}"),
        caption: format!(
            "{name}: mean Dice by threshold. An open mark is the threshold in use, a filled one the best on these images."
        ),
        svg: svg.finish("Mean Dice by threshold"),
    }
}
