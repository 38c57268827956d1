//! `report.html`: one self-contained page, and its figures and tables as files.

mod axes;
mod blocks;
mod charts;
#[cfg(feature = "figures")]
mod drawing;
mod files;
#[cfg(feature = "figures")]
mod pdf_figure;
#[cfg(feature = "figures")]
mod png_figure;
mod sections;
mod svg;
mod table;
mod words;

use std::collections::BTreeMap;

use serde::Serialize;

use super::picture::Picture;
use super::{Gallery, ImageScore, MEASURES, Measure, Report};
use blocks::Section;
pub(super) use files::{files, is_ours};

/// The page; its parts take the places of markers in it.
const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const TITLE_MARKER: &str = "/*TITLE*/";
const STYLE_MARKER: &str = "/*STYLE*/";
const SCRIPT_MARKER: &str = "/*SCRIPT*/";
const DATA_MARKER: &str = "/*DATA*/";

/// What the page shows, apart from pictures.
pub(super) struct Content<'a> {
    report: &'a Report,
    sections: Vec<Section>,
}

/// What the page is given.
#[derive(Serialize)]
struct Data<'a> {
    title: &'a str,
    summary: Vec<String>,
    banner: Vec<String>,
    sections: &'a [Section],
    measures: Vec<Measure>,
    runs: Vec<Run<'a>>,
    organs: Vec<Option<String>>,
    images: BTreeMap<&'a str, &'a Picture>,
}

/// What the gallery needs of a run.
#[derive(Serialize)]
struct Run<'a> {
    name: &'a str,
    images: &'a [ImageScore],
}

impl<'a> Content<'a> {
    /// All that a report has to show.
    pub(super) fn new(report: &'a Report) -> Self {
        Content {
            report,
            sections: sections::sections(report),
        }
    }

    /// The page with its data.
    ///
    /// # Errors
    /// When the data cannot be told in JSON.
    pub(super) fn page(&self, gallery: &Gallery) -> serde_json::Result<String> {
        let runs = self.report.runs.iter();
        let data = serde_json::to_string(&Data {
            title: &self.report.title,
            summary: sections::summary(self.report),
            banner: sections::banner(self.report),
            sections: &self.sections,
            measures: MEASURES.to_vec(),
            runs: runs
                .map(|run| Run {
                    name: &run.scores.name,
                    images: &run.scores.images,
                })
                .collect(),
            organs: sections::organs(self.report),
            images: gallery.by_id(),
        })?;
        let title = svg::escape(&self.report.title);
        // The data come last: what they hold is no marker. A file's name must not be able to end the script it stands in.
        Ok(PAGE
            .replacen(STYLE_MARKER, STYLE, 1)
            .replacen(SCRIPT_MARKER, SCRIPT, 1)
            .replacen(DATA_MARKER, &data.replace('<', "\\u003c"), 1)
            .replacen(TITLE_MARKER, &title, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_its_markers_once_and_in_order() {
        let places = [TITLE_MARKER, STYLE_MARKER, DATA_MARKER, SCRIPT_MARKER].map(|marker| {
            assert_eq!(PAGE.matches(marker).count(), 1, "{marker}");
            for part in [STYLE, SCRIPT] {
                assert!(!part.contains(marker), "{marker}");
            }
            PAGE.find(marker)
        });
        // A title stands before the data, so that one which is a marker is replaced there and not in them.
        assert!(places.is_sorted());
    }
}
