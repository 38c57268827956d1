//! Reads PNG and JPEG images, which have one level and are decoded whole.

use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageReader, Limits};

use super::{Level, MAX_SIDE, NATIVE, SlideError, SlideInfo, SlideReader, copy_overlap, rgb_len};

/// Memory that one decoded image may take: 1 GiB, a 18,900 px square.
const MAX_BYTES: u64 = 1 << 30;

/// A PNG or JPEG image, decoded into memory when it is opened.
pub struct FlatReader {
    path: PathBuf,
    info: SlideInfo,
    pixels: Vec<u8>,
}

impl FlatReader {
    /// Opens and decodes an image. Transparency is laid over white.
    ///
    /// # Errors
    /// When the file cannot be read or decoded, or would take more than 1 GiB.
    pub fn open(path: &Path) -> Result<Self, SlideError> {
        let mut reader = ImageReader::open(path)
            .and_then(ImageReader::with_guessed_format)
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
        let image = reader.decode().map_err(|error| match error {
            image::ImageError::Limits(_) => SlideError::limits(
                path,
                "a PNG or JPEG may take 1 GiB decoded; save a larger image as a tiled TIFF",
            ),
            image::ImageError::Unsupported(_) => SlideError::unsupported(path, error.to_string()),
            image::ImageError::IoError(source) => SlideError::io(path, source),
            other => SlideError::format(path, other.to_string()),
        })?;
        let (width, height) = (image.width(), image.height());
        if width == 0 || height == 0 {
            return Err(SlideError::format(path, "the image has no pixels"));
        }
        Ok(FlatReader {
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
            pixels: over_white(image),
        })
    }
}

/// RGB of an image, `[height, width, 3]`; what is transparent shows white, as glass does.
fn over_white(image: DynamicImage) -> Vec<u8> {
    if let DynamicImage::ImageLuma8(grey) = &image {
        // The library's way from grey to RGB goes through floats and takes ten times as long; masks are grey.
        let bytes = grey.as_raw();
        let mut rgb = vec![0; bytes.len() * 3];
        for (px, &value) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(bytes) {
            *px = [value; 3];
        }
        return rgb;
    }
    if !image.color().has_alpha() {
        return image.into_rgb8().into_raw();
    }
    let mix = |value: u8, alpha: u8| {
        let alpha = u32::from(alpha);
        ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    image
        .into_rgba8()
        .pixels()
        .flat_map(|p| [mix(p[0], p[3]), mix(p[1], p[3]), mix(p[2], p[3])])
        .collect()
}

impl SlideReader for FlatReader {
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
        if level != 0 {
            return Err(SlideError::usage(
                &self.path,
                format!("it has no level {level}"),
            ));
        }
        if rgb_len(width, height) != Some(out.len()) {
            return Err(SlideError::usage(
                &self.path,
                "the buffer does not fit the region",
            ));
        }
        out.fill(255);
        let size = (self.info.width(), self.info.height());
        copy_overlap(&self.pixels, (0, 0), size, out, (x, y), (width, height));
        Ok(())
    }
}
