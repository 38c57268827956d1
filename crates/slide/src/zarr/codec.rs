//! Undoes the compression of chunks, never taking more memory than a chunk needs.

use crate::bounded::{broken, read_all, too_short};
use crate::problem::Problem;

use super::blosc;

/// One step from a chunk's bytes to what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    Zlib,
    Zstandard,
    Blosc,
    /// A sum behind the bytes.
    Crc32c,
}

/// Bytes of a sum.
pub(super) const SUM: usize = 4;

impl Codec {
    /// A codec by its name in metadata of version 3 or its id in that of version 2.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "gzip" => Codec::Gzip,
            "zlib" | "numcodecs.zlib" => Codec::Zlib,
            "zstd" => Codec::Zstandard,
            "blosc" => Codec::Blosc,
            "crc32c" => Codec::Crc32c,
            _ => return None,
        })
    }

    /// The compression's name for people.
    pub(super) fn title(self) -> Option<&'static str> {
        match self {
            Codec::Gzip => Some("gzip"),
            Codec::Zlib => Some("Deflate"),
            Codec::Zstandard => Some("Zstandard"),
            Codec::Blosc => Some("Blosc"),
            Codec::Crc32c => None,
        }
    }
}

/// The most bytes that a chunk of `length` bytes is stored in: compressors add little to what they cannot compress.
pub(super) fn most_stored(length: usize) -> u64 {
    (length + length / 8 + (1 << 16)) as u64
}

/// The chunk of `length` bytes that `codecs`, in the order of writing, made `stored` of. At most one of them compresses.
pub(super) fn decode(
    codecs: &[Codec],
    mut stored: Vec<u8>,
    length: usize,
) -> Result<Vec<u8>, Problem> {
    for (place, codec) in codecs.iter().enumerate().rev() {
        let sums = codecs[..place]
            .iter()
            .filter(|&&inner| inner == Codec::Crc32c);
        let expected = length + SUM * sums.count();
        stored = match codec {
            Codec::Crc32c => checked(stored)?,
            // Deflate makes at most 1032 bytes of one (RFC 1951), so a short stream claims no memory.
            Codec::Gzip | Codec::Zlib if expected / 1032 > stored.len() => {
                return Err(too_short(stored.len(), expected));
            }
            Codec::Gzip => read_all(flate2::read::MultiGzDecoder::new(&stored[..]), expected)?,
            Codec::Zlib => read_all(flate2::read::ZlibDecoder::new(&stored[..]), expected)?,
            Codec::Zstandard => {
                let stream = ruzstd::decoding::StreamingDecoder::new(&stored[..]);
                read_all(stream.map_err(|error| broken(&error))?, expected)?
            }
            Codec::Blosc => blosc::decode(&stored, expected)?,
        };
    }
    match stored.len() == length {
        true => Ok(stored),
        false => Err(too_short(stored.len(), length)),
    }
}

/// Takes the sum off some bytes.
pub(super) fn checked(mut bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let Some((content, sum)) = bytes.split_last_chunk::<SUM>() else {
        return Err(too_short(bytes.len(), SUM));
    };
    if crc32c::crc32c(content) != u32::from_le_bytes(*sum) {
        return Err(Problem::format(
            "its bytes are not those that were written (CRC32C)",
        ));
    }
    bytes.truncate(bytes.len() - SUM);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_was_written_comes_back_and_nothing_more() {
        let chunk: Vec<u8> = (0..5000_u32).map(|i| (i * i % 251) as u8).collect();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&chunk).unwrap();
        let gzip = gzip.finish().unwrap();
        let with_sum = |mut bytes: Vec<u8>| {
            let sum = crc32c::crc32c(&bytes);
            bytes.extend(sum.to_le_bytes());
            bytes
        };
        let all = [Codec::Gzip, Codec::Crc32c];
        assert!(decode(&all, with_sum(gzip.clone()), 5000).unwrap() == chunk);
        assert!(decode(&[Codec::Crc32c], with_sum(chunk.clone()), 5000).unwrap() == chunk);
        let mut wrong = with_sum(gzip.clone());
        wrong[30] ^= 1;
        assert!(decode(&all, wrong, 5000).is_err());
        assert!(decode(&[Codec::Gzip], gzip.clone(), 5001).is_err());
        assert!(decode(&[], chunk, 4999).is_err());
        // A bomb.
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        bomb.write_all(&vec![0; 10 << 20]).unwrap();
        assert!(decode(&[Codec::Gzip], bomb.finish().unwrap(), 100).is_err());
    }
}
