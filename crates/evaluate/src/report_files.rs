//! Writes a report: `report.json`, `report.csv`, `report.html`, and `thresholds.toml` where thresholds were swept; all of
//! them or none.
//!
//! Spreadsheets run cells of `report.csv` that begin like a formula. So a text that begins with `=`, `+`, `-`, `@`, a tab
//! or a carriage return stands there after an apostrophe, and so does one that begins with an apostrophe: whoever takes
//! the first apostrophe of a text away reads what it was.

use std::path::Path;

use super::file_set::FileSet;
use super::report_page::page;
use super::{EvaluateError, Gallery, Report};

/// Writes the files into a folder, which is made if it is not there.
///
/// # Errors
/// When a file cannot be written; then all are as they were before.
pub fn write(report: &Report, gallery: &Gallery, folder: &Path) -> Result<(), EvaluateError> {
    std::fs::create_dir_all(folder).map_err(|e| EvaluateError::io(folder, e))?;
    let wrong =
        |error| EvaluateError::io(folder, std::io::Error::other::<serde_json::Error>(error));
    let mut json = serde_json::to_vec_pretty(report).map_err(wrong)?;
    json.push(b'\n');
    let page = page(report, gallery).map_err(wrong)?;
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
    set.publish()
}

/// A text as a cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// One row an image and run.
fn table(report: &Report, folder: &Path) -> Result<Vec<u8>, EvaluateError> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let wrong = |error: csv::Error| EvaluateError::io(folder, std::io::Error::other(error));
    table
        .write_record([
            "id",
            "organ",
            "run",
            "dice",
            "iou",
            "precision",
            "recall",
            "hd95_px",
            "hd95_um",
            "object_f1",
            "objects_found",
            "objects_truth",
            "objects_matched",
            "matched_dice",
            "area_error",
            "routed_to",
            "confidence",
        ])
        .map_err(wrong)?;
    let number = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:.6}"));
    for run in &report.runs {
        for score in &run.scores.images {
            let (pixels, objects) = (&score.pixels, &score.objects);
            table
                .write_record([
                    cell(&score.id),
                    score.organ.clone().unwrap_or_default(),
                    cell(&run.scores.name),
                    number(Some(pixels.dice)),
                    number(Some(pixels.iou)),
                    number(Some(pixels.precision)),
                    number(Some(pixels.recall)),
                    number(score.hd95_px),
                    number(score.hd95_um),
                    number(Some(objects.f1)),
                    objects.found.to_string(),
                    objects.truth.to_string(),
                    objects.matched.to_string(),
                    number(objects.matched_dice),
                    number(pixels.area_error),
                    score.routed.as_ref().map_or(String::new(), |r| cell(&r.to)),
                    number(score.routed.as_ref().map(|r| r.confidence)),
                ])
                .map_err(wrong)?;
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
