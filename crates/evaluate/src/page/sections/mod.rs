//! The sections of the page, each made of the report alone.

mod about;
mod agreement;
mod comparisons;
mod dice;
mod figures;
mod methods;
mod routing;
mod thresholds;
mod trouble;

use super::super::{Estimate, Figures, OrganFigures, Report};
use super::blocks::{Block, Section};
use super::table::{Cell, Style};
use super::words::{self, MEAN_OF_IMAGES, MEAN_OF_ORGANS};

/// All sections that have something to say, in their order.
pub(super) fn sections(report: &Report) -> Vec<Section> {
    let organs = organs(report);
    let all = [
        dice::section(report, &organs),
        comparisons::section(report),
        figures::section(report),
        agreement::section(report, &organs),
        routing::section(report),
        thresholds::section(report),
        methods::section(report),
        about::section(report),
        trouble::section(report),
    ];
    all.into_iter().flatten().collect()
}

/// What must be seen before any figure.
pub(super) use about::{banner, summary};

/// The organs of all runs, in their usual order, then none.
pub(super) fn organs(report: &Report) -> Vec<Option<String>> {
    let runs = report.runs.iter();
    let organs = runs.flat_map(|run| run.organs.iter().map(|figures| figures.organ.clone()));
    super::super::report::groups(organs)
}

/// A section, unless it is empty.
fn some(id: &'static str, title: &'static str, blocks: Vec<Block>) -> Option<Section> {
    (!blocks.is_empty()).then_some(Section { id, title, blocks })
}

/// Column names.
fn head<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).into()
}

/// A mean of Dice.
fn mean(mean: Option<&Estimate>) -> Cell {
    Cell::Mean(mean.copied(), Style::default())
}

/// A difference.
fn difference(mean: Option<&Estimate>) -> Cell {
    let style = Style {
        is_signed: true,
        has_median: false,
        ..Style::default()
    };
    Cell::Mean(mean.copied(), style)
}

/// Rows of organs and the two means over all, each with the figures that it has of a run.
fn rows<'a>(
    organs: &'a [OrganFigures],
    of_organs: Option<&'a Figures>,
    of_images: Option<&'a Figures>,
) -> Vec<(String, Option<&'a Figures>)> {
    let all = organs
        .iter()
        .map(|one| (words::organ(one.organ.as_deref()), Some(&one.figures)));
    all.chain([
        (MEAN_OF_ORGANS.to_owned(), of_organs),
        (MEAN_OF_IMAGES.to_owned(), of_images),
    ])
    .collect()
}
