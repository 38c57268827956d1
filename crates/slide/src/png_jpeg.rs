//! Reads PNG and JPEG images, which have one level and are decoded whole.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageReader, Limits};

use super::depth::{Largest, doubt, narrow};
use super::tiff::{AlphaSeen, ignored_alpha};
use crate::warning::{Warning, WarningKind};
use ftuseg_files::plain;

use super::{Level, MAX_SIDE, NATIVE, SlideError, SlideInfo, SlideReader, copy_overlap};

/// Memory that one decoded image may take: 1 GiB, a 18,900 px square.
const MAX_BYTES: u64 = 1 << 30;

/// A PNG or JPEG image, decoded into memory when it is opened.
pub struct PngJpegReader {
    path: PathBuf,
    info: SlideInfo,
    warnings: Vec<Warning>,
    pixels: Vec<u8>,
}

impl PngJpegReader {
    /// Opens and decodes an image. Transparency is laid over white.
    ///
    /// # Errors
    /// When the file cannot be read or decoded, or would take more than 1 GiB.
    pub fn open(path: &Path) -> Result<Self, SlideError> {
        let mut reader = plain::open(path, u64::MAX)
            .and_then(|file| ImageReader::new(BufReader::new(file)).with_guessed_format())
            .map_err(|source| SlideError::io(path, source))?;
        let format = match reader.format() {
            Some(image::ImageFormat::Png) => "PNG",
            Some(image::ImageFormat::Jpeg) => "JPEG",
            _ => return Err(SlideError::format(path, "it is neither PNG nor JPEG")),
        };
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        limits.max_alloc = Some(MAX_BYTES);
        reader.limits(limits);
        let too_large =
            "a PNG or JPEG may take at most 1 GiB decoded; save a larger image as a tiled TIFF";
        let image = reader.into_decoder().and_then(|mut decoder| {
            let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
            // Before anything is decoded.
            let fits = decoder.total_bytes() <= MAX_BYTES;
            let image = match fits && turned == Orientation::NoTransforms {
                true => Some(DynamicImage::from_decoder(decoder)?),
                false => None,
            };
            Ok((image, turned, fits))
        });
        let (image, turned, fits) = image.map_err(|error| match error {
            image::ImageError::Limits(_) => SlideError::limits(path, too_large),
            image::ImageError::Unsupported(_) => SlideError::unsupported(path, error.to_string()),
            image::ImageError::IoError(source) => SlideError::io(path, source),
            other => SlideError::format(path, other.to_string()),
        })?;
        if !fits {
            return Err(SlideError::limits(path, too_large));
        }
        let Some(image) = image else {
            return Err(SlideError::format(path, not_upright(turned)));
        };
        let (width, height) = (image.width(), image.height());
        if width == 0 || height == 0 {
            return Err(SlideError::format(path, "the image has no pixels"));
        }
        let mut warnings = Vec::new();
        let image = narrowed(image, &mut warnings);
        let pixels = over_white(image, &mut warnings)
            .map_err(|reason| SlideError::unsupported(path, reason))?;
        Ok(PngJpegReader {
            path: path.to_owned(),
            info: SlideInfo {
                format: format.to_owned(),
                compression: format.to_owned(),
                levels: vec![Level { width, height }],
                reader: NATIVE.to_owned(),
                resolution: None,
                ignored: Vec::new(),
                bounds: None,
            },
            warnings,
            pixels,
        })
    }
}

/// The size of a PNG or JPEG, which state no um/px.
///
/// # Errors
/// When the file cannot be read, or is neither.
pub(crate) fn header(path: &Path) -> Result<SlideInfo, SlideError> {
    let (width, height) = plain::open(path, u64::MAX)
        .and_then(|file| ImageReader::new(BufReader::new(file)).with_guessed_format())
        .map_err(|source| SlideError::io(path, source))?
        .into_dimensions()
        .map_err(|error| SlideError::format(path, error.to_string()))?;
    match width.min(height) {
        0 => Err(SlideError::format(path, "the image has no pixels")),
        _ => Ok(SlideInfo::new("PNG or JPEG", width, height)),
    }
}

/// Why a picture that Exif wants turned is refused.
pub(crate) fn not_upright(turned: Orientation) -> String {
    format!(
        "its px are to be turned or mirrored before they are shown (Exif orientation {}), which only some programs do; \
         save it upright",
        turned.to_exif()
    )
}

/// An image whose 16-bit samples use fewer bits, as 8 bits; any other as it is.
fn narrowed(image: DynamicImage, warnings: &mut Vec<Warning>) -> DynamicImage {
    let (values, channels): (&[u16], usize) = match &image {
        DynamicImage::ImageLuma16(image) => (image.as_raw(), 1),
        DynamicImage::ImageLumaA16(image) => (image.as_raw(), 2),
        DynamicImage::ImageRgb16(image) => (image.as_raw(), 3),
        DynamicImage::ImageRgba16(image) => (image.as_raw(), 4),
        _ => return image,
    };
    let colours = if channels % 2 == 0 {
        channels - 1
    } else {
        channels
    };
    let mut largest = Largest::default();
    let px = values.chunks_exact(channels);
    largest.see(px.flat_map(|px| px[..colours].iter().copied()));
    let Some((bits, largest)) = largest.bits().filter(|&(bits, _)| bits < 16) else {
        return image;
    };
    // All values were looked at, so none is deeper.
    let byte = |&value: &u16| narrow(value, bits, false).unwrap_or(u8::MAX);
    let bytes: Vec<u8> = values.iter().map(byte).collect();
    let (width, height) = (image.width(), image.height());
    let narrow = match channels {
        1 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8),
        2 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8),
        3 => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
        _ => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgba8),
    };
    warnings.push(Warning::new(WarningKind::Samples, doubt(bits, largest)));
    narrow.unwrap_or(image)
}

/// RGB of an image, `[height, width, 3]`; what is transparent shows white, as glass does.
///
/// # Errors
/// When the alpha channel can mean two things.
fn over_white(image: DynamicImage, warnings: &mut Vec<Warning>) -> Result<Vec<u8>, &'static str> {
    if let DynamicImage::ImageLuma8(grey) = &image {
        // The library's way from grey to RGB goes through floats and takes ten times as long; masks are grey.
        let bytes = grey.as_raw();
        let mut rgb = vec![0; bytes.len() * 3];
        for (px, &value) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(bytes) {
            *px = [value; 3];
        }
        return Ok(rgb);
    }
    if !image.color().has_alpha() {
        return Ok(image.into_rgb8().into_raw());
    }
    let image = image.into_rgba8();
    let mut seen = AlphaSeen::default();
    image.pixels().for_each(|p| seen.see(&p.0[..3], p[3]));
    let ignored = seen.constant()?;
    if let Some(value) = ignored {
        warnings.push(Warning::new(
            WarningKind::AlphaIgnored,
            ignored_alpha(value),
        ));
    }
    let mix = |value: u8, alpha: u8| {
        super::over_white(value, if ignored.is_some() { u8::MAX } else { alpha })
    };
    Ok(image
        .pixels()
        .flat_map(|p| [mix(p[0], p[3]), mix(p[1], p[3]), mix(p[2], p[3])])
        .collect())
}

impl SlideReader for PngJpegReader {
    fn info(&self) -> &SlideInfo {
        &self.info
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
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
            .level_to_read(&self.path, level, (width, height), out.len())?;
        out.fill(255);
        let size = (self.info.width(), self.info.height());
        copy_overlap(&self.pixels, (0, 0), size, out, (x, y), (width, height));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(image: DynamicImage) -> PngJpegReader {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("x.png");
        image.save(&path).unwrap();
        PngJpegReader::open(&path).unwrap()
    }

    fn kinds(slide: &PngJpegReader) -> Vec<WarningKind> {
        slide.warnings.iter().map(|warning| warning.kind).collect()
    }

    #[test]
    fn twelve_bits_in_sixteen_are_scaled() {
        let px = vec![0x0fff, 0x0800, 0x0010, 0, 0xffff, 0x07ff];
        let image = ImageBuffer::from_raw(2, 1, px).map(DynamicImage::ImageRgb16);
        let slide = open(image.unwrap());
        assert_eq!(slide.pixels, [255, 128, 1, 0, 255, 127]);
        assert_eq!(kinds(&slide), [WarningKind::Samples]);
        let image = ImageBuffer::from_raw(1, 1, vec![0xff00_u16, 0x8000, 0x100]);
        let slide = open(image.map(DynamicImage::ImageRgb16).unwrap());
        assert_eq!(slide.pixels, [254, 128, 1]);
        assert!(kinds(&slide).is_empty());
    }

    /// Exif that says nothing but how a picture is turned.
    fn exif(orientation: u8) -> Vec<u8> {
        let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        exif
    }

    #[test]
    fn a_picture_that_is_to_be_turned_is_refused() {
        use image::ImageEncoder;
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("x");
        let px = [100; 12];
        let write = |orientation: u8, is_png: bool| {
            let mut bytes = Vec::new();
            let colour = image::ExtendedColorType::Rgb8;
            if is_png {
                let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
                encoder.set_exif_metadata(exif(orientation)).unwrap();
                encoder.write_image(&px, 2, 2, colour).unwrap();
            } else {
                let mut encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
                encoder.set_exif_metadata(exif(orientation)).unwrap();
                encoder.write_image(&px, 2, 2, colour).unwrap();
            }
            std::fs::write(&path, bytes).unwrap();
            PngJpegReader::open(&path).map_err(|error| error.to_string())
        };
        for is_png in [true, false] {
            assert!(write(1, is_png).is_ok());
            for turned in [3, 6] {
                let error = write(turned, is_png).err().unwrap();
                assert!(
                    error.contains(&format!("Exif orientation {turned}")),
                    "{error}"
                );
                if is_png {
                    let mask = crate::mask_image::read_mask_image(&path).unwrap_err();
                    assert!(mask.to_string().contains("Exif orientation"), "{mask}");
                }
            }
        }
    }

    #[test]
    fn an_alpha_that_says_nothing_is_ignored() {
        let rgba = |px: Vec<u8>| {
            let image = ImageBuffer::from_raw(2, 1, px).map(DynamicImage::ImageRgba8);
            open(image.unwrap())
        };
        let slide = rgba(vec![10, 20, 30, 0, 40, 50, 60, 0]);
        assert_eq!(slide.pixels, [10, 20, 30, 40, 50, 60]);
        assert_eq!(kinds(&slide), [WarningKind::AlphaIgnored]);
        let slide = rgba(vec![10, 20, 30, 0, 40, 50, 60, 255]);
        assert_eq!(slide.pixels, [255, 255, 255, 40, 50, 60]);
        assert!(kinds(&slide).is_empty());
    }
}
