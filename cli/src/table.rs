//! Prints what came of a batch as a table on standard output.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::console::{columns_of_output, painted_table, printable, put_line};
use super::organs;
use ftuseg::batch::{OrganFound, RunSummary, SlideStatus, Status};

/// Columns that hold numbers.
const NUMBERS: [usize; 5] = [3, 4, 5, 6, 7];

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
        "slide",
        "",
        "organs",
        "objects",
        "mm2",
        "per mm2",
        "median um2",
        "seconds",
        "warnings",
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
        if slide.organs.len() > 1 {
            for organ in &slide.organs {
                table.add_row(row_of_organ(organ));
            }
        }
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
        String::new(),
        String::new(),
        format!("{:.1}", there.iter().fold(0.0, |sum, s| sum + s.seconds)),
        match there.iter().map(|s| s.warnings.len()).sum::<usize>() {
            0 => String::new(),
            some => some.to_string(),
        },
    ]);
    table
}

/// Several organs' figures stand in lines of their own.
fn row(slide: &SlideStatus) -> [String; 9] {
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
        own(&slide.organs, |organ| per_mm2(organ.objects_per_mm2)),
        own(&slide.organs, |organ| um2(organ.median_area_um2)),
        match slide.status {
            Status::Done => format!("{:.1}", slide.seconds),
            _ => "-".to_owned(),
        },
        kinds(slide),
    ]
}

/// What one of a slide's several organs has.
fn row_of_organ(organ: &OrganFound) -> [String; 9] {
    [
        String::new(),
        String::new(),
        printable(organs::label(&organ.organ)),
        organ.objects.to_string(),
        mm2(organ.area_mm2),
        per_mm2(organ.objects_per_mm2),
        um2(organ.median_area_um2),
        String::new(),
        String::new(),
    ]
}

/// A figure of the only organ.
fn own(organs: &[OrganFound], figure: impl Fn(&OrganFound) -> String) -> String {
    match organs {
        [only] => figure(only),
        _ => String::new(),
    }
}

/// The kinds of a slide's warnings, each once.
fn kinds(slide: &SlideStatus) -> String {
    let mut names: Vec<&str> = slide.warnings.iter().map(|w| w.kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// Objects in a mm2 of tissue, to three digits.
fn per_mm2(density: Option<f64>) -> String {
    density.map_or_else(
        || "-".to_owned(),
        |density| match density {
            many if many >= 100.0 => format!("{many:.0}"),
            some if some >= 10.0 => format!("{some:.1}"),
            few => format!("{few:.2}"),
        },
    )
}

fn um2(area: Option<f64>) -> String {
    area.map_or_else(|| "-".to_owned(), |area| format!("{area:.0}"))
}

fn mm2(area: Option<f64>) -> String {
    area.map_or_else(|| "?".to_owned(), |area| format!("{area:.3}"))
}
