//! Pictures of the images with the outlines of truth and runs, small enough for one page.

use std::collections::BTreeMap;
use std::path::Path;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use serde::Serialize;

use ftuseg_mask::{Mask, polygons};
use ftuseg_slide::{self, Plane};

/// Quality of the pictures, as JPEG counts it.
const QUALITY: u8 = 80;

/// Where pictures come from, and how large they are.
#[derive(Debug, Clone, Copy)]
pub struct Pictures<'a> {
    /// A folder of images named by id; else where the runs' records say.
    pub images: Option<&'a Path>,
    /// Longest side, px.
    pub side: u32,
}

impl<'a> Pictures<'a> {
    /// Pictures of so many images that a page of 351 stays under 60 MB: fewer are shown larger.
    pub fn of(images: Option<&'a Path>, count: usize) -> Self {
        let side = match count {
            0..=60 => 1024,
            61..=150 => 768,
            _ => 512,
        };
        Pictures { images, side }
    }

    /// Begins the picture of one image. An image that cannot be shown still shows its outlines.
    pub(super) fn start(
        &self,
        id: &str,
        truth: &Mask,
        recorded: Option<&Path>,
        runs: usize,
    ) -> DrawnOutlines {
        let (width, height) = (truth.width(), truth.height());
        let scale = (f64::from(width.max(height)) / f64::from(self.side)).max(0.25);
        let plane = Plane::at_scale(width, height, scale);
        let known = self.images.map(|folder| ftuseg_slide::image_of(folder, id));
        let known = known.filter(|path| path.is_file());
        let (image, problem) = match known.as_deref().or(recorded) {
            None => (None, None),
            Some(path) => match photograph(path, (width, height), &plane) {
                Ok(image) => (Some(image), None),
                Err(reason) => (None, Some(reason)),
            },
        };
        DrawnOutlines {
            picture: Picture {
                id: id.to_owned(),
                width: plane.width,
                height: plane.height,
                image,
                truth: outlines(truth, &plane),
                found: vec![None; runs],
            },
            plane,
            problem,
        }
    }
}

/// A picture that is being drawn.
pub(super) struct DrawnOutlines {
    picture: Picture,
    plane: Plane,
    problem: Option<String>,
}

impl DrawnOutlines {
    /// Adds the outlines of a run's mask, which has the truth's size.
    pub fn add(&mut self, run: usize, found: &Mask) {
        self.picture.found[run] = Some(outlines(found, &self.plane));
    }

    /// The picture, and why its image is not in it.
    pub fn finish(self) -> (Picture, Option<String>) {
        (self.picture, self.problem)
    }
}

/// Pictures with outlines, for looking.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Gallery {
    pub(super) images: Vec<Picture>,
}

impl Gallery {
    /// How many pictures there are, and how many of them show their image beside the outlines.
    pub fn counts(&self) -> (usize, usize) {
        let shown = self.images.iter().filter(|p| p.image.is_some()).count();
        (self.images.len(), shown)
    }

    /// The pictures by id.
    pub(super) fn by_id(&self) -> BTreeMap<&str, &Picture> {
        self.images.iter().map(|p| (p.id.as_str(), p)).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Picture {
    id: String,
    width: u32,
    height: u32,
    /// JPEG as a data address; none where the image cannot be shown.
    image: Option<String>,
    /// The truth's outlines as an SVG path, in px of the picture.
    truth: String,
    /// Each run's outlines, in the runs' order; none where it has no mask.
    found: Vec<Option<String>>,
}

/// An image at the scale of its picture, as a data address.
fn photograph(path: &Path, size: (u32, u32), plane: &Plane) -> Result<String, String> {
    let slide = ftuseg_slide::open(path).map_err(|error| format!("it cannot be shown: {error}"))?;
    let (width, height) = (slide.info().width(), slide.info().height());
    if (width, height) != size {
        return Err(format!(
            "it cannot be shown: {} is {width} x {height} px, but the truth is {} x {} px",
            path.display(),
            size.0,
            size.1
        ));
    }
    let mut rgb = vec![255; plane.width as usize * plane.height as usize * 3];
    plane
        .read(slide.as_ref(), 0, 0, plane.width, plane.height, &mut rgb)
        .map_err(|error| format!("it cannot be shown: {error}"))?;
    // A picture's sides are at most 1024 px and a little, so the casts are exact.
    let (width, height) = (plane.width as u16, plane.height as u16);
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(&rgb, width, height, ColorType::Rgb)
        .map_err(|error| format!("it cannot be shown: {error}"))?;
    Ok(format!("data:image/jpeg;base64,{}", base64(&jpeg)))
}

/// The outlines of a mask as an SVG path, at the scale of a picture.
fn outlines(mask: &Mask, plane: &Plane) -> String {
    let Ok(mut small) = Mask::new(plane.width, plane.height) else {
        return String::new();
    };
    // A px of the picture is set where the mask's px in its middle is.
    let middle = |px: u32, scale: f64| ((f64::from(px) + 0.5) * scale) as u32;
    let columns: Vec<u32> = (0..plane.width).map(|x| middle(x, plane.scale.0)).collect();
    for y in 0..plane.height {
        for run in mask.row_runs(middle(y, plane.scale.1)) {
            let first = columns.partition_point(|&column| column < run.start) as u32;
            let end = columns.partition_point(|&column| column < run.end) as u32;
            small.set_row_run(y, first..end);
        }
    }
    let mut path = String::new();
    for polygon in polygons(&small) {
        for ring in std::iter::once(&polygon.exterior).chain(&polygon.holes) {
            // Sides are level and upright in turn, which SVG says in one number each: how far to go.
            let Some(([mut x, mut y], rest)) = ring.split_first().map(|(f, rest)| (*f, rest))
            else {
                continue;
            };
            path.push_str(&format!("M{x} {y}"));
            // The last side leads back to where it began.
            for &[to_x, to_y] in &rest[..rest.len().saturating_sub(1)] {
                if to_y == y {
                    path.push_str(&format!("h{}", i64::from(to_x) - i64::from(x)));
                } else {
                    path.push_str(&format!("v{}", i64::from(to_y) - i64::from(y)));
                }
                (x, y) = (to_x, to_y);
            }
            path.push('z');
        }
    }
    path
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
    fn outlines_are_paths_at_the_pictures_scale() {
        let mut mask = Mask::new(40, 40).unwrap();
        for y in 10..30 {
            mask.set_row_run(y, 8..20);
        }
        let plane = Plane::at_scale(40, 40, 2.0);
        assert_eq!(outlines(&mask, &plane), "M4 5h6v10h-6z");
    }

    #[test]
    fn an_image_that_cannot_be_shown_has_its_outlines_all_the_same() {
        let mut mask = Mask::new(40, 40).unwrap();
        mask.set_row_run(3, 0..40);
        let pictures = Pictures::of(None, 1);
        let drawing = pictures.start("x", &mask, Some(Path::new("nowhere.tif")), 2);
        let (picture, problem) = drawing.finish();
        assert!(picture.image.is_none() && picture.truth.starts_with('M'));
        assert!(problem.unwrap().contains("nowhere.tif"));
        let (_, problem) = pictures.start("x", &mask, None, 2).finish();
        assert_eq!(problem, None);
    }
}
