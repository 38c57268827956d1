//! Figures as PDF, for LaTeX: lines and letters are sharp at any size.

use krilla::geom::Size;
use krilla::page::PageSettings;
use krilla::{Document, SerializeSettings};
use krilla_svg::{SurfaceExt, SvgSettings};

use super::drawing;

/// Points of the page for one px of the drawing: a drawing of 760 px is printed 19 cm wide.
const SCALE: f32 = 19.0 / 2.54 * 72.0 / 760.0;

/// A figure as a PDF of one page that is as large as the figure.
///
/// # Errors
/// When the drawing cannot be read or the page cannot be made.
pub(super) fn pdf(svg: &str) -> Result<Vec<u8>, String> {
    let tree = drawing::read(svg)?;
    let size = Size::from_wh(tree.size().width() * SCALE, tree.size().height() * SCALE)
        .ok_or("it has no size")?;
    let mut document = Document::new_with(SerializeSettings {
        // Without a date in it, the same figure is the same bytes.
        xmp_metadata: false,
        ..SerializeSettings::default()
    });
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    surface
        .draw_svg(&tree, size, SvgSettings::default())
        .ok_or("it cannot be drawn")?;
    surface.finish();
    page.finish();
    document.finish().map_err(|error| format!("{error:?}"))
}

#[cfg(test)]
mod tests {
    use super::super::svg::{Anchor, Svg};
    use super::*;

    fn figure(text: &str) -> String {
        let mut svg = Svg::new(760.0, 200.0);
        svg.text([10.0, 25.0], Anchor::Start, text);
        svg.mark(2, [20.0, 20.0], 9.0, false, None);
        svg.finish("a test")
    }

    #[test]
    fn a_figure_is_a_page_of_its_size_with_the_font_in_it() {
        let bytes = pdf(&figure("Dice \u{2212}1 µm²")).unwrap();
        assert!(bytes.starts_with(b"%PDF-") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
        let text = String::from_utf8_lossy(&bytes);
        // 19 cm are 538.6 points.
        let (_, after) = text.split_once("/MediaBox").unwrap();
        let page: Vec<f32> = after
            .split(['[', ']'])
            .nth(1)
            .unwrap()
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        assert!(
            (page[2] - 538.58).abs() < 0.1 && (page[3] - 141.73).abs() < 0.1,
            "{page:?}"
        );
        assert!(text.contains("DejaVuSans"), "the font is not in it");
        assert!(!text.contains("/CreationDate"));
    }

    #[test]
    fn a_figure_is_the_same_bytes_every_time() {
        assert_eq!(pdf(&figure("x")), pdf(&figure("x")));
        assert!(pdf("no drawing").is_err());
    }
}
