//! How often the router was right, by how sure it was.

use super::super::super::Routing;
use super::super::axes::{Axis, Frame};
use super::super::svg::{Anchor, COLOURS, Svg};
use super::super::words::number;
use super::Figure;

const SIDE: f64 = 280.0;

/// The figure of one run; none where the router always abstained.
pub(in super::super) fn reliability(routing: &Routing, run: usize, name: &str) -> Option<Figure> {
    if routing.reliability.is_empty() {
        return None;
    }
    let mut svg = Svg::new(SIDE + 100.0, SIDE + 78.0);
    let frame = Frame {
        area: [70.0, 30.0, SIDE, SIDE],
        across: Axis::fraction(),
        up: Axis::fraction(),
    };
    frame.draw(
        &mut svg,
        "mean confidence of the router",
        "fraction sent to the true organ",
    );
    frame.identity(&mut svg);
    svg.text([62.0, 18.0], Anchor::End, "n =");
    for step in &routing.reliability {
        let [ideal, right] =
            [step.confidence, step.right].map(|value| frame.at(step.confidence, value));
        svg.line(ideal, right, COLOURS[1], 1.5, "");
        svg.mark(0, right, 5.0, false, None);
        // Above its step, a tenth of the width, so that no two lie over each other.
        let x = frame.at(step.from + 0.05, 0.0)[0];
        svg.text([x, 18.0], Anchor::Middle, &step.n.to_string());
    }
    let n: usize = routing.reliability.iter().map(|step| step.n).sum();
    Some(Figure {
        name: format!("reliability-{run}"),
        caption: format!(
            "{name}: reliability of the router. Expected calibration error {} (ten bins, n = {n} images; the numbers above \
             the plot are images in each bin). A well-calibrated router lies on the dashed line.",
            number(routing.calibration_error, 3)
        ),
        svg: svg.finish("Reliability diagram: fraction sent to the true organ by confidence"),
    })
}
