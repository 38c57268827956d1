//! Prints what came of a batch as a table on standard output.

use comfy_table::{CellAlignment, Table, presets};

use super::console::{printable, put_line};
use ftuseg::batch::{RunSummary, SlideStatus, Status};

/// Prints a line a slide, and a line of sums with their n.
///
/// # Errors
/// When standard output takes it not.
pub(super) fn print(summary: &RunSummary) -> std::io::Result<()> {
    match summary.slides.is_empty() {
        true => Ok(()),
        false => put_line(&of(&summary.slides)),
    }
}

fn of(slides: &[SlideStatus]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "slide", "", "organ", "objects", "mm2", "seconds", "warnings",
    ]);
    for column in [3, 4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for slide in slides {
        table.add_row(row(slide));
    }
    let there: Vec<&SlideStatus> = slides.iter().filter(|s| s.is_there()).collect();
    let with_area: Vec<f64> = there.iter().filter_map(|s| s.area_mm2).collect();
    let mut area = mm2(Some(with_area.iter().fold(0.0, |sum, area| sum + area)));
    if with_area.len() < there.len() {
        area += &format!(" (n = {})", with_area.len());
    }
    table.add_row([
        format!("sum (n = {})", there.len()),
        String::new(),
        String::new(),
        there
            .iter()
            .fold(0_u64, |sum, s| sum.saturating_add(s.objects))
            .to_string(),
        area,
        format!("{:.1}", slides.iter().fold(0.0, |sum, s| sum + s.seconds)),
        count(slides.iter().map(|s| s.warnings.len()).sum()),
    ]);
    table
}

fn row(slide: &SlideStatus) -> [String; 7] {
    let word = match (slide.status, slide.earlier) {
        (Status::Done, _) => "done",
        (Status::Skipped, false) => "already done",
        (Status::Skipped, true) => "done, not an input",
        (Status::Failed, false) => "FAILED",
        (Status::Failed, true) => "FAILED before",
        (Status::Pending, _) => "not done yet",
    };
    let found = |text: String| match slide.is_there() {
        true => text,
        false => "-".to_owned(),
    };
    [
        printable(&slide.id),
        match slide.status {
            Status::Failed => format!("{word}: {}", slide.kind.as_deref().unwrap_or("unknown")),
            _ => word.to_owned(),
        },
        found(printable(slide.organ.as_deref().unwrap_or("no tissue"))),
        found(slide.objects.to_string()),
        found(mm2(slide.area_mm2)),
        match slide.status {
            Status::Done | Status::Failed => format!("{:.1}", slide.seconds),
            Status::Skipped | Status::Pending => "-".to_owned(),
        },
        kinds(slide),
    ]
}

/// The kinds of a slide's warnings, each once.
fn kinds(slide: &SlideStatus) -> String {
    let mut names: Vec<&str> = slide.warnings.iter().map(|w| w.kind.name()).collect();
    names.dedup();
    names.join(", ")
}

fn count(warnings: usize) -> String {
    match warnings {
        0 => String::new(),
        some => some.to_string(),
    }
}

fn mm2(area: Option<f64>) -> String {
    area.map_or_else(|| "?".to_owned(), |area| format!("{area:.3}"))
}
