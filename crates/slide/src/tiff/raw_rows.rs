//! Unpacks the rows of a tile or strip to the numbers that are stored, one row after the other.

use std::io::Read;

use super::file_bytes::FileBytes;
use super::problem::Problem;

/// The rows of a tile or strip, one after the other.
pub(super) struct RawRows<'a> {
    /// One stream for each plane.
    pub(super) planes: Vec<Box<dyn Read>>,
    /// Room for a row of one plane.
    pub(super) line: Vec<u8>,
    pub(super) bits: u32,
    /// Numbers of a px that stand together in one plane.
    pub(super) together: u32,
    /// Whether each number is stored as its difference from the one before.
    pub(super) differences: bool,
    pub(super) source: &'a FileBytes,
}

impl RawRows<'_> {
    /// The next row's first `width` px into `values`, or the value that they all have.
    pub(super) fn next(
        &mut self,
        width: u32,
        values: &mut Vec<u64>,
    ) -> Result<Option<u64>, Problem> {
        let (bits, together) = (self.bits, self.together);
        let one_plane = self.planes.len() == 1;
        values.clear();
        for (plane, stream) in self.planes.iter_mut().enumerate() {
            stream
                .read_exact(&mut self.line)
                .map_err(|error| Problem::format(format!("broken or cut off: {error}")))?;
            // Most rows of a mask are empty: one look at the bytes, and none at the px.
            if one_plane && self.line.iter().fold(0, |all, &byte| all | byte) == 0 {
                return Ok(Some(0));
            }
            if plane == 0 {
                values.resize(width as usize, 0);
            }
            if self.differences {
                undo_differences(
                    &mut self.line,
                    bits as usize / 8,
                    together as usize,
                    self.source.is_little_endian(),
                );
            }
            for (x, value) in values.iter_mut().enumerate() {
                for sample in 0..together {
                    let number = number_at(
                        &self.line,
                        x * together as usize + sample as usize,
                        bits,
                        self.source,
                    );
                    *value |= number << ((plane as u32 + sample) * bits % 64);
                }
            }
        }
        let first = values.first().copied();
        Ok(first.filter(|&first| values.iter().all(|&value| value == first)))
    }
}

/// One number of a row.
fn number_at(line: &[u8], index: usize, bits: u32, source: &FileBytes) -> u64 {
    match bits {
        8 => u64::from(line[index]),
        1 | 2 | 4 => {
            let each = 8 / bits as usize;
            let shift = (each - 1 - index % each) * bits as usize;
            u64::from(line[index / each] >> shift) & ((1 << bits) - 1)
        }
        _ => {
            let size = bits as usize / 8;
            source.number(&line[index * size..(index + 1) * size])
        }
    }
}

/// Undoes the horizontal predictor: each number is stored as its difference from the one before.
fn undo_differences(line: &mut [u8], size: usize, channels: usize, little_endian: bool) {
    let step = size * channels;
    for at in (step..line.len()).step_by(size) {
        if at + size > line.len() {
            break;
        }
        let mut carry = 0;
        for place in 0..size {
            let byte = if little_endian {
                place
            } else {
                size - 1 - place
            };
            let sum = u16::from(line[at + byte]) + u16::from(line[at - step + byte]) + carry;
            line[at + byte] = sum as u8;
            carry = sum >> 8;
        }
    }
}
