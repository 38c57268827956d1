//! Unpacks a strip or tile from front to back, so that only what is looked at takes memory.

use std::io::{self, Cursor, Read};

use weezl::{BitOrder, LzwStatus, decode::Configuration};

use super::packing::Packing;
use super::problem::Problem;

/// A stream of what some packed bytes hold.
pub(super) fn of(packing: Packing, packed: Vec<u8>) -> Result<Box<dyn Read>, Problem> {
    Ok(match packing {
        Packing::None => Box::new(Cursor::new(packed)),
        Packing::Deflate => Box::new(flate2::read::ZlibDecoder::new(Cursor::new(packed))),
        #[cfg(feature = "zstd")]
        Packing::Zstandard => {
            let stream = ruzstd::decoding::StreamingDecoder::new(Cursor::new(packed));
            Box::new(
                stream.map_err(|error| Problem::format(format!("broken compression: {error}")))?,
            )
        }
        Packing::Lzw => Box::new(Lzw {
            decoder: Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
                .with_yield_on_full_buffer(true)
                .build(),
            packed,
            at: 0,
        }),
        Packing::PackBits => Box::new(PackBits {
            packed,
            at: 0,
            left: Left::Nothing,
        }),
        _ => return Err(Problem::format("image codecs are decoded elsewhere")),
    })
}

struct Lzw {
    decoder: weezl::decode::Decoder,
    packed: Vec<u8>,
    at: usize,
}

impl Read for Lzw {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let step = self.decoder.decode_bytes(&self.packed[self.at..], out);
            self.at += step.consumed_in;
            match step.status {
                Ok(_) if step.consumed_out > 0 => return Ok(step.consumed_out),
                Ok(LzwStatus::Ok) if step.consumed_in > 0 => {}
                Ok(_) => return Ok(0),
                Err(error) => return Err(io::Error::other(format!("broken LZW: {error}"))),
            }
        }
    }
}

/// TIFF 6.0, section 9: runs of one byte and of copied bytes, each after its length.
struct PackBits {
    packed: Vec<u8>,
    at: usize,
    left: Left,
}

/// What is left of the present run.
enum Left {
    Nothing,
    Copied(usize),
    Repeated(usize, u8),
}

impl PackBits {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.packed.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }
}

impl Read for PackBits {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < out.len() {
            match self.left {
                Left::Nothing => {
                    let Some(header) = self.byte() else { break };
                    self.left = match header {
                        0..=127 => Left::Copied(usize::from(header) + 1),
                        128 => Left::Nothing,
                        _ => match self.byte() {
                            Some(byte) => Left::Repeated(257 - usize::from(header), byte),
                            None => break,
                        },
                    };
                }
                Left::Copied(count) => {
                    let rest = &self.packed[self.at..];
                    let length = count.min(out.len() - done).min(rest.len());
                    if length == 0 {
                        break;
                    }
                    out[done..done + length].copy_from_slice(&rest[..length]);
                    (self.at, done) = (self.at + length, done + length);
                    self.left = match count - length {
                        0 => Left::Nothing,
                        more => Left::Copied(more),
                    };
                }
                Left::Repeated(count, byte) => {
                    let length = count.min(out.len() - done);
                    out[done..done + length].fill(byte);
                    done += length;
                    self.left = match count - length {
                        0 => Left::Nothing,
                        more => Left::Repeated(more, byte),
                    };
                }
            }
        }
        Ok(done)
    }
}
