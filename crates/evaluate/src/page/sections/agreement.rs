//! Counts and areas per organ against the truth's.

use super::super::super::agreement::{area, objects};
use super::super::super::{Agreement, Limits, OrganAgreement, Report};
use super::super::blocks::{Block, Section};
use super::super::charts::{self, Quantity};
use super::super::table::{Cell, Table};
use super::super::words;
use super::some;

pub(super) fn section(report: &Report, organs: &[Option<String>]) -> Option<Section> {
    let mut blocks = Vec::new();
    for (at, run) in report.runs.iter().enumerate() {
        let Some(found) = &run.agreement else {
            continue;
        };
        let unit = found.area_unit;
        let area_places = if unit == "px" { 0 } else { 4 };
        let quantities = [
            Quantity {
                name: format!("objects-{}", at + 1),
                title: "objects per image",
                unit: "",
                value: &objects,
                limits: found.all.objects,
                places: 1,
            },
            Quantity {
                name: format!("area-{}", at + 1),
                title: "area per image",
                unit,
                value: &|score| area(score, unit),
                limits: found.all.area,
                places: area_places,
            },
        ];
        let figures = quantities.iter();
        let figures = figures.map(|quantity| charts::agreement(run, at, organs, quantity));
        let tables = quantities.iter().zip(OF);
        let tables = tables.map(|(quantity, of)| table(&run.scores.name, found, quantity, of));
        let inside = vec![
            Block::Row(figures.map(Block::Figure).collect()),
            Block::Row(tables.map(Block::Table).collect()),
        ];
        blocks.push(Block::Fold(run.scores.name.clone(), at == 0, inside));
    }
    if !blocks.is_empty() {
        let words = "Bias is the mean of found minus true. 95 % of images are expected between the limits of agreement, bias ± \
                     1.96 standard deviations (Bland and Altman 1986).";
        blocks.insert(0, Block::Small(words.to_owned()));
    }
    some("agreement", "Counts and areas", blocks)
}

/// The limits of each quantity.
const OF: [fn(&OrganAgreement) -> &Limits; 2] = [|organ| &organ.objects, |organ| &organ.area];

fn table(
    run: &str,
    found: &Agreement,
    quantity: &Quantity<'_>,
    of: fn(&OrganAgreement) -> &Limits,
) -> Table {
    let row = |name: String, limits: &Limits| {
        let number = |value, is_signed| Cell::Number(value, quantity.places, is_signed);
        vec![
            name.into(),
            number(Some(limits.truth), false),
            number(Some(limits.found), false),
            number(Some(limits.bias), true),
            number(limits.low, true),
            number(limits.high, true),
            limits.n.into(),
        ]
    };
    let organs = found.organs.iter();
    let organs = organs.map(|organ| row(words::organ(organ.organ.as_deref()), of(organ)));
    let all = row("all images".to_owned(), of(&found.all));
    Table {
        name: format!("{}-agreement", quantity.name),
        caption: format!("{run}: {}", quantity.axis()),
        head: super::head([
            "organ",
            "mean, true",
            "mean, found",
            "bias",
            "lower limit",
            "upper limit",
            "n",
        ]),
        rows: organs.chain([all]).collect(),
        sums: 1,
        is_text: false,
    }
}
