//! Counts, areas and densities per organ against the truth's.

use super::super::super::agreement::{area, density, objects};
use super::super::super::{Agreement, ImageScore, Limits, OrganAgreement, Report};
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
        let areas = |score: &ImageScore| Some(area(score, unit));
        let mut quantities = vec![
            Quantity {
                name: format!("objects-{}", at + 1),
                title: "objects per image",
                unit: "",
                value: &|score| Some(objects(score)),
                limits: found.all.objects,
                places: 1,
            },
            Quantity {
                name: format!("area-{}", at + 1),
                title: "area per image",
                unit,
                value: &areas,
                limits: found.all.area,
                places: area_places,
            },
        ];
        // A run of mask files alone does not say where tissue is.
        quantities.extend(found.all.density.map(|limits| Quantity {
            name: format!("density-{}", at + 1),
            title: "objects per mm² of tissue",
            unit: "",
            value: &density,
            limits,
            places: 2,
        }));
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
                     1.96 standard deviations (Bland and Altman 1986). ICC is the intraclass correlation of single measurements \
                     for absolute agreement, ICC(A,1) (McGraw and Wong 1996), with its 95 % bootstrap interval. Densities are per \
                     mm² of the tissue that the run found.";
        blocks.insert(0, Block::Small(words.to_owned()));
    }
    some("agreement", "Counts, areas and densities", blocks)
}

/// The limits of each quantity.
const OF: [fn(&OrganAgreement) -> Option<&Limits>; 3] = [
    |organ| Some(&organ.objects),
    |organ| Some(&organ.area),
    |organ| organ.density.as_ref(),
];

fn table(
    run: &str,
    found: &Agreement,
    quantity: &Quantity<'_>,
    of: fn(&OrganAgreement) -> Option<&Limits>,
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
            icc(limits),
            limits.n.into(),
        ]
    };
    let organs = found.organs.iter();
    let organs =
        organs.filter_map(|organ| Some(row(words::organ(organ.organ.as_deref()), of(organ)?)));
    let all = of(&found.all).map(|limits| row("all images".to_owned(), limits));
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
            "ICC",
            "n",
        ]),
        rows: organs.chain(all).collect(),
        sums: 1,
        is_text: false,
    }
}

/// An intraclass correlation with its interval.
fn icc(limits: &Limits) -> Cell {
    let number = |value| words::number(value, 3);
    Cell::Text(match (limits.icc, limits.icc_low) {
        (Some(_), Some(_)) => format!(
            "{} [{}, {}]",
            number(limits.icc),
            number(limits.icc_low),
            number(limits.icc_high)
        ),
        _ => number(limits.icc),
    })
}
