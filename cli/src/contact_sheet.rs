//! One picture of all slides of a demo: each with its outlines, and below it which colour is which organ and how many objects
//! were found.

use std::path::Path;

use anyhow::Context;
use image::codecs::png::PngEncoder;
use image::imageops::{FilterType, crop_imm, overlay, resize};
use image::{ImageEncoder, Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::console::counted;
use ftuseg::Target;
use ftuseg::batch::OrganFound;
use ftuseg::sink::colour;
use ftuseg_files::whole::replace;

/// Side of the box that a slide's picture is fitted into, px.
const BOX: u32 = 520;
/// Empty px around it.
const GAP: u32 = 20;
/// Height of a line of words, px.
const LINE: u32 = 26;
/// Lines below a picture: the slide's name, and one for each of at most so many organs.
const LINES: u32 = 4;
const COLUMNS: u32 = 3;
const LETTERS: RasterHeight = RasterHeight::Size20;

/// A slide of the sheet.
pub(super) struct Shown {
    /// What stands below it.
    pub name: String,
    /// Its picture with outlines.
    pub picture: RgbImage,
    /// What was found.
    pub organs: Vec<OrganFound>,
}

/// Reads a slide's overlay, without the strip that explains it: a slide of `width` x `height` px is all that is shown.
pub(super) fn read_overlay(path: &Path, (width, height): (u32, u32)) -> anyhow::Result<RgbImage> {
    let picture = image::open(path)
        .with_context(|| format!("{} cannot be read", path.display()))?
        .into_rgb8();
    let rows = u64::from(picture.width()) * u64::from(height) / u64::from(width.max(1));
    let rows = u32::try_from(rows)
        .unwrap_or(u32::MAX)
        .min(picture.height());
    Ok(crop_imm(&picture, 0, 0, picture.width(), rows.max(1)).to_image())
}

/// Draws all slides and replaces the PNG at `path`.
pub(super) fn draw(slides: &[Shown], path: &Path) -> anyhow::Result<()> {
    let sheet = sheet(slides);
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(
            &sheet,
            sheet.width(),
            sheet.height(),
            image::ExtendedColorType::Rgb8,
        )
        .with_context(|| format!("{}: cannot be drawn", path.display()))?;
    replace(path, |file| file.write_all(&png))?;
    Ok(())
}

fn sheet(slides: &[Shown]) -> RgbImage {
    let cell = (BOX + GAP, BOX + LINES * LINE + GAP);
    let rows = u32::try_from(slides.len())
        .unwrap_or(u32::MAX)
        .div_ceil(COLUMNS);
    let mut sheet =
        RgbImage::from_pixel(COLUMNS * cell.0 + GAP, rows * cell.1 + GAP, Rgb([255; 3]));
    for (place, slide) in (0..).zip(slides) {
        let corner = (
            GAP + place % COLUMNS * cell.0,
            GAP + place / COLUMNS * cell.1,
        );
        let scale = f64::from(BOX) / f64::from(slide.picture.width().max(slide.picture.height()));
        let side = |px: u32| ((f64::from(px) * scale).round() as u32).clamp(1, BOX);
        let (width, height) = (side(slide.picture.width()), side(slide.picture.height()));
        let small = resize(&slide.picture, width, height, FilterType::Triangle);
        let x = corner.0 + (BOX - width) / 2;
        let y = corner.1 + (BOX - height) / 2;
        overlay(&mut sheet, &small, x.into(), y.into());
        let line = |number: u32| corner.1 + BOX + 4 + number * LINE;
        write(&mut sheet, corner.0, line(0), &slide.name);
        for (number, organ) in (1..LINES).zip(&slide.organs) {
            let Some(target) = Target::named(&organ.organ) else {
                continue;
            };
            square(&mut sheet, corner.0, line(number) + 3, colour(target));
            let text = format!("{}: {}", target.label(), counted(organ.objects, "object"));
            write(&mut sheet, corner.0 + 28, line(number), &text);
        }
    }
    sheet
}

/// A square of a colour.
fn square(sheet: &mut RgbImage, left: u32, top: u32, ink: [u8; 3]) {
    for y in top..top + 16 {
        for x in left..left + 16 {
            if let Some(px) = sheet.get_pixel_mut_checked(x, y) {
                *px = Rgb(ink);
            }
        }
    }
}

/// Black words. Letters that the font lacks are left out.
fn write(sheet: &mut RgbImage, left: u32, top: u32, words: &str) {
    let step = get_raster_width(FontWeight::Regular, LETTERS);
    for (place, letter) in (0..).zip(words.chars()) {
        let Some(raster) = get_raster(letter, FontWeight::Regular, LETTERS) else {
            continue;
        };
        for (y, row) in (top..).zip(raster.rows()) {
            for (x, &ink) in (left + place * step as u32..).zip(row.iter()) {
                if let Some(px) = sheet.get_pixel_mut_checked(x, y) {
                    *px = Rgb([255 - ink; 3]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_has_every_slide_its_words_and_its_colours() {
        let shown = |name: &str, size: (u32, u32), ink: [u8; 3]| Shown {
            name: name.to_owned(),
            picture: RgbImage::from_pixel(size.0, size.1, Rgb(ink)),
            organs: vec![OrganFound {
                organ: "kidney".to_owned(),
                share: 1.0,
                confidence: 1.0,
                objects: 3,
                objects_per_mm2: None,
                median_area_um2: None,
                area_mm2: None,
            }],
        };
        let slides = [
            shown("a", (100, 100), [200, 0, 0]),
            shown("b", (200, 100), [0, 0, 200]),
            shown("c", (1, 5000), [9, 200, 9]),
            shown("d", (5, 5), [8, 200, 8]),
        ];
        let sheet = sheet(&slides);
        assert_eq!(sheet.height(), 2 * (BOX + LINES * LINE + GAP) + GAP);
        assert_eq!(sheet.get_pixel(GAP + 5, GAP + 5).0, [200, 0, 0]);
        // The wide one is in the middle of its box.
        let left = GAP + BOX + GAP;
        assert_eq!(sheet.get_pixel(left + 5, GAP + 5).0, [255; 3]);
        assert_eq!(sheet.get_pixel(left + 5, GAP + BOX / 2).0, [0, 0, 200]);
        let count = |ink: [u8; 3]| sheet.pixels().filter(|px| px.0 == ink).count();
        let kidney = colour(Target::named("kidney").unwrap());
        assert_eq!(count(kidney), slides.len() * 16 * 16);
        let dark = sheet
            .pixels()
            .filter(|px| px.0[0] < 64 && px.0[0] == px.0[1] && px.0[1] == px.0[2]);
        assert!(dark.count() > 100);
    }

    #[test]
    fn the_strip_below_an_overlay_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("o.png");
        RgbImage::new(160, 95).save(&path).unwrap();
        let picture = read_overlay(&path, (4800, 2400)).unwrap();
        assert_eq!(picture.dimensions(), (160, 80));
        assert!(read_overlay(&dir.path().join("none"), (1, 1)).is_err());
    }
}
