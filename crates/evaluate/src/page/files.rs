//! The figures and tables of the page as files.

use super::Content;
use super::blocks::pieces;

/// What the files are called, runs' numbers left out.
const STEMS: [&str; 24] = [
    "area-N",
    "area-N-agreement",
    "density-N",
    "density-N-agreement",
    "dice",
    "dice-by-object-size",
    "dice-per-image",
    "dice-unseen",
    "difference-N",
    "figures-N",
    "not-in-truth",
    "not-scored",
    "notes",
    "object-size-N",
    "objects-N",
    "objects-N-agreement",
    "panoptic-N",
    "reference-hubmap-N",
    "reliability-N",
    "routing-N",
    "routing-cells-N",
    "routing-cost-N",
    "routing-images-N",
    "runs",
];
/// The same for those that are only made where thresholds were swept.
const SWEPT: [&str; 2] = ["thresholds-N", "thresholds-left-out-N"];
const ENDINGS: [&str; 6] = ["csv", "md", "pdf", "png", "svg", "tex"];
/// All tables one after another.
const ALL_TABLES: &str = "tables";

/// Whether a file is one of a report's figures and tables, by its name.
pub(in super::super) fn is_ours(name: &str) -> bool {
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return false;
    };
    let numbered = |part: &str| match part.bytes().all(|byte| byte.is_ascii_digit()) {
        true if !part.is_empty() => "N".to_owned(),
        _ => part.to_owned(),
    };
    let stem = stem.split('-').map(numbered).collect::<Vec<_>>().join("-");
    let mut known = STEMS.iter().chain(&SWEPT).chain([&ALL_TABLES]);
    ENDINGS.contains(&ending) && known.any(|&known| known == stem)
}

/// The files: their names, and what they hold. Figures are SVG, and PNG and PDF where the crate is built for it; tables are
/// CSV, Markdown and LaTeX, and all of them together Markdown and LaTeX once more.
///
/// # Errors
/// Which file cannot be made, and why.
pub(in super::super) fn files(content: &Content<'_>) -> Result<Vec<(String, Vec<u8>)>, String> {
    let (mut tables, mut figures) = (Vec::new(), Vec::new());
    for section in &content.sections {
        pieces(&section.blocks, &mut tables, &mut figures);
    }
    let mut files = Vec::new();
    for figure in figures {
        let name = &figure.name;
        files.push((format!("{name}.svg"), figure.svg.clone().into_bytes()));
        #[cfg(feature = "figures")]
        files.push((
            format!("{name}.png"),
            super::png_figure::png(&figure.svg).map_err(|error| format!("{name}.png: {error}"))?,
        ));
        #[cfg(feature = "figures")]
        files.push((
            format!("{name}.pdf"),
            super::pdf_figure::pdf(&figure.svg).map_err(|error| format!("{name}.pdf: {error}"))?,
        ));
    }
    let together = |texts: Vec<String>| texts.join("\n").into_bytes();
    let markdown = tables.iter().map(|table| table.markdown()).collect();
    let latex = tables.iter().map(|table| table.latex()).collect();
    files.push((format!("{ALL_TABLES}.md"), together(markdown)));
    files.push((format!("{ALL_TABLES}.tex"), together(latex)));
    for table in tables {
        let name = &table.name;
        let csv = table
            .csv()
            .map_err(|error| format!("{name}.csv: {error}"))?;
        files.push((format!("{name}.csv"), csv.into_bytes()));
        files.push((format!("{name}.md"), table.markdown().into_bytes()));
        files.push((format!("{name}.tex"), table.latex().into_bytes()));
    }
    debug_assert!(files.iter().all(|(name, _)| is_ours(name)));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_report_are_its_own() {
        for name in [
            "area-12.svg",
            "objects-1-agreement.tex",
            "dice.csv",
            "reference-hubmap-2022.md",
            "density-1.pdf",
            "tables.tex",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in [
            "dice",
            "dice.txt",
            "area-.svg",
            "area-x.svg",
            "my-dice.csv",
            "figure.svg",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
