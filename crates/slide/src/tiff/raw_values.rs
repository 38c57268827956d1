//! Reads the numbers of a TIFF's first image as they are stored, for masks whose numbers are labels.
//!
//! What a slide shows is RGB of 8 bits; a label of 16 or 32 bits would be lost on the way. Rows are unpacked one by one,
//! and tiles that several places share are unpacked once, so neither time nor memory follow the size that a file claims.

use std::collections::HashMap;
use std::path::Path;

use super::directory::{Directories, Directory, tag};
use super::file_bytes::FileBytes;
use super::packing::{Packing, compression_name};
use super::problem::Problem;
use super::raw_rows::RawRows;
use super::stream;
use crate::{MAX_SIDE, SlideError};

/// Bytes that any file may unpack to.
const FREE_BYTES: u64 = 1 << 30;
/// Bytes that a file may unpack to beyond those, for each of its own: no honest compression of masks gains more.
const GAIN: u64 = 4096;
/// The most bytes of one packed tile or strip.
const MAX_PACKED: u64 = 1 << 30;
/// The widest row that is unpacked, bytes.
const MAX_ROW: usize = 64 << 20;

/// What the numbers of a px mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Meaning {
    /// One number: 0 shows black.
    Grey,
    /// One number: 0 shows white.
    InvertedGrey,
    /// Red, green and blue.
    Rgb,
    /// One number, which has a colour.
    Palette(Vec<[u16; 3]>),
}

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A whole number without sign.
    Unsigned,
    /// A whole number with sign.
    Signed,
    /// A floating-point number.
    Float,
}

/// A part of an image. A px is told as its stored numbers side by side, the first one lowest.
pub(crate) enum RawPart<'a> {
    /// Some px of a row, from column `x` on.
    Row { x: u32, y: u32, values: &'a [u64] },
    /// A rectangle of px that are all alike.
    Even {
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        value: u64,
    },
}

/// The first image of a TIFF, as stored.
pub(crate) struct RawTiff {
    source: FileBytes,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) bits: u32,
    pub(crate) format: Format,
    pub(crate) meaning: Meaning,
    /// Whether a further number follows the colour.
    pub(crate) has_alpha: bool,
    /// Whether ImageJ wrote it, whose inverting tables change what is shown and not what is meant.
    pub(crate) by_imagej: bool,
    samples: u32,
    planes: u32,
    chunk: (u32, u32),
    tiled: bool,
    packing: Packing,
    differences: bool,
    /// The first px of a byte is in its lowest bit (FillOrder 2). As in libtiff, packed bytes are turned round too.
    reversed: bool,
    offsets: Vec<u64>,
    counts: Vec<u64>,
}

impl RawTiff {
    /// Opens a TIFF; none where an image codec (JPEG say) holds its px, so that there are no exact numbers.
    ///
    /// # Errors
    /// When the file cannot be read, is broken, holds several images, or stores numbers in a way that is not known.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, SlideError> {
        Self::read(path).map_err(|problem| problem.of(path))
    }

    fn read(path: &Path) -> Result<Option<Self>, Problem> {
        let source = FileBytes::open(path)?;
        let directories = Directories::read(&source)?;
        let first = &directories.pages[0];
        let number =
            |tag, missing| Ok::<u64, Problem>(first.number(&source, tag)?.unwrap_or(missing));
        let code = number(tag::COMPRESSION, 1)?;
        let packing = Packing::from_code(code).ok_or_else(|| {
            Problem::unsupported(format!(
                "{} compression; save the mask with Deflate or none",
                compression_name(code)
            ))
        })?;
        if packing.is_image() {
            return Ok(None);
        }
        let (width, height) = (number(tag::WIDTH, 0)?, number(tag::HEIGHT, 0)?);
        let sides = 1..=u64::from(MAX_SIDE);
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Problem::limits(format!(
                "{width} x {height} px; each side must be 1 to {MAX_SIDE} px"
            )));
        }
        first.check_upright(&source)?;
        check_pages(&source, &directories, (width, height))?;
        let (width, height) = (width as u32, height as u32);
        let samples = number(tag::SAMPLES, 1)?;
        let (bits, format) = numbers_of(&source, first)?;
        let meaning = match number(tag::PHOTOMETRIC, 1)? {
            0 => Meaning::InvertedGrey,
            1 | 4 => Meaning::Grey,
            2 => Meaning::Rgb,
            3 => Meaning::Palette(palette(&source, first, bits)?),
            other => {
                return Err(Problem::unsupported(format!(
                    "the photometric interpretation {other}; save the mask as grey, RGB or with a palette"
                )));
            }
        };
        let own = if meaning == Meaning::Rgb { 3 } else { 1 };
        if samples != own && samples != own + 1 {
            return Err(Problem::unsupported(format!(
                "{samples} numbers per px; a mask has one, or three for its colour, and at most one more for transparency"
            )));
        }
        let samples = samples as u32;
        if samples > 1 && bits * samples > 64 {
            return Err(Problem::unsupported(format!(
                "colours of {bits} bits per number; save the mask with 8 or 16"
            )));
        }
        let reversed = number(tag::FILL_ORDER, 1)? == 2;
        let planes = match number(tag::PLANAR, 1)? {
            2 => samples,
            _ => 1,
        };
        let differences = match number(tag::PREDICTOR, 1)? {
            1 => false,
            2 if bits >= 8 => true,
            other => {
                return Err(Problem::unsupported(format!(
                    "the predictor {other} with {bits} bits per number; save the mask without a predictor"
                )));
            }
        };
        let tiled = first.has(tag::TILE_OFFSETS);
        let chunk = if tiled {
            (number(tag::TILE_WIDTH, 0)?, number(tag::TILE_HEIGHT, 0)?)
        } else {
            let rows = number(tag::ROWS_PER_STRIP, u64::from(height))?;
            (u64::from(width), rows.min(u64::from(height)))
        };
        let sides = 1..=u64::from(MAX_SIDE);
        if !sides.contains(&chunk.0) || !sides.contains(&chunk.1) {
            return Err(Problem::format("its strips or tiles have no possible size"));
        }
        let (offset_tag, count_tag) = if tiled {
            (tag::TILE_OFFSETS, tag::TILE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_COUNTS)
        };
        let raw = RawTiff {
            by_imagej: first
                .text(&source, tag::DESCRIPTION)?
                .starts_with("ImageJ="),
            width,
            height,
            bits,
            format,
            meaning,
            has_alpha: u64::from(samples) > own,
            samples,
            planes,
            chunk: (chunk.0 as u32, chunk.1 as u32),
            tiled,
            packing,
            differences,
            reversed,
            offsets: first.numbers(&source, offset_tag)?,
            counts: first.numbers(&source, count_tag)?,
            source,
        };
        let needed = u64::from(raw.across()) * u64::from(raw.down()) * u64::from(planes);
        let listed = raw.offsets.len().min(raw.counts.len()) as u64;
        if listed < needed {
            return Err(Problem::format(format!(
                "it lists {listed} strips or tiles, but its size needs {needed}"
            )));
        }
        if raw.row_bytes() > MAX_ROW {
            return Err(Problem::limits("its rows are too wide"));
        }
        Ok(Some(raw))
    }

    fn across(&self) -> u32 {
        self.width.div_ceil(self.chunk.0)
    }

    fn down(&self) -> u32 {
        self.height.div_ceil(self.chunk.1)
    }

    /// Numbers that are stored together.
    fn together(&self) -> u32 {
        if self.planes == 1 { self.samples } else { 1 }
    }

    fn row_bytes(&self) -> usize {
        (self.chunk.0 as usize * self.together() as usize * self.bits as usize).div_ceil(8)
    }

    /// Shows all parts of the image, each px once. `put` says where it has had enough.
    ///
    /// # Errors
    /// When a part cannot be read, or the file unpacks to more than one of its length can.
    pub(crate) fn each<E: From<SlideError>>(
        &self,
        path: &Path,
        mut put: impl FnMut(RawPart<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut budget = FREE_BYTES.saturating_add(self.source.length().saturating_mul(GAIN));
        let mut even = HashMap::new();
        let mut values = Vec::new();
        let kind = if self.tiled { "tile" } else { "strip" };
        for row in 0..self.down() {
            for column in 0..self.across() {
                let index = row as usize * self.across() as usize + column as usize;
                let at = (column * self.chunk.0, row * self.chunk.1);
                let size = (
                    self.chunk.0.min(self.width - at.0),
                    self.chunk.1.min(self.height - at.1),
                );
                let part = |value| RawPart::Even {
                    x: at.0,
                    y: at.1,
                    width: size.0,
                    height: size.1,
                    value,
                };
                let key = (self.offsets[index], self.counts[index], size);
                let is_shared = self.planes == 1;
                if self.counts[index] == 0 {
                    // A sparse file leaves out tiles of nothing.
                    put(part(0))?;
                    continue;
                }
                if let Some(&value) = even.get(&key).filter(|_| is_shared) {
                    put(part(value))?;
                    continue;
                }
                let named = |problem: Problem| {
                    let problem = problem.within(|| format!("{kind} {index}"));
                    E::from(problem.of(path))
                };
                let mut rows = self.rows(index, size.1, &mut budget).map_err(named)?;
                let mut only: Option<Option<u64>> = None;
                for y in 0..size.1 {
                    let alike = rows.next(size.0, &mut values).map_err(named)?;
                    only = match (only, alike) {
                        (None, value) => Some(value),
                        (Some(Some(before)), Some(value)) if before == value => only,
                        _ => Some(None),
                    };
                    match alike {
                        Some(value) => put(RawPart::Even {
                            x: at.0,
                            y: at.1 + y,
                            width: size.0,
                            height: 1,
                            value,
                        })?,
                        None => put(RawPart::Row {
                            x: at.0,
                            y: at.1 + y,
                            values: &values,
                        })?,
                    }
                }
                if let Some(Some(value)) = only {
                    even.insert(key, value);
                }
            }
        }
        Ok(())
    }

    /// The rows of a tile or strip.
    fn rows(&self, index: usize, height: u32, budget: &mut u64) -> Result<RawRows<'_>, Problem> {
        let all = self.across() as usize * self.down() as usize;
        let bytes = self.row_bytes() as u64 * u64::from(height) * u64::from(self.planes);
        *budget = budget.checked_sub(bytes).ok_or_else(|| {
            Problem::limits(format!(
                "its {} bytes unpack to more than any mask needs",
                self.source.length()
            ))
        })?;
        let planes = (0..self.planes as usize).map(|plane| {
            let at = plane * all + index;
            let (offset, count) = (self.offsets[at], self.counts[at]);
            if count > MAX_PACKED {
                return Err(Problem::limits(format!(
                    "it takes {count} bytes in the file"
                )));
            }
            let mut packed = self.source.bytes(offset, count as usize)?;
            if self.reversed {
                packed
                    .iter_mut()
                    .for_each(|byte| *byte = byte.reverse_bits());
            }
            stream::of(self.packing, packed)
        });
        Ok(RawRows {
            planes: planes.collect::<Result<_, _>>()?,
            line: vec![0; self.row_bytes()],
            bits: self.bits,
            together: self.together(),
            differences: self.differences,
            source: &self.source,
        })
    }
}

/// How wide the numbers are, and of which kind.
fn numbers_of(source: &FileBytes, directory: &Directory) -> Result<(u32, Format), Problem> {
    let bits = directory.numbers(source, tag::BITS)?;
    let first = bits.first().copied().unwrap_or(1);
    if bits.iter().any(|&other| other != first) {
        return Err(Problem::unsupported(format!(
            "numbers of different widths ({bits:?} bit)"
        )));
    }
    let formats = directory.numbers(source, tag::SAMPLE_FORMAT)?;
    let format = match formats.first().copied().unwrap_or(1) {
        1 | 4 => Format::Unsigned,
        2 => Format::Signed,
        3 => Format::Float,
        _ => return Err(Problem::unsupported("complex numbers")),
    };
    let is_known = match format {
        Format::Float => matches!(first, 32 | 64),
        Format::Signed => matches!(first, 8 | 16 | 32 | 64),
        Format::Unsigned => matches!(first, 1 | 2 | 4 | 8 | 16 | 32 | 64),
    };
    if !is_known {
        return Err(Problem::unsupported(format!(
            "numbers of {first} bits; save the mask with 8, 16 or 32"
        )));
    }
    Ok((first as u32, format))
}

/// The colours of the numbers.
fn palette(source: &FileBytes, directory: &Directory, bits: u32) -> Result<Vec<[u16; 3]>, Problem> {
    let map = directory.numbers(source, tag::COLOUR_MAP)?;
    if bits > 16 || map.len() != 3 << bits {
        return Err(Problem::format(format!(
            "a palette of {} numbers for px of {bits} bits",
            map.len()
        )));
    }
    let third = map.len() / 3;
    Ok((0..third)
        .map(|index| [0, 1, 2].map(|band| map[band * third + index] as u16))
        .collect())
}

/// Further pages are the same picture made smaller, or the file holds several and none says which is the mask.
fn check_pages(
    source: &FileBytes,
    directories: &Directories,
    (width, height): (u64, u64),
) -> Result<(), Problem> {
    for page in &directories.pages[1..] {
        let number = |tag| Ok::<u64, Problem>(page.number(source, tag)?.unwrap_or(0));
        let (w, h) = (number(tag::WIDTH)?, number(tag::HEIGHT)?);
        let is_reduced = number(tag::NEW_SUBFILE_TYPE)? & 1 != 0 || (w <= width && h <= height);
        if !is_reduced || (w, h) == (width, height) && width * height > 1 {
            return Err(Problem::unsupported(format!(
                "{} pages, of which one is not the first one made smaller; save the mask as one page",
                directories.pages.len()
            )));
        }
    }
    Ok(())
}
