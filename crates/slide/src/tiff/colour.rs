//! Samples become RGB.

use super::photometric::{Alpha, Colour};
use super::problem::Problem;
use super::samples::Samples;
use crate::over_white;

/// Turns samples into RGB, `[height, width, 3]`, and cuts off what lies beyond `width` x `height`.
pub(super) fn to_rgb(
    samples: &Samples,
    colour: &Colour,
    alpha: Alpha,
    (width, height): (u32, u32),
) -> Result<Vec<u8>, Problem> {
    let channels = samples.channels as usize;
    let stride = samples.width as usize * channels;
    let wanted = match colour {
        Colour::YCbCr if samples.is_rgb => &Colour::Rgb,
        colour => colour,
    };
    if samples.width < width
        || samples.height < height
        || channels < wanted.samples() as usize
        || samples.bytes.len() < stride * samples.height as usize
    {
        return Err(Problem::format(format!(
            "it holds {} x {} px of {channels} samples; {width} x {height} px of {} are needed",
            samples.width,
            samples.height,
            wanted.samples()
        )));
    }
    let alpha_at = wanted.samples() as usize;
    let alpha = if channels > alpha_at {
        alpha
    } else {
        Alpha::None
    };
    if let Alpha::Constant(value) = alpha {
        let rows = samples.bytes.chunks_exact(stride).take(height as usize);
        let mut alphas = rows.flat_map(|row| {
            let px = row.chunks_exact(channels).take(width as usize);
            px.map(|px| px[alpha_at])
        });
        if let Some(other) = alphas.find(|&other| other != value) {
            return Err(Problem::unsupported(format!(
                "its alpha channel is {value} wherever it was checked, but {other} here; convert it to RGB without alpha"
            )));
        }
    }
    let opaque = matches!(alpha, Alpha::None | Alpha::Unspecified | Alpha::Constant(_));
    let mut out = Vec::with_capacity(width as usize * height as usize * 3);
    for row in samples.bytes.chunks_exact(stride).take(height as usize) {
        let row = &row[..width as usize * channels];
        if opaque && channels == 3 && *wanted == Colour::Rgb {
            out.extend_from_slice(row);
            continue;
        }
        for px in row.chunks_exact(channels) {
            let rgb = match wanted {
                Colour::Grey => [px[0]; 3],
                Colour::InvertedGrey => [255 - px[0]; 3],
                Colour::Rgb => [px[0], px[1], px[2]],
                Colour::YCbCr => ycbcr_to_rgb(px[0], px[1], px[2]),
                Colour::Palette(colours) => colours[usize::from(px[0])],
            };
            out.extend(match alpha {
                Alpha::None | Alpha::Unspecified | Alpha::Constant(_) => rgb,
                // What is transparent shows white, as glass does.
                Alpha::Associated => rgb.map(|v| v.saturating_add(255 - px[alpha_at])),
                Alpha::Separate => rgb.map(|v| over_white(v, px[alpha_at])),
            });
        }
    }
    Ok(out)
}

/// JFIF's full-range conversion (ITU-T T.871, section 7) in 16-bit fixed point.
fn ycbcr_to_rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let round = |v: i32| ((v + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [
        round(y + 91_881 * cr),
        round(y - 22_554 * cb - 46_802 * cr),
        round(y + 116_130 * cb),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ycbcr_known_colours() {
        assert_eq!(ycbcr_to_rgb(255, 128, 128), [255, 255, 255]);
        assert_eq!(ycbcr_to_rgb(0, 128, 128), [0, 0, 0]);
        assert_eq!(ycbcr_to_rgb(76, 85, 255), [254, 0, 0]);
        assert_eq!(ycbcr_to_rgb(29, 255, 107), [0, 0, 254]);
    }

    #[test]
    fn transparency_shows_white() {
        let px = |bytes: Vec<u8>, alpha| {
            let samples = Samples {
                width: 1,
                height: 1,
                channels: 4,
                bytes,
                is_rgb: false,
            };
            to_rgb(&samples, &Colour::Rgb, alpha, (1, 1)).unwrap()
        };
        assert_eq!(px(vec![10, 20, 30, 0], Alpha::Separate), [255; 3]);
        assert_eq!(px(vec![10, 20, 30, 255], Alpha::Separate), [10, 20, 30]);
        assert_eq!(px(vec![0, 0, 0, 0], Alpha::Associated), [255; 3]);
        assert_eq!(px(vec![10, 20, 30, 0], Alpha::None), [10, 20, 30]);
        assert_eq!(px(vec![10, 20, 30, 0], Alpha::Unspecified), [10, 20, 30]);
        assert_eq!(px(vec![10, 20, 30, 0], Alpha::Constant(0)), [10, 20, 30]);
    }

    #[test]
    fn an_alpha_that_was_taken_for_none_and_is_one_is_an_error() {
        let samples = Samples {
            width: 2,
            height: 1,
            channels: 4,
            bytes: vec![1, 2, 3, 0, 1, 2, 3, 9],
            is_rgb: false,
        };
        let convert = |size| to_rgb(&samples, &Colour::Rgb, Alpha::Constant(0), size);
        assert!(convert((2, 1)).is_err());
        // What lies beyond the image is nobody's.
        assert_eq!(convert((1, 1)).unwrap(), [1, 2, 3]);
    }
}
