//! Figures as PNG.

use resvg::tiny_skia::{Pixmap, Transform};

use super::drawing;

/// px of the picture for one of the drawing: 300 dpi for a drawing of 760 px printed 19 cm wide.
const SCALE: f32 = 3.0;

/// A figure as PNG.
///
/// # Errors
/// When the drawing cannot be read or the picture cannot be made.
pub(super) fn png(svg: &str) -> Result<Vec<u8>, String> {
    let tree = drawing::read(svg)?;
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
    use super::super::drawing::COVERED;
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
