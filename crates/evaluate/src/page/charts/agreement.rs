//! A run's counts or areas against the truth's: scatter plot and Bland-Altman plot side by side.

use super::super::super::RunReport;
use super::super::super::agreement::{Limits, Pair};
use super::super::super::score::ImageScore;
use super::super::axes::{Axis, Frame};
use super::super::svg::{Anchor, Of, Svg};
use super::super::words::{number, organ as organ_name, signed, units};
use super::Figure;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 250.0;
/// Width of one plot.
const PLOT: f64 = 260.0;
/// Left edges of the two plots.
const LEFT: [f64; 2] = [70.0, 410.0];
/// Width of an organ's entry in the legend.
const ENTRY: f64 = 125.0;

/// What is compared.
pub(in super::super) struct Quantity<'a> {
    /// The stem of the figure's files.
    pub name: String,
    /// What it is called.
    pub title: &'a str,
    /// Its unit; empty for a count.
    pub unit: &'a str,
    /// Found and true value of an image; none for an image that has none.
    pub value: &'a dyn Fn(&ImageScore) -> Option<Pair>,
    /// Bias and limits over all images.
    pub limits: Limits,
    /// Decimals to show.
    pub places: usize,
}

impl Quantity<'_> {
    /// Its name with its unit.
    pub fn axis(&self) -> String {
        match self.unit {
            "" => self.title.to_owned(),
            unit => units(&format!("{}, {unit}", self.title)),
        }
    }
}

/// The figure of one run.
pub(in super::super) fn agreement(
    run: &RunReport,
    number_of_run: usize,
    organs: &[Option<String>],
    quantity: &Quantity<'_>,
) -> Figure {
    let images = &run.scores.images;
    let known: Vec<(&ImageScore, Pair)> = images
        .iter()
        .filter_map(|score| Some((score, (quantity.value)(score)?)))
        .collect();
    let pairs: Vec<Pair> = known.iter().map(|(_, pair)| *pair).collect();
    let (title, axis) = (quantity.title, quantity.axis());
    let unit = match quantity.unit {
        "" => String::new(),
        unit => format!(" in {}", units(unit)),
    };
    let both = || pairs.iter().flat_map(|pair| [pair.0, pair.1]).chain([0.0]);
    let frame = |plot: usize, across: Axis, up: Axis| Frame {
        area: [LEFT[plot], 30.0, PLOT, HEIGHT],
        across,
        up,
    };
    let scatter = frame(0, Axis::over(both()), Axis::over(both()));
    let Limits {
        n, bias, low, high, ..
    } = quantity.limits;
    let lines = [Some(bias), low, high];
    let differences = pairs.iter().map(|pair| pair.0 - pair.1);
    let altman = frame(
        1,
        Axis::over(
            pairs
                .iter()
                .map(|pair| (pair.0 + pair.1) / 2.0)
                .chain([0.0]),
        ),
        Axis::over(differences.chain(lines.into_iter().flatten()).chain([0.0])),
    );
    let mut svg = Svg::new(WIDTH, 30.0 + HEIGHT + 44.0);
    for (at, organ) in organs.iter().enumerate() {
        let x = LEFT[0] + at as f64 * ENTRY;
        svg.mark(at, [x, 12.0], 4.5, false, None);
        svg.text(
            [x + 10.0, 16.0],
            Anchor::Start,
            &organ_name(organ.as_deref()),
        );
    }
    scatter.draw(&mut svg, &format!("true {axis}"), &format!("found {axis}"));
    scatter.identity(&mut svg);
    altman.draw(&mut svg, "mean of found and true", "found − true");
    altman.level(&mut svg, bias, "");
    for limit in [low, high].into_iter().flatten() {
        altman.level(&mut svg, limit, "5 4");
    }
    // Beside the lines and one over the other, however near the lines are.
    let mut above = f64::NEG_INFINITY;
    for (word, value) in [
        ("+1.96 SD", high),
        ("bias", Some(bias)),
        ("\u{2212}1.96 SD", low),
    ] {
        let Some(value) = value else { continue };
        let y = altman.at(0.0, value)[1].max(above + 28.0);
        above = y;
        let x = LEFT[1] + PLOT + 4.0;
        svg.text([x, y - 2.0], Anchor::Start, word);
        svg.text(
            [x, y + 11.0],
            Anchor::Start,
            &signed(Some(value), quantity.places),
        );
    }
    for (score, (found, truth)) in &known {
        let organ = organs.iter().position(|organ| *organ == score.organ);
        let form = organ.unwrap_or(organs.len());
        let values = [found, truth].map(|value| number(Some(*value), quantity.places));
        let words = format!("{}: found {}, true {}", score.id, values[0], values[1]);
        let of = Of {
            id: &score.id,
            run: number_of_run,
        };
        let is_seen = score.training_image.is_some();
        for place in [
            scatter.at(*truth, *found),
            altman.at((found + truth) / 2.0, found - truth),
        ] {
            svg.mark(form, place, 3.8, is_seen, Some((of, &words)));
        }
    }
    let limits = match (low, high) {
        (Some(low), Some(high)) => format!(
            ", 95 % limits of agreement {} to {}",
            signed(Some(low), quantity.places),
            signed(Some(high), quantity.places)
        ),
        _ => String::new(),
    };
    Figure {
        name: quantity.name.clone(),
        caption: format!(
            "{}: {title}{unit}, found against true (left; equal on the dashed line), and Bland-Altman plot (right): bias \
             {}{limits}, n = {n}.",
            run.scores.name,
            signed(Some(bias), quantity.places),
        ),
        svg: svg.finish(&format!(
            "Found and true {title}: scatter plot and Bland-Altman plot"
        )),
    }
}
