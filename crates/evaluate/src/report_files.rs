//! Writes a report: `report.json`, `report.csv`, `report.html`, `thresholds.toml` where thresholds were swept, and its
//! figures and tables where they are wanted; all of them or none.
//!
//! Spreadsheets run cells of `report.csv` that begin like a formula. So a text that begins with `=`, `+`, `-`, `@`, a tab
//! or a carriage return stands there after an apostrophe, and so does one that begins with an apostrophe: whoever takes
//! the first apostrophe of a text away reads what it was.

use std::path::Path;

use super::file_set::FileSet;
use super::measures::MEASURES;
use super::page::{Content, files, is_ours};
use super::{EvaluateError, Gallery, Report};

/// Writes the files into a folder, which is made if it is not there; figures and tables into another one, if that is named.
/// Figures and tables of an earlier report go from there. Returns how many figures and tables were written as files.
///
/// # Errors
/// When a file cannot be written; then all are as they were before.
pub fn write(
    report: &Report,
    gallery: &Gallery,
    folder: &Path,
    figures: Option<&Path>,
) -> Result<usize, EvaluateError> {
    std::fs::create_dir_all(folder).map_err(|e| EvaluateError::io(folder, e))?;
    let wrong =
        |error| EvaluateError::io(folder, std::io::Error::other::<serde_json::Error>(error));
    let mut json = serde_json::to_vec_pretty(report).map_err(wrong)?;
    json.push(b'\n');
    let content = Content::new(report);
    let page = content.page(gallery).map_err(wrong)?;
    let swept = report.runs.iter().filter_map(|run| run.thresholds.as_ref());
    let toml: Vec<&str> = swept.map(|thresholds| thresholds.toml.as_str()).collect();
    let toml = toml.join("\n").into_bytes();
    let mut set = FileSet::default();
    set.stage(&folder.join("report.json"), &json)?;
    set.stage(&folder.join("report.csv"), &table(report, folder)?)?;
    set.stage(&folder.join("report.html"), page.as_bytes())?;
    let thresholds = folder.join("thresholds.toml");
    if !toml.is_empty() {
        set.stage(&thresholds, &toml)?;
    } else if thresholds.is_file() {
        // One of an earlier report would not belong to this one.
        set.stage_removal(&thresholds);
    }
    let count = match figures {
        Some(figures) => stage_figures(&mut set, &content, figures)?,
        None => 0,
    };
    set.publish()?;
    Ok(count)
}

/// Stages the figures and tables, in place of all that an earlier report left.
fn stage_figures(
    set: &mut FileSet,
    content: &Content<'_>,
    folder: &Path,
) -> Result<usize, EvaluateError> {
    std::fs::create_dir_all(folder).map_err(|e| EvaluateError::io(folder, e))?;
    let files = files(content).map_err(|reason| EvaluateError::format(folder, reason))?;
    for (name, bytes) in &files {
        set.stage(&folder.join(name), bytes)?;
    }
    let there = std::fs::read_dir(folder).map_err(|e| EvaluateError::io(folder, e))?;
    let mut old: Vec<String> = there
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_ours(name) && !files.iter().any(|(new, _)| new == name))
        .filter(|name| folder.join(name).is_file())
        .collect();
    old.sort();
    for name in old {
        set.stage_removal(&folder.join(name));
    }
    Ok(files.len())
}

/// A text as a cell that no spreadsheet takes for a formula.
pub(super) fn cell(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// One row an image and run.
fn table(report: &Report, folder: &Path) -> Result<Vec<u8>, EvaluateError> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let wrong = |error: csv::Error| EvaluateError::io(folder, std::io::Error::other(error));
    let head = ["id", "organ", "run"].into_iter();
    let head = head.chain(MEASURES.iter().map(|measure| measure.key));
    table
        .write_record(head.chain(["routed_to", "confidence", "training_image"]))
        .map_err(wrong)?;
    let number = |value: Option<f64>, decimals: usize| {
        value.map_or(String::new(), |value| format!("{value:.decimals$}"))
    };
    for run in &report.runs {
        for score in &run.scores.images {
            let mut row = vec![
                cell(&score.id),
                score.organ.clone().unwrap_or_default(),
                cell(&run.scores.name),
            ];
            for measure in &MEASURES {
                // Counts as they are, all others with more digits than the page shows.
                let decimals = if measure.decimals == 0 { 0 } else { 6 };
                row.push(number((measure.value)(score), decimals));
            }
            row.push(score.routed.as_ref().map_or(String::new(), |r| cell(&r.to)));
            row.push(number(score.routed.as_ref().map(|r| r.confidence), 6));
            row.push(score.training_image.as_deref().map_or(String::new(), cell));
            table.write_record(row).map_err(wrong)?;
        }
    }
    table
        .into_inner()
        .map_err(|e| EvaluateError::io(folder, std::io::Error::other(e.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_begins_like_a_formula_reads_back_as_it_was() {
        for text in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'x", "''"] {
            let cell = cell(text);
            assert_eq!(cell.strip_prefix('\''), Some(text));
        }
        assert_eq!((cell("a=1"), cell("")), ("a=1".to_owned(), String::new()));
    }
}
