//! Finds tissue on a small view of the slide.
//!
//! Glass is bright and has no colour. A px is tissue when its optical density or its colourfulness is above that of
//! the glass; the limits are set from the slide's own brightest part, so that a yellowish or dim scanner does not
//! turn all glass into tissue. Specks are dropped, and the rest grows a little so that pale rims are kept.

use super::{Plane, SlideError, SlideReader};

/// Whether tissue is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TissueMode {
    /// Find tissue and leave glass out.
    Auto,
    /// Take the whole slide as tissue.
    Off,
}

/// Largest side of the view that tissue is found on, px.
const VIEW_SIDE: u32 = 1536;

/// Which parts of a slide hold tissue.
#[derive(Debug, Clone, PartialEq)]
pub struct Tissue {
    plane: Plane,
    /// `[height, width]` of the view, row-major.
    is_tissue: Vec<bool>,
    /// Sums over everything above and to the left, `[height + 1, width + 1]`.
    sums: Vec<u32>,
}

impl Tissue {
    /// Finds the tissue of a slide.
    ///
    /// # Errors
    /// When the slide cannot be read.
    pub fn find(slide: &dyn SlideReader, mode: TissueMode) -> Result<Self, SlideError> {
        let (width, height) = (slide.info().width(), slide.info().height());
        if mode == TissueMode::Off {
            return Ok(Tissue::everywhere(width, height));
        }
        let plane = view(width, height);
        let mut rgb = vec![0; plane.width as usize * plane.height as usize * 3];
        plane.read(slide, 0, 0, plane.width, plane.height, &mut rgb)?;
        let found = classify(&rgb);
        let is_tissue = clean(&found, plane.width as usize, plane.height as usize);
        Ok(Tissue::new(plane, is_tissue))
    }

    /// A slide of `width` x `height` px that is all tissue.
    pub fn everywhere(width: u32, height: u32) -> Self {
        let plane = view(width, height);
        let size = plane.width as usize * plane.height as usize;
        Tissue::new(plane, vec![true; size])
    }

    fn new(plane: Plane, is_tissue: Vec<bool>) -> Self {
        let (width, height) = (plane.width as usize, plane.height as usize);
        let stride = width + 1;
        let mut sums = vec![0_u32; stride * (height + 1)];
        for y in 0..height {
            let mut row = 0;
            for x in 0..width {
                row += u32::from(is_tissue[y * width + x]);
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
            }
        }
        Tissue {
            plane,
            is_tissue,
            sums,
        }
    }

    /// The part of the slide that is tissue, 0..=1.
    pub fn share(&self) -> f64 {
        let all = self.is_tissue.len() as f64;
        f64::from(self.sums.last().copied().unwrap_or(0)) / all
    }

    /// The part of a rectangle of full-size px (half open) that is tissue, 0..=1. Parts outside the slide count not.
    pub fn share_of(&self, x0: u32, y0: u32, x1: u32, y1: u32) -> f64 {
        // Every px of the view that the rectangle touches counts, so that no sliver of tissue is lost.
        let ends = |from: u32, to: u32, scale: f64, length: u32| {
            let first = ((f64::from(from) / scale) as u32).min(length - 1);
            let end = ((f64::from(to) / scale).ceil() as u32).clamp(first + 1, length);
            (first as usize, end as usize)
        };
        let (left, right) = ends(x0, x1, self.plane.scale.0, self.plane.width);
        let (top, bottom) = ends(y0, y1, self.plane.scale.1, self.plane.height);
        let stride = self.plane.width as usize + 1;
        let sum = |y: usize, x: usize| i64::from(self.sums[y * stride + x]);
        let inside = sum(bottom, right) - sum(top, right) - sum(bottom, left) + sum(top, left);
        inside as f64 / ((right - left) * (bottom - top)) as f64
    }

    /// The view that tissue was found on.
    pub fn plane(&self) -> &Plane {
        &self.plane
    }

    /// Whether px `(x, y)` of [`Tissue::plane`] is tissue; false outside.
    pub fn at(&self, x: u32, y: u32) -> bool {
        x < self.plane.width
            && y < self.plane.height
            && self.is_tissue[y as usize * self.plane.width as usize + x as usize]
    }
}

/// The small view of a slide.
fn view(width: u32, height: u32) -> Plane {
    let scale = (f64::from(width.max(height)) / f64::from(VIEW_SIDE)).max(1.0);
    Plane::at_scale(width, height, scale)
}

/// Tells tissue from glass, px by px.
fn classify(rgb: &[u8]) -> Vec<bool> {
    let glass = glass_colour(rgb);
    rgb.chunks_exact(3)
        .map(|p| {
            // Differences from the glass, so that its own tint counts as nothing.
            let lost: [i32; 3] = std::array::from_fn(|c| i32::from(glass[c]) - i32::from(p[c]));
            let darkest = lost.into_iter().max().unwrap_or(0);
            let lightest = lost.into_iter().min().unwrap_or(0);
            let colour = darkest - lightest;
            let brightness = p.iter().copied().max().unwrap_or(0);
            // Black without colour is a scanner's border or a void, not tissue.
            let void = brightness < 24;
            !void && (colour > 14 || darkest > 38)
        })
        .collect()
}

/// The colour of the glass: for each channel the 95th percentile of what is bright; white where nothing is.
fn glass_colour(rgb: &[u8]) -> [u8; 3] {
    let mut counts = [[0_u32; 256]; 3];
    let mut bright = 0_u32;
    for p in rgb.chunks_exact(3) {
        // Glass is bright in all channels.
        if p.iter().all(|&v| v >= 190) {
            bright += 1;
            for (count, &v) in counts.iter_mut().zip(p) {
                count[usize::from(v)] += 1;
            }
        }
    }
    // A slide that is all tissue has no glass to measure.
    if (bright as usize) < rgb.len() / 3 / 200 {
        return [245; 3];
    }
    counts.map(|count| {
        let mut above = 0;
        for value in (0..256).rev() {
            above += count[value];
            if above >= bright / 20 {
                return value as u8;
            }
        }
        255
    })
}

/// Drops specks (fewer than 5 of the 3 x 3 px around), then grows by two px.
fn clean(found: &[bool], width: usize, height: usize) -> Vec<bool> {
    let kept = around(found, width, height, 1, |tissue, all| tissue * 2 > all);
    around(&kept, width, height, 2, |tissue, _| tissue > 0)
}

/// Judges each px by how many px within `radius` are tissue, of how many that lie in the view.
fn around(
    map: &[bool],
    width: usize,
    height: usize,
    radius: usize,
    judge: impl Fn(usize, usize) -> bool,
) -> Vec<bool> {
    let mut across = vec![0_u8; map.len()];
    for y in 0..height {
        let row = &map[y * width..(y + 1) * width];
        for x in 0..width {
            let span = x.saturating_sub(radius)..(x + radius + 1).min(width);
            across[y * width + x] = row[span].iter().filter(|&&t| t).count() as u8;
        }
    }
    let mut out = Vec::with_capacity(map.len());
    for y in 0..height {
        let rows = y.saturating_sub(radius)..(y + radius + 1).min(height);
        for x in 0..width {
            let columns = (x + radius + 1).min(width) - x.saturating_sub(radius);
            let tissue = rows
                .clone()
                .map(|row| usize::from(across[row * width + x]))
                .sum();
            out.push(judge(tissue, columns * rows.len()));
        }
    }
    out
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

    fn found(rgb: &[u8]) -> usize {
        classify(rgb).into_iter().filter(|&t| t).count()
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
    fn shares_add_up() {
        let plane = Plane::at_scale(100, 100, 2.0);
        let left: Vec<bool> = (0..2500).map(|i| i % 50 < 25).collect();
        let tissue = Tissue::new(plane, left);
        assert_eq!(tissue.share(), 0.5);
        assert_eq!(tissue.share_of(0, 0, 50, 100), 1.0);
        assert_eq!(tissue.share_of(50, 0, 100, 100), 0.0);
        assert_eq!(tissue.share_of(0, 0, 100, 10), 0.5);
    }

    #[test]
    fn specks_go_and_edges_grow() {
        let mut map = vec![false; 400];
        map[5 * 20 + 5] = true;
        assert!(clean(&map, 20, 20).iter().all(|&t| !t));
        for y in 8..14 {
            for x in 8..14 {
                map[y * 20 + x] = true;
            }
        }
        let grown = clean(&map, 20, 20);
        assert!(grown[7 * 20 + 10] && grown[10 * 20 + 7]);
    }
}
