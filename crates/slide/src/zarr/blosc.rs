//! Undoes Blosc (version 1), which cuts a chunk into blocks, shuffles their bytes or bits, and compresses each by one of
//! several compressors.
//!
//! After <https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst>: a header of 16 bytes, where each block
//! begins, and of each block one stream, or one for each byte of an element. Sizes are checked before anything is taken from
//! them.

use crate::bounded::{broken, read_all, too_short};
use crate::problem::Problem;

const HEADER: usize = 16;
/// Blocks whose streams for each byte of an element would be shorter have one stream.
const LEAST_STREAM: usize = 128;
/// Elements with more bytes have one stream.
const MOST_STREAMS: usize = 16;

mod flag {
    pub(super) const BYTES: u8 = 1;
    pub(super) const COPIED: u8 = 2;
    pub(super) const BITS: u8 = 4;
    pub(super) const ONE_STREAM: u8 = 16;
}

struct Header {
    flags: u8,
    element: usize,
    /// Bytes of a block; the last one may have fewer.
    block: usize,
}

impl Header {
    /// Reads the header of a chunk of `length` bytes.
    fn read(stored: &[u8], length: usize) -> Result<Self, Problem> {
        let number = |at: usize| number(stored, at).map(|number| number as usize);
        let (found, block, all) = (number(4)?, number(8)?, number(12)?);
        let (version, flags, element) = (stored[0], stored[2], usize::from(stored[3]));
        if !(1..=2).contains(&version) {
            let text = format!("a Blosc stream of version {version}; write it as version 1 or 2");
            return Err(Problem::unsupported(text));
        }
        if found != length {
            return Err(Problem::format(format!(
                "its Blosc stream holds {found} bytes instead of {length}"
            )));
        }
        if all > stored.len() {
            return Err(too_short(stored.len(), all));
        }
        if element == 0 || (block == 0 && length > 0) {
            return Err(Problem::format(
                "its Blosc stream has elements or blocks of no bytes",
            ));
        }
        // Of several blocks each has at least one px; a lone one may be said to be larger than it is.
        Ok(Header {
            flags,
            element,
            block: block.min(length),
        })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Streams of a block of so many bytes.
    fn streams(&self, bytes: usize) -> usize {
        let is_split = !self.has(flag::ONE_STREAM)
            && bytes == self.block
            && self.element <= MOST_STREAMS
            && self.block / self.element >= LEAST_STREAM
            && bytes.is_multiple_of(self.element);
        match is_split {
            true => self.element,
            false => 1,
        }
    }
}

/// A number of 32 bits.
fn number(bytes: &[u8], at: usize) -> Result<u32, Problem> {
    let four = bytes.get(at..at.saturating_add(4));
    let four = four.and_then(|four| four.first_chunk::<4>());
    four.map(|four| u32::from_le_bytes(*four))
        .ok_or_else(|| too_short(bytes.len(), at.saturating_add(4)))
}

/// The chunk of `length` bytes in a Blosc stream.
pub(super) fn decode(stored: &[u8], length: usize) -> Result<Vec<u8>, Problem> {
    if stored.len() < HEADER {
        return Err(too_short(stored.len(), HEADER));
    }
    let header = Header::read(stored, length)?;
    if header.has(flag::COPIED) {
        let copied = stored.get(HEADER..HEADER + length);
        return copied
            .map(<[u8]>::to_vec)
            .ok_or_else(|| too_short(stored.len() - HEADER, length));
    }
    let mut out = vec![0; length];
    if length == 0 {
        return Ok(out);
    }
    let mut buffer = Vec::new();
    for (place, block) in out.chunks_mut(header.block).enumerate() {
        let mut at = number(stored, HEADER + 4 * place)? as usize;
        let streams = header.streams(block.len());
        let bytes = block.len() / streams;
        buffer.clear();
        for _ in 0..streams {
            let packed = number(stored, at)? as usize;
            at += 4;
            let stream = stored.get(at..at.saturating_add(packed));
            let stream =
                stream.ok_or_else(|| too_short(stored.len(), at.saturating_add(packed)))?;
            at += packed;
            match packed == bytes {
                true => buffer.extend_from_slice(stream),
                false => buffer.extend(unpack(header.flags >> 5, stream, bytes)?),
            }
        }
        if header.has(flag::BYTES) && header.element > 1 {
            unshuffle_bytes(&buffer, header.element, block);
        } else if header.has(flag::BITS) && block.len() >= header.element {
            unshuffle_bits(&buffer, header.element, block);
        } else {
            block.copy_from_slice(&buffer);
        }
    }
    Ok(out)
}

/// A stream of `length` bytes, by the number of its compressor.
fn unpack(compressor: u8, stream: &[u8], length: usize) -> Result<Vec<u8>, Problem> {
    match compressor {
        0 => blosclz(stream, length),
        1 => {
            let mut out = vec![0; length];
            let got = lz4_flex::block::decompress_into(stream, &mut out);
            match got.map_err(|error| broken(&error))? {
                got if got == length => Ok(out),
                got => Err(too_short(got, length)),
            }
        }
        3 => read_all(flate2::read::ZlibDecoder::new(stream), length),
        4 => {
            let stream = ruzstd::decoding::StreamingDecoder::new(stream);
            read_all(stream.map_err(|error| broken(&error))?, length)
        }
        2 => Err(Problem::unsupported(
            "Blosc with Snappy; write it with LZ4 or Zstandard",
        )),
        other => Err(Problem::format(format!(
            "its Blosc stream names a compressor {other} that there is not"
        ))),
    }
}

/// BloscLZ: copies of bytes and of what was written before, each with its length.
fn blosclz(stream: &[u8], length: usize) -> Result<Vec<u8>, Problem> {
    /// The furthest that a copy reaches without two bytes more.
    const NEAR: usize = 8191;
    let mut out = Vec::with_capacity(length);
    let mut at = 0;
    let mut next = || -> Result<usize, Problem> {
        let byte = stream.get(at).copied();
        at += 1;
        byte.map(usize::from)
            .ok_or_else(|| Problem::format("its BloscLZ stream ends early"))
    };
    let mut control = next()? & 31;
    loop {
        if control < 32 {
            for _ in 0..=control {
                out.push(next()? as u8);
            }
        } else {
            let mut count = (control >> 5) - 1;
            if count == 6 {
                loop {
                    let more = next()?;
                    count += more;
                    if more != 255 {
                        break;
                    }
                }
            }
            let high = (control & 31) << 8;
            let low = next()?;
            let back = match (low, high) {
                (255, 0x1f00) => (next()? << 8 | next()?) + NEAR,
                _ => high + low,
            } + 1;
            let start = out
                .len()
                .checked_sub(back)
                .ok_or_else(|| Problem::format("its BloscLZ stream copies what is not there"))?;
            if count + 3 > length - out.len() {
                return Err(Problem::format("its BloscLZ stream goes on too long"));
            }
            for place in start..start + count + 3 {
                out.push(out[place]);
            }
        }
        if out.len() >= length {
            break;
        }
        control = next()?;
    }
    match out.len() == length {
        true => Ok(out),
        false => Err(Problem::format("its BloscLZ stream goes on too long")),
    }
}

/// Puts the bytes of elements together, of which all first bytes came first. What is left over at the end was not moved.
fn unshuffle_bytes(from: &[u8], element: usize, to: &mut [u8]) {
    let count = from.len() / element;
    for (place, element_bytes) in to.chunks_exact_mut(element).enumerate() {
        for (byte, out) in element_bytes.iter_mut().enumerate() {
            *out = from[byte * count + place];
        }
    }
    let moved = count * element;
    to[moved..].copy_from_slice(&from[moved..]);
}

/// Puts the bits of elements together, of which all first bits came first. Unless there are eights of elements, nothing was
/// moved; and what is left over at the end never is.
fn unshuffle_bits(from: &[u8], element: usize, to: &mut [u8]) {
    let count = from.len() / element;
    let moved = match count.is_multiple_of(8) {
        true => count * element,
        false => 0,
    };
    to[..moved].fill(0);
    for (row, bits) in from[..moved].chunks_exact((count / 8).max(1)).enumerate() {
        let (byte, bit) = (row / 8, row % 8);
        for (eight, &packed) in bits.iter().enumerate() {
            for one in 0..8 {
                let place = (eight * 8 + one) * element + byte;
                to[place] |= (packed >> one & 1) << bit;
            }
        }
    }
    to[moved..].copy_from_slice(&from[moved..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What c-blosc 1.21 made of `chunk()`, by compressor, shuffle and size of an element; see
    /// `tests/fixtures/blosc/make_blosc.py`.
    fn streams() -> Vec<(String, Vec<u8>)> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/blosc");
        let mut all: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "blosc"))
            .collect();
        all.sort();
        let read = |path: &std::path::PathBuf| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        };
        all.iter().map(read).collect()
    }

    /// Bytes of a stream's chunk, by its name.
    fn length(name: &str) -> usize {
        match name.ends_with("-odd") {
            true => 6003,
            false => 6016,
        }
    }

    /// Runs, slopes and noise.
    fn chunk() -> Vec<u8> {
        let mut state = 7_u32;
        let mut value = |place: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match place / 150 % 3 {
                0 => (place / 30) as u8,
                1 => place as u8,
                _ => (state >> 24) as u8,
            }
        };
        (0..6016).map(&mut value).collect()
    }

    #[test]
    fn every_compressor_and_shuffle_is_undone() {
        let (streams, chunk) = (streams(), chunk());
        assert!(streams.len() >= 10, "{}", streams.len());
        for (name, stored) in streams {
            let chunk = &chunk[..length(&name)];
            assert!(decode(&stored, chunk.len()).unwrap() == chunk, "{name}");
            if name.starts_with("lz4-") {
                let mut snappy = stored;
                snappy[2] = snappy[2] & 31 | 2 << 5;
                let refused = decode(&snappy, chunk.len());
                assert!(matches!(refused, Err(Problem::Unsupported(_))), "{name}");
            }
        }
    }

    #[test]
    fn broken_streams_are_errors() {
        for (name, stored) in streams() {
            let length = length(&name);
            for cut in [0, 3, 15, 16, 17, 40, stored.len() / 2, stored.len() - 1] {
                assert!(
                    decode(&stored[..cut], length).is_err(),
                    "{name} cut at {cut}"
                );
            }
            // Whatever a byte says, it is an error or other px, and no memory beyond the chunk.
            for at in (0..stored.len())
                .step_by(stored.len() / 97 + 1)
                .chain(0..64)
            {
                let mut flipped = stored.clone();
                flipped[at] ^= 0xa5;
                if let Ok(decoded) = decode(&flipped, length) {
                    assert_eq!(decoded.len(), length, "{name} at {at}");
                }
            }
            assert!(decode(&stored, length + 1).is_err());
        }
    }
}
