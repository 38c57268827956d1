//! Runs against the first one, image by image.

use super::super::super::{Report, RunDifference};
use super::super::blocks::{Block, Section};
use super::super::table::{Cell, Table};
use super::super::words::{self, MEAN_OF_IMAGES, MEAN_OF_ORGANS, NOTHING};
use super::{difference, head, some};

pub(super) fn section(report: &Report) -> Option<Section> {
    // Identical runs have been told of; a table of zeros says no more.
    let same = |run: &String, against: &String| {
        let mut groups = report.identical_runs.iter();
        groups.any(|names| names.contains(run) && names.contains(against))
    };
    let different = report.comparisons.iter().enumerate();
    let tables: Vec<Block> = different
        .filter(|(_, comparison)| !same(&comparison.run, &comparison.against))
        .map(|(at, comparison)| {
            let organs = comparison.organs.iter().map(|organ| {
                let name = words::organ(organ.organ.as_deref());
                row(name, Some(&organ.difference))
            });
            let sums = [
                (MEAN_OF_ORGANS, &comparison.mean_of_organ_means),
                (MEAN_OF_IMAGES, &comparison.mean_of_images),
            ];
            let sums = sums.map(|(name, found)| row(name.to_owned(), found.as_ref()));
            Block::Table(Table {
                name: format!("difference-{}", at + 2),
                caption: format!(
                    "Dice of {} minus Dice of {}",
                    comparison.run, comparison.against
                ),
                head: head([
                    "organ",
                    "difference",
                    "better on",
                    "worse on",
                    "equal on",
                    "",
                ]),
                rows: organs.chain(sums).collect(),
                sums: 2,
                is_text: false,
            })
        })
        .collect();
    if tables.is_empty() {
        return None;
    }
    let mut blocks = vec![Block::Small(
        "Differences in Dice on the same images. A difference is clear if its 95 % interval does not include 0; otherwise \
         chance may explain it."
            .to_owned(),
    )];
    blocks.extend(tables);
    some("comparisons", "Run against run", blocks)
}

fn row(name: String, found: Option<&RunDifference>) -> Vec<Cell> {
    let Some(found) = found else {
        let nothing = std::iter::repeat_n(Cell::from(NOTHING), 5);
        return std::iter::once(Cell::Text(name)).chain(nothing).collect();
    };
    let verdict = match found.clear {
        true => "clear difference",
        false => "no clear difference",
    };
    vec![
        name.into(),
        difference(Some(&found.summary)),
        found.won.into(),
        found.lost.into(),
        (found.summary.n - found.won - found.lost).into(),
        verdict.into(),
    ]
}
