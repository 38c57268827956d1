//! What could not be scored, what was left out, and what is to be known of the rest.

use super::super::super::problem_groups::{ProblemGroup, group};
use super::super::super::{ImageProblem, Report};
use super::super::blocks::{Block, Section};
use super::super::table::{Cell, Table};
use super::super::words::count;
use super::{head, some};

pub(super) fn section(report: &Report) -> Option<Section> {
    let mut out = grouped("truth", &report.truth_problems);
    let mut unknown = Vec::new();
    for run in &report.runs {
        let name = run.scores.name.as_str();
        out.extend(grouped(name, &run.scores.problems));
        out.extend(listed(
            name,
            &run.scores.missing,
            "the run has no mask for it",
        ));
        unknown.extend(listed(name, &run.scores.unknown, "not in the truth"));
    }
    let notes = grouped("", &report.notes);
    let mut blocks = Vec::new();
    for (name, caption, rows) in [
        ("not-scored", "Not scored, and not in any mean", out),
        ("not-in-truth", "Masks without truth", unknown),
        ("notes", "Scored, with remarks", notes),
    ] {
        if !rows.is_empty() {
            let table = table(name.to_owned(), caption.to_owned(), rows);
            blocks.push(Block::Table(table));
        }
    }
    if !blocks.is_empty() {
        blocks.push(Block::Small("report.json lists every image.".to_owned()));
    }
    some("trouble", "Not scored, and remarks", blocks)
}

/// A row for each kind of problem: whose it is, how many images have it, what it is, and examples.
pub(super) fn grouped(of: &str, problems: &[ImageProblem]) -> Vec<Vec<Cell>> {
    let problems = problems.iter().map(|p| (p.id.as_str(), p.reason.as_str()));
    group(problems).iter().map(|group| row(of, group)).collect()
}

/// A row for all images with one problem.
fn listed(of: &str, ids: &[String], reason: &str) -> Vec<Vec<Cell>> {
    let problems = ids.iter().map(|id| (id.as_str(), reason));
    group(problems).iter().map(|group| row(of, group)).collect()
}

fn row(of: &str, group: &ProblemGroup) -> Vec<Cell> {
    vec![
        of.into(),
        Cell::Text(count(group.ids.len(), "image")),
        Cell::Text(group.reason.clone()),
        Cell::Text(group.examples()),
    ]
}

/// The table of such rows; whose they are stands there only where it says something.
pub(super) fn table(name: String, caption: String, mut rows: Vec<Vec<Cell>>) -> Table {
    let mut head = head(["of", "images", "what", "ids"]);
    if rows
        .iter()
        .all(|row| matches!(&row[0], Cell::Text(of) if of.is_empty()))
    {
        head.remove(0);
        rows.iter_mut().for_each(|row| drop(row.remove(0)));
    }
    Table {
        name,
        caption,
        head,
        rows,
        sums: 0,
        is_text: true,
    }
}
