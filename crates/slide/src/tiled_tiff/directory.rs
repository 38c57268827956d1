//! Encodes TIFF headers and image file directories, classic and BigTIFF, little-endian.

use super::layout::Layout;
use super::{Compression, Samples, TiffOptions, TiledTiffError};

/// The values of one tag.
enum Value {
    Ascii(Vec<u8>),
    Short(Vec<u16>),
    Long(Vec<u32>),
    Rational(u32, u32),
    /// File offsets: 4 bytes each in a classic file, 8 in a BigTIFF.
    Offsets(Vec<u64>),
}

/// One image file directory: tags in ascending order, as the format demands.
pub(super) struct Directory {
    entries: Vec<(u16, Value)>,
}

/// The file's first bytes, with a pointer to the first directory that is still zero.
pub(super) fn header(big: bool) -> Vec<u8> {
    if big {
        vec![b'I', b'I', 43, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    } else {
        vec![b'I', b'I', 42, 0, 0, 0, 0, 0]
    }
}

/// Where in the header the pointer to the first directory lies, and its bytes.
pub(super) fn first_pointer(big: bool, offset: u64) -> Result<(u64, Vec<u8>), TiledTiffError> {
    let mut bytes = Vec::new();
    push_offset(&mut bytes, big, offset)?;
    Ok((if big { 8 } else { 4 }, bytes))
}

impl Directory {
    /// The directory of level `index` with its tile tables.
    pub(super) fn for_level(
        options: &TiffOptions,
        down: Option<f64>,
        layout: &Layout,
        index: usize,
        (offsets, lengths): (Vec<u64>, Vec<u32>),
    ) -> Directory {
        let level = &layout.levels[index];
        let channels = options.samples.channels();
        let compression = match options.compression {
            Compression::Deflate => 8,
            Compression::Jpeg { .. } => 7,
        };
        let photometric = match (options.samples, options.compression) {
            (Samples::Gray8, _) if options.palette.is_some() => 3,
            (Samples::Gray8 | Samples::Gray32, _) => 1,
            (Samples::Rgb8, Compression::Deflate) => 2,
            (Samples::Rgb8, Compression::Jpeg { .. }) => 6,
        };
        let mut entries = vec![
            (254, Value::Long(vec![u32::from(index > 0)])),
            (256, Value::Long(vec![level.width])),
            (257, Value::Long(vec![level.height])),
            (258, Value::Short(vec![options.samples.bits(); channels])),
            (259, Value::Short(vec![compression])),
            (262, Value::Short(vec![photometric])),
        ];
        if let (0, Some(text)) = (index, &options.description) {
            entries.push((270, ascii(text)));
        }
        entries.push((277, Value::Short(vec![channels as u16])));
        let in_level = |mpp: f64| pixels_per_centimetre(mpp * f64::from(1u32 << index.min(31)));
        let across = options.mpp.and_then(in_level);
        let resolution = across.zip(down.or(options.mpp).and_then(in_level));
        if let Some((across, down)) = resolution {
            entries.push((282, Value::Rational(across.0, across.1)));
            entries.push((283, Value::Rational(down.0, down.1)));
        }
        entries.push((284, Value::Short(vec![1])));
        if resolution.is_some() {
            entries.push((296, Value::Short(vec![3])));
        }
        entries.push((305, ascii("ftuseg")));
        if let (3, Some(palette)) = (photometric, &options.palette) {
            // All reds, then all greens, then all blues, each of 16 bits.
            let channel = |c: usize| palette.iter().map(move |rgb| u16::from(rgb[c]) * 257);
            let values = (0..3).flat_map(channel).collect();
            entries.push((320, Value::Short(values)));
        }
        entries.push((322, Value::Long(vec![options.tile])));
        entries.push((323, Value::Long(vec![options.tile])));
        entries.push((324, Value::Offsets(offsets)));
        entries.push((325, Value::Long(lengths)));
        if options.samples == Samples::Gray32 {
            // Whole numbers without a sign, said because readers guess otherwise.
            entries.push((339, Value::Short(vec![1])));
        }
        if photometric == 6 {
            entries.push((530, Value::Short(vec![1, 1])));
        }
        Directory { entries }
    }

    /// The same directory without its text, for a plane that is not the first.
    pub(super) fn without_description(&mut self) {
        self.entries.retain(|(tag, _)| *tag != 270);
    }

    /// Says where the directories of its smaller levels lie.
    pub(super) fn put_smaller(&mut self, offsets: Vec<u64>) {
        if offsets.is_empty() {
            return;
        }
        let place = self.entries.partition_point(|(tag, _)| *tag < 330);
        self.entries.insert(place, (330, Value::Offsets(offsets)));
    }

    /// The bytes of the directory and its values for a file position of `start`, a multiple of 8. Unless
    /// `last`, it points to a next directory that follows at once; the length is a multiple of 8.
    pub(super) fn encode(
        &self,
        big: bool,
        start: u64,
        last: bool,
    ) -> Result<Vec<u8>, TiledTiffError> {
        let inline = if big { 8 } else { 4 };
        let count = self.entries.len() as u64;
        let head = if big {
            8 + 20 * count + 8
        } else {
            2 + 12 * count + 4
        };
        let mut table = Vec::new();
        if big {
            table.extend(count.to_le_bytes());
        } else {
            table.extend((count as u16).to_le_bytes());
        }
        let values_start = start + head.next_multiple_of(8);
        let mut values: Vec<u8> = Vec::new();
        for (tag, value) in &self.entries {
            let (kind, number, bytes) = value.encode(big)?;
            table.extend(tag.to_le_bytes());
            table.extend(kind.to_le_bytes());
            push_offset(&mut table, big, number)?;
            if bytes.len() <= inline {
                table.extend(&bytes);
                table.resize(table.len() + inline - bytes.len(), 0);
            } else {
                push_offset(&mut table, big, values_start + values.len() as u64)?;
                values.extend(bytes);
                values.resize(values.len().next_multiple_of(8), 0);
            }
        }
        let next = if last {
            0
        } else {
            values_start + values.len() as u64
        };
        push_offset(&mut table, big, next)?;
        table.resize(table.len().next_multiple_of(8), 0);
        table.extend(values);
        Ok(table)
    }
}

impl Value {
    /// The TIFF type, the number of values and their bytes.
    fn encode(&self, big: bool) -> Result<(u16, u64, Vec<u8>), TiledTiffError> {
        Ok(match self {
            Value::Ascii(text) => (2, text.len() as u64, text.clone()),
            Value::Short(list) => (3, list.len() as u64, bytes_of(list, |v| v.to_le_bytes())),
            Value::Long(list) => (4, list.len() as u64, bytes_of(list, |v| v.to_le_bytes())),
            Value::Rational(numerator, denominator) => (
                5,
                1,
                bytes_of(&[*numerator, *denominator], |v| v.to_le_bytes()),
            ),
            Value::Offsets(list) => {
                let mut bytes = Vec::with_capacity(list.len() * if big { 8 } else { 4 });
                for &offset in list {
                    push_offset(&mut bytes, big, offset)?;
                }
                (if big { 16 } else { 4 }, list.len() as u64, bytes)
            }
        })
    }
}

fn bytes_of<T: Copy, const N: usize>(list: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    list.iter().flat_map(|&value| bytes(value)).collect()
}

/// Text as the format stores it: closed by a zero, and so without one inside.
fn ascii(text: &str) -> Value {
    let mut bytes: Vec<u8> = text.bytes().filter(|&byte| byte != 0).collect();
    bytes.push(0);
    Value::Ascii(bytes)
}

/// Appends a file offset or a count: 4 bytes in a classic file, 8 in a BigTIFF.
fn push_offset(bytes: &mut Vec<u8>, big: bool, offset: u64) -> Result<(), TiledTiffError> {
    if big {
        bytes.extend(offset.to_le_bytes());
        return Ok(());
    }
    // The layout chose the classic format from an upper bound, so this error means a wrong bound.
    let short = u32::try_from(offset).map_err(|_| {
        TiledTiffError::LimitsExceeded("the file passes 4 GiB without being a BigTIFF".into())
    })?;
    bytes.extend(short.to_le_bytes());
    Ok(())
}

/// `10000 / mpp` pixels per centimetre as a fraction: exact where `mpp` has five digits after the point, else to nine
/// digits in all.
fn pixels_per_centimetre(mpp: f64) -> Option<(u32, u32)> {
    const MOST: f64 = u32::MAX as f64;
    let denominator = mpp * 1e5;
    let whole = denominator.round();
    if (1.0..=MOST).contains(&whole) && (denominator - whole).abs() <= 1e-9 * whole {
        return Some((1_000_000_000, whole as u32));
    }
    let ratio = 10_000.0 / mpp;
    let denominator = (4e9 / ratio).floor().min(MOST);
    let numerator = (denominator * ratio).round();
    // Far down a pyramid of huge pixels the fraction no longer fits; then the level states none.
    let fits = |value: f64| (1.0..=MOST).contains(&value);
    (fits(denominator) && fits(numerator)).then_some((numerator as u32, denominator as u32))
}
