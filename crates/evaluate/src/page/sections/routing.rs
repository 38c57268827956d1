//! What the router did, and what its errors cost.

use super::super::super::{ConfusionRow, Cost, Estimate, Report, Routing, RoutingCost};
use super::super::blocks::{Block, Section};
use super::super::charts;
use super::super::table::{Cell, Table};
use super::super::words::{self, MEAN_OF_IMAGES, MEAN_OF_ORGANS, count, organ, percent};
use super::{difference, head, some};

pub(super) fn section(report: &Report) -> Option<Section> {
    let mut blocks = Vec::new();
    for (at, run) in report.runs.iter().enumerate() {
        let Some(routing) = &run.routing else {
            continue;
        };
        let name = run.scores.name.as_str();
        blocks.push(Block::Heading(name.to_owned()));
        let images = |row: &ConfusionRow| row.images.clone();
        let cells = |row: &ConfusionRow| row.cells.clone();
        let number = at + 1;
        let mut row = vec![
            Block::Table(fractions(routing, number)),
            Block::Table(confusion(
                routing,
                format!("routing-images-{number}"),
                "Images by where most of their tissue was sent (rows: true organ)",
                images,
            )),
            Block::Table(confusion(
                routing,
                format!("routing-cells-{number}"),
                "Routing cells by where they were sent (rows: true organ)",
                cells,
            )),
        ];
        row.extend(charts::reliability(routing, number, name).map(Block::Figure));
        blocks.push(Block::Row(row));
        if routing.abstained > 0 {
            blocks.push(Block::Small(format!(
                "{} of {} went to a model for all organs, since the router was unsure. They count as not sent to their own \
                 organ and are not in the reliability diagram.",
                routing.abstained,
                count(routing.by_slide.n, "image")
            )));
        }
        match report.routing_costs.iter().find(|cost| cost.run == run.scores.name) {
            Some(cost) => blocks.push(Block::Table(costs(cost, number))),
            None => blocks.push(Block::Small(
                "To see what routing errors cost, compare this run with one of the same bundle in which the organs were given."
                    .to_owned(),
            )),
        }
    }
    some("routing", "Routing", blocks)
}

fn confusion(
    routing: &Routing,
    name: String,
    caption: &str,
    counts: fn(&ConfusionRow) -> Vec<usize>,
) -> Table {
    let targets = routing.targets.iter().map(|target| organ(Some(target)));
    Table {
        name,
        caption: caption.to_owned(),
        head: std::iter::once("true organ".to_owned())
            .chain(targets)
            .collect(),
        rows: routing
            .confusion
            .iter()
            .map(|row| {
                let name = std::iter::once(Cell::Text(organ(Some(&row.organ))));
                name.chain(counts(row).into_iter().map(Cell::Count))
                    .collect()
            })
            .collect(),
        sums: 0,
        is_text: false,
    }
}

fn fractions(routing: &Routing, number: usize) -> Table {
    let row = |name: &str, share: f64, low: f64, high: f64, n: String| -> Vec<Cell> {
        let interval = format!("{} to {}", percent(low), percent(high));
        vec![
            name.into(),
            percent(share).into(),
            interval.into(),
            n.into(),
        ]
    };
    let of_images = |name: &str, found: &Estimate| {
        row(
            name,
            found.mean,
            found.low,
            found.high,
            count(found.n, "image"),
        )
    };
    let mut rows = vec![
        of_images("by image (most of its tissue)", &routing.by_slide),
        of_images("by tissue (mean fraction per image)", &routing.by_tissue),
    ];
    if let Some(cells) = &routing.by_cell {
        let n = format!(
            "{} in {}",
            count(cells.n, "cell"),
            count(cells.images, "image")
        );
        rows.push(row(
            "by routing cell (all images)",
            cells.share,
            cells.low,
            cells.high,
            n,
        ));
    }
    Table {
        name: format!("routing-{number}"),
        caption: "Sent to the true organ".to_owned(),
        head: head(["", "fraction", "95 % interval", "n"]),
        rows,
        sums: 0,
        is_text: false,
    }
}

fn costs(found: &RoutingCost, number: usize) -> Table {
    let row = |name: String, cost: Option<&Cost>| {
        let number = |value| Cell::Number(value, 3, false);
        vec![
            name.into(),
            number(cost.map(|cost| cost.given)),
            number(cost.map(|cost| cost.routed)),
            difference(cost.map(|cost| &cost.cost)),
        ]
    };
    let organs = found.organs.iter();
    let organs = organs.map(|one| row(words::organ(one.organ.as_deref()), Some(&one.cost)));
    let sums = [
        (
            "images not sent entirely to their organ",
            &found.sent_elsewhere,
        ),
        (MEAN_OF_ORGANS, &found.mean_of_organ_means),
        (MEAN_OF_IMAGES, &found.mean_of_images),
    ];
    let sums = sums.map(|(name, cost)| row(name.to_owned(), cost.as_ref()));
    Table {
        name: format!("routing-cost-{number}"),
        caption: format!("Cost of routing errors in {}", found.run),
        head: vec![
            "organ".to_owned(),
            format!("Dice with the true organ ({})", found.given),
            format!("Dice as routed ({})", found.run),
            "cost: Dice lost to routing".to_owned(),
        ],
        rows: organs.chain(sums).collect(),
        sums: 3,
        is_text: false,
    }
}
