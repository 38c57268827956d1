//! A slide seen at a resolution somebody asks for: picks the level, reads, resamples.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::{SlideError, SlideReader, rgb_len};

/// A slide at another scale: `width` x `height` px, each `scale` full-size px wide and high.
///
/// Values are resampled with an antialiased triangle filter from the level that is just finer, and do not depend
/// on the region they are read in: neighbouring tiles see the same pixels where they overlap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// Width in px of the plane.
    pub width: u32,
    /// Height in px of the plane.
    pub height: u32,
    /// Full-size px per px of the plane, across and down.
    pub scale: (f64, f64),
}

/// The most source px that one resampling step reads, 4 Mpx (12 MB).
const MAX_SOURCE: f64 = 4_194_304.0;

impl Plane {
    /// The plane of a `width` x `height` slide whose px span `scale` full-size px.
    pub fn at_scale(width: u32, height: u32, scale: f64) -> Self {
        Plane::at_scales(width, height, (scale, scale))
    }

    /// The same where px span other numbers of full-size px across than down, as the slide's own px are not square.
    pub fn at_scales(width: u32, height: u32, scale: (f64, f64)) -> Self {
        // Rounded, so that a resolution that is known to four digits does not add a px that holds next to nothing. What
        // lies beyond the last px, at most half a px, shows that px.
        let side = |length: u32, scale: f64| (f64::from(length) / scale).round().max(1.0) as u32;
        Plane {
            width: side(width, scale.0),
            height: side(height, scale.1),
            scale,
        }
    }

    /// The plane that squeezes the whole slide into `side` x `side` px.
    pub fn whole(width: u32, height: u32, side: u32) -> Self {
        Plane {
            width: side,
            height: side,
            scale: (
                f64::from(width) / f64::from(side),
                f64::from(height) / f64::from(side),
            ),
        }
    }

    /// Reads a region of the plane as RGB, `[height, width, 3]`, into `out`. What lies outside the plane is white.
    ///
    /// # Errors
    /// When `out` has another length, or the slide cannot be read there.
    pub fn read(
        &self,
        slide: &dyn SlideReader,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), SlideError> {
        if rgb_len(width, height) != Some(out.len()) {
            return Err(SlideError::usage(
                std::path::Path::new("region"),
                "the buffer does not fit the region",
            ));
        }
        let x0 = x.clamp(0, i64::from(self.width));
        let x1 = (x + i64::from(width)).clamp(0, i64::from(self.width));
        let y0 = y.clamp(0, i64::from(self.height));
        let y1 = (y + i64::from(height)).clamp(0, i64::from(self.height));
        if (x0, x1, y0, y1) != (x, x + i64::from(width), y, y + i64::from(height)) {
            out.fill(255);
        }
        if x0 >= x1 || y0 >= y1 {
            return Ok(());
        }
        let (level, factor) = self.best_level(slide);
        // Read in blocks, so that a coarse view of a slide without levels stays small in memory.
        let (columns, rows) = block(factor);
        let mut top = y0;
        while top < y1 {
            let bottom = (top + rows).min(y1);
            let mut left = x0;
            while left < x1 {
                let right = (left + columns).min(x1);
                let part = self.read_inside(slide, level, factor, (left, right), (top, bottom))?;
                super::copy_overlap(
                    &part,
                    (left, top),
                    ((right - left) as u32, (bottom - top) as u32),
                    out,
                    (x, y),
                    (width, height),
                );
                left = right;
            }
            top = bottom;
        }
        Ok(())
    }

    /// The coarsest level that is not coarser than the plane, and the plane's px in px of that level.
    fn best_level(&self, slide: &dyn SlideReader) -> (usize, (f64, f64)) {
        let info = slide.info();
        let factor = |level| {
            let (dx, dy) = info.downsample(level);
            (self.scale.0 / dx, self.scale.1 / dy)
        };
        // Levels are rounded to whole px, so a level meant to fit can be finer by a hair.
        let fits = |level: &usize| {
            let (fx, fy) = factor(*level);
            fx >= 0.995 && fy >= 0.995
        };
        let level = (0..info.levels.len()).rev().find(fits).unwrap_or(0);
        (level, factor(level))
    }

    /// Reads px `[x0, x1) x [y0, y1)`, all inside the plane.
    fn read_inside(
        &self,
        slide: &dyn SlideReader,
        level: usize,
        factor: (f64, f64),
        (x0, x1): (i64, i64),
        (y0, y1): (i64, i64),
    ) -> Result<Vec<u8>, SlideError> {
        let (width, height) = ((x1 - x0) as u32, (y1 - y0) as u32);
        let size = slide.info().levels[level];
        if factor == (1.0, 1.0) {
            let mut out = vec![255; width as usize * height as usize * 3];
            slide.read(level, x0, y0, width, height, &mut out)?;
            return Ok(out);
        }
        let across = Span::new(x0, x1, factor.0, size.width);
        let down = Span::new(y0, y1, factor.1, size.height);
        let source = read_clamped(slide, level, &across, &down)?;
        let fail = |error: &dyn std::fmt::Display| {
            SlideError::usage(
                std::path::Path::new("region"),
                format!("cannot be resampled: {error}"),
            )
        };
        // The typed calls keep the compiler from building the resizer for every other pixel type.
        let source = TypedImageRef::<U8x3>::from_buffer(across.len(), down.len(), &source)
            .map_err(|error| fail(&error))?;
        let mut out = vec![255; width as usize * height as usize * 3];
        let mut target = TypedImage::<U8x3>::from_buffer(width, height, &mut out)
            .map_err(|error| fail(&error))?;
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .crop(
                across.start,
                down.start,
                f64::from(width) * factor.0,
                f64::from(height) * factor.1,
            );
        Resizer::new()
            .resize_typed(&source, &mut target, &options)
            .map_err(|error| fail(&error))?;
        Ok(out)
    }
}

/// How many plane px, across and down, need at most [`MAX_SOURCE`] source px with their margins, or one px where even
/// that needs more.
fn block(factor: (f64, f64)) -> (i64, i64) {
    let with_margin = |count: f64, factor: f64| (count + 2.0) * factor.max(1.0) + 4.0;
    let columns = (1024.0 / factor.0).floor().max(1.0);
    let left = MAX_SOURCE / with_margin(columns, factor.0);
    let rows = ((left - 4.0) / factor.1.max(1.0) - 2.0).floor().max(1.0);
    (columns as i64, rows as i64)
}

/// The source px that a range of plane px needs along one axis.
struct Span {
    /// First source px, may lie before the level.
    first: i64,
    /// One past the last source px, may lie beyond the level.
    end: i64,
    /// Where the range starts, in source px after `first`.
    start: f64,
    /// Length of the level.
    length: u32,
}

impl Span {
    fn new(from: i64, to: i64, factor: f64, length: u32) -> Self {
        // The triangle reaches one source px when enlarging and one plane px when reducing.
        let margin = factor.max(1.0).ceil() as i64 + 1;
        let first = (from as f64 * factor).floor() as i64 - margin;
        let end = (to as f64 * factor).ceil() as i64 + margin;
        Span {
            first,
            end,
            start: from as f64 * factor - first as f64,
            length,
        }
    }

    fn len(&self) -> u32 {
        (self.end - self.first) as u32
    }

    /// The part that lies in the level; never empty.
    fn inside(&self) -> (i64, i64) {
        let length = i64::from(self.length);
        let first = self.first.clamp(0, length - 1);
        (first, self.end.clamp(first + 1, length))
    }
}

/// Reads a region and repeats the level's edge beyond it, so that the filter mixes in no white at the border.
fn read_clamped(
    slide: &dyn SlideReader,
    level: usize,
    across: &Span,
    down: &Span,
) -> Result<Vec<u8>, SlideError> {
    let ((x0, x1), (y0, y1)) = (across.inside(), down.inside());
    let (width, height) = ((x1 - x0) as u32, (y1 - y0) as u32);
    let mut inside = vec![255; width as usize * height as usize * 3];
    slide.read(level, x0, y0, width, height, &mut inside)?;
    if (width, height) == (across.len(), down.len()) {
        return Ok(inside);
    }
    let mut padded = Vec::with_capacity(across.len() as usize * down.len() as usize * 3);
    for y in down.first..down.end {
        let row = (y.clamp(y0, y1 - 1) - y0) as usize * width as usize * 3;
        let row = &inside[row..row + width as usize * 3];
        for _ in across.first..x0 {
            padded.extend_from_slice(&row[..3]);
        }
        padded.extend_from_slice(row);
        for _ in x1..across.end {
            padded.extend_from_slice(&row[row.len() - 3..]);
        }
    }
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, SlideInfo, copy_overlap};

    /// A slide in memory with a smooth but position-dependent pattern.
    struct Pattern {
        info: SlideInfo,
        pixels: Vec<u8>,
    }

    impl Pattern {
        fn new(width: u32, height: u32) -> Self {
            let pixels = (0..height)
                .flat_map(|y| {
                    (0..width).flat_map(move |x| [(x * 7 + y) as u8, (y * 5) as u8, (x ^ y) as u8])
                })
                .collect();
            Pattern {
                info: SlideInfo {
                    format: "test".into(),
                    compression: "none".into(),
                    levels: vec![Level { width, height }],
                    resolution: None,
                    reader: "test".into(),
                    ignored: Vec::new(),
                    bounds: None,
                },
                pixels,
            }
        }
    }

    impl SlideReader for Pattern {
        fn info(&self) -> &SlideInfo {
            &self.info
        }

        fn read(
            &self,
            _level: usize,
            x: i64,
            y: i64,
            width: u32,
            height: u32,
            out: &mut [u8],
        ) -> Result<(), SlideError> {
            out.fill(255);
            let size = (self.info.width(), self.info.height());
            copy_overlap(&self.pixels, (0, 0), size, out, (x, y), (width, height));
            Ok(())
        }
    }

    #[test]
    fn a_pixel_does_not_depend_on_the_region_it_is_read_in() {
        let slide = Pattern::new(301, 203);
        for scale in [0.37, 0.8, 1.0, 1.5, 2.0, 6.1] {
            let plane = Plane::at_scale(301, 203, scale);
            let mut whole = vec![0; rgb_len(plane.width, plane.height).unwrap()];
            plane
                .read(&slide, 0, 0, plane.width, plane.height, &mut whole)
                .unwrap();
            let mut stitched = vec![0; whole.len()];
            let step = 29;
            for y in (0..plane.height).step_by(step) {
                for x in (0..plane.width).step_by(step) {
                    let mut part = vec![0; step * step * 3];
                    plane
                        .read(
                            &slide,
                            x.into(),
                            y.into(),
                            step as u32,
                            step as u32,
                            &mut part,
                        )
                        .unwrap();
                    copy_overlap(
                        &part,
                        (x.into(), y.into()),
                        (step as u32, step as u32),
                        &mut stitched,
                        (0, 0),
                        (plane.width, plane.height),
                    );
                }
            }
            // Fixed-point coefficients of the resizer may round the last bit differently.
            let worst = whole
                .iter()
                .zip(&stitched)
                .map(|(a, b)| a.abs_diff(*b))
                .max()
                .unwrap();
            assert!(worst <= 1, "scale {scale}: {worst}");
        }
    }

    #[test]
    fn blocks_stay_within_the_limit() {
        for factor in [0.1, 0.5, 1.0, 1.7, 6.0, 100.0, 650.0] {
            let (columns, rows) = block((factor, factor));
            let across = Span::new(0, columns, factor, 1 << 20).len();
            let down = Span::new(0, rows, factor, 1 << 20).len();
            assert!(columns >= 1 && rows >= 1);
            assert!(
                f64::from(across) * f64::from(down) <= MAX_SOURCE,
                "{factor}"
            );
        }
    }

    #[test]
    fn full_size_is_exact_and_outside_is_white() {
        let slide = Pattern::new(20, 10);
        let plane = Plane::at_scale(20, 10, 1.0);
        assert_eq!((plane.width, plane.height), (20, 10));
        let mut out = vec![0; 30 * 20 * 3];
        plane.read(&slide, -5, -5, 30, 20, &mut out).unwrap();
        assert_eq!(&out[..3], [255; 3]);
        let at = (5 * 30 + 5) * 3;
        assert_eq!(&out[at..at + 60], &slide.pixels[..60]);
    }

    #[test]
    fn a_flat_colour_stays_flat_up_to_the_edge() {
        let mut slide = Pattern::new(97, 41);
        slide.pixels.fill(77);
        for scale in [0.3, 1.7, 5.0] {
            let plane = Plane::at_scale(97, 41, scale);
            let mut out = vec![0; rgb_len(plane.width, plane.height).unwrap()];
            plane
                .read(&slide, 0, 0, plane.width, plane.height, &mut out)
                .unwrap();
            assert!(out.iter().all(|&v| v == 77), "scale {scale}");
        }
    }
}
