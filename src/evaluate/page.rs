//! `report.html`: one page that holds everything and asks nothing of a network.

use std::collections::BTreeMap;
use std::path::Path;

use image::ImageEncoder;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::{Prediction, Report, Truth};
use crate::mask::{Mask, polygons};
use crate::slide::{self, Plane};

/// The page; the report's data takes the place of a marker in it.
const PAGE: &str = include_str!("page.html");
const MARKER: &str = "/*DATA*/null";
/// Longest side of a picture in the gallery, px.
const SIDE: u32 = 512;
/// Quality of the pictures, as JPEG counts it.
const QUALITY: u8 = 78;

/// Pictures with outlines, for looking.
#[derive(Debug, Default)]
pub struct Gallery {
    images: Vec<Picture>,
}

#[derive(Debug, Serialize)]
struct Picture {
    id: String,
    width: u32,
    height: u32,
    /// JPEG as a data address.
    image: String,
    /// The truth's outlines as an SVG path, in px of the picture.
    truth: String,
    /// Each run's outlines, in the runs' order; none where it has no mask.
    found: Vec<Option<String>>,
}

impl Gallery {
    /// Draws the images that can be found: in `images` as `ID.tiff` and the like, or where a run's record says it read
    /// them. An image that cannot be read is left out of the gallery, and is in the figures all the same.
    pub fn draw(truths: &[Truth], runs: &[Prediction], images: Option<&Path>) -> Self {
        let images = truths
            .par_iter()
            .filter_map(|truth| picture(truth, runs, images))
            .collect();
        Gallery { images }
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }
}

fn picture(truth: &Truth, runs: &[Prediction], images: Option<&Path>) -> Option<Picture> {
    let known = images.map(|folder| crate::batch::image_of(folder, &truth.id));
    let recorded = || runs.iter().find_map(|run| run.source(&truth.id).1);
    let path = known.filter(|path| path.is_file()).or_else(recorded)?;
    let mask = truth.mask().ok()?;
    let slide = slide::open(&path).ok()?;
    let (width, height) = (slide.info().width(), slide.info().height());
    if (width, height) != (mask.width(), mask.height()) {
        return None;
    }
    let scale = (f64::from(width.max(height)) / f64::from(SIDE)).max(0.25);
    let plane = Plane::at_scale(width, height, scale);
    let mut rgb = vec![255; plane.width as usize * plane.height as usize * 3];
    plane
        .read(slide.as_ref(), 0, 0, plane.width, plane.height, &mut rgb)
        .ok()?;
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .write_image(
            &rgb,
            plane.width,
            plane.height,
            image::ExtendedColorType::Rgb8,
        )
        .ok()?;
    Some(Picture {
        id: truth.id.clone(),
        width: plane.width,
        height: plane.height,
        image: format!("data:image/jpeg;base64,{}", base64(&jpeg)),
        truth: outlines(&mask, &plane),
        found: runs
            .iter()
            .map(|run| {
                let found = run.mask(&truth.id, (width, height)).ok()??;
                Some(outlines(&found, &plane))
            })
            .collect(),
    })
}

/// The outlines of a mask as an SVG path, at the scale of a picture.
fn outlines(mask: &Mask, plane: &Plane) -> String {
    let Ok(mut small) = Mask::new(plane.width, plane.height) else {
        return String::new();
    };
    let at = |px: u32, scale: f64| ((f64::from(px) + 0.5) * scale) as u32;
    for y in 0..plane.height {
        let row = at(y, plane.scale.1);
        let mut open = None;
        for x in 0..=plane.width {
            let set = x < plane.width && mask.get(at(x, plane.scale.0), row);
            match (set, open) {
                (true, None) => open = Some(x),
                (false, Some(start)) => {
                    small.set_row_run(y, start..x);
                    open = None;
                }
                _ => {}
            }
        }
    }
    let mut path = String::new();
    for polygon in polygons(&small) {
        for ring in std::iter::once(&polygon.exterior).chain(&polygon.holes) {
            // Sides are level and upright in turn, which SVG says in one number each.
            let mut last: Option<[u32; 2]> = None;
            for &[x, y] in ring {
                match last {
                    None => path.push_str(&format!("M{x} {y}")),
                    Some([_, old]) if old == y => path.push_str(&format!("H{x}")),
                    Some(_) => path.push_str(&format!("V{y}")),
                }
                last = Some([x, y]);
            }
        }
    }
    path
}

/// The page with its data.
pub(super) fn page(report: &Report, gallery: &Gallery) -> String {
    let images: BTreeMap<&str, &Picture> =
        gallery.images.iter().map(|p| (p.id.as_str(), p)).collect();
    let data = json!({ "report": report, "images": images }).to_string();
    // A file's name must not be able to end the script it stands in.
    PAGE.replacen(MARKER, &data.replace('<', "\\u003c"), 1)
}

/// Base64 as in RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(
                    LETTERS[(group >> (18 - 6 * place) & 63) as usize],
                ));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_page_has_its_marker_once() {
        assert_eq!(PAGE.matches(MARKER).count(), 1);
    }

    #[test]
    fn outlines_are_paths_at_the_pictures_scale() {
        let mut mask = Mask::new(40, 40).unwrap();
        for y in 10..30 {
            mask.set_row_run(y, 8..20);
        }
        let plane = Plane::at_scale(40, 40, 2.0);
        assert_eq!(outlines(&mask, &plane), "M4 5H10V15H4V5");
    }
}
