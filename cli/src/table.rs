//! Prints what came of a batch as a table on standard output.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::console::{columns_of_output, painted_table, printable, put_line};
use super::organs;
use ftuseg::batch::{RunSummary, SlideStatus, Status};

/// Columns that hold numbers.
const NUMBERS: [usize; 3] = [3, 4, 5];

/// Prints a line a slide that is there, and lines of sums with their n. What failed is told elsewhere with its reason.
///
/// # Errors
/// When standard output takes it not.
pub(super) fn print(summary: &RunSummary) -> std::io::Result<()> {
    match summary.slides.iter().any(SlideStatus::is_there) {
        false => Ok(()),
        true => put_line(&painted_table(
            &of(&summary.slides, columns_of_output()).to_string(),
        )),
    }
}

fn of(slides: &[SlideStatus], columns: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "slide", "", "organs", "objects", "mm2", "seconds", "warnings",
    ]);
    if let Some(columns) = columns {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(columns);
    }
    for column in NUMBERS {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    // The organs are what a narrow terminal breaks last.
    if let Some(column) = table.column_mut(1) {
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(14)));
    }
    let there: Vec<&SlideStatus> = slides.iter().filter(|s| s.is_there()).collect();
    for slide in &there {
        table.add_row(row(slide));
    }
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
        format!("{:.1}", there.iter().fold(0.0, |sum, s| sum + s.seconds)),
        match there.iter().map(|s| s.warnings.len()).sum::<usize>() {
            0 => String::new(),
            some => some.to_string(),
        },
    ]);
    table
}

fn row(slide: &SlideStatus) -> [String; 7] {
    let word = match (slide.status, slide.earlier) {
        (Status::Done, _) => "done",
        (Status::Skipped, true) => "not an input",
        _ => "already done",
    };
    [
        printable(&slide.id),
        match organs::is_unsure(slide) {
            true => format!("{word}, unsure"),
            false => word.to_owned(),
        },
        printable(&organs::of(slide)),
        slide.objects.to_string(),
        mm2(slide.area_mm2),
        match slide.status {
            Status::Done => format!("{:.1}", slide.seconds),
            _ => "-".to_owned(),
        },
        kinds(slide),
    ]
}

/// The kinds of a slide's warnings, each once.
fn kinds(slide: &SlideStatus) -> String {
    let mut names: Vec<&str> = slide.warnings.iter().map(|w| w.kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn mm2(area: Option<f64>) -> String {
    area.map_or_else(|| "?".to_owned(), |area| format!("{area:.3}"))
}
