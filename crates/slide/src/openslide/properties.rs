//! What OpenSlide's properties say of a slide, checked.

use std::collections::BTreeMap;

use ftuseg_mask::Rect;

use crate::resolution::Stated;
use crate::{Level, ResolutionSource};

/// The properties of a slide.
pub(super) struct Properties(pub(super) BTreeMap<String, String>);

impl Properties {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.trim().parse().ok()
    }

    /// The name of the format for people.
    pub(super) fn format(&self, is_tiff: bool) -> String {
        match self.text("openslide.vendor").unwrap_or("") {
            "aperio" => "Aperio SVS",
            "dicom" => "DICOM",
            "generic-tiff" => "TIFF",
            "hamamatsu" if is_tiff => "Hamamatsu NDPI",
            "hamamatsu" => "Hamamatsu VMS",
            "leica" => "Leica SCN",
            "mirax" => "MIRAX",
            "philips" => "Philips TIFF",
            "sakura" => "Sakura SVSLIDE",
            "trestle" => "Trestle TIFF",
            "ventana" => "Ventana BIF",
            "zeiss" => "Zeiss CZI",
            other => return other.to_owned(),
        }
        .to_owned()
    }

    /// Whether the first page describes itself by OME-XML, of which OpenSlide knows nothing.
    pub(super) fn is_ome(&self) -> bool {
        let description = self.text("tiff.ImageDescription");
        description.is_some_and(|text| text.contains("<OME"))
    }

    /// The colour where nothing was scanned; white where the slide names none.
    pub(super) fn background(&self) -> [u8; 3] {
        let named = self.text("openslide.background-color").and_then(|text| {
            let value = u32::from_str_radix(text, 16).ok()?;
            (text.len() == 6).then_some(value)
        });
        let [_, red, green, blue] = named.unwrap_or(0xff_ff_ff).to_be_bytes();
        [red, green, blue]
    }

    /// um/px of the full-size level, as it is stated.
    pub(super) fn resolution(&self) -> Option<Stated> {
        let across = self.number("openslide.mpp-x")?;
        let down = self.number("openslide.mpp-y")?;
        Some(Stated::mpp(ResolutionSource::OpenSlide, across, down))
    }

    /// The part of the slide that was scanned, where it is stated and lies in the slide.
    pub(super) fn bounds(&self, whole: Level) -> Option<Rect> {
        let bounds = Rect {
            x: self.number("openslide.bounds-x")?,
            y: self.number("openslide.bounds-y")?,
            width: self.number("openslide.bounds-width")?,
            height: self.number("openslide.bounds-height")?,
        };
        let right = bounds.x.checked_add(bounds.width)?;
        let bottom = bounds.y.checked_add(bounds.height)?;
        let is_sound = bounds.width > 0 && bounds.height > 0;
        let is_all = (bounds.width, bounds.height) == (whole.width, whole.height);
        (is_sound && !is_all && right <= whole.width && bottom <= whole.height).then_some(bounds)
    }

    /// Bytes that one tile of a level takes when it is decoded, where OpenSlide says how large its tiles are.
    pub(super) fn tile_bytes(&self, level: i32) -> Option<u64> {
        let side = |name| self.number::<u64>(&format!("openslide.level[{level}].tile-{name}"));
        side("width")?.checked_mul(side("height")?)?.checked_mul(4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> Properties {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Properties(pairs.iter().map(owned).collect())
    }

    fn bounds(x: &str, y: &str, width: &str, height: &str) -> Option<Rect> {
        let names = ["x", "y", "width", "height"].map(|n| format!("openslide.bounds-{n}"));
        let values = [x, y, width, height];
        let pairs: Vec<_> = names.iter().map(String::as_str).zip(values).collect();
        let whole = Level {
            width: 100,
            height: 80,
        };
        properties(&pairs).bounds(whole)
    }

    #[test]
    fn bounds_that_lie_are_not_taken() {
        let good = bounds("10", "20", "30", "40").unwrap();
        assert_eq!((good.x, good.y, good.width, good.height), (10, 20, 30, 40));
        // All of the slide is no news.
        assert_eq!(bounds("0", "0", "100", "80"), None);
        assert_eq!(bounds("90", "0", "11", "80"), None);
        assert_eq!(bounds("0", "0", "0", "80"), None);
        assert_eq!(bounds("-1", "0", "10", "10"), None);
        assert_eq!(bounds("1", "4294967295", "10", "10"), None);
        assert_eq!(bounds("x", "0", "10", "10"), None);
    }

    #[test]
    fn colours_are_hexadecimal() {
        let colour = |text| properties(&[("openslide.background-color", text)]).background();
        assert_eq!(colour("E6F0FA"), [0xe6, 0xf0, 0xfa]);
        assert_eq!(colour("red"), [255; 3]);
        assert_eq!(colour("fff"), [255; 3]);
        assert_eq!(properties(&[]).background(), [255; 3]);
    }
}
