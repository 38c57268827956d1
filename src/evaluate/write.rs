//! Writes a report: `report.json`, `report.csv`, `report.html`, and `thresholds.toml` where thresholds were swept; each
//! whole or not at all.

use std::path::Path;

use super::page::page;
use super::{EvaluateError, Gallery, Report};
use crate::batch::replace;

/// Writes the files into a folder, which is made if it is not there.
///
/// # Errors
/// When a file cannot be written; then that file is as it was before.
pub fn write(report: &Report, gallery: &Gallery, folder: &Path) -> Result<(), EvaluateError> {
    std::fs::create_dir_all(folder).map_err(|e| EvaluateError::io(folder, e))?;
    let wrong =
        |error| EvaluateError::io(folder, std::io::Error::other::<serde_json::Error>(error));
    let mut json = serde_json::to_vec_pretty(report).map_err(wrong)?;
    json.push(b'\n');
    let page = page(report, gallery).map_err(wrong)?;
    for (name, bytes) in [
        ("report.json", json),
        ("report.csv", table(report, folder)?),
        ("report.html", page.into_bytes()),
    ] {
        replace(&folder.join(name), |out| out.write_all(&bytes))?;
    }
    let path = folder.join("thresholds.toml");
    let swept = report.runs.iter().filter_map(|run| run.thresholds.as_ref());
    let toml: Vec<&str> = swept.map(|thresholds| thresholds.toml.as_str()).collect();
    if !toml.is_empty() {
        replace(&path, |out| out.write_all(toml.join("\n").as_bytes()))?;
    } else if path.is_file() {
        // One of an earlier report would not belong to this one.
        std::fs::remove_file(&path).map_err(|e| EvaluateError::io(&path, e))?;
    }
    Ok(())
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
                    score.id.clone(),
                    score.organ.clone().unwrap_or_default(),
                    run.scores.name.clone(),
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
                    score
                        .routed
                        .as_ref()
                        .map_or(String::new(), |r| r.to.clone()),
                    number(score.routed.as_ref().map(|r| r.confidence)),
                ])
                .map_err(wrong)?;
        }
    }
    table
        .into_inner()
        .map_err(|e| EvaluateError::io(folder, std::io::Error::other(e.to_string())))
}
