//! Undoes the compressions that know bytes only: what comes out are samples as TIFF lays them out.

use super::packing::Packing;
use super::problem::Problem;
#[cfg(feature = "zstd")]
use crate::bounded::broken;
use crate::bounded::{read_all, too_short};

/// Unpacks a strip or tile that holds `length` bytes. Never takes more memory than that, whatever the stream says.
pub(super) fn unpack(
    packing: Packing,
    mut packed: Vec<u8>,
    length: usize,
) -> Result<Vec<u8>, Problem> {
    match packing {
        Packing::None => {
            if packed.len() < length {
                return Err(too_short(packed.len(), length));
            }
            packed.truncate(length);
            Ok(packed)
        }
        // Deflate makes at most 1032 bytes of one (RFC 1951), so a short stream claims no memory.
        Packing::Deflate if length / 1032 > packed.len() => Err(too_short(packed.len(), length)),
        Packing::Deflate => read_all(flate2::read::ZlibDecoder::new(&packed[..]), length),
        Packing::Lzw => lzw(&packed, length),
        Packing::PackBits => pack_bits(&packed, length),
        #[cfg(feature = "zstd")]
        Packing::Zstandard => {
            let stream = ruzstd::decoding::StreamingDecoder::new(&packed[..]);
            read_all(stream.map_err(|error| broken(&error))?, length)
        }
        _ => Err(Problem::format("image codecs are decoded elsewhere")),
    }
}

fn lzw(packed: &[u8], length: usize) -> Result<Vec<u8>, Problem> {
    use weezl::{BitOrder, LzwStatus, decode::Configuration};
    let mut decoder = Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
        .with_yield_on_full_buffer(true)
        .build();
    let mut out = vec![0; length];
    let (mut read, mut written) = (0, 0);
    while written < length {
        let step = decoder.decode_bytes(&packed[read..], &mut out[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        match step.status {
            Ok(LzwStatus::Ok) if step.consumed_in > 0 || step.consumed_out > 0 => {}
            Ok(_) => break,
            Err(error) => return Err(Problem::format(format!("broken LZW: {error}"))),
        }
    }
    if written < length {
        return Err(too_short(written, length));
    }
    Ok(out)
}

/// TIFF 6.0, section 9: runs of one byte and of copied bytes, each after its length.
fn pack_bits(packed: &[u8], length: usize) -> Result<Vec<u8>, Problem> {
    let mut out = Vec::with_capacity(length);
    let mut rest = packed;
    while out.len() < length {
        let Some((&header, after)) = rest.split_first() else {
            return Err(too_short(out.len(), length));
        };
        rest = after;
        let room = length - out.len();
        match header {
            0..=127 => {
                let count = usize::from(header) + 1;
                let Some((bytes, after)) = rest.split_at_checked(count) else {
                    return Err(too_short(out.len(), length));
                };
                out.extend_from_slice(&bytes[..count.min(room)]);
                rest = after;
            }
            128 => {}
            _ => {
                let Some((&byte, after)) = rest.split_first() else {
                    return Err(too_short(out.len(), length));
                };
                let count = 257 - usize::from(header);
                out.resize(out.len() + count.min(room), byte);
                rest = after;
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_bits_knows_the_example_of_its_specification() {
        let packed = [
            0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7,
            0xaa,
        ];
        let mut expected = vec![0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa];
        expected.extend([0x80, 0x00, 0x2a, 0x22]);
        expected.extend([0xaa; 10]);
        assert_eq!(pack_bits(&packed, 24).unwrap(), expected);
        assert_eq!(pack_bits(&packed, 20).unwrap(), expected[..20]);
        assert!(pack_bits(&packed, 25).is_err());
        assert!(pack_bits(&packed[..9], 24).is_err());
    }

    #[test]
    fn a_stream_may_be_padded_but_not_go_on_for_ever() {
        let packed = |length| {
            let level = flate2::Compression::best();
            let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), level);
            std::io::Write::write_all(&mut deflate, &vec![7; length]).unwrap();
            deflate.finish().unwrap()
        };
        let unpacked = |length| unpack(Packing::Deflate, packed(length), 100);
        assert_eq!(unpacked(100).unwrap(), [7; 100]);
        assert_eq!(unpacked(5000).unwrap(), [7; 100]);
        assert!(unpacked(1 << 20).is_err());
        assert!(unpacked(99).is_err());
    }
}
