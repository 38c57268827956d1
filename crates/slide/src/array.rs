//! A slide out of an array that stays where it is, whatever its strides.

use std::path::Path;

use ndarray::{ArrayView3, Axis, s};

use super::{
    MAX_SIDE, NATIVE, Resolution, ResolutionSource, SlideError, SlideInfo, SlideReader, over_white,
};

/// What errors call the pixels: there is no file to name.
const NAME: &str = "pixels in memory";

/// Where the colours of a px lie on the last axis of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    /// The places of red, green and blue.
    pub rgb: [usize; 3],
    /// The place of alpha, where there is one. It is not multiplied in; what is transparent is seen over white.
    pub alpha: Option<usize>,
}

impl Channels {
    /// Red, green and blue, in this order.
    pub const RGB: Self = Channels {
        rgb: [0, 1, 2],
        alpha: None,
    };
    /// Red, green, blue and alpha, in this order.
    pub const RGBA: Self = Channels {
        rgb: [0, 1, 2],
        alpha: Some(3),
    };

    fn last(self) -> usize {
        self.rgb.into_iter().chain(self.alpha).fold(0, usize::max)
    }

    fn of_px(self, channel: impl Fn(usize) -> u8) -> [u8; 3] {
        let alpha = self.alpha.map(&channel);
        self.rgb.map(|place| match alpha {
            Some(alpha) => over_white(channel(place), alpha),
            None => channel(place),
        })
    }
}

/// A slide of one level out of an array, `[height, width, 3]` for RGB or `[height, width, 4]` for RGBA. Nothing is copied:
/// any part, turn or reflection of a larger array will do. Alpha is not multiplied in; what is transparent is seen over
/// white.
///
/// ```
/// use ftuseg_slide::{ArraySlide, SlideReader};
/// let pixels = ndarray::Array3::from_elem((30, 40, 4), 255);
/// let slide = ArraySlide::new(pixels.view(), 0.5)?;
/// assert_eq!(slide.info().width(), 40);
/// # Ok::<(), ftuseg_slide::SlideError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ArraySlide<'a> {
    info: SlideInfo,
    pixels: ArrayView3<'a, u8>,
    channels: Channels,
}

impl<'a> ArraySlide<'a> {
    /// A slide from an array. `mpp` is um per px, where it is known.
    ///
    /// # Errors
    /// When the last axis has neither 3 nor 4, a side is 0 or over [`MAX_SIDE`], or `mpp` is no size that a px can have.
    pub fn new(
        pixels: ArrayView3<'a, u8>,
        mpp: impl Into<Option<f64>>,
    ) -> Result<Self, SlideError> {
        let channels = match pixels.dim() {
            (_, _, 3) => Channels::RGB,
            (_, _, 4) => Channels::RGBA,
            (height, width, channels) => {
                return Err(SlideError::usage(
                    Path::new(NAME),
                    format!(
                        "an array of the shape [{height}, {width}, {channels}]; the last axis must have 3 or 4: R, G, B and perhaps alpha"
                    ),
                ));
            }
        };
        Self::with_channels(pixels, channels, mpp)
    }

    /// A slide from an array whose last axis has its colours in another order, or has more than colours.
    ///
    /// # Errors
    /// As [`ArraySlide::new`], and when the last axis is too short for `channels`.
    pub fn with_channels(
        pixels: ArrayView3<'a, u8>,
        channels: Channels,
        mpp: impl Into<Option<f64>>,
    ) -> Result<Self, SlideError> {
        let refused = |reason: String| Err(SlideError::usage(Path::new(NAME), reason));
        let (height, width, depth) = pixels.dim();
        if channels.last() >= depth {
            return refused(format!(
                "an array of the shape [{height}, {width}, {depth}]; the last axis must have {} or more",
                channels.last() + 1
            ));
        }
        let side = |side: usize| {
            let side = u32::try_from(side).ok()?;
            (1..=MAX_SIDE).contains(&side).then_some(side)
        };
        let (Some(across), Some(down)) = (side(width), side(height)) else {
            return refused(format!(
                "{width} x {height} px; a side has 1 to {MAX_SIDE} px"
            ));
        };
        let mut info = SlideInfo::new("RGB", across, down);
        info.reader = NATIVE.to_owned();
        info.compression = "none".to_owned();
        info.resolution = match mpp.into() {
            None => None,
            Some(mpp) => match Resolution::believable(mpp, ResolutionSource::Caller) {
                Some(resolution) => Some(resolution),
                None => {
                    return refused(format!(
                        "{mpp} um is no size that a px can have; it is from 0.02 to 40"
                    ));
                }
            },
        };
        Ok(ArraySlide {
            info,
            pixels,
            channels,
        })
    }
}

/// The part of `start..start + length` that lies in `0..all`.
fn overlap(start: i64, length: u32, all: usize) -> std::ops::Range<usize> {
    // No side is larger than MAX_SIDE, so that all of this fits.
    let within = |at: i64| at.clamp(0, all as i64) as usize;
    within(start)..within(start.saturating_add(i64::from(length)))
}

impl SlideReader for ArraySlide<'_> {
    fn info(&self) -> &SlideInfo {
        &self.info
    }

    fn read(
        &self,
        level: usize,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), SlideError> {
        let size = (width, height);
        self.info
            .level_to_read(Path::new(NAME), level, size, out.len())?;
        out.fill(255);
        let (rows, columns, _) = self.pixels.dim();
        let rows = overlap(y, height, rows);
        let columns = overlap(x, width, columns);
        if rows.is_empty() || columns.is_empty() {
            return Ok(());
        }
        // Both are where the region and the array meet.
        let (first, left) = (
            (rows.start as i64 - y) as usize,
            (columns.start as i64 - x) as usize,
        );
        let part = self.pixels.slice(s![rows, columns, ..]);
        let lines = out.chunks_exact_mut(width as usize * 3).skip(first);
        for (row, line) in part.axis_iter(Axis(0)).zip(lines) {
            let line = &mut line[left * 3..(left + row.nrows()) * 3];
            let all = line.as_chunks_mut::<3>().0;
            match row.to_slice() {
                Some(bytes) if self.channels == Channels::RGB && row.ncols() == 3 => {
                    line.copy_from_slice(bytes);
                }
                // As most pictures have their px.
                Some(bytes) => {
                    for (px, rgb) in bytes.chunks_exact(row.ncols()).zip(all) {
                        *rgb = self.channels.of_px(|place| px[place]);
                    }
                }
                None => {
                    for (px, rgb) in row.rows().into_iter().zip(all) {
                        *rgb = self.channels.of_px(|place| px[place]);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    /// All px of a slide, with a border of white.
    fn read(pixels: ArrayView3<'_, u8>) -> Vec<u8> {
        let slide = ArraySlide::new(pixels, 0.5).unwrap();
        let (width, height) = (slide.info().width() + 2, slide.info().height() + 2);
        let mut out = vec![0; width as usize * height as usize * 3];
        slide.read(0, -1, -1, width, height, &mut out).unwrap();
        out
    }

    #[test]
    fn every_layout_gives_the_same_slide() {
        let rgb = Array3::from_shape_fn((2, 3, 3), |(y, x, c)| (y * 90 + x * 30 + c) as u8);
        let expected = read(rgb.view());
        assert_eq!(&expected[..18], [255; 18]);
        assert_eq!(&expected[18..24], [0, 1, 2, 30, 31, 32]);

        let upside_down = rgb.slice(s![..;-1, .., ..]).to_owned();
        assert_eq!(read(upside_down.slice(s![..;-1, .., ..])), expected);
        // As libraries that keep each channel apart have them.
        let planes = rgb
            .view()
            .permuted_axes([2, 0, 1])
            .as_standard_layout()
            .into_owned();
        assert_eq!(read(planes.view().permuted_axes([1, 2, 0])), expected);
        let bgr = rgb.slice(s![.., .., ..;-1]).to_owned();
        assert_eq!(read(bgr.slice(s![.., .., ..;-1])), expected);
        let mut larger = Array3::from_elem((6, 9, 4), 255);
        larger.slice_mut(s![1..5;2, 2..8;2, ..3]).assign(&rgb);
        assert_eq!(read(larger.slice(s![1..5;2, 2..8;2, ..])), expected);
        assert_eq!(read(larger.slice(s![1..5;2, 2..8;2, ..3])), expected);
    }

    #[test]
    fn what_is_transparent_is_seen_over_white() {
        let px = Array3::from_shape_vec((1, 2, 4), vec![10, 20, 30, 0, 10, 20, 30, 128]).unwrap();
        assert_eq!(read(px.view())[15..21], [255, 255, 255, 132, 137, 142]);
    }

    #[test]
    fn colours_may_have_another_order_and_company() {
        let rgb = Array3::from_shape_fn((2, 3, 3), |(y, x, c)| (y * 90 + x * 30 + c) as u8);
        let expected = read(rgb.view());
        // B, G, R, something else, A.
        let mut stuffed = Array3::from_elem((2, 3, 5), 7);
        stuffed.slice_mut(s![.., .., ..3;-1]).assign(&rgb);
        stuffed.slice_mut(s![.., .., 4]).fill(255);
        let upside_down = stuffed.slice(s![..;-1, .., ..]).to_owned();
        for (alpha, view) in [
            (Some(4), stuffed.view()),
            (None, stuffed.view()),
            (Some(4), upside_down.slice(s![..;-1, .., ..])),
        ] {
            let channels = Channels {
                rgb: [2, 1, 0],
                alpha,
            };
            let slide = ArraySlide::with_channels(view, channels, 0.5).unwrap();
            let mut out = vec![0; expected.len()];
            slide.read(0, -1, -1, 5, 4, &mut out).unwrap();
            assert_eq!(out, expected);
        }
        let short = ArraySlide::with_channels(rgb.view(), Channels::RGBA, None).unwrap_err();
        assert!(short.to_string().contains("4 or more"), "{short}");
    }

    #[test]
    fn parts_far_from_the_slide_are_white() {
        let px = Array3::from_elem((2, 2, 3), 7);
        let slide = ArraySlide::new(px.view(), None).unwrap();
        for (x, y) in [(i64::MIN, 0), (i64::MAX, 0), (0, i64::MIN), (2, i64::MAX)] {
            let mut out = [0; 3];
            slide.read(0, x, y, 1, 1, &mut out).unwrap();
            assert_eq!(out, [255; 3]);
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for (shape, mpp) in [
            ((2, 2, 2), None),
            ((2, 2, 5), None),
            ((0, 2, 3), None),
            ((2, 0, 3), None),
            ((1, MAX_SIDE as usize + 1, 3), None),
            ((2, 2, 3), Some(0.0)),
            ((2, 2, 3), Some(f64::NAN)),
        ] {
            let px = Array3::zeros(shape);
            let error = ArraySlide::new(px.view(), mpp).unwrap_err();
            assert_eq!(error.kind(), "usage", "{error}");
        }
    }
}
