//! A slide whose px lie in the caller's memory, where they stay.

use ftuseg::slide::{ArraySlide, Channels, MAX_SIDE};
use ndarray::{ArrayView3, ShapeBuilder};

use super::error::Failure;
use super::sized::Versioned;

/// Three bytes a px: red, green, blue.
pub const FTUSEG_PIXELS_RGB: u32 = 0;
/// Four bytes a px: red, green, blue and alpha, which is not multiplied in. What is transparent is seen over white.
pub const FTUSEG_PIXELS_RGBA: u32 = 1;
/// Four bytes a px: red, green, blue, and one that does not count.
pub const FTUSEG_PIXELS_RGBX: u32 = 2;
/// Three bytes a px: blue, green, red.
pub const FTUSEG_PIXELS_BGR: u32 = 3;
/// Four bytes a px: blue, green, red and alpha, as `FTUSEG_PIXELS_RGBA`.
pub const FTUSEG_PIXELS_BGRA: u32 = 4;
/// Four bytes a px: blue, green, red, and one that does not count.
pub const FTUSEG_PIXELS_BGRX: u32 = 5;

/// Pixels in the caller's memory, 8 bits a channel. They are not copied. Begin with `FTUSEG_PIXELS_INIT`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ftuseg_pixels {
    /// sizeof(ftuseg_pixels).
    pub size: usize,
    /// The first byte of the first px of the top row.
    pub data: *const u8,
    /// How many bytes may be read from there.
    pub length: usize,
    /// Columns, px.
    pub width: u32,
    /// Rows, px.
    pub height: u32,
    /// Bytes from the start of a row to the start of the next; 0 where rows follow each other without a gap.
    pub stride: usize,
    /// FTUSEG_PIXELS_RGB, ..., by default that.
    pub format: u32,
    /// um per px; 0 where that is not known.
    pub mpp: f64,
}

// SAFETY: `repr(C)`, begins with its size; numbers and a pointer that is followed only where it may be.
unsafe impl Versioned for ftuseg_pixels {
    const NAME: &'static str = "ftuseg_pixels";
    const FIRST: usize = std::mem::offset_of!(Self, mpp) + size_of::<f64>();
}

/// How many bytes a px has, and where its colours are among them.
fn layout(format: u32) -> Option<(usize, Channels)> {
    let (bytes, rgb, alpha) = match format {
        FTUSEG_PIXELS_RGB => (3, [0, 1, 2], None),
        FTUSEG_PIXELS_RGBA => (4, [0, 1, 2], Some(3)),
        FTUSEG_PIXELS_RGBX => (4, [0, 1, 2], None),
        FTUSEG_PIXELS_BGR => (3, [2, 1, 0], None),
        FTUSEG_PIXELS_BGRA => (4, [2, 1, 0], Some(3)),
        FTUSEG_PIXELS_BGRX => (4, [2, 1, 0], None),
        _ => return None,
    };
    Some((bytes, Channels { rgb, alpha }))
}

/// The caller's px as a slide of one level.
///
/// # Safety
/// The memory that `pixels` speaks of may be read and does not change while the slide lives.
pub(crate) unsafe fn slide_of<'a>(pixels: &ftuseg_pixels) -> Result<ArraySlide<'a>, Failure> {
    let refused = |why: String| Failure::usage(format!("pixels in memory: {why}"));
    let (width, height) = (pixels.width as usize, pixels.height as usize);
    let (depth, channels) = layout(pixels.format)
        .ok_or_else(|| refused(format!("there is no format {}", pixels.format)))?;
    // What the array would refuse, too, but only once there is memory for it.
    if ![pixels.width, pixels.height]
        .iter()
        .all(|side| (1..=MAX_SIDE).contains(side))
    {
        return Err(refused(format!(
            "{width} x {height} px; a side has 1 to {MAX_SIDE} px"
        )));
    }
    let row = width * depth;
    let stride = match pixels.stride {
        0 => row,
        stride => stride,
    };
    if stride < row {
        return Err(refused(format!(
            "rows of {row} bytes do not fit into {stride}"
        )));
    }
    let needed = (height - 1)
        .checked_mul(stride)
        .and_then(|before| before.checked_add(row))
        .filter(|&needed| needed <= isize::MAX as usize)
        .ok_or_else(|| refused(format!("{height} rows of {stride} bytes are no memory")))?;
    if needed > pixels.length {
        return Err(refused(format!(
            "{width} x {height} px need {needed} bytes, and there are {}",
            pixels.length
        )));
    }
    if pixels.data.is_null() {
        return Err(refused("the data is NULL".to_owned()));
    }
    // SAFETY: it is not NULL, the length fits into memory, and the caller promises that so much can be read.
    let bytes = unsafe { std::slice::from_raw_parts(pixels.data, needed) };
    let shape = (height, width, depth).strides((stride, depth, 1));
    let array = ArrayView3::from_shape(shape, bytes).map_err(|error| refused(error.to_string()))?;
    let mpp = (pixels.mpp != 0.0).then_some(pixels.mpp);
    Ok(ArraySlide::with_channels(array, channels, mpp)?)
}

#[cfg(test)]
mod tests {
    use ftuseg::SlideReader;

    use super::*;

    fn pixels(data: &[u8], width: u32, height: u32) -> ftuseg_pixels {
        ftuseg_pixels {
            size: size_of::<ftuseg_pixels>(),
            data: data.as_ptr(),
            length: data.len(),
            width,
            height,
            stride: 0,
            format: FTUSEG_PIXELS_RGB,
            mpp: 0.5,
        }
    }

    /// All px of a slide, with a border of white.
    fn read(pixels: &ftuseg_pixels) -> Vec<u8> {
        // SAFETY: the tests' buffers outlive the slide.
        let slide = unsafe { slide_of(pixels) }.unwrap();
        let mut out = vec![0; (pixels.width as usize + 2) * (pixels.height as usize + 2) * 3];
        slide
            .read(0, -1, -1, pixels.width + 2, pixels.height + 2, &mut out)
            .unwrap();
        out
    }

    #[test]
    fn every_format_gives_the_same_slide_whatever_the_stride() {
        let rgb: Vec<u8> = (0..3 * 2 * 3).map(|n| n * 11).collect();
        let expected = read(&pixels(&rgb, 3, 2));
        assert_eq!(&expected[5 * 3 + 3..5 * 3 + 6], &rgb[..3]);
        for (format, bytes, swapped) in [
            (FTUSEG_PIXELS_RGB, 3, false),
            (FTUSEG_PIXELS_RGBA, 4, false),
            (FTUSEG_PIXELS_RGBX, 4, false),
            (FTUSEG_PIXELS_BGR, 3, true),
            (FTUSEG_PIXELS_BGRA, 4, true),
            (FTUSEG_PIXELS_BGRX, 4, true),
        ] {
            let fourth = if [FTUSEG_PIXELS_RGBX, FTUSEG_PIXELS_BGRX].contains(&format) {
                0
            } else {
                255
            };
            let stride = 3 * bytes + 5;
            let mut data = vec![77; stride * 2];
            for (place, px) in rgb.chunks_exact(3).enumerate() {
                let at = place / 3 * stride + place % 3 * bytes;
                let order = if swapped { [2, 1, 0] } else { [0, 1, 2] };
                data[at..at + 3].copy_from_slice(&order.map(|channel| px[channel]));
                if bytes == 4 {
                    data[at + 3] = fourth;
                }
            }
            // The last row needs no gap behind it.
            data.truncate(stride + 3 * bytes);
            let given = ftuseg_pixels {
                stride,
                format,
                ..pixels(&data, 3, 2)
            };
            assert_eq!(read(&given), expected, "{format}");
        }
    }

    #[test]
    fn what_is_transparent_is_seen_over_white() {
        let data = [10, 20, 30, 0, 10, 20, 30, 128];
        let given = ftuseg_pixels {
            format: FTUSEG_PIXELS_RGBA,
            ..pixels(&data, 2, 1)
        };
        assert_eq!(
            read(&given)[4 * 3 + 3..4 * 3 + 9],
            [255, 255, 255, 132, 137, 142]
        );
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let data = [0; 12];
        let good = pixels(&data, 2, 2);
        for (wrong, word) in [
            (ftuseg_pixels { width: 0, ..good }, "0 x 2"),
            (
                ftuseg_pixels {
                    height: u32::MAX,
                    ..good
                },
                "x 4294967295",
            ),
            (ftuseg_pixels { length: 11, ..good }, "12 bytes"),
            (ftuseg_pixels { stride: 5, ..good }, "do not fit into 5"),
            (
                ftuseg_pixels {
                    stride: usize::MAX,
                    ..good
                },
                "no memory",
            ),
            (
                ftuseg_pixels {
                    stride: isize::MAX as usize,
                    ..good
                },
                "no memory",
            ),
            (ftuseg_pixels { stride: 7, ..good }, "13 bytes"),
            (ftuseg_pixels { format: 6, ..good }, "no format 6"),
            (
                ftuseg_pixels {
                    data: std::ptr::null(),
                    ..good
                },
                "NULL",
            ),
            (
                ftuseg_pixels {
                    mpp: f64::NAN,
                    ..good
                },
                "NaN",
            ),
            (ftuseg_pixels { mpp: -1.0, ..good }, "-1 um"),
        ] {
            // SAFETY: what is refused is not read.
            let Err(failure) = (unsafe { slide_of(&wrong) }) else {
                panic!("{word}: it is taken");
            };
            assert!(
                failure.message.contains(word),
                "{word}: {}",
                failure.message
            );
        }
    }
}
