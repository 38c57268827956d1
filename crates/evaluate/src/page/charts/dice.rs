//! Dice of every image, organ by organ and run by run: dots, boxes and means.

use super::super::super::Report;
use super::super::super::statistics::percentile;
use super::super::axes::{Axis, Frame};
use super::super::svg::{Anchor, INK, LEGEND_LINE, Of, Svg, colour};
use super::super::words::{number, organ as organ_name};
use super::{Figure, run_names};

const WIDTH: f64 = 760.0;
/// Left of the axis: the organs' names.
const LEFT: f64 = 130.0;
/// Right of it: the numbers of images.
const RIGHT: f64 = 70.0;
/// Height of a run's row.
const ROW: f64 = 24.0;
/// Between organs.
const GAP: f64 = 14.0;
/// Fewer images than this have no box: their dots say more.
const BOX_FROM: usize = 5;

/// The figure; none where no image could be scored.
pub(in super::super) fn dice(report: &Report, organs: &[Option<String>]) -> Option<Figure> {
    if organs.is_empty() {
        return None;
    }
    let legend = match report.runs.len() {
        1 => Vec::new(),
        _ => run_names(report),
    };
    let top = 12.0 + LEGEND_LINE * legend.len() as f64;
    let band = ROW * report.runs.len() as f64 + GAP;
    let area = [LEFT, top, WIDTH - LEFT - RIGHT, band * organs.len() as f64];
    let mut svg = Svg::new(WIDTH, top + area[3] + 44.0);
    svg.legend([LEFT, 12.0], &legend);
    let frame = Frame {
        area,
        across: Axis::fraction(),
        up: Axis::fraction(),
    };
    frame.draw_across(&mut svg, "Dice");
    let mut any_seen = false;
    for (o, organ) in organs.iter().enumerate() {
        let start = top + o as f64 * band;
        let middle = start + band / 2.0 + 4.0;
        svg.text(
            [LEFT - 10.0, middle],
            Anchor::End,
            &organ_name(organ.as_deref()),
        );
        if o > 0 {
            svg.grid([0.0, start], [WIDTH, start]);
        }
        for (r, run) in report.runs.iter().enumerate() {
            let y = start + GAP / 2.0 + ROW * (r as f64 + 0.5);
            let x = |value: f64| frame.at(value, 0.0)[0];
            let own = run.scores.images.iter().filter(|s| s.organ == *organ);
            let own: Vec<_> = own.collect();
            let mut values: Vec<f64> = own.iter().map(|score| score.pixels.dice).collect();
            svg.text(
                [WIDTH - 8.0, y + 4.0],
                Anchor::End,
                &format!("n = {}", values.len()),
            );
            if values.len() >= BOX_FROM {
                let [low, quarter, half, three, high] =
                    [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| x(percentile(&mut values, share)));
                svg.line([low, y], [quarter, y], colour(r), 1.0, "");
                svg.line([three, y], [high, y], colour(r), 1.0, "");
                svg.pale_box([quarter, y - 8.0], [three - quarter, 16.0], colour(r));
                svg.line([half, y - 8.0], [half, y + 8.0], colour(r), 1.5, "");
            }
            for (at, score) in own.iter().enumerate() {
                // Dots of one value lie above each other; the order of the images spreads them.
                let spread = (at * 5 % 11) as f64 - 5.0;
                let is_seen = score.training_image.is_some();
                any_seen |= is_seen;
                let dice = number(Some(score.pixels.dice), 3);
                let title = format!("{}: {dice} ({})", score.id, run.scores.name);
                let of = Of {
                    id: &score.id,
                    run: r,
                };
                let place = [x(score.pixels.dice), y + spread];
                svg.mark(r, place, 3.4, is_seen, Some((of, &title)));
            }
            let mean = run.organs.iter().find(|figures| figures.organ == *organ);
            if let Some(mean) = mean {
                let x = x(mean.figures.dice.mean);
                svg.line([x, y - 11.0], [x, y + 11.0], INK, 2.5, "");
            }
        }
    }
    let mut caption = format!(
        "Dice of every image. Each mark is an image and each black bar a mean. With {BOX_FROM} images or more, a box spans the \
         middle half, with a line at the median and whiskers to the lowest and the highest. Marks are spread vertically \
         so that they do not hide each other."
    );
    if any_seen {
        caption += " Open marks are images that the run's networks have seen in training.";
    }
    Some(Figure {
        name: "dice-per-image".to_owned(),
        caption,
        svg: svg.finish("Dice of every image by organ and run"),
    })
}
