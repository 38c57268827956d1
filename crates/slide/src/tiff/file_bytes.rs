//! The bytes of a TIFF file: reads at a position, from any thread, never beyond the end.

use std::fs::File;
use std::io;
use std::path::Path;

use super::problem::Problem;
use ftuseg_files::plain;

/// An open TIFF file whose header has been read.
pub(super) struct FileBytes {
    file: File,
    length: u64,
    little_endian: bool,
    big: bool,
    first: u64,
}

impl FileBytes {
    /// Opens a file and reads its header: byte order, TIFF or BigTIFF, where the first directory is.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let file = plain::open(path, u64::MAX).map_err(Problem::Io)?;
        let length = file.metadata().map_err(Problem::Io)?.len();
        let mut source = FileBytes {
            file,
            length,
            little_endian: true,
            big: false,
            first: 0,
        };
        let start = source.bytes(0, 8)?;
        source.little_endian = match &start[..2] {
            b"II" => true,
            b"MM" => false,
            _ => return Err(Problem::format("it does not start like a TIFF")),
        };
        match source.number(&start[2..4]) {
            42 => source.first = source.number(&start[4..8]),
            43 => {
                let rest = source.bytes(8, 8)?;
                // BigTIFF states the size of its offsets, and there is only one: 8 bytes.
                if (source.number(&start[4..6]), source.number(&start[6..8])) != (8, 0) {
                    return Err(Problem::format("its BigTIFF header is broken"));
                }
                source.big = true;
                source.first = source.number(&rest);
            }
            _ => return Err(Problem::format("it does not start like a TIFF")),
        }
        Ok(source)
    }

    /// Whether offsets and counts have 8 bytes.
    pub(super) fn is_big(&self) -> bool {
        self.big
    }

    pub(super) fn is_little_endian(&self) -> bool {
        self.little_endian
    }

    /// Bytes of the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Where the first directory is.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Reads `count` bytes. Whether the file has them is checked before memory is taken, so the caller's limit on
    /// `count` and the file's own size both hold.
    pub(super) fn bytes(&self, at: u64, count: usize) -> Result<Vec<u8>, Problem> {
        let end = at.checked_add(count as u64);
        if end.is_none_or(|end| end > self.length) {
            return Err(Problem::format(format!(
                "the file ends too early: {count} bytes at {at} of {} are missing or cut off",
                self.length
            )));
        }
        let mut out = vec![0; count];
        match read_exact_at(&self.file, &mut out, at) {
            Ok(()) => Ok(out),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Problem::format("the file became shorter while it was read"))
            }
            Err(error) => Err(Problem::Io(error)),
        }
    }

    /// An unsigned number of up to 8 bytes in the file's byte order.
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
        if self.little_endian {
            bytes.iter().rev().fold(0, add)
        } else {
            bytes.iter().fold(0, add)
        }
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut out: &mut [u8], mut at: u64) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(got) => {
                out = &mut out[got..];
                at += got as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
