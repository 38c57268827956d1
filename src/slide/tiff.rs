//! Reads TIFF, BigTIFF and Aperio SVS: strips or tiles, pyramids as a chain of directories.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tiff::ColorType;
use tiff::decoder::ifd::Value;
use tiff::decoder::{ChunkType, Decoder, DecodingResult, Limits};
use tiff::tags::{CompressionMethod, Tag};

use super::{
    Level, MAX_SIDE, Resolution, SlideError, SlideInfo, SlideReader, copy_overlap, rgb_len,
};

/// Directories looked at; a slide has a dozen.
const MAX_DIRECTORIES: usize = 256;
/// Memory that one decoded strip or tile may take.
const MAX_CHUNK_BYTES: usize = 128 << 20;
/// Memory that one tag's value may take; the tile offsets of a slide of 10^6 tiles take 8 MB.
const MAX_TAG_BYTES: usize = 64 << 20;
/// Decoded tiles and strips kept for neighbouring regions. More than the largest chunk, or a slide in one strip would be
/// decoded anew for every tile.
const CACHE_BYTES: u64 = 192 << 20;

type FileDecoder = Decoder<BufReader<File>>;

/// A TIFF slide. Chunks (tiles or strips) are decoded when needed and kept in a bounded cache.
pub struct TiffReader {
    path: PathBuf,
    info: SlideInfo,
    levels: Vec<TiffLevel>,
    cache: Cache<(usize, u32), Arc<Chunk>, ChunkBytes>,
}

/// How one level is stored.
struct TiffLevel {
    directory: usize,
    chunk: (u32, u32),
    chunks_across: u32,
    colour: Colour,
    /// Decoders that stand on this directory, to be borrowed by one reading thread each.
    idle: Mutex<Vec<FileDecoder>>,
}

/// How samples become RGB.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Colour {
    Gray,
    Rgb,
    YCbCr,
}

/// A decoded strip or tile: RGB, `[height, width, 3]`.
struct Chunk {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

#[derive(Clone)]
struct ChunkBytes;

impl Weighter<(usize, u32), Arc<Chunk>> for ChunkBytes {
    fn weight(&self, _: &(usize, u32), chunk: &Arc<Chunk>) -> u64 {
        chunk.rgb.len() as u64 + 64
    }
}

/// What one directory says of itself.
struct Directory {
    index: usize,
    width: u32,
    height: u32,
    tiled: bool,
    reduced: bool,
}

impl TiffReader {
    /// Opens a TIFF file and finds its levels. Reads tags only, no pixels.
    ///
    /// # Errors
    /// When the file cannot be read, is broken, over the limits, or stores pixels in a way that is not supported.
    pub fn open(path: &Path) -> Result<Self, SlideError> {
        let mut decoder = open_decoder(path)?;
        let broken = |error| from_tiff(path, error);
        let mut directories = Vec::new();
        loop {
            let (width, height) = decoder.dimensions().map_err(broken)?;
            let subfile = decoder
                .find_tag_unsigned::<u32>(Tag::NewSubfileType)
                .map_err(broken)?;
            directories.push(Directory {
                index: directories.len(),
                width,
                height,
                tiled: decoder.get_chunk_type() == ChunkType::Tile,
                reduced: subfile.is_some_and(|bits| bits & 1 != 0),
            });
            if !decoder.more_images() || directories.len() >= MAX_DIRECTORIES {
                break;
            }
            // An odd further directory (a label, a mask) does not spoil the slide: the levels end here.
            if decoder.next_image().is_err() {
                break;
            }
        }
        decoder.seek_to_image(0).map_err(broken)?;
        let description = decoder
            .find_tag(Tag::ImageDescription)
            .ok()
            .flatten()
            .and_then(|value| value.into_string().ok())
            .unwrap_or_default();
        refuse_foreign(path, &mut decoder, &description)?;
        let aperio = description.starts_with("Aperio");
        let resolution = if aperio {
            Resolution::from_aperio(&description)
        } else {
            tag_resolution(&mut decoder)
        };
        let compression = decoder
            .find_tag_unsigned::<u16>(Tag::Compression)
            .ok()
            .flatten()
            .unwrap_or(1);
        let mut levels = Vec::new();
        let mut kept = Vec::new();
        for directory in pyramid(&directories) {
            decoder.seek_to_image(directory.index).map_err(broken)?;
            let level = TiffLevel::check(path, &mut decoder, directory)?;
            kept.push(Level {
                width: directory.width,
                height: directory.height,
            });
            levels.push(level);
        }
        Ok(TiffReader {
            path: path.to_owned(),
            info: SlideInfo {
                format: if aperio { "Aperio SVS" } else { "TIFF" }.to_owned(),
                compression: compression_name(compression),
                levels: kept,
                resolution,
            },
            levels,
            // So few expected items make one shard; with more, each would hold a part of the bytes and refuse large chunks.
            cache: Cache::with_weighter(32, CACHE_BYTES, ChunkBytes),
        })
    }

    fn chunk(&self, level: usize, index: u32) -> Result<Arc<Chunk>, SlideError> {
        self.cache
            .get_or_insert_with(&(level, index), || self.decode(level, index).map(Arc::new))
    }

    fn decode(&self, number: usize, index: u32) -> Result<Chunk, SlideError> {
        let level = &self.levels[number];
        let lock = || level.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = lock().pop();
        let mut decoder = match idle {
            Some(decoder) => decoder,
            None => {
                let mut decoder = open_decoder(&self.path)?;
                decoder
                    .seek_to_image(level.directory)
                    .map_err(|error| from_tiff(&self.path, error))?;
                decoder
            }
        };
        let (width, height) = decoder.chunk_data_dimensions(index);
        let result = decoder
            .read_chunk(index)
            .map_err(|error| from_tiff(&self.path, error));
        lock().push(decoder);
        let rgb = to_rgb(&self.path, result?, level.colour, width, height)?;
        Ok(Chunk { width, height, rgb })
    }
}

impl TiffLevel {
    /// Checks that the directory on which `decoder` stands can be read.
    fn check(
        path: &Path,
        decoder: &mut FileDecoder,
        directory: &Directory,
    ) -> Result<Self, SlideError> {
        let broken = |error| from_tiff(path, error);
        let (width, height) = (directory.width, directory.height);
        if width == 0 || height == 0 {
            return Err(SlideError::format(path, "the image has no pixels"));
        }
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(SlideError::limits(
                path,
                format!("{width} x {height} px; the largest side is {MAX_SIDE} px"),
            ));
        }
        let colour = match decoder.colortype().map_err(broken)? {
            ColorType::Gray(8 | 16) | ColorType::GrayA(8 | 16) => Colour::Gray,
            ColorType::RGB(8 | 16) | ColorType::RGBA(8 | 16) => Colour::Rgb,
            ColorType::YCbCr(8) => Colour::YCbCr,
            other => {
                return Err(SlideError::unsupported(
                    path,
                    format!("pixels stored as {other:?}; convert it to 8-bit RGB"),
                ));
            }
        };
        let planar = decoder
            .find_tag_unsigned::<u16>(Tag::PlanarConfiguration)
            .map_err(broken)?;
        if planar == Some(2) && colour != Colour::Gray {
            return Err(SlideError::unsupported(
                path,
                "colours in separate planes; convert it to interleaved RGB",
            ));
        }
        let compression = decoder
            .find_tag_unsigned::<u16>(Tag::Compression)
            .map_err(broken)?
            .unwrap_or(1);
        if !matches!(compression, 1 | 5 | 7 | 8 | 32773 | 32946) {
            return Err(SlideError::unsupported(
                path,
                format!(
                    "{} compression; convert it to JPEG or Deflate",
                    compression_name(compression)
                ),
            ));
        }
        let chunk = decoder.chunk_dimensions();
        let bytes = rgb_len(chunk.0.min(width.max(1)), chunk.1.min(height.max(1)));
        if chunk.0 == 0 || chunk.1 == 0 || bytes.is_none_or(|b| b > MAX_CHUNK_BYTES) {
            return Err(SlideError::limits(
                path,
                format!("strips or tiles of {} x {} px", chunk.0, chunk.1),
            ));
        }
        let count = match decoder.get_chunk_type() {
            ChunkType::Strip => decoder.strip_count(),
            ChunkType::Tile => decoder.tile_count(),
        }
        .map_err(broken)?;
        let chunks_across = width.div_ceil(chunk.0);
        if u64::from(count) < u64::from(chunks_across) * u64::from(height.div_ceil(chunk.1)) {
            return Err(SlideError::format(
                path,
                "it lists fewer strips or tiles than its size needs",
            ));
        }
        Ok(TiffLevel {
            directory: directory.index,
            chunk,
            chunks_across,
            colour,
            idle: Mutex::new(Vec::new()),
        })
    }
}

impl SlideReader for TiffReader {
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
        let Some(stored) = self.levels.get(level) else {
            return Err(SlideError::usage(
                &self.path,
                format!("it has no level {level}"),
            ));
        };
        if rgb_len(width, height) != Some(out.len()) {
            return Err(SlideError::usage(
                &self.path,
                "the buffer does not fit the region",
            ));
        }
        let size = self.info.levels[level];
        let chunk = (i64::from(stored.chunk.0), i64::from(stored.chunk.1));
        let x0 = x.clamp(0, i64::from(size.width));
        let x1 = x
            .saturating_add(i64::from(width))
            .clamp(0, i64::from(size.width));
        let y0 = y.clamp(0, i64::from(size.height));
        let y1 = y
            .saturating_add(i64::from(height))
            .clamp(0, i64::from(size.height));
        if (x1 - x0, y1 - y0) != (i64::from(width), i64::from(height)) {
            out.fill(255);
        }
        if x0 >= x1 || y0 >= y1 {
            return Ok(());
        }
        for row in y0 / chunk.1..=(y1 - 1) / chunk.1 {
            for column in x0 / chunk.0..=(x1 - 1) / chunk.0 {
                let index = row as u32 * stored.chunks_across + column as u32;
                let block = self.chunk(level, index)?;
                copy_overlap(
                    &block.rgb,
                    (column * chunk.0, row * chunk.1),
                    (block.width, block.height),
                    out,
                    (x, y),
                    (width, height),
                );
            }
        }
        Ok(())
    }
}

fn open_decoder(path: &Path) -> Result<FileDecoder, SlideError> {
    let file = File::open(path).map_err(|source| SlideError::io(path, source))?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_CHUNK_BYTES;
    limits.intermediate_buffer_size = MAX_CHUNK_BYTES;
    limits.ifd_value_size = MAX_TAG_BYTES;
    Ok(Decoder::new(BufReader::new(file))
        .map_err(|error| from_tiff(path, error))?
        .with_limits(limits))
}

fn from_tiff(path: &Path, error: tiff::TiffError) -> SlideError {
    match error {
        tiff::TiffError::IoError(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
            SlideError::io(path, source)
        }
        tiff::TiffError::IoError(_) => SlideError::format(path, "the file ends too early"),
        tiff::TiffError::UnsupportedError(reason) => {
            SlideError::unsupported(path, reason.to_string())
        }
        tiff::TiffError::LimitsExceeded => {
            SlideError::limits(path, "a strip, a tile or a tag is too large")
        }
        other => SlideError::format(path, other.to_string()),
    }
}

/// Refuses vendors' files that are TIFF by their frame only: read as plain TIFF they would give a wrong picture.
fn refuse_foreign(
    path: &Path,
    decoder: &mut FileDecoder,
    description: &str,
) -> Result<(), SlideError> {
    let mut has = |tag| matches!(decoder.find_tag(Tag::Unknown(tag)), Ok(Some(_)));
    let xmp = 700;
    let vendor = if description.contains("<scn") {
        "Leica SCN"
    } else if has(65_420) {
        "Hamamatsu NDPI"
    } else if has(xmp)
        && path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("bif"))
    {
        "Ventana BIF"
    } else if has(330) {
        "a TIFF with its pyramid in SubIFDs (OME-TIFF)"
    } else {
        return Ok(());
    };
    Err(SlideError::unsupported(
        path,
        format!("{vendor} cannot be read yet; convert it to a tiled pyramidal TIFF"),
    ))
}

/// The directories that show the same picture as the first one, ever smaller: the pyramid.
///
/// A level has the first one's aspect (to a px of rounding), is smaller than the level before it, and is marked as
/// reduced or tiled like the first one; so an Aperio thumbnail, label or macro picture is none.
fn pyramid(directories: &[Directory]) -> Vec<&Directory> {
    let base = &directories[0];
    let mut levels = vec![base];
    for next in &directories[1..] {
        let last = levels[levels.len() - 1];
        if next.width == 0 || next.height == 0 {
            continue;
        }
        let smaller = next.width < last.width && next.height <= last.height
            || next.width <= last.width && next.height < last.height;
        let like_base = if base.tiled { next.tiled } else { next.reduced };
        let factor = f64::from(base.width) / f64::from(next.width);
        let expected = f64::from(base.height) / factor;
        // Rounding the width by one px changes the factor by this part of itself.
        let slack = 1.5 + expected / f64::from(next.width);
        let same_aspect = (f64::from(next.height) - expected).abs() <= slack;
        if smaller && like_base && same_aspect {
            levels.push(next);
        }
    }
    levels
}

fn tag_resolution(decoder: &mut FileDecoder) -> Option<Resolution> {
    let mut ratio = |tag| number(decoder.find_tag(tag).ok().flatten()?);
    let (x, y) = (ratio(Tag::XResolution)?, ratio(Tag::YResolution)?);
    let unit = decoder
        .find_tag_unsigned::<u16>(Tag::ResolutionUnit)
        .ok()
        .flatten()
        .unwrap_or(2);
    Resolution::from_tiff_tags(x, y, unit)
}

/// A tag's value as a number; the format wants a ratio, but writers use every type.
fn number(value: Value) -> Option<f64> {
    match value {
        Value::Rational(over, under) => Some(f64::from(over) / f64::from(under)),
        Value::Float(value) => Some(f64::from(value)),
        Value::Double(value) => Some(value),
        Value::List(values) => number(values.into_iter().next()?),
        whole => Some(whole.into_u64().ok()? as f64),
    }
}

fn compression_name(code: u16) -> String {
    match code {
        33003 | 33005 | 34712 => return "JPEG 2000".to_owned(),
        50000 | 50001 => return if code == 50000 { "Zstandard" } else { "WebP" }.to_owned(),
        _ => {}
    }
    match CompressionMethod::from_u16_exhaustive(code) {
        CompressionMethod::None => "none".to_owned(),
        CompressionMethod::ModernJPEG => "JPEG".to_owned(),
        CompressionMethod::Deflate | CompressionMethod::OldDeflate => "Deflate".to_owned(),
        CompressionMethod::Unknown(code) => format!("number {code}"),
        other => format!("{other:?}"),
    }
}

/// Turns decoded samples into RGB, `[height, width, 3]`.
fn to_rgb(
    path: &Path,
    samples: DecodingResult,
    colour: Colour,
    width: u32,
    height: u32,
) -> Result<Vec<u8>, SlideError> {
    let bytes = match samples {
        DecodingResult::U8(bytes) => bytes,
        DecodingResult::U16(wide) => wide.into_iter().map(|v| (v >> 8) as u8).collect(),
        _ => {
            return Err(SlideError::unsupported(
                path,
                "samples that are not 8 or 16 bit",
            ));
        }
    };
    let pixels = width as usize * height as usize;
    let channels = bytes.len() / pixels.max(1);
    if pixels == 0 || channels * pixels != bytes.len() {
        return Err(SlideError::format(
            path,
            "a strip or tile has the wrong length",
        ));
    }
    match (colour, channels) {
        (Colour::Gray, 1..) => Ok(bytes
            .chunks_exact(channels)
            .flat_map(|p| [p[0]; 3])
            .collect()),
        (Colour::Rgb, 3) => Ok(bytes),
        (Colour::Rgb, 4..) => Ok(bytes
            .chunks_exact(channels)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect()),
        (Colour::YCbCr, 3) => Ok(bytes
            .chunks_exact(3)
            .flat_map(|p| ycbcr_to_rgb(p[0], p[1], p[2]))
            .collect()),
        _ => Err(SlideError::unsupported(
            path,
            format!("{channels} samples a pixel with this photometric interpretation"),
        )),
    }
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
    fn resolutions_are_read_from_tags_of_any_number_type() {
        use crate::tiled_tiff::{Compression, Options, Samples, TileSource, write_file};
        struct Grey;
        impl TileSource for Grey {
            fn tile(&self, _: usize, _: u32, _: u32, out: &mut [u8]) {
                out.fill(99);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.tif");
        for (mpp, expected) in [(Some(0.4), Some(0.4)), (Some(2.5), Some(2.5)), (None, None)] {
            let options = Options {
                width: 40,
                height: 30,
                samples: Samples::Rgb8,
                compression: Compression::Deflate,
                tile: 16,
                mpp,
                description: None,
            };
            write_file(&path, &options, &Grey).unwrap();
            let slide = TiffReader::open(&path).unwrap();
            assert_eq!(slide.info().resolution.map(|r| r.mpp), expected);
            assert_eq!(slide.info().levels.len(), 3);
        }
        assert_eq!(number(Value::Rational(10, 4)), Some(2.5));
        assert_eq!(number(Value::Float(2.5)), Some(2.5));
        assert_eq!(number(Value::List(vec![Value::Short(3)])), Some(3.0));
        assert_eq!(number(Value::Ascii("x".to_owned())), None);
    }

    fn directory(index: usize, width: u32, height: u32, tiled: bool, reduced: bool) -> Directory {
        Directory {
            index,
            width,
            height,
            tiled,
            reduced,
        }
    }

    #[test]
    fn a_pyramid_leaves_thumbnails_and_labels_out() {
        let svs = [
            directory(0, 46_000, 32_914, true, false),
            directory(1, 1024, 732, false, false),
            directory(2, 11_500, 8228, true, false),
            directory(3, 2875, 2057, true, false),
            directory(4, 387, 463, false, true),
            directory(5, 1280, 431, false, true),
        ];
        let kept: Vec<usize> = pyramid(&svs).iter().map(|d| d.index).collect();
        assert_eq!(kept, [0, 2, 3]);
    }

    #[test]
    fn pages_of_one_size_are_not_levels() {
        let pages = [
            directory(0, 500, 500, false, false),
            directory(1, 500, 500, false, false),
            directory(2, 250, 250, false, false),
        ];
        assert_eq!(pyramid(&pages).len(), 1);
    }
}
