//! `overlay.png`: the slide with the outlines of what was found and a legend below it, for looking.

use std::path::Path;

use crate::slide::Plane;

use super::legend::Legend;
use super::picture::Picture;
use super::{Sink, SinkError, SlideFindings, colour, write_whole};

/// Writes `overlay.png`.
#[derive(Debug, Clone, Copy)]
pub struct Overlay {
    /// Largest side of the slide in the picture, px; the legend comes below it.
    pub side: u32,
}

impl Default for Overlay {
    fn default() -> Self {
        Overlay { side: 1600 }
    }
}

impl Sink for Overlay {
    fn file_name(&self) -> &'static str {
        "overlay.png"
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        write_whole(path, &self.png(findings, path)?)
    }
}

impl Overlay {
    /// The picture as the bytes of a PNG file, which errors call `name`.
    ///
    /// # Errors
    /// When the slide cannot be read, or the objects cannot be found.
    pub fn png(&self, findings: &SlideFindings<'_>, name: &Path) -> Result<Vec<u8>, SinkError> {
        let grid = findings.segmentation.map.grid();
        let longest = f64::from(grid.width().max(grid.height()));
        // A small slide is shown larger, so that its outlines can be told apart.
        let scale = (longest / f64::from(self.side.max(1))).max(0.25);
        let plane = Plane::at_scale(grid.width(), grid.height(), scale);
        let mut shown = Picture::white(plane.width, plane.height);
        plane.read(
            findings.slide,
            0,
            0,
            plane.width,
            plane.height,
            &mut shown.rgb,
        )?;
        // A dark rim under a bright line shows on any stain.
        for (radius, rim) in [(3, true), (2, false)] {
            findings.objects()?.each(|object| {
                let ink = if rim { [0; 3] } else { colour(object.target) };
                let polygon = &object.polygon;
                for ring in std::iter::once(&polygon.exterior).chain(&polygon.holes) {
                    shown.ring(ring, scale, radius, ink);
                }
                Ok(())
            })?;
        }
        let legend = Legend::of(findings, plane.width, scale)?;
        let mut whole = Picture::white(plane.width.max(legend.width), plane.height + legend.height);
        whole.paste(&shown);
        legend.draw(&mut whole, plane.height);
        whole.png(name)
    }
}
