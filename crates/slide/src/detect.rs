//! Tells by a file's first bytes which reader it is for.

use std::io::Read;
use std::path::Path;

use super::{SlideError, is_zarr, slide_files};
use ftuseg_files::plain;

/// Who reads a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReaderKind {
    /// A TIFF, or what has its frame.
    Tiff,
    /// PNG or JPEG.
    Flat,
    /// A folder of Zarr.
    Zarr,
    /// A format that only OpenSlide knows, with its name.
    Foreign(&'static str),
}

/// Bytes that are looked at: DICOM's mark and the group of its first element come after a preamble of 128.
const START: usize = 134;

#[cfg(feature = "openslide")]
/// Whether the file starts like a TIFF.
pub(super) fn is_tiff(path: &Path) -> bool {
    matches!(kind(path), Ok(ReaderKind::Tiff))
}

/// Looks at a file.
///
/// # Errors
/// When the file cannot be read, is no regular file, or is of no known format.
pub(super) fn kind(path: &Path) -> Result<ReaderKind, SlideError> {
    // Before opening: to open a named pipe is to wait for someone to write into it.
    let meta = std::fs::metadata(path).map_err(|source| SlideError::io(path, source))?;
    if is_zarr(path) {
        return Ok(ReaderKind::Zarr);
    }
    if !meta.is_file() {
        return Err(SlideError::format(path, "it is not a regular file"));
    }
    let file = plain::open(path, u64::MAX).map_err(|source| SlideError::io(path, source))?;
    let mut start = Vec::with_capacity(START);
    file.take(START as u64)
        .read_to_end(&mut start)
        .map_err(|source| SlideError::io(path, source))?;
    // The file itself is a preview or nothing at all.
    if slide_files::is_mirax(path) {
        return Ok(ReaderKind::Foreign("MIRAX"));
    }
    of_start(&start).ok_or_else(|| {
        if start.is_empty() {
            SlideError::format(path, "the file is empty")
        } else if let Some(target) = as_link(&start) {
            SlideError::format(
                path,
                format!(
                    "it contains nothing but the path {target}, like a link that was copied as text; copy the file it points \
                     to"
                ),
            )
        } else if start.starts_with(b"PK\x03\x04") && slide_files::has_extension(path, &["ozx", "zarr", "zip"]) {
            SlideError::unsupported(path, "a zipped folder; unpack it, and give the OME-Zarr folder")
        } else {
            SlideError::format(
                path,
                "it is not in a known slide format (TIFF and its variants, DICOM, CZI, MRXS, VMS, SVSLIDE, PNG, JPEG, OME-Zarr)",
            )
        }
    })
}

/// The path that a whole file consists of; none where it is something else.
fn as_link(start: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(start).ok()?.trim_end();
    let is_path = text.starts_with("../") || text.starts_with("./") || text.starts_with('/');
    (is_path && start.len() < START && !text.contains(char::is_control)).then_some(text)
}

fn of_start(start: &[u8]) -> Option<ReaderKind> {
    let is_dicom = start.get(128..132) == Some(b"DICM");
    Some(match start {
        // The preamble may hold the header of another format, for readers that know no DICOM: then the first element
        // says that this is no chance.
        _ if is_dicom && start.get(132..134) == Some(&[2, 0]) => ReaderKind::Foreign("DICOM"),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => ReaderKind::Tiff,
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => ReaderKind::Flat,
        _ if is_dicom => ReaderKind::Foreign("DICOM"),
        _ if start.starts_with(b"ZISRAWFILE") => ReaderKind::Foreign("Zeiss CZI"),
        _ if start.starts_with(b"SQLite format 3\0") => ReaderKind::Foreign("Sakura SVSLIDE"),
        _ if start.starts_with(b"[Virtual Microscope Specimen]") => {
            ReaderKind::Foreign("Hamamatsu VMS")
        }
        _ if start.starts_with(b"[Uncompressed Virtual Microscope Specimen]") => {
            ReaderKind::Foreign("Hamamatsu VMU")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_told_apart() {
        let mut dicom = vec![0; 128];
        dicom.extend(b"DICM");
        assert_eq!(of_start(&dicom), Some(ReaderKind::Foreign("DICOM")));
        assert_eq!(of_start(&dicom[..131]), None);
        // A preamble with a TIFF in it, and a TIFF that has the letters there by chance.
        dicom[..4].copy_from_slice(b"II*\0");
        assert_eq!(of_start(&dicom), Some(ReaderKind::Tiff));
        dicom.extend([2, 0]);
        assert_eq!(of_start(&dicom), Some(ReaderKind::Foreign("DICOM")));
        assert_eq!(of_start(b"II+\0"), Some(ReaderKind::Tiff));
        assert_eq!(
            of_start(b"ZISRAWFILE\0"),
            Some(ReaderKind::Foreign("Zeiss CZI"))
        );
        assert_eq!(of_start(b"ZISRAW"), None);
        assert_eq!(as_link(b"../store/a.tif\n"), Some("../store/a.tif"));
        assert_eq!(as_link(b"../a\0b"), None);
        assert_eq!(as_link(b"no path"), None);
        assert_eq!(of_start(b""), None);
    }
}
