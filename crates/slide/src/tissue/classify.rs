//! Tells tissue from glass, ink and void by the colour of a px.

use std::ops::Range;

use super::{around, glass, pale};
use ftuseg_mask::Rect;

use crate::Plane;

/// The part of the view that was scanned.
pub(super) struct Part {
    /// Width of the view.
    pub(super) width: usize,
    columns: Range<usize>,
    rows: Range<usize>,
}

impl Part {
    pub(super) fn of(bounds: Option<Rect>, plane: &Plane) -> Self {
        let (width, height) = (plane.width as usize, plane.height as usize);
        let Some(bounds) = bounds else {
            return Part::all(width, height);
        };
        // Every px of the view that the bounds touch.
        let range = |from: u32, length: u32, scale: f64, most: usize| {
            let first = (f64::from(from) / scale) as usize;
            let end = ((f64::from(from) + f64::from(length)) / scale).ceil() as usize;
            first.min(most)..end.min(most)
        };
        Part {
            width,
            columns: range(bounds.x, bounds.width, plane.scale.0, width),
            rows: range(bounds.y, bounds.height, plane.scale.1, height),
        }
    }

    pub(super) fn all(width: usize, height: usize) -> Self {
        Part {
            width,
            columns: 0..width,
            rows: 0..height,
        }
    }

    pub(super) fn clear_outside(&self, map: &mut [bool]) {
        for (y, row) in map.chunks_exact_mut(self.width).enumerate() {
            for (x, px) in row.iter_mut().enumerate() {
                *px &= self.rows.contains(&y) && self.columns.contains(&x);
            }
        }
    }

    pub(super) fn set_outside(&self, map: &mut [bool]) {
        for (y, row) in map.chunks_exact_mut(self.width).enumerate() {
            for (x, px) in row.iter_mut().enumerate() {
                *px |= !(self.rows.contains(&y) && self.columns.contains(&x));
            }
        }
    }

    /// How many px the part has.
    pub(super) fn len(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The px of the part, `[.., 3]`.
    pub(super) fn px<'a>(&'a self, rgb: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let rows = self.rows.clone();
        rows.flat_map(move |y| {
            let start = y * self.width;
            let row = &rgb[(start + self.columns.start) * 3..(start + self.columns.end) * 3];
            row.chunks_exact(3)
        })
    }

    /// Each px that has them, with its neighbours to the right and below.
    pub(super) fn neighbours<'a>(&'a self, rgb: &'a [u8]) -> impl Iterator<Item = [&'a [u8]; 3]> {
        let rows = self.rows.start..self.rows.end.saturating_sub(1);
        let columns = self.columns.start..self.columns.end.saturating_sub(1);
        rows.flat_map(move |y| {
            columns.clone().map(move |x| {
                let at = y * self.width + x;
                [at, at + 1, at + self.width].map(|at| &rgb[at * 3..at * 3 + 3])
            })
        })
    }
}

/// Tells tissue from glass, ink and void, px by px.
pub(super) fn classify(rgb: &[u8], part: &Part) -> Vec<bool> {
    // A slide that is all tissue has no glass to measure.
    let measured = glass::colour(rgb, part);
    let glass = measured.unwrap_or([245; 3]);
    let height = rgb.len() / 3 / part.width;
    // Differences from the glass, so that its own tint counts as nothing.
    let lost = |p: &[u8]| std::array::from_fn(|c| i32::from(glass[c]) - i32::from(p[c]));
    let is_ink: Vec<bool> = rgb.chunks_exact(3).map(|p| is_ink(lost(p))).collect();
    let void: Vec<bool> = rgb.chunks_exact(3).map(is_void).collect();
    // Solid black only: the thin black lines of a silver stain must not take the tissue between them along.
    let solid = around(&void, part.width, height, 2, |black, all| {
        black * 5 >= all * 4
    });
    // The rim of a mark or border is a mix of it and glass, which would pass for a stain.
    let near_ink = around(&is_ink, part.width, height, 2, |ink, _| ink > 0);
    let near_void = around(&solid, part.width, height, 4, |black, _| black > 0);
    let pale = measured.and_then(|glass| {
        // Further off, as px are smoothed.
        let near_ink = around(&is_ink, part.width, height, 5, |ink, _| ink > 0);
        let near_void = around(&solid, part.width, height, 7, |black, _| black > 0);
        let is_out = (0..void.len()).map(|at| near_ink[at] || near_void[at] || void[at]);
        pale::find(rgb, glass, part, is_out.collect())
    });
    rgb.chunks_exact(3)
        .enumerate()
        .map(|(at, p)| {
            let lost = lost(p);
            let darkest = lost.into_iter().max().unwrap_or(0);
            let lightest = lost.into_iter().min().unwrap_or(0);
            let is_stained = darkest - lightest > 14 || darkest > 38;
            is_stained && !(near_ink[at] || near_void[at] || void[at])
                || pale.as_ref().is_some_and(|pale| pale[at])
        })
        .collect()
}

/// Black or dark without colour: a scanner's border, where nothing was scanned, or a black pen.
fn is_void(p: &[u8]) -> bool {
    let brightest = p.iter().copied().max().unwrap_or(0);
    let darkest = p.iter().copied().min().unwrap_or(0);
    brightest < 24 || brightest < 70 && brightest - darkest < 14
}

/// Whether a px that differs by this from the glass has the colour of a pen.
///
/// No stain takes so much of two channels and so little of the third: haematoxylin
/// and eosin take green first, and the blue and green of trichrome stains are paler (the limits were set on drawn colours
/// and common marker inks).
fn is_ink([red, green, blue]: [i32; 3]) -> bool {
    let is_blue = red - blue > 110 && red > green;
    let is_green = red.min(blue) - green > 40;
    let is_red = green.min(blue) - red > 150;
    is_blue || is_green || is_red
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| colour(x, y))
            .collect()
    }

    /// How many px of a view 50 px wide are tissue, before specks are dropped.
    fn found(rgb: &[u8]) -> usize {
        let part = Part::all(50, rgb.len() / 150);
        classify(rgb, &part).into_iter().filter(|&t| t).count()
    }

    #[test]
    fn glass_of_any_tint_is_no_tissue() {
        for glass in [[255; 3], [240, 240, 240], [235, 225, 205], [212, 214, 218]] {
            assert_eq!(found(&view(50, 50, |_, _| glass)), 0, "{glass:?}");
        }
    }

    #[test]
    fn pale_and_dark_tissue_is_found() {
        for tissue in [
            [225, 205, 225],
            [90, 40, 110],
            [200, 205, 225],
            [215, 190, 180],
        ] {
            let rgb = view(50, 50, |x, _| if x < 25 { tissue } else { [244, 244, 243] });
            assert_eq!(found(&rgb), 25 * 50, "{tissue:?}");
        }
    }

    #[test]
    fn a_slide_of_nothing_but_tissue_is_tissue() {
        assert_eq!(found(&view(50, 50, |_, _| [180, 120, 170])), 2500);
    }

    #[test]
    fn black_borders_are_no_tissue() {
        assert_eq!(
            found(&view(50, 50, |x, _| if x < 20 { [0; 3] } else { [245; 3] })),
            0
        );
    }

    #[test]
    fn pens_are_no_tissue_and_stains_are() {
        let inks = [
            [20, 60, 190],
            [60, 90, 200],
            [30, 140, 70],
            [40, 180, 120],
            [220, 20, 30],
            [35, 35, 38],
            [15; 3],
        ];
        for ink in inks {
            let rgb = view(50, 50, |x, _| if x < 25 { ink } else { [245; 3] });
            assert_eq!(found(&rgb), 0, "{ink:?}");
        }
        // Haematoxylin, eosin, red blood cells, trichrome blue and green, DAB, PAS, silver.
        let stains = [
            [60, 30, 110],
            [200, 80, 130],
            [185, 55, 75],
            [90, 120, 180],
            [50, 80, 140],
            [120, 180, 160],
            [70, 45, 30],
            [170, 60, 140],
            [95, 90, 98],
        ];
        for stain in stains {
            let rgb = view(50, 50, |x, _| if x < 25 { stain } else { [245; 3] });
            assert_eq!(found(&rgb), 25 * 50, "{stain:?}");
        }
    }

    #[test]
    fn glass_is_measured_and_tissue_found_within_the_bounds() {
        // Dim glass and tissue in the middle of a canvas that nobody scanned and that shows white.
        let rgb = view(50, 50, |x, y| match (x, y) {
            (20..30, 20..30) => [170, 120, 160],
            (10..40, 10..40) => [205, 205, 205],
            _ => [255; 3],
        });
        let plane = Plane::at_scale(100, 100, 2.0);
        let bounds = Rect {
            x: 20,
            y: 20,
            width: 60,
            height: 60,
        };
        let part = Part::of(Some(bounds), &plane);
        assert_eq!((part.columns.clone(), part.rows.clone()), (10..40, 10..40));
        let mut found = classify(&rgb, &part);
        part.clear_outside(&mut found);
        assert_eq!(found.iter().filter(|&&t| t).count(), 100);
        // Without them the white would be the glass, and the dim glass tissue.
        assert!(
            classify(&rgb, &Part::all(50, 50))
                .iter()
                .filter(|&&t| t)
                .count()
                > 100
        );
    }
}
