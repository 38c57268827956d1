//! Figures as PNG: the same px on every machine, since the letters come from a font of our own.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

/// A part of DejaVu Sans; its licence lies next to it.
const FONT: &[u8] = include_bytes!("DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";
/// px of the picture for one of the drawing: 300 dpi for a drawing of 760 px printed 19 cm wide.
const SCALE: f32 = 3.0;

/// Letters and signs that the font has.
const COVERED: [std::ops::RangeInclusive<char>; 9] = [
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

/// A figure as PNG. A letter that the font has not is an empty box: the SVG has it.
///
/// # Errors
/// When the drawing cannot be read or the picture cannot be made.
pub(super) fn png(svg: &str) -> Result<Vec<u8>, String> {
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
    let tree = Tree::from_str(&shown, &options).map_err(|error| error.to_string())?;
    let size = tree.size().to_int_size();
    let size = size.scale_by(SCALE).ok_or("it has no size")?;
    let mut picture = Pixmap::new(size.width(), size.height()).ok_or("it is too large")?;
    resvg::render(
        &tree,
        Transform::from_scale(SCALE, SCALE),
        &mut picture.as_mut(),
    );
    // The drawing's own white lies under everything, so no px is transparent.
    let rgb: Vec<u8> = picture
        .data()
        .as_chunks::<4>()
        .0
        .iter()
        .flat_map(|[r, g, b, _]| [*r, *g, *b])
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.width(), size.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        // 300 dpi
        xppu: 11_811,
        yppu: 11_811,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer
        .write_image_data(&rgb)
        .map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::svg::{Anchor, Svg};
    use super::*;

    /// Dark px of a figure with one text.
    fn dark(text: &str) -> usize {
        let mut svg = Svg::new(200.0, 40.0);
        svg.text([10.0, 25.0], Anchor::Start, text);
        let bytes = png(&svg.finish("a test")).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes))
            .read_info()
            .unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.width, info.height), (600, 120));
        assert_eq!(rgb[..3], [255; 3]);
        rgb.chunks_exact(3).filter(|px| px[0] < 100).count()
    }

    #[test]
    fn letters_stand_in_the_picture_on_a_machine_without_fonts() {
        assert_eq!(dark(""), 0);
        let plain = dark("Dice");
        assert!(plain > 200, "{plain}");
        // Signs that figures use are in the font.
        for sign in ["\u{2212}", "–", "…", "µ", "²", "±", "é", "ß", "≥"] {
            assert!(dark(sign) > 5, "{sign}");
        }
        assert_ne!(dark("µ"), dark("²"));
        let blank = ['\u{20}', '\u{a0}', '\u{ad}'];
        for c in COVERED.into_iter().flatten().filter(|c| !blank.contains(c)) {
            assert!(dark(&c.to_string()) > 0, "{c:?}");
        }
        // Letters of other scripts leave no gap.
        assert_eq!(dark("肾"), dark("\u{25a1}"));
        assert!(dark("肾") > 20);
    }

    #[test]
    fn a_figure_is_the_same_bytes_every_time() {
        let mut svg = Svg::new(50.0, 50.0);
        svg.mark(2, [20.0, 20.0], 9.0, false, None);
        let text = svg.finish("x");
        assert_eq!(png(&text), png(&text));
        assert!(png("no drawing").is_err());
    }
}
