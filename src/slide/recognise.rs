//! Tells by a file's first bytes which reader it is for.

use std::io::Read;
use std::path::Path;

use super::SlideError;

/// Who reads a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A TIFF, or what has its frame.
    Tiff,
    /// PNG or JPEG.
    Flat,
    /// A format that only OpenSlide knows, with its name.
    Foreign(&'static str),
}

/// Bytes that are looked at: DICOM's mark comes after a preamble of 128.
const START: usize = 132;

/// Whether the file starts like a TIFF.
pub(super) fn is_tiff(path: &Path) -> bool {
    matches!(kind(path), Ok(Kind::Tiff))
}

/// Looks at a file.
///
/// # Errors
/// When the file cannot be read, is no regular file, or is of no known format.
pub(super) fn kind(path: &Path) -> Result<Kind, SlideError> {
    // Before opening: to open a named pipe is to wait for someone to write into it.
    let meta = std::fs::metadata(path).map_err(|source| SlideError::io(path, source))?;
    if !meta.is_file() {
        return Err(SlideError::format(path, "it is not a regular file"));
    }
    let file = std::fs::File::open(path).map_err(|source| SlideError::io(path, source))?;
    let mut start = Vec::with_capacity(START);
    file.take(START as u64)
        .read_to_end(&mut start)
        .map_err(|source| SlideError::io(path, source))?;
    if has_mirax_folder(path) {
        return Ok(Kind::Foreign("MIRAX"));
    }
    of_start(&start).ok_or_else(|| {
        SlideError::format(
            path,
            if start.is_empty() {
                "the file is empty"
            } else {
                "it is no slide of a known format (TIFF and its kin, DICOM, CZI, MRXS, VMS, SVSLIDE, PNG, JPEG)"
            },
        )
    })
}

fn of_start(start: &[u8]) -> Option<Kind> {
    Some(match start {
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Kind::Tiff,
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => Kind::Flat,
        _ if start.get(128..132) == Some(b"DICM") => Kind::Foreign("DICOM"),
        _ if start.starts_with(b"ZISRAWFILE") => Kind::Foreign("Zeiss CZI"),
        _ if start.starts_with(b"SQLite format 3\0") => Kind::Foreign("Sakura SVSLIDE"),
        _ if start.starts_with(b"[Virtual Microscope Specimen]") => Kind::Foreign("Hamamatsu VMS"),
        _ if start.starts_with(b"[Uncompressed Virtual Microscope Specimen]") => {
            Kind::Foreign("Hamamatsu VMU")
        }
        _ => return None,
    })
}

/// Whether the file stands for the folder of a MIRAX slide. Its own bytes are a preview or nothing at all.
pub(super) fn has_mirax_folder(path: &Path) -> bool {
    let named = path.extension().is_some_and(|e| e == "mrxs");
    named && path.with_extension("").join("Slidedat.ini").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_told_apart() {
        let mut dicom = vec![0; 128];
        dicom.extend(b"DICM");
        assert_eq!(of_start(&dicom), Some(Kind::Foreign("DICOM")));
        assert_eq!(of_start(&dicom[..131]), None);
        assert_eq!(of_start(b"II+\0"), Some(Kind::Tiff));
        assert_eq!(of_start(b"ZISRAWFILE\0"), Some(Kind::Foreign("Zeiss CZI")));
        assert_eq!(of_start(b"ZISRAW"), None);
        assert_eq!(of_start(b""), None);
    }
}
