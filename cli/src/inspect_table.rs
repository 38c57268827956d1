//! `ftuseg inspect FOLDER`: all slides of a folder in a table.

use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::console::{about, columns_of_output, counted, painted_table, printable, put_line};
use ftuseg::batch::{Job, discover};
use ftuseg::slide::{self, Resolution, size_warning};

/// Lists the slides of a folder; whether all of them can be opened.
///
/// # Errors
/// When the folder holds none, or standard output takes no more.
pub(super) fn list(folder: &Path) -> anyhow::Result<bool> {
    let jobs = discover(&[folder.to_owned()], None)?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["slide", "format", "px", "um/px", "mm", "notes"]);
    if let Some(columns) = columns_of_output() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(columns);
    }
    for column in 2..5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let (mut failed, mut silent) = (0_u64, 0_u64);
    for job in &jobs {
        let (row, is_open, states_size) = row(folder, job);
        failed += u64::from(!is_open);
        silent += u64::from(is_open && !states_size);
        table.add_row(row);
    }
    put_line(&painted_table(&table.to_string()))?;
    let mut line = counted(jobs.len() as u64, "slide");
    if silent > 0 {
        line += &format!("; {silent} without um/px (give it with --mpp X or in a table)");
    }
    if failed > 0 {
        line += &format!("; {failed} cannot be read");
    }
    tell!("{line}");
    Ok(failed == 0)
}

/// The row of a slide; whether it can be opened, and whether it states its um/px.
fn row(folder: &Path, job: &Job) -> ([String; 6], bool, bool) {
    let name = job.path.strip_prefix(folder).unwrap_or(&job.path);
    let name = printable(&name.display().to_string());
    let slide = match slide::open(&job.path) {
        Ok(slide) => slide,
        Err(error) => {
            let reason = about(&job.path, &super::advice::full(&error.into()));
            let blank = String::new;
            let row = [name, "FAILED".to_owned(), blank(), blank(), blank(), reason];
            return (row, false, false);
        }
    };
    let info = slide.info();
    let (width, height) = (info.width(), info.height());
    let doubt = info.resolution.and_then(|r| size_warning(r, width, height));
    let warnings = slide.warnings().iter().chain(&job.warnings).chain(&doubt);
    let mut notes: Vec<&str> = warnings.map(|warning| warning.kind.name()).collect();
    notes.sort_unstable();
    notes.dedup();
    let row = [
        name,
        info.format.clone(),
        format!("{width} x {height}"),
        info.resolution
            .map_or_else(|| "?".to_owned(), |r| short(r.mpp)),
        info.resolution
            .map_or_else(|| "?".to_owned(), |r| millimetres(r, width, height)),
        notes.join(", "),
    ];
    (row, true, info.resolution.is_some())
}

fn millimetres(resolution: Resolution, width: u32, height: u32) -> String {
    let mm = |px: u32, mpp: f64| f64::from(px) * mpp * 1e-3;
    format!(
        "{:.2} x {:.2}",
        mm(width, resolution.mpp),
        mm(height, resolution.down)
    )
}

/// A number with at most four decimals.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
