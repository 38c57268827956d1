//! Reads the SVG of a figure, with letters from a font of our own: figures look the same on every machine.

use std::sync::{Arc, OnceLock};

use resvg::usvg::{Options, Tree, fontdb::Database};

/// A part of DejaVu Sans; its licence lies next to it.
const FONT: &[u8] = include_bytes!("DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";

/// Letters and signs that the font has.
pub(super) const COVERED: [std::ops::RangeInclusive<char>; 9] = [
    ' '..='~',
    '\u{a0}'..='\u{17f}',
    '\u{391}'..='\u{3a1}',
    '\u{3a3}'..='\u{3c9}',
    '\u{2010}'..='\u{2015}',
    '\u{2018}'..='\u{201e}',
    '\u{2026}'..='\u{2026}',
    '\u{2212}'..='\u{2212}',
    '\u{2264}'..='\u{2265}',
];
/// Stands for a letter that the font has not.
const UNKNOWN: char = '\u{25a1}';

/// The font, loaded once.
fn fonts() -> Arc<Database> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let load = || {
        let mut fonts = Database::new();
        fonts.load_font_data(FONT.to_vec());
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

/// Reads a drawing. A letter that the font has not becomes an empty box: the SVG has it.
///
/// # Errors
/// When it is no drawing.
pub(super) fn read(svg: &str) -> Result<Tree, String> {
    let options = Options {
        font_family: FAMILY.to_owned(),
        fontdb: fonts(),
        ..Options::default()
    };
    let known = |c: char| c == '\n' || COVERED.iter().any(|range| range.contains(&c));
    let shown: String = svg
        .chars()
        .map(|c| if known(c) { c } else { UNKNOWN })
        .collect();
    Tree::from_str(&shown, &options).map_err(|error| error.to_string())
}
