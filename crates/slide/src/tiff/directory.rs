//! Directories (IFDs) of a TIFF: their entries and the values of tags.
//!
//! The `tiff` crate reads directories too, but it parses the first one under its default limit of 1 MiB a tag before
//! a caller can set another, and that is less than the tile table of a large BigTIFF slide.

use std::collections::HashSet;

use super::file_bytes::FileBytes;
use super::problem::Problem;

/// Directories followed in one file. Slides have a dozen, stacks of pages some hundreds.
const MAX_DIRECTORIES: usize = 4096;
/// Entries of one directory; there are fewer than a hundred tags in use.
const MAX_ENTRIES: u64 = 4096;
/// Numbers in one tag: the tiles of a slide of 2^20 x 2^20 px in tiles of 512 px.
const MAX_NUMBERS: u64 = 1 << 22;
/// Bytes of one text or table: OME-XML can take megabytes.
const MAX_BYTES: u64 = 16 << 20;

/// Tags that the reader asks for.
pub(super) mod tag {
    pub(crate) const NEW_SUBFILE_TYPE: u16 = 254;
    pub(crate) const WIDTH: u16 = 256;
    pub(crate) const HEIGHT: u16 = 257;
    pub(crate) const BITS: u16 = 258;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const FILL_ORDER: u16 = 266;
    pub(crate) const DESCRIPTION: u16 = 270;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const ORIENTATION: u16 = 274;
    pub(crate) const SAMPLES: u16 = 277;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_COUNTS: u16 = 279;
    pub(crate) const MIN_SAMPLE: u16 = 280;
    pub(crate) const MAX_SAMPLE: u16 = 281;
    pub(crate) const X_RESOLUTION: u16 = 282;
    pub(crate) const Y_RESOLUTION: u16 = 283;
    pub(crate) const PLANAR: u16 = 284;
    pub(crate) const PAGE_NAME: u16 = 285;
    pub(crate) const RESOLUTION_UNIT: u16 = 296;
    pub(crate) const SOFTWARE: u16 = 305;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const COLOUR_MAP: u16 = 320;
    pub(crate) const TILE_WIDTH: u16 = 322;
    pub(crate) const TILE_HEIGHT: u16 = 323;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_COUNTS: u16 = 325;
    pub(crate) const SUB_IFDS: u16 = 330;
    pub(crate) const EXTRA_SAMPLES: u16 = 338;
    pub(crate) const SAMPLE_FORMAT: u16 = 339;
    pub(crate) const JPEG_TABLES: u16 = 347;
    pub(crate) const SUBSAMPLING: u16 = 530;
    pub(crate) const XMP: u16 = 700;
    pub(crate) const NDPI: u16 = 65_420;
}

/// One entry of a directory: a tag and where its value is.
#[derive(Debug, Clone)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// The value itself where it fits, else its offset; 4 bytes are used in TIFF, 8 in BigTIFF.
    value: [u8; 8],
}

/// One directory.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    entries: Vec<Entry>,
    next: u64,
}

impl Directory {
    /// Reads the directory at an offset, without the values that are stored elsewhere.
    fn read(source: &FileBytes, at: u64) -> Result<Self, Problem> {
        let (count_size, entry_size, value_size) = if source.is_big() {
            (8, 20, 8)
        } else {
            (2, 12, 4)
        };
        let count = source.number(&source.bytes(at, count_size)?);
        if count == 0 || count > MAX_ENTRIES {
            return Err(Problem::format(format!(
                "a directory with {count} entries at byte {at}"
            )));
        }
        let length = count as usize * entry_size;
        // `bytes` above has shown that `at + count_size` is inside the file.
        let body = source.bytes(at + count_size as u64, length + value_size)?;
        let entries = body[..length]
            .chunks_exact(entry_size)
            .map(|entry| {
                let mut value = [0; 8];
                value[..value_size].copy_from_slice(&entry[entry_size - value_size..]);
                Entry {
                    tag: source.number(&entry[..2]) as u16,
                    kind: source.number(&entry[2..4]) as u16,
                    count: source.number(&entry[4..entry_size - value_size]),
                    value,
                }
            })
            .collect();
        Ok(Directory {
            entries,
            next: source.number(&body[length..]),
        })
    }

    /// Whether the tag is there.
    pub(super) fn has(&self, tag: u16) -> bool {
        self.find(tag).is_some()
    }

    /// How many values a tag holds; 0 where it is missing.
    pub(super) fn count(&self, tag: u16) -> u64 {
        self.find(tag).map_or(0, |entry| entry.count)
    }

    /// The whole numbers of a tag; none where it is missing.
    pub(super) fn numbers(&self, source: &FileBytes, tag: u16) -> Result<Vec<u64>, Problem> {
        let Some(entry) = self.find(tag) else {
            return Ok(Vec::new());
        };
        if !matches!(entry.kind, 1 | 3 | 4 | 7 | 13 | 16 | 18) {
            return Err(Problem::format(format!(
                "tag {tag} should hold whole numbers but is of type {}",
                entry.kind
            )));
        }
        if entry.count > MAX_NUMBERS {
            return Err(Problem::limits(format!(
                "tag {tag} holds {} numbers; the maximum is {MAX_NUMBERS}",
                entry.count
            )));
        }
        let bytes = entry.bytes(source, MAX_NUMBERS * 8)?;
        Ok(bytes
            .chunks_exact(size_of_kind(entry.kind))
            .map(|number| source.number(number))
            .collect())
    }

    /// The first whole number of a tag.
    pub(super) fn number(&self, source: &FileBytes, tag: u16) -> Result<Option<u64>, Problem> {
        Ok(self.numbers(source, tag)?.first().copied())
    }

    /// A tag's first value as a real number. The format wants a ratio, but writers use every type.
    pub(super) fn real(&self, source: &FileBytes, tag: u16) -> Option<f64> {
        let entry = self.find(tag)?;
        let bytes = entry.bytes(source, 4096).ok()?;
        let first = bytes.get(..size_of_kind(entry.kind))?;
        Some(match entry.kind {
            5 => source.number(&first[..4]) as f64 / source.number(&first[4..]) as f64,
            11 => f64::from(f32::from_bits(source.number(first) as u32)),
            12 => f64::from_bits(source.number(first)),
            1 | 3 | 4 | 16 => source.number(first) as f64,
            _ => return None,
        })
    }

    /// A tag's bytes; none where it is missing.
    pub(super) fn bytes(&self, source: &FileBytes, tag: u16) -> Result<Option<Vec<u8>>, Problem> {
        self.find(tag)
            .map(|entry| entry.bytes(source, MAX_BYTES))
            .transpose()
    }

    /// A tag's text up to its terminating zero, with what is not UTF-8 replaced; empty where it is missing.
    pub(super) fn text(&self, source: &FileBytes, tag: u16) -> Result<String, Problem> {
        let bytes = self.bytes(source, tag)?.unwrap_or_default();
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    /// The first bytes of a tag's text, which is empty where it is missing or broken.
    pub(super) fn start_of_text(&self, source: &FileBytes, tag: u16, most: u64) -> String {
        let short = self.find(tag).map(|entry| Entry {
            count: entry
                .count
                .min(most / size_of_kind(entry.kind).max(1) as u64),
            ..entry.clone()
        });
        let bytes = short.and_then(|entry| entry.bytes(source, most).ok());
        let bytes = bytes.unwrap_or_default();
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    /// Refuses a picture that is to be turned or mirrored: some programs do it and some do not, so nobody knows which of
    /// both its px were meant to fit.
    pub(super) fn check_upright(&self, source: &FileBytes) -> Result<(), Problem> {
        match self.number(source, tag::ORIENTATION)? {
            None | Some(0 | 1) => Ok(()),
            // Not `unsupported`: OpenSlide would be asked next, and passes the tag over.
            Some(other) => Err(Problem::format(format!(
                "its px are to be turned or mirrored before they are shown (Orientation {other}), which only some \
                 programs do; save it upright"
            ))),
        }
    }

    fn find(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }
}

impl Entry {
    fn bytes(&self, source: &FileBytes, most: u64) -> Result<Vec<u8>, Problem> {
        let size = size_of_kind(self.kind) as u64;
        if size == 0 {
            return Err(Problem::format(format!(
                "tag {} is of the unknown type {}",
                self.tag, self.kind
            )));
        }
        let length = self.count.checked_mul(size).filter(|&l| l <= most);
        let Some(length) = length else {
            return Err(Problem::limits(format!(
                "tag {} holds {} values of {size} bytes; the maximum is {most} bytes",
                self.tag, self.count
            )));
        };
        let inline = if source.is_big() { 8 } else { 4 };
        if length <= inline {
            return Ok(self.value[..length as usize].to_vec());
        }
        let at = source.number(&self.value[..inline as usize]);
        source
            .bytes(at, length as usize)
            .map_err(|problem| problem.within(|| format!("tag {}", self.tag)))
    }
}

/// Bytes of one value of a type of TIFF 6.0 or BigTIFF; 0 for other types.
fn size_of_kind(kind: u16) -> usize {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 0,
    }
}

/// All directories of a file that can hold levels.
pub(super) struct Directories {
    /// The chain that starts in the header; never empty.
    pub(super) pages: Vec<Directory>,
}

impl Directories {
    /// Follows the chain of directories and the first one's SubIFDs.
    ///
    /// A chain that leads out of the file or back into itself is an error: the file was cut off or damaged, and its
    /// levels could be missing.
    pub(super) fn read(source: &FileBytes) -> Result<Self, Problem> {
        let mut seen = HashSet::new();
        let mut visit = |at: u64| {
            if seen.len() >= MAX_DIRECTORIES {
                return Err(Problem::limits(format!(
                    "more than {MAX_DIRECTORIES} directories"
                )));
            }
            if !seen.insert(at) {
                return Err(Problem::format(format!(
                    "its directories form a loop at byte {at}"
                )));
            }
            Directory::read(source, at)
        };
        if source.first() == 0 {
            return Err(Problem::format("it has no directory"));
        }
        let mut pages: Vec<Directory> = Vec::new();
        let mut at = source.first();
        while at != 0 {
            let page = visit(at)?;
            at = page.next;
            pages.push(page);
        }
        Ok(Directories { pages })
    }

    /// What the `SubIFDs` tag of a page points to.
    ///
    /// # Errors
    /// When it leads out of the file, or to one of the pages.
    pub(super) fn below(&self, source: &FileBytes, page: usize) -> Result<Vec<Directory>, Problem> {
        let page = &self.pages[page];
        if page.count(tag::SUB_IFDS) > MAX_DIRECTORIES as u64 {
            return Err(Problem::limits("too many SubIFDs"));
        }
        let mut seen: HashSet<u64> = self.pages.iter().map(|page| page.next).collect();
        seen.insert(source.first());
        let starts = page.numbers(source, tag::SUB_IFDS)?;
        let below = starts.into_iter().map(|start| {
            if !seen.insert(start) {
                return Err(Problem::format(format!(
                    "its directories form a loop at byte {start}"
                )));
            }
            // SubIFDs may be chains of their own, but no writer of slides makes levels of them.
            Directory::read(source, start)
        });
        below.collect()
    }
}
