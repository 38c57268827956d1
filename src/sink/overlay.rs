//! `overlay.png`: the slide with the outlines of what was found, for looking.

use std::path::Path;

use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

use crate::slide::Plane;

use super::{Sink, SinkError, SlideFindings, colour, write_whole};

/// Writes `overlay.png`.
#[derive(Debug, Clone, Copy)]
pub struct Overlay {
    /// Largest side of the picture, px.
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
        let grid = findings.segmentation.map.grid();
        let longest = f64::from(grid.width().max(grid.height()));
        // A small slide is shown larger, so that its outlines can be told apart.
        let scale = (longest / f64::from(self.side.max(1))).max(0.25);
        let plane = Plane::at_scale(grid.width(), grid.height(), scale);
        let mut canvas = Canvas {
            width: plane.width,
            height: plane.height,
            rgb: vec![255; plane.width as usize * plane.height as usize * 3],
        };
        plane.read(
            findings.slide,
            0,
            0,
            plane.width,
            plane.height,
            &mut canvas.rgb,
        )?;
        // A dark rim under a bright line shows on any stain.
        for (radius, rim) in [(3, true), (2, false)] {
            for objects in &findings.objects {
                let ink = if rim { [0; 3] } else { colour(objects.target) };
                for polygon in &objects.polygons {
                    for ring in std::iter::once(&polygon.exterior).chain(&polygon.holes) {
                        canvas.ring(ring, scale, radius, ink);
                    }
                }
            }
        }
        canvas.save(path)
    }
}

/// A picture in memory, RGB `[height, width, 3]`.
struct Canvas {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Canvas {
    /// Draws a closed ring of full-size corners.
    fn ring(&mut self, ring: &[[u32; 2]], scale: f64, radius: i64, ink: [u8; 3]) {
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
                let x = from.0 + (to.0 - from.0) * part;
                let y = from.1 + (to.1 - from.1) * part;
                self.dot(x.round() as i64, y.round() as i64, radius, ink);
            }
        }
    }

    /// A dot of `2 * radius - 1` px across.
    fn dot(&mut self, x: i64, y: i64, radius: i64, ink: [u8; 3]) {
        for py in y - radius + 1..y + radius {
            for px in x - radius + 1..x + radius {
                let inside =
                    px >= 0 && py >= 0 && px < i64::from(self.width) && py < i64::from(self.height);
                if inside {
                    let at = (py as usize * self.width as usize + px as usize) * 3;
                    self.rgb[at..at + 3].copy_from_slice(&ink);
                }
            }
        }
    }

    fn save(&self, path: &Path) -> Result<(), SinkError> {
        // Encoded in memory: an encoder that writes its end when it is dropped cannot tell of a full disk.
        let mut png = Vec::new();
        PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
            .write_image(
                &self.rgb,
                self.width,
                self.height,
                image::ExtendedColorType::Rgb8,
            )
            .map_err(|error| SinkError::Picture {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
        write_whole(path, &png)
    }
}
