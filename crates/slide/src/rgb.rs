//! A slide whose pixels the caller has in memory.

use std::borrow::Cow;
use std::path::Path;

use super::{
    Level, MAX_SIDE, Resolution, ResolutionSource, SlideError, SlideInfo, SlideReader,
    copy_overlap, rgb_len,
};

/// What errors call the pixels: there is no file to name.
const NAME: &str = "pixels in memory";

/// A slide of one level out of RGB pixels, which are owned or borrowed; borrowed ones are not copied.
///
/// ```
/// use ftuseg_slide::{RgbSlide, SlideReader};
/// let pixels = vec![255; 40 * 30 * 3];
/// let slide = RgbSlide::new(40, 30, &pixels[..], 0.5)?;
/// assert_eq!(slide.info().width(), 40);
/// # Ok::<(), ftuseg_slide::SlideError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RgbSlide<'a> {
    info: SlideInfo,
    pixels: Cow<'a, [u8]>,
}

impl<'a> RgbSlide<'a> {
    /// A slide of `width` x `height` px from `pixels`, `[height, width, 3]`. `mpp` is um per px, where it is known.
    ///
    /// # Errors
    /// When `pixels` has another length, a side is 0 or over [`MAX_SIDE`], or `mpp` is no size that a px can have.
    pub fn new(
        width: u32,
        height: u32,
        pixels: impl Into<Cow<'a, [u8]>>,
        mpp: impl Into<Option<f64>>,
    ) -> Result<Self, SlideError> {
        let pixels = pixels.into();
        let refused = |reason: String| Err(SlideError::usage(Path::new(NAME), reason));
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return refused(format!(
                "{width} x {height} px; a side has 1 to {MAX_SIDE} px"
            ));
        }
        if rgb_len(width, height) != Some(pixels.len()) {
            return refused(format!(
                "{} bytes are not {width} x {height} px of 3 bytes each",
                pixels.len()
            ));
        }
        let resolution = match mpp.into() {
            None => None,
            Some(mpp) => match Resolution::believable(mpp, ResolutionSource::Caller) {
                Some(resolution) => Some(resolution),
                None => return refused(format!("{mpp} um is not a possible size of a px")),
            },
        };
        Ok(RgbSlide {
            info: SlideInfo {
                format: "RGB".to_owned(),
                reader: super::NATIVE.to_owned(),
                compression: "none".to_owned(),
                levels: vec![Level { width, height }],
                resolution,
                ignored: Vec::new(),
                bounds: None,
            },
            pixels,
        })
    }

    /// A slide from an array, `[height, width, 3]`; without a copy where its rows lie one after the other.
    ///
    /// # Errors
    /// As [`RgbSlide::new`], and when the last axis has another length than 3.
    #[cfg(feature = "ndarray")]
    pub fn from_array(
        pixels: ndarray::ArrayView3<'a, u8>,
        mpp: impl Into<Option<f64>>,
    ) -> Result<Self, SlideError> {
        let (height, width, channels) = pixels.dim();
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        if channels != 3 {
            return Err(SlideError::usage(
                Path::new(NAME),
                format!(
                    "an array of the shape [{height}, {width}, {channels}]; the last axis must have 3: R, G and B"
                ),
            ));
        }
        let bytes = match pixels.to_slice() {
            Some(bytes) => Cow::Borrowed(bytes),
            None => Cow::Owned(pixels.iter().copied().collect()),
        };
        Self::new(side(width), side(height), bytes, mpp)
    }
}

impl SlideReader for RgbSlide<'_> {
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
        self.info
            .level_to_read(Path::new(NAME), level, (width, height), out.len())?;
        out.fill(255);
        let size = (self.info.width(), self.info.height());
        copy_overlap(&self.pixels, (0, 0), size, out, (x, y), (width, height));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_read_as_they_were_given_and_white_around_them() {
        let pixels: Vec<u8> = (0..4 * 2 * 3).collect();
        let slide = RgbSlide::new(4, 2, &pixels[..], 0.5).unwrap();
        assert!(matches!(slide.pixels, Cow::Borrowed(_)));
        let mut out = vec![0; 2 * 2 * 3];
        slide.read(0, 3, 1, 2, 2, &mut out).unwrap();
        assert_eq!(
            out,
            [21, 22, 23, 255, 255, 255, 255, 255, 255, 255, 255, 255]
        );
        assert_eq!(slide.info().resolution.unwrap().mpp, 0.5);
        assert!(slide.read(1, 0, 0, 2, 2, &mut out).is_err());
        assert!(slide.read(0, 0, 0, 3, 2, &mut out).is_err());
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for (width, height, length, mpp) in [
            (2, 2, 11, Some(0.5)),
            (0, 2, 0, Some(0.5)),
            (u32::MAX, u32::MAX, 0, None),
            (2, 2, 12, Some(f64::NAN)),
            (2, 2, 12, Some(0.0)),
        ] {
            let error = RgbSlide::new(width, height, vec![0; length], mpp).unwrap_err();
            assert_eq!(error.kind(), "usage", "{error}");
        }
        assert!(RgbSlide::new(2, 2, vec![0; 12], None).is_ok());
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn arrays_are_slides() {
        let array =
            ndarray::Array3::from_shape_fn((2, 4, 3), |(y, x, c)| (y * 12 + x * 3 + c) as u8);
        let slide = RgbSlide::from_array(array.view(), 0.5).unwrap();
        assert!(matches!(slide.pixels, Cow::Borrowed(_)));
        let turned = array.view().reversed_axes();
        assert!(RgbSlide::from_array(turned, 0.5).is_err());
        let flipped = array.slice(ndarray::s![..;-1, .., ..]);
        let slide = RgbSlide::from_array(flipped, None).unwrap();
        let mut out = vec![0; 3];
        slide.read(0, 0, 0, 1, 1, &mut out).unwrap();
        assert_eq!(out, [12, 13, 14]);
    }
}
