//! The report's figures: each is drawn once, for the page and for the files.

mod agreement;
mod dice;
mod object_size;
mod reliability;
mod thresholds;

use serde::Serialize;

pub(super) use agreement::{Quantity, agreement};
pub(super) use dice::dice;
pub(super) use object_size::object_size;
pub(super) use reliability::reliability;
pub(super) use thresholds::{Curve, thresholds};

/// A figure with what is said below it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figure {
    /// The stem of its files.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The drawing.
    pub svg: String,
}

/// Letters of a legend's entry, at most.
const LEGEND_LETTERS: usize = 70;

/// The runs' names as a legend has room for them.
fn run_names(report: &super::super::Report) -> Vec<String> {
    let runs = report.runs.iter();
    runs.map(|run| super::words::clipped(&run.scores.name, LEGEND_LETTERS))
        .collect()
}
