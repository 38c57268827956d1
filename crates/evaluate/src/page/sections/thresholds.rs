//! What other thresholds would be worth.

use super::super::super::{Report, Sweep, Thresholds};
use super::super::blocks::{Block, Section};
use super::super::charts;
use super::super::table::{Cell, Style, Table};
use super::super::words::{MEAN_OF_ORGANS, count, organ};
use super::{difference, head, some};

pub(super) fn section(report: &Report) -> Option<Section> {
    let mut blocks = Vec::new();
    for (at, run) in report.runs.iter().enumerate() {
        let Some(found) = &run.thresholds else {
            continue;
        };
        let (name, number) = (run.scores.name.as_str(), at + 1);
        let curves = curves(found);
        blocks.push(Block::Heading(name.to_owned()));
        if !curves.is_empty() {
            let mut code = vec![Block::Code(found.toml.clone())];
            code.insert(
                0,
                Block::Small(
                    "Also in thresholds.toml. A threshold without a clear gain stands there as a comment.".to_owned(),
                ),
            );
            blocks.extend([
                Block::Figure(charts::thresholds(&curves, number, name)),
                Block::Table(table(name, number, &curves)),
                Block::Fold("Lines for bundle.toml".to_owned(), false, code),
            ]);
        }
        if !found.left_out.is_empty() {
            let rows = super::trouble::grouped("", &found.left_out);
            let title = format!(
                "{} left out of the sweep",
                count(found.left_out.len(), "image")
            );
            blocks.push(Block::Fold(
                title,
                false,
                vec![Block::Table(super::trouble::table(
                    format!("thresholds-left-out-{number}"),
                    String::new(),
                    rows,
                ))],
            ));
        }
    }
    if !blocks.is_empty() {
        let words = "Mean Dice at every threshold, from the probability maps, before holes are filled and small objects are \
                     dropped, so it differs a little from the Dice above. The best threshold was chosen on these same \
                     images, so its Dice is optimistic. Leave-one-out is not: each image is measured at the threshold that \
                     all the others choose. A gain is clear if its 95 % interval does not include 0 and five images or more \
                     chose it.";
        blocks.insert(0, Block::Small(words.to_owned()));
    }
    some("thresholds", "Thresholds", blocks)
}

fn curves(found: &Thresholds) -> Vec<charts::Curve<'_>> {
    let mut curves = Vec::new();
    for target in &found.targets {
        let name = organ(Some(&target.target));
        for one in &target.organs {
            let title = format!("{name} on {}", organ(one.organ.as_deref()));
            curves.push((title, &one.sweep, target.used));
        }
        let title = match target.organs.is_empty() {
            true => name,
            false => format!("{name}, {MEAN_OF_ORGANS}"),
        };
        curves.push((title, &target.overall, target.used));
    }
    curves
}

fn table(run: &str, number: usize, curves: &[charts::Curve<'_>]) -> Table {
    let row = |(name, sweep, used): &(String, &Sweep, f64)| {
        let number = |value, is_signed| Cell::Number(value, 3, is_signed);
        let left = sweep.leave_one_out.as_ref();
        let style = Style {
            has_median: false,
            ..Style::default()
        };
        vec![
            Cell::Text(name.clone()),
            number(Some(*used), false),
            number(Some(sweep.dice), false),
            number(Some(sweep.best), false),
            number(Some(sweep.best_dice), false),
            number(Some(sweep.gain), true),
            Cell::Mean(left.map(|left| left.dice), style),
            difference(left.map(|left| &left.gain)),
            Cell::Text(sweep.verdict().to_string()),
            Cell::Count(sweep.n),
        ]
    };
    Table {
        name: format!("thresholds-{number}"),
        caption: format!("{run}: thresholds"),
        head: head([
            "model",
            "in use",
            "Dice",
            "best",
            "Dice (optimistic)",
            "gain (optimistic)",
            "Dice, leave-one-out",
            "gain, leave-one-out",
            "verdict",
            "n",
        ]),
        rows: curves.iter().map(row).collect(),
        sums: 0,
        is_text: false,
    }
}
