//! Finds tissue on a small view of the slide.
//!
//! Glass is bright and has no colour. A px is tissue when its optical density or its colourfulness is above that of
//! the glass; the limits are set from the slide's own brightest part, so that a yellowish or dim scanner does not
//! turn all glass into tissue. What is paler is tissue if it is a class of its own, with an edge to the glass. Pen marks, black borders and what lies outside the scanned bounds are none. Specks are
//! dropped, and the rest grows a little so that pale rims are kept.

mod classify;
mod glass;
mod pale;

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::{Plane, SlideError, SlideReader};
use crate::warning::{Warning, WarningKind};
use classify::{Part, classify};

/// Whether tissue is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TissueMode {
    /// Find tissue and leave glass out.
    Auto,
    /// Take the whole slide as tissue.
    Off,
}

impl std::str::FromStr for TissueMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => TissueMode::Auto,
            "off" => TissueMode::Off,
            _ => return Err("expected auto or off".to_owned()),
        })
    }
}

/// Largest side of the view that tissue is found on, px.
const VIEW_SIDE: u32 = 1536;

/// Rows of the view that one thread reads at once.
const BAND: u32 = 64;

/// Which parts of a slide hold tissue.
#[derive(Debug, Clone, PartialEq)]
pub struct Tissue {
    plane: Plane,
    /// `[height, width]` of the view, row-major.
    is_tissue: Vec<bool>,
    /// Sums over everything above and to the left, `[height + 1, width + 1]`.
    sums: Vec<u32>,
    /// Whether the slide is bright and of one colour.
    is_blank: bool,
    /// What of its light no stained slide has.
    light: Option<glass::Light>,
}

impl Tissue {
    /// Finds the tissue of a slide.
    ///
    /// # Errors
    /// When the slide cannot be read.
    pub fn find(slide: &dyn SlideReader, mode: TissueMode) -> Result<Self, SlideError> {
        let info = slide.info();
        let plane = view(info.width(), info.height());
        let part = Part::of(info.bounds, &plane);
        let size = plane.width as usize * plane.height as usize;
        if mode == TissueMode::Off {
            let mut is_tissue = vec![true; size];
            part.clear_outside(&mut is_tissue);
            return Ok(Tissue::new(plane, is_tissue));
        }
        let mut rgb = vec![0; size * 3];
        // In bands of fixed height, so that the number of threads changes no px.
        let row = plane.width as usize * 3;
        rgb.par_chunks_mut(row * BAND as usize)
            .enumerate()
            .try_for_each(|(band, out)| {
                let rows = (out.len() / row) as u32;
                plane.read(
                    slide,
                    0,
                    band as i64 * i64::from(BAND),
                    plane.width,
                    rows,
                    out,
                )
            })?;
        let found = classify(&rgb, &part);
        let mut is_tissue = clean(&found, plane.width as usize, plane.height as usize);
        part.clear_outside(&mut is_tissue);
        Ok(Tissue {
            is_blank: glass::is_blank(&rgb, &part),
            light: glass::light(&rgb, &part),
            ..Tissue::new(plane, is_tissue)
        })
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
            is_blank: false,
            light: None,
        }
    }

    /// Whether nothing is on the slide: it is bright and of one colour. False where tissue was not looked for.
    pub fn is_blank(&self) -> bool {
        self.is_blank
    }

    /// The doubt that there is where no tissue was found although something is on the slide.
    pub fn warning(&self) -> Option<Warning> {
        let missed = self.share() == 0.0 && !self.is_blank;
        missed.then(|| {
            Warning::new(
                WarningKind::NoTissue,
                "no tissue was found, but the slide is not blank; look at what is on it, and if it is tissue, take the \
                 whole slide as tissue",
            )
        })
    }

    /// The doubt that there is where the picture is none of a stained slide in bright light.
    pub fn light_warning(&self) -> Option<Warning> {
        let text = match self.light.filter(|_| !self.is_blank)? {
            glass::Light::Dark(share) => format!(
                "{:.0} % of the picture is black, as in fluorescence or with colours turned round; the networks are made \
                 for stained slides in bright light",
                share * 100.0
            ),
            glass::Light::Grey => {
                "the picture is grey only; the networks are made for stained slides".to_owned()
            }
        };
        Some(Warning::new(WarningKind::NotBrightfield, text))
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

    /// Whether a rectangle of full-size px (half open) reaches the edge of the tissue, to a px of the view: the edge of what
    /// was found, before it grew. Where the slide ends no tissue does.
    pub fn is_at_edge(&self, x0: u32, y0: u32, x1: u32, y1: u32) -> bool {
        let reach = |scale: f64| (f64::from(GROWTH + 1) * scale).ceil() as u32;
        let (across, down) = (reach(self.plane.scale.0), reach(self.plane.scale.1));
        let (left, top) = (x0.saturating_sub(across), y0.saturating_sub(down));
        self.share_of(
            left,
            top,
            x1.saturating_add(across),
            y1.saturating_add(down),
        ) < 1.0
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

/// How far tissue grows beyond what was found, px of the view.
const GROWTH: u32 = 2;

/// Drops specks (fewer than 5 of the 3 x 3 px around), then grows by two px.
fn clean(found: &[bool], width: usize, height: usize) -> Vec<bool> {
    let kept = around(found, width, height, 1, |tissue, all| tissue * 2 > all);
    around(&kept, width, height, GROWTH as usize, |tissue, _| {
        tissue > 0
    })
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
    fn the_edge_is_that_of_what_was_found() {
        // Found at 10..20 of 40 px of the view, two full-size px each: 8..22 once it has grown.
        let plane = Plane::at_scale(80, 80, 2.0);
        let found: Vec<bool> = (0..1600)
            .map(|i| (10..20).contains(&(i % 40)) && i / 40 < 25)
            .collect();
        let tissue = Tissue::new(plane, clean(&found, 40, 40));
        for (x, is_at_edge) in [
            (20, true),
            (21, true),
            (22, false),
            (30, false),
            (37, false),
            (38, true),
        ] {
            assert_eq!(tissue.is_at_edge(x, 20, x + 1, 21), is_at_edge, "{x}");
        }
        // The slide's own edge is none of the tissue's.
        assert!(!tissue.is_at_edge(28, 0, 30, 2));
        assert!(!Tissue::everywhere(80, 80).is_at_edge(0, 0, 80, 80));
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
