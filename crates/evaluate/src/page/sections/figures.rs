//! The other measures, per organ and over all, and Dice by the size of objects.

use super::super::super::{
    MEASURES, Measure, ObjectSizes, Panoptic, PanopticQuality, Report, RunReport,
};
use super::super::blocks::{Block, Section};
use super::super::charts;
use super::super::table::{Cell, Style, Table};
use super::super::words::{count, number, organ, units};
use super::{head, mean, rows, some};

pub(super) fn section(report: &Report) -> Option<Section> {
    let runs = || report.runs.iter().enumerate();
    if runs().all(|(_, run)| run.scores.images.is_empty()) {
        return None;
    }
    let more: Vec<&Measure> = MEASURES
        .iter()
        .filter(|measure| measure.summarised && measure.key != "dice")
        .collect();
    let meanings = more.iter().filter(|measure| !measure.meaning.is_empty());
    let meanings: Vec<String> = meanings
        .map(|measure| {
            let name = measure.title.split(',').next().unwrap_or(measure.title);
            capital(&units(&format!("{name} {}.", measure.meaning)))
        })
        .collect();
    let mut blocks = vec![Block::Small(meanings.join(" "))];
    for (at, run) in runs() {
        let mut inside = vec![Block::Table(table(run, at, &more))];
        if let Some(found) = &run.panoptic {
            inside.push(Block::Table(panoptic(&run.scores.name, at, found)));
        }
        blocks.push(Block::Fold(run.scores.name.clone(), at == 0, inside));
    }
    if let Some(figure) = charts::object_size(report) {
        blocks.push(Block::Heading("Dice by object size".to_owned()));
        blocks.push(Block::Figure(figure));
        let tables = runs().filter_map(|(at, run)| {
            let sizes = run.object_sizes.as_ref()?;
            Some(Block::Table(by_size(&run.scores.name, at, sizes)))
        });
        let fold = "As a table".to_owned();
        blocks.push(Block::Fold(fold, false, tables.collect()));
    }
    some("figures", "More figures", blocks)
}

/// A sentence with a capital.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

fn table(run: &RunReport, at: usize, more: &[&Measure]) -> Table {
    let names = more.iter().map(|measure| units(measure.title));
    let lines = rows(
        &run.organs,
        run.mean_of_organ_means.as_ref(),
        run.mean_of_images.as_ref(),
    );
    let rows = lines.into_iter().map(|(name, figures)| {
        let cells = more.iter().map(|measure| {
            let found = figures.and_then(|figures| figures.others.get(measure.key).copied());
            let style = Style {
                places: measure.decimals,
                is_signed: measure.signed,
                has_median: true,
            };
            Cell::Mean(found.flatten(), style)
        });
        std::iter::once(Cell::Text(name)).chain(cells).collect()
    });
    Table {
        name: format!("figures-{}", at + 1),
        caption: format!("{}: means of the other measures", run.scores.name),
        head: std::iter::once("organ".to_owned()).chain(names).collect(),
        rows: rows.collect(),
        sums: 2,
        is_text: false,
    }
}

fn panoptic(name: &str, at: usize, found: &Panoptic) -> Table {
    let row = |name: String, of: &PanopticQuality| {
        let three = |value| number(value, 3);
        let interval = match (of.pq, of.pq_low) {
            (Some(_), Some(_)) => format!(
                "{} [{}, {}]",
                three(of.pq),
                three(of.pq_low),
                three(of.pq_high)
            ),
            _ => three(of.pq),
        };
        vec![
            name.into(),
            of.matched.into(),
            of.missed.into(),
            of.spurious.into(),
            Cell::Number(of.rq, 3, false),
            Cell::Number(of.sq, 3, false),
            interval.into(),
            Cell::Text(count(of.n, "image")),
        ]
    };
    let organs = found.organs.iter();
    let organs = organs.map(|of| row(organ(of.organ.as_deref()), of));
    Table {
        name: format!("panoptic-{}", at + 1),
        caption: format!(
            "{name}: panoptic quality of all objects together (PQ = RQ × SQ, Kirillov et al. 2019)"
        ),
        head: head([
            "organ", "matched", "missed", "spurious", "RQ", "SQ", "PQ", "in",
        ]),
        rows: organs
            .chain([row("all images".to_owned(), &found.all)])
            .collect(),
        sums: 1,
        is_text: false,
    }
}

fn by_size(name: &str, at: usize, sizes: &ObjectSizes) -> Table {
    let places = if sizes.unit == "px" { 0 } else { 1 };
    let area = |value: f64| Cell::Number(Some(value), places, false);
    let rows = sizes.classes.iter().map(|class| {
        vec![
            area(class.from),
            area(class.to),
            area(class.median),
            mean(Some(&class.dice)),
            Cell::Number(Some(class.matched), 3, false),
            Cell::Text(count(class.images, "image")),
        ]
    });
    let unit = units(sizes.unit);
    let mut head = head(["from", "to", "median", "Dice", "matched (IoU ≥ 0.5)", "in"]);
    for name in &mut head[..3] {
        *name = format!("{name}, {unit}");
    }
    Table {
        name: format!("object-size-{}", at + 1),
        caption: format!("{name}: true objects by area"),
        head,
        rows: rows.collect(),
        sums: 0,
        is_text: false,
    }
}
