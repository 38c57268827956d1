//! Dice of the truth's objects against their size.

use super::super::super::Report;
use super::super::super::object_size::all_objects;
use super::super::axes::{Axis, Frame};
use super::super::svg::{LEGEND_LINE, Svg, colour};
use super::super::words::units;
use super::{Figure, run_names};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 280.0;
/// Objects that are drawn one by one; of more, every second, third and so on.
const DOTS: usize = 1200;

/// The figure; none where the truth has no objects.
pub(in super::super) fn object_size(report: &Report) -> Option<Figure> {
    let sizes: Vec<_> = report
        .runs
        .iter()
        .map(|run| run.object_sizes.as_ref())
        .collect();
    let unit = sizes.iter().flatten().next()?.unit;
    // Sizes in different units do not lie on one axis.
    let shown = |run: usize| sizes[run].filter(|sizes| sizes.unit == unit);
    let legend = match report.runs.len() {
        1 => Vec::new(),
        _ => run_names(report),
    };
    let top = 12.0 + LEGEND_LINE * legend.len() as f64;
    let mut svg = Svg::new(WIDTH, top + HEIGHT + 44.0);
    svg.legend([70.0, 12.0], &legend);
    let runs: Vec<usize> = (0..report.runs.len())
        .filter(|&run| shown(run).is_some())
        .collect();
    let areas = runs.iter().filter_map(|&run| shown(run));
    let areas = areas.flat_map(|sizes| sizes.classes.iter().flat_map(|c| [c.from, c.to]));
    let frame = Frame {
        area: [70.0, top, WIDTH - 90.0, HEIGHT],
        across: Axis::logarithmic(areas),
        up: Axis::fraction(),
    };
    frame.draw(
        &mut svg,
        &units(&format!("area of the true object, {unit}")),
        "Dice",
    );
    let mut left_out = false;
    for &run in &runs {
        let (objects, _) = all_objects(&report.runs[run].scores.images);
        let step = objects.len().div_ceil(DOTS).max(1);
        left_out |= step > 1;
        for object in objects.iter().step_by(step) {
            svg.speck(frame.at(object.area, object.dice), colour(run));
        }
    }
    for (run, sizes) in runs.iter().filter_map(|&run| Some((run, shown(run)?))) {
        let middle = sizes
            .classes
            .iter()
            .map(|c| frame.at(c.median, c.dice.mean));
        svg.path(&middle.collect::<Vec<_>>(), colour(run), 1.5);
        for class in &sizes.classes {
            let [low, high] = [class.dice.low, class.dice.high].map(|y| frame.at(class.median, y));
            svg.line(low, high, colour(run), 1.5, "");
            let place = frame.at(class.median, class.dice.mean);
            svg.mark(run, place, 5.0, false, None);
        }
    }
    let few = match left_out {
        true => format!(" Of runs with more than {DOTS} objects, only some are drawn as dots."),
        false => String::new(),
    };
    Some(Figure {
        name: "dice-by-object-size".to_owned(),
        caption: format!(
            "Dice of each true object with the found object that fits it best (0 where none touches it), by its area. Each \
             dot is an object. The marks are means of classes with about as many objects each, with 95 % bootstrap \
             intervals that draw whole images.{few}"
        ),
        svg: svg.finish("Dice of the true objects against their size"),
    })
}
