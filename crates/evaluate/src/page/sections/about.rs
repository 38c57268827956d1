//! What the report is about: when and how it was made, which runs it compares, and what must be known before any figure.

use super::super::super::{Report, RunReport};
use super::super::blocks::{Block, Section};
use super::super::table::{Cell, Table};
use super::super::words::{NOTHING, count, list};
use super::{head, some};

/// Sentences above all figures: images that networks have seen in training.
pub(in super::super) fn banner(report: &Report) -> Vec<String> {
    report.runs.iter().filter_map(seen).collect()
}

/// What is said of a run that has seen images.
fn seen(run: &RunReport) -> Option<String> {
    let unseen = run.unseen.as_ref()?;
    let all = unseen.seen_images + unseen.unseen_images;
    let rest = match unseen.unseen_images {
        0 => "No image is left to measure it on".to_owned(),
        n => format!(
            "Below, its figures are also given over the {} not seen",
            count(n, "image")
        ),
    };
    Some(format!(
        "{}: its networks were trained on {} of the {}. Dice on an image seen in training says nothing about new images. {rest}.",
        run.scores.name,
        unseen.seen_images,
        count(all, "image")
    ))
}

/// The lines below the title.
pub(in super::super) fn summary(report: &Report) -> Vec<String> {
    let names: Vec<String> = report
        .runs
        .iter()
        .map(|run| run.scores.name.clone())
        .collect();
    let runs = match names.len() {
        1 => format!("Run: {}", names[0]),
        n => format!("{n} runs: {}", list(&names)),
    };
    let date = match report.date.as_str() {
        "" => String::new(),
        date => format!("{date}, "),
    };
    vec![
        format!(
            "{runs}. {} in the truth. {date}ftuseg {}.",
            count(report.truth_images, "image"),
            report.version
        ),
        format!(
            "Every mean is given with its n; square brackets give its 95 % bootstrap interval (seed {}).",
            report.seed
        ),
    ]
}

pub(super) fn section(report: &Report) -> Option<Section> {
    let mut blocks = vec![Block::Table(runs(report))];
    let unknown = report.runs.iter().filter_map(|run| {
        let why = run.scores.source_unknown.as_ref()?;
        Some(Block::Small(format!(
            "{}: how it was made is unknown ({why}).",
            run.scores.name
        )))
    });
    blocks.extend(unknown);
    if !report.command.is_empty() {
        let words: Vec<String> = report.command.iter().map(|word| shell(word)).collect();
        blocks.push(Block::Heading("Command".to_owned()));
        blocks.push(Block::Code(words.join(" ")));
    }
    some("about", "How it was made", blocks)
}

fn runs(report: &Report) -> Table {
    let column = |name: &str, of: &dyn Fn(&RunReport) -> String| -> Vec<Cell> {
        let runs = report.runs.iter().map(|run| Cell::Text(of(run)));
        std::iter::once(Cell::from(name)).chain(runs).collect()
    };
    let source = |of: fn(&super::super::super::RunSource) -> String| {
        move |run: &RunReport| match &run.scores.made_by {
            Some(source) => of(source),
            None => NOTHING.to_owned(),
        }
    };
    let names = report.runs.iter().map(|run| run.scores.name.clone());
    Table {
        name: "runs".to_owned(),
        caption: "The runs".to_owned(),
        head: head([""]).into_iter().chain(names).collect(),
        rows: vec![
            column("folder or file", &|run| run.scores.path.clone()),
            column("bundle", &source(|source| source.bundle_title())),
            column(
                "bundle's sha256",
                &source(|source| {
                    source.bundle.sha256[..source.bundle.sha256.len().min(12)].to_owned()
                }),
            ),
            column("device", &source(|source| source.device_title())),
            column("settings", &source(|source| source.settings_title())),
            column("ftuseg", &source(|source| source.version.clone())),
            column("images scored", &|run| run.scores.images.len().to_string()),
            column("not scored", &|run| {
                (run.scores.problems.len() + run.scores.missing.len()).to_string()
            }),
            column("seen in training", &|run| match &run.unseen {
                Some(unseen) => unseen.seen_images.to_string(),
                None => "none known".to_owned(),
            }),
            column("warnings", &|run| warnings(run)),
        ],
        sums: 0,
        is_text: true,
    }
}

/// Counts of warnings, by kind.
fn warnings(run: &RunReport) -> String {
    let kinds = run.scores.warnings.iter();
    let kinds: Vec<String> = kinds
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    match (kinds.is_empty(), &run.scores.made_by) {
        (true, None) => NOTHING.to_owned(),
        (true, Some(_)) => "none".to_owned(),
        (false, _) => kinds.join(", "),
    }
}

/// A word as a shell takes it.
fn shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_again() {
        for (word, typed) in [
            ("--out", "--out"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(shell(word), typed);
        }
    }
}
