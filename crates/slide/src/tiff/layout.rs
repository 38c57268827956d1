//! How one level is stored: everything that is needed to read and decode its tiles or strips, checked.

use std::sync::atomic::{AtomicU64, Ordering};

use super::directory::{Directory, tag};
use super::file_bytes::FileBytes;
use super::packing::{Packing, compression_name};
use super::photometric::{Alpha, Colour, colour, sample_bytes};
use super::problem::Problem;
use crate::MAX_SIDE;

/// Memory that one tile may take, as stored, as samples and as RGB.
const MAX_TILE_BYTES: u64 = 128 << 20;
/// The same for one compressed strip, unless [`limit_strips`] says otherwise. Many programs write a picture as one strip;
/// this is 9,400 px squared.
const MAX_STRIP_BYTES: u64 = 256 << 20;
/// Uncompressed strips are read in parts of about so many bytes.
const PART_BYTES: u64 = 4 << 20;
/// What [`limit_strips`] set.
static STRIP_BYTES: AtomicU64 = AtomicU64::new(MAX_STRIP_BYTES);

/// Sets how many MiB one compressed strip of a TIFF may take decoded, for all slides that are opened from now on. It is
/// 256 MiB else. An uncompressed strip may have any size.
pub fn limit_strips(mib: u32) {
    STRIP_BYTES.store(u64::from(mib) << 20, Ordering::Relaxed);
}

/// Tiles and strips of all levels together; twice what a full level may have.
pub(super) const MAX_CHUNKS: u64 = 1 << 23;

/// How one level is stored.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Width and height of a tile; a strip is as wide as the image.
    pub(super) chunk: (u32, u32),
    pub(super) across: u32,
    pub(super) down: u32,
    /// Strips end with the image, tiles do not.
    pub(super) tiled: bool,
    /// Samples a px, over all planes.
    pub(super) samples: u32,
    /// 1, or as many as samples where each has tiles of its own.
    pub(super) planes: u32,
    /// Bytes of a sample: 1 or 2.
    pub(super) sample_bytes: usize,
    /// Bits of a wide sample that are in use.
    pub(super) bits: u32,
    pub(super) colour: Colour,
    pub(super) alpha: Alpha,
    pub(super) packing: Packing,
    /// Each sample is stored as the difference from the one to its left.
    pub(super) differences: bool,
    pub(super) jpeg_tables: Option<Vec<u8>>,
    /// Rows of a strip where strips are read in parts: then a chunk is such a part.
    parts_of: Option<u32>,
    offsets: Vec<u64>,
    counts: Vec<u64>,
}

impl Layout {
    /// Reads and checks what a directory says. `budget` is how many tiles and strips may still be listed; it shrinks.
    pub(super) fn read(
        source: &FileBytes,
        directory: &Directory,
        budget: &mut u64,
    ) -> Result<Self, Problem> {
        let number = |tag, missing| {
            let value = directory.number(source, tag)?;
            Ok::<u64, Problem>(value.unwrap_or(missing))
        };
        let (width, height) = size(source, directory)?;
        let code = number(tag::COMPRESSION, 1)?;
        let packing = Packing::from_code(code).ok_or_else(|| {
            Problem::unsupported(format!(
                "{} compression; convert it to JPEG or Deflate",
                compression_name(code)
            ))
        })?;
        let samples = number(tag::SAMPLES, 1)?;
        let sample_bytes = sample_bytes(source, directory, samples)?;
        let colour = match code {
            // Aperio's codes say what the samples are; its photometric interpretation does not follow.
            33_003 => Colour::YCbCr,
            33_005 => Colour::Rgb,
            _ => colour(source, directory, packing)?,
        };
        let extra = samples.checked_sub(u64::from(colour.samples()));
        let Some(extra) = extra.filter(|&extra| extra <= 16) else {
            return Err(Problem::unsupported(format!(
                "{samples} samples per pixel; convert it to 8-bit RGB"
            )));
        };
        let alpha = match number(tag::EXTRA_SAMPLES, 0)? {
            1 if extra > 0 => Alpha::Associated,
            2 if extra > 0 => Alpha::Separate,
            _ if extra > 0 => Alpha::Unspecified,
            _ => Alpha::None,
        };
        let planes = match number(tag::PLANAR, 1)? {
            2 => samples,
            1 => 1,
            other => {
                return Err(Problem::format(format!(
                    "the planar configuration {other} does not exist"
                )));
            }
        };
        let differences = match number(tag::PREDICTOR, 1)? {
            // Image codecs predict in their own way; writers copy the tag along.
            _ if packing.is_image() => false,
            1 => false,
            2 => true,
            other => {
                return Err(Problem::unsupported(format!(
                    "the predictor {other}; convert it to 8-bit RGB"
                )));
            }
        };
        if number(tag::FILL_ORDER, 1)? == 2 && !packing.is_image() {
            return Err(Problem::unsupported(
                "bytes with reversed bits (FillOrder 2); convert it to a plain TIFF",
            ));
        }
        let tiled = directory.has(tag::TILE_OFFSETS);
        let chunk = if tiled {
            (number(tag::TILE_WIDTH, 0)?, number(tag::TILE_HEIGHT, 0)?)
        } else {
            let rows = number(tag::ROWS_PER_STRIP, u64::from(height))?;
            (u64::from(width), rows.min(u64::from(height)))
        };
        if chunk.0 == 0 || chunk.1 == 0 {
            return Err(Problem::format("its strips or tiles have no pixels"));
        }
        let row = u64::from(width)
            .saturating_mul(samples)
            .saturating_mul(sample_bytes as u64);
        let (chunk, parts_of) = if packing == Packing::None && !tiled {
            let rows = (PART_BYTES / row.max(1)).clamp(1, chunk.1);
            // Below 2^20 each: `size` has checked them.
            ((chunk.0, rows), (rows < chunk.1).then_some(chunk.1 as u32))
        } else {
            (chunk, None)
        };
        let stored = samples.max(3) * sample_bytes as u64;
        let bytes = chunk.0.checked_mul(chunk.1);
        let bytes = bytes.and_then(|pixels| pixels.checked_mul(stored));
        let most = if tiled {
            MAX_TILE_BYTES
        } else {
            STRIP_BYTES.load(Ordering::Relaxed)
        };
        if bytes.is_none_or(|bytes| bytes > most) {
            return Err(too_large(tiled, chunk, bytes, most));
        }
        // Both sides are below 2^32 after the check above.
        let chunk = (chunk.0 as u32, chunk.1 as u32);
        let across = width.div_ceil(chunk.0);
        let down = height.div_ceil(chunk.1);
        let stored_down = parts_of.map_or(down, |rows| height.div_ceil(rows));
        let needed = u64::from(across) * u64::from(stored_down) * planes;
        let (offset_tag, count_tag) = if tiled {
            (tag::TILE_OFFSETS, tag::TILE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_COUNTS)
        };
        for table in [offset_tag, count_tag] {
            if directory.count(table) < needed {
                return Err(Problem::format(format!(
                    "it lists {} strips or tiles, but its size needs {needed}",
                    directory.count(table)
                )));
            }
        }
        *budget = budget
            .checked_sub(directory.count(offset_tag).max(u64::from(down)))
            .ok_or_else(|| Problem::limits(format!("more than {MAX_CHUNKS} strips or tiles")))?;
        Ok(Layout {
            width,
            height,
            chunk,
            across,
            down,
            tiled,
            samples: samples as u32,
            planes: planes as u32,
            sample_bytes,
            bits: 16,
            colour,
            alpha,
            packing,
            differences,
            jpeg_tables: match packing {
                Packing::Jpeg => directory.bytes(source, tag::JPEG_TABLES)?,
                _ => None,
            },
            parts_of,
            offsets: directory.numbers(source, offset_tag)?,
            counts: directory.numbers(source, count_tag)?,
        })
    }

    /// Makes one layout of three: red, green and blue, each a page of its own.
    pub(super) fn join([red, green, blue]: [Layout; 3]) -> Result<Self, Problem> {
        let tiles = red.across as usize * red.down as usize;
        let mut whole = red;
        for page in [&whole, &green, &blue] {
            if page.samples != 1 || page.colour != Colour::Grey {
                return Err(Problem::unsupported(
                    "pages of red, green and blue that are not grey themselves; convert it to RGB in one page",
                ));
            }
        }
        whole.offsets.truncate(tiles);
        whole.counts.truncate(tiles);
        for page in [green, blue] {
            let alike = (page.width, page.height) == (whole.width, whole.height)
                && page.chunk == whole.chunk
                && page.tiled == whole.tiled
                && page.sample_bytes == whole.sample_bytes
                && page.packing == whole.packing
                && page.differences == whole.differences
                && page.jpeg_tables == whole.jpeg_tables;
            if !alike {
                return Err(Problem::unsupported(
                    "pages of red, green and blue that are stored in different ways; convert it to RGB in one page",
                ));
            }
            whole.offsets.extend(&page.offsets[..tiles]);
            whole.counts.extend(&page.counts[..tiles]);
        }
        Ok(Layout {
            samples: 3,
            planes: 3,
            colour: Colour::Rgb,
            alpha: Alpha::None,
            ..whole
        })
    }

    /// Samples that are stored together in one tile or strip.
    pub(super) fn samples_together(&self) -> u32 {
        if self.planes == 1 { self.samples } else { 1 }
    }

    /// Width and height in px of the part of a tile or strip that lies in the image.
    pub(super) fn size_inside(&self, index: u32) -> (u32, u32) {
        let (column, row) = (index % self.across, index / self.across);
        (
            (self.width - column * self.chunk.0).min(self.chunk.0),
            (self.height - row * self.chunk.1).min(self.chunk.1),
        )
    }

    /// What a chunk is called.
    pub(super) fn kind(&self) -> &'static str {
        if self.tiled { "tile" } else { "strip" }
    }

    /// Tiles or strips of one plane.
    pub(super) fn chunks(&self) -> u32 {
        self.across * self.down
    }

    /// Whether the file holds nothing for a tile or strip: sparse files and some scanners leave empty ones out.
    pub(super) fn is_missing(&self, index: u32) -> bool {
        let absent = |at: usize| self.offsets[at] == 0 || self.counts[at] == 0;
        (0..self.planes).any(|plane| match self.parts_of {
            None => absent((plane * self.chunks() + index) as usize),
            Some(rows) => {
                let first = index * self.chunk.1;
                let last = first + self.size_inside(index).1 - 1;
                (first / rows..=last / rows).any(|strip| absent(self.strip(plane, strip, rows)))
            }
        })
    }

    /// Where a strip of a plane stands in the tables.
    fn strip(&self, plane: u32, strip: u32, rows: u32) -> usize {
        (plane * self.height.div_ceil(rows) + strip) as usize
    }

    /// The bytes of a tile or strip of a plane, as they are in the file.
    pub(super) fn packed(
        &self,
        source: &FileBytes,
        plane: u32,
        index: u32,
    ) -> Result<Vec<u8>, Problem> {
        if let Some(rows) = self.parts_of {
            return self.part(source, plane, index, rows);
        }
        let at = plane as usize * self.chunks() as usize + index as usize;
        let (offset, count) = (self.offsets[at], self.counts[at]);
        // Hardly anything grows by compression; what is larger than it can be is not read.
        let most = MAX_TILE_BYTES.max(STRIP_BYTES.load(Ordering::Relaxed));
        if count > most + (1 << 16) {
            return Err(Problem::limits(format!(
                "it takes {count} bytes in the file; the maximum is {} MiB",
                most >> 20
            )));
        }
        source.bytes(offset, count as usize)
    }

    /// The rows of a part, out of the strip or strips that hold them.
    fn part(
        &self,
        source: &FileBytes,
        plane: u32,
        index: u32,
        rows: u32,
    ) -> Result<Vec<u8>, Problem> {
        let bytes_a_row =
            u64::from(self.width) * u64::from(self.samples_together()) * self.sample_bytes as u64;
        let mut next = index * self.chunk.1;
        let end = next + self.size_inside(index).1;
        let mut out = Vec::new();
        while next < end {
            let (strip, skipped) = (next / rows, next % rows);
            let taken = (end - next).min(rows - skipped);
            let at = self.strip(plane, strip, rows);
            let from = u64::from(skipped) * bytes_a_row;
            let length = u64::from(taken) * bytes_a_row;
            if self.counts[at] < from + length {
                return Err(Problem::format(format!(
                    "it holds {} bytes instead of {}",
                    self.counts[at],
                    from + length
                )));
            }
            let start = self.offsets[at].saturating_add(from);
            out.extend(source.bytes(start, length as usize)?);
            next += taken;
        }
        Ok(out)
    }
}

/// Why a tile or strip is refused: which limit, what the file has, what to do.
fn too_large(tiled: bool, chunk: (u64, u64), bytes: Option<u64>, most: u64) -> Problem {
    let size = bytes.map_or("too much memory".to_owned(), |bytes| {
        format!("{} MiB", bytes.div_ceil(1 << 20))
    });
    let kind = if tiled { "tiles" } else { "compressed strips" };
    let reason = format!(
        "{kind} of {} x {} px take {size} decoded; the limit is {} MiB. Converting the file to tiles helps: vips tiffsave \
         IN OUT.tif --tile --pyramid --compression deflate",
        chunk.0,
        chunk.1,
        most >> 20
    );
    match tiled {
        true => Problem::Limits(reason),
        false => Problem::Strip(reason),
    }
}

/// Width and height, within the limits.
fn size(source: &FileBytes, directory: &Directory) -> Result<(u32, u32), Problem> {
    let side = |tag| directory.number(source, tag).map(Option::unwrap_or_default);
    let (width, height) = (side(tag::WIDTH)?, side(tag::HEIGHT)?);
    if width == 0 || height == 0 {
        return Err(Problem::format("the image has no pixels"));
    }
    if width > u64::from(MAX_SIDE) || height > u64::from(MAX_SIDE) {
        return Err(Problem::limits(format!(
            "{width} x {height} px; the largest side is {MAX_SIDE} px"
        )));
    }
    Ok((width as u32, height as u32))
}
