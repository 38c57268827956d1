//! Dice per organ and over all, without what was seen in training, and beside published results.

use super::super::super::{Figures, OrganFigures, Reference, Report, RunReport};
use super::super::blocks::{Block, Section};
use super::super::charts;
use super::super::table::{Cell, Table};
use super::super::words::{self, MEAN_OF_IMAGES, MEAN_OF_ORGANS, count, list};
use super::{head, mean, some};

/// Table 2 of the course paper: organ, U-Net and EfficientNet as printed, the same over the true n, and n.
const PAPER: [(&str, [f64; 4], usize); 5] = [
    ("kidney", [93.4, 83.8, 93.4, 83.8], 10),
    ("prostate", [75.5, 73.8, 75.5, 73.8], 10),
    ("large intestine", [50.7, 49.1, 84.4, 81.9], 6),
    ("spleen", [47.4, 43.3, 79.1, 72.2], 6),
    ("lung", [11.4, 4.1, 22.7, 8.2], 5),
];

pub(super) fn section(report: &Report, organs: &[Option<String>]) -> Option<Section> {
    let mut beside = vec![Block::Table(dice(report, organs))];
    if report.runs.iter().any(|run| run.unseen.is_some()) {
        beside.push(Block::Table(unseen(report, organs)));
    }
    let mut blocks = vec![Block::Row(beside)];
    for names in &report.identical_runs {
        blocks.push(Block::Text(format!(
            "{} are identical: the same masks on every image.",
            list(names)
        )));
    }
    blocks.extend(charts::dice(report, organs).map(Block::Figure));
    if report.reference == Some(Reference::Hubmap2022) {
        blocks.push(Block::Fold(
            "Published results: HuBMAP + HPA 2022".to_owned(),
            true,
            vec![
                Block::Table(paper()),
                Block::Small(
                    "These are results on other images, so they cannot be compared row by row. The course paper divided every \
                     organ's sum by 10, whatever its number of images; the columns with the true n correct that."
                        .to_owned(),
                ),
            ],
        ));
    }
    some("dice", "Dice", blocks)
}

/// Column names: the organ, then the runs.
fn by_run(report: &Report) -> Vec<String> {
    let runs = report.runs.iter().map(|run| run.scores.name.clone());
    std::iter::once("organ".to_owned()).chain(runs).collect()
}

/// What one run's column shows: its organs' figures, the mean of their means, the mean of all images.
type Shown<'a> = (&'a [OrganFigures], Option<&'a Figures>, Option<&'a Figures>);

/// A row for each organ and two of means.
fn rows(
    report: &Report,
    organs: &[Option<String>],
    shown: impl Fn(&RunReport) -> Shown<'_>,
) -> Vec<Vec<Cell>> {
    let row = |name: String, of: &dyn Fn(Shown<'_>) -> Cell| -> Vec<Cell> {
        let runs = report.runs.iter().map(|run| of(shown(run)));
        std::iter::once(Cell::Text(name)).chain(runs).collect()
    };
    let of_organ = |organ: &Option<String>| {
        row(words::organ(organ.as_deref()), &|(all, _, _)| {
            let figures = all.iter().find(|figures| figures.organ == *organ);
            mean(figures.map(|figures| &figures.figures.dice))
        })
    };
    let mut rows: Vec<Vec<Cell>> = organs.iter().map(of_organ).collect();
    rows.push(row(MEAN_OF_ORGANS.to_owned(), &|(_, of_means, _)| {
        mean(of_means.map(|figures| &figures.dice))
    }));
    rows.push(row(MEAN_OF_IMAGES.to_owned(), &|(_, _, of_images)| {
        mean(of_images.map(|figures| &figures.dice))
    }));
    rows
}

/// The figures of all images of a run.
fn of_all(run: &RunReport) -> Shown<'_> {
    let (of_means, of_images) = (&run.mean_of_organ_means, &run.mean_of_images);
    (&run.organs, of_means.as_ref(), of_images.as_ref())
}

fn dice(report: &Report, organs: &[Option<String>]) -> Table {
    let seen = report.runs.iter().any(|run| run.unseen.is_some());
    Table {
        name: "dice".to_owned(),
        caption: match seen {
            true => "Mean Dice, images seen in training included".to_owned(),
            false => "Mean Dice".to_owned(),
        },
        head: by_run(report),
        rows: rows(report, organs, of_all),
        sums: 2,
        is_text: false,
    }
}

/// The same without images that networks have seen. A run that has seen none stands there as it is.
fn unseen(report: &Report, organs: &[Option<String>]) -> Table {
    let mut rows = rows(report, organs, |run| match &run.unseen {
        Some(unseen) => (
            &unseen.organs,
            unseen.mean_of_organ_means.as_ref(),
            unseen.mean_of_images.as_ref(),
        ),
        None => of_all(run),
    });
    let left_out = report.runs.iter().map(|run| {
        let seen = run.unseen.as_ref().map_or(0, |unseen| unseen.seen_images);
        Cell::Text(format!("{} seen in training", count(seen, "image")))
    });
    rows.push(
        std::iter::once(Cell::from("left out"))
            .chain(left_out)
            .collect(),
    );
    Table {
        name: "dice-unseen".to_owned(),
        caption: "Mean Dice over images not seen in training".to_owned(),
        head: by_run(report),
        rows,
        sums: 3,
        is_text: false,
    }
}

fn paper() -> Table {
    let rows = PAPER.iter().map(|(organ, values, n)| {
        let cells = values
            .iter()
            .map(|&value| Cell::Number(Some(value), 1, false));
        let name = std::iter::once(Cell::from(*organ));
        name.chain(cells).chain([Cell::Count(*n)]).collect()
    });
    Table {
        name: "reference-hubmap-2022".to_owned(),
        caption: "Course paper, table 2: Dice in % on other images".to_owned(),
        head: head([
            "organ",
            "U-Net, printed",
            "EfficientNet, printed",
            "U-Net, true n",
            "EfficientNet, true n",
            "n",
        ]),
        rows: rows.collect(),
        sums: 0,
        is_text: false,
    }
}
