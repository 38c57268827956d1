//! `report.html`: one self-contained page.

use std::collections::BTreeMap;

use serde::Serialize;

use super::picture::Picture;
use super::{Gallery, MEASURES, Measure, Report};

/// The page; the report's data takes the place of a marker in it.
const PAGE: &str = include_str!("report_page.html");
const MARKER: &str = "/*DATA*/";

/// What the page is given.
#[derive(Serialize)]
struct Data<'a> {
    report: &'a Report,
    measures: &'a [Measure],
    images: BTreeMap<&'a str, &'a Picture>,
}

/// The page with its data.
///
/// # Errors
/// When the data cannot be told in JSON.
pub(super) fn page(report: &Report, gallery: &Gallery) -> serde_json::Result<String> {
    let images = gallery.by_id();
    let data = serde_json::to_string(&Data {
        report,
        measures: &MEASURES,
        images,
    })?;
    // A file's name must not be able to end the script it stands in.
    Ok(PAGE.replacen(MARKER, &data.replace('<', "\\u003c"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_its_marker_once() {
        assert_eq!(PAGE.matches(MARKER).count(), 1);
    }
}
