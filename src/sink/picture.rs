//! A small picture in memory: lines, boxes and words on it, and PNG at the end.

use std::path::Path;

use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::SinkError;

const WEIGHT: FontWeight = FontWeight::Regular;
const SIZE: RasterHeight = RasterHeight::Size20;

/// Height of a line of words, px.
pub(super) const LINE: u32 = SIZE.val() as u32;

/// A picture, RGB `[height, width, 3]`.
pub(super) struct Picture {
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
}

impl Picture {
    /// A white picture.
    pub fn white(width: u32, height: u32) -> Self {
        Picture {
            width,
            height,
            rgb: vec![255; width as usize * height as usize * 3],
        }
    }

    /// Copies a picture that is no larger into the top left corner.
    pub fn paste(&mut self, other: &Picture) {
        let (own, line) = (self.width as usize * 3, other.width as usize * 3);
        for (to, from) in self
            .rgb
            .chunks_exact_mut(own)
            .zip(other.rgb.chunks_exact(line))
        {
            to[..line].copy_from_slice(from);
        }
    }

    /// Paints the px; what lies outside is left out.
    fn put(&mut self, x: i64, y: i64, ink: [u8; 3]) {
        let inside =
            (0..i64::from(self.width)).contains(&x) && (0..i64::from(self.height)).contains(&y);
        if inside {
            let at = (y as usize * self.width as usize + x as usize) * 3;
            self.rgb[at..at + 3].copy_from_slice(&ink);
        }
    }

    /// Draws a closed ring of full-size corners, one px of the picture being `scale` full-size px, with a brush of
    /// `2 * radius - 1` px.
    pub fn ring(&mut self, ring: &[[u32; 2]], scale: f64, radius: i64, ink: [u8; 3]) {
        // Many corners of a slide lie in one px of the picture.
        let mut last = None;
        for pair in ring.windows(2) {
            let [from, to] = [pair[0], pair[1]]
                .map(|[x, y]| (f64::from(x) / scale - 0.5, f64::from(y) / scale - 0.5));
            let steps = (to.0 - from.0)
                .abs()
                .max((to.1 - from.1).abs())
                .ceil()
                .max(1.0);
            for step in 0..=steps as u32 {
                let part = f64::from(step) / steps;
                let x = (from.0 + (to.0 - from.0) * part).round() as i64;
                let y = (from.1 + (to.1 - from.1) * part).round() as i64;
                if last.replace((x, y)) == Some((x, y)) {
                    continue;
                }
                let reach = radius - 1;
                self.fill((x - reach, y - reach), (2 * reach + 1, 2 * reach + 1), ink);
            }
        }
    }

    /// Fills a box whose top left px is `corner`.
    pub fn fill(&mut self, corner: (i64, i64), (width, height): (i64, i64), ink: [u8; 3]) {
        for y in corner.1..corner.1 + height {
            for x in corner.0..corner.0 + width {
                self.put(x, y, ink);
            }
        }
    }

    /// Writes words in black; letters that the font lacks become question marks.
    pub fn words(&mut self, words: &str, corner: (i64, i64)) {
        let mut x = corner.0;
        for letter in words.chars() {
            let raster = get_raster(letter, WEIGHT, SIZE).or_else(|| get_raster('?', WEIGHT, SIZE));
            for (down, row) in raster.iter().flat_map(|r| r.rows()).enumerate() {
                for (across, &ink) in row.iter().enumerate() {
                    if ink > 0 {
                        self.put(x + across as i64, corner.1 + down as i64, [255 - ink; 3]);
                    }
                }
            }
            x += get_raster_width(WEIGHT, SIZE) as i64;
        }
    }

    /// The picture as PNG, which errors call `name`. Encoded in memory: an encoder that writes its end when it is dropped
    /// cannot tell of a full disk.
    pub fn png(&self, name: &Path) -> Result<Vec<u8>, SinkError> {
        let mut png = Vec::new();
        PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
            .write_image(
                &self.rgb,
                self.width,
                self.height,
                image::ExtendedColorType::Rgb8,
            )
            .map_err(|error| SinkError::Picture {
                path: name.to_owned(),
                reason: error.to_string(),
            })?;
        Ok(png)
    }
}

/// Width of some words, px.
pub(super) fn width_of(words: &str) -> u32 {
    (words.chars().count() * get_raster_width(WEIGHT, SIZE)) as u32
}
