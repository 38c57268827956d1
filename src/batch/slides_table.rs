//! `slides.csv`: a line a slide, for spreadsheets and statistics: organs, shares, confidence, counts, areas, doubts, time.
//!
//! What a slide has several of stands in one field, with semicolons between and in one order, the largest share of the
//! tissue first. A text that a spreadsheet would take for a formula stands after an apostrophe, as in `report.csv`.

use std::borrow::Cow;
use std::path::Path;

use ftuseg_files::whole::replace;
use ftuseg_records::{OrganFound, SlideStatus, Status};

use super::BatchError;

/// The file's name.
pub(super) const NAME: &str = "slides.csv";

const HEADER: [&str; 18] = [
    "id",
    "status",
    "organs",
    "shares",
    "confidences",
    "objects_by_organ",
    "areas_mm2_by_organ",
    "densities_per_mm2_by_organ",
    "median_areas_um2_by_organ",
    "objects",
    "area_mm2",
    "warnings",
    "warning_texts",
    "failure",
    "reason",
    "seconds",
    "folder",
    "path",
];

/// Replaces the table in the folder `out`.
pub(super) fn write(out: &Path, slides: &[SlideStatus]) -> Result<(), BatchError> {
    replace(&out.join(NAME), |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(HEADER)?;
        for slide in slides {
            table.write_record(row(slide).iter().map(|field| as_text(field).into_owned()))?;
        }
        table.flush()
    })?;
    Ok(())
}

fn row(slide: &SlideStatus) -> [String; 18] {
    let organs = |field: fn(&OrganFound) -> String| {
        let all: Vec<String> = slide.organs.iter().map(field).collect();
        all.join(";")
    };
    let area = |area: Option<f64>| area.map_or_else(String::new, |area| format!("{area:.6}"));
    let is_there = slide.is_there();
    let found = |text: String| if is_there { text } else { String::new() };
    let mut kinds: Vec<&str> = slide.warnings.iter().map(|w| w.kind.name()).collect();
    kinds.dedup();
    let texts: Vec<&str> = slide.warnings.iter().map(|w| w.text.as_str()).collect();
    [
        slide.id.clone(),
        match slide.status {
            Status::Done => "done",
            Status::Failed => "failed",
            Status::Skipped => "skipped",
            Status::Pending => "pending",
        }
        .to_owned(),
        organs(|organ| organ.organ.clone()),
        organs(|organ| format!("{:.4}", organ.share)),
        organs(|organ| format!("{:.4}", organ.confidence)),
        organs(|organ| organ.objects.to_string()),
        organs(|organ| {
            organ
                .area_mm2
                .map_or_else(String::new, |area| format!("{area:.6}"))
        }),
        organs(|organ| known(organ.objects_per_mm2)),
        organs(|organ| known(organ.median_area_um2)),
        found(slide.objects.to_string()),
        found(area(slide.area_mm2)),
        kinds.join(";"),
        texts.join("; "),
        slide.kind.clone().unwrap_or_default(),
        slide.reason.clone().unwrap_or_default(),
        match slide.status {
            Status::Done | Status::Failed => format!("{:.1}", slide.seconds),
            Status::Skipped | Status::Pending => String::new(),
        },
        slide.folder.clone().unwrap_or_default(),
        slide.path.clone(),
    ]
}

fn known(number: Option<f64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

/// A text as a field that no spreadsheet takes for a formula.
fn as_text(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slide::warning::{Warning, WarningKind};

    #[test]
    fn every_field_comes_back_and_none_is_a_formula() {
        let found = |organ: &str, share, objects, area_mm2| OrganFound {
            organ: organ.to_owned(),
            share,
            confidence: 0.91,
            objects,
            area_mm2,
            objects_per_mm2: area_mm2.map(|area| objects as f64 / area),
            median_area_um2: area_mm2.map(|_| 1234.5),
        };
        let mut done = SlideStatus::new("=1+1,\"x\"", "a\nb.tif".to_owned(), Status::Done);
        done.organs = vec![
            found("kidney", 0.625, 12, Some(0.25)),
            found("largeintestine", 0.375, 3, None),
        ];
        (done.objects, done.seconds) = (15, 2.04);
        done.warnings = ["one", "two"]
            .map(|text| Warning::new(WarningKind::Unsure, text))
            .into();
        let mut failed = SlideStatus::new("b", "b.tif".to_owned(), Status::Failed);
        failed.kind = Some("io".to_owned());
        failed.reason = Some("-x".to_owned());
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[done, failed]).unwrap();
        let mut table = csv::Reader::from_path(folder.path().join(NAME)).unwrap();
        assert_eq!(table.headers().unwrap(), HEADER.as_slice());
        let rows: Vec<Vec<String>> = table
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        assert_eq!(
            rows[0],
            [
                "'=1+1,\"x\"",
                "done",
                "kidney;largeintestine",
                "0.6250;0.3750",
                "0.9100;0.9100",
                "12;3",
                "0.250000;",
                "48;",
                "1234.5;",
                "15",
                "",
                "unsure",
                "one; two",
                "",
                "",
                "2.0",
                "",
                "a\nb.tif"
            ]
        );
        assert_eq!(
            rows[1],
            [
                "b", "failed", "", "", "", "", "", "", "", "", "", "", "", "io", "'-x", "0.0", "",
                "b.tif"
            ]
        );
    }
}
