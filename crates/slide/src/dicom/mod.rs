//! Reads from a DICOM file which series it belongs to and which image of it it is (DICOM PS3.10, PS3.5, chapter 7, and
//! PS3.3, C.8.12.4), and for who writes results into that series what else stands before the pixels: [`DicomHeader`].
//! OpenSlide reads the pixels.

mod header;

use std::io::Read;
use std::path::Path;

use ftuseg_files::plain;

pub use header::{DicomElement, DicomHeader, DicomTag, DicomValue, headers_of_full_size};

/// The most that is read: the series stands before anything large.
const MAX_BYTES: u64 = 1 << 20;
/// What is read at first.
const SOON: u64 = 32 << 10;
/// The most that is searched for the first picture's header.
const MAX_SEARCHED: u64 = 16 << 20;
/// Sequences in sequences; real files have a handful.
const MAX_DEPTH: u32 = 32;
const UNDEFINED: u32 = u32::MAX;
/// The class of the images of slides, VL Whole Slide Microscopy Image Storage.
const SLIDE_CLASS: &str = "1.2.840.10008.5.1.4.1.1.77.1.6";

/// The head of an element: its tag as group and element, its type where it is named, and its length in bytes.
type TypedHead = ((u16, u16), Option<[u8; 2]>, u32);

/// Tags, as group and element.
mod tag {
    pub(super) const TRANSFER_SYNTAX: (u16, u16) = (0x0002, 0x0010);
    pub(super) const IMAGE_TYPE: (u16, u16) = (0x0008, 0x0008);
    pub(super) const CLASS: (u16, u16) = (0x0008, 0x0016);
    pub(super) const SERIES: (u16, u16) = (0x0020, 0x000e);
    pub(super) const PHOTOMETRIC: (u16, u16) = (0x0028, 0x0004);
    pub(super) const COLUMNS: (u16, u16) = (0x0048, 0x0006);
    pub(super) const ITEM: (u16, u16) = (0xfffe, 0xe000);
    pub(super) const ITEM_END: (u16, u16) = (0xfffe, 0xe00d);
    pub(super) const SEQUENCE_END: (u16, u16) = (0xfffe, 0xe0dd);
}

/// What one file of a series is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Instance {
    /// `SeriesInstanceUID`.
    pub(super) series: String,
    /// `SOPClassUID`: what kind of object it is.
    class: String,
    /// The values of `ImageType`, as `ORIGINAL`, `PRIMARY`, `VOLUME`, `NONE`.
    pub(super) image_type: Vec<String>,
    /// Width of the whole image, px.
    pub(super) columns: u32,
    /// What its samples mean, as `RGB` or `YBR_ICT`.
    photometric: String,
    /// How it is encoded and packed.
    syntax: String,
}

impl Instance {
    /// Whether it is a level of the slide, and no label, overview or thumbnail, nor what others made of the slide, as a
    /// segmentation.
    pub(super) fn is_level(&self) -> bool {
        // Where neither class nor type is stated, nothing speaks against it.
        let is_slide = self.class.is_empty() || self.class == SLIDE_CLASS;
        is_slide && self.image_type.get(2).is_none_or(|kind| kind == "VOLUME")
    }

    /// Whether it was made smaller, so that there is a larger level.
    pub(super) fn is_reduced(&self) -> bool {
        self.image_type
            .get(3)
            .is_some_and(|kind| kind == "RESAMPLED")
    }
}

/// Whether a file says that JPEG 2000's own transform made its colours (`YBR_ICT`, `YBR_RCT`) where its codestream says
/// that none did: then what readers take for red, green and blue are luma and chroma.
pub(super) fn contradicts_its_codestream(path: &Path, instance: &Instance) -> bool {
    let is_jpeg_2000 = matches!(
        instance.syntax.as_str(),
        "1.2.840.10008.1.2.4.90" | "1.2.840.10008.1.2.4.91"
    );
    if !is_jpeg_2000 || !matches!(instance.photometric.as_str(), "YBR_ICT" | "YBR_RCT") {
        return false;
    }
    let mut bytes = Vec::new();
    let read = plain::open(path, u64::MAX)
        .and_then(|file| file.take(MAX_SEARCHED).read_to_end(&mut bytes));
    read.is_ok() && transform(&bytes) == Some(0)
}

/// The multiple component transform of the first JPEG 2000 codestream in the bytes (ISO/IEC 15444-1, A.6.1).
fn transform(bytes: &[u8]) -> Option<u8> {
    let start = bytes
        .windows(4)
        .position(|b| b == [0xff, 0x4f, 0xff, 0x51])?;
    let mut at = start + 2;
    loop {
        let marker = bytes.get(at..at + 2)?;
        if marker == [0xff, 0x52] {
            return bytes.get(at + 8).copied();
        }
        // Data begins, and no coding style came before.
        if marker == [0xff, 0x90] || marker[0] != 0xff {
            return None;
        }
        let length = bytes.get(at + 2..at + 4)?;
        at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
    }
}

/// The `SeriesInstanceUID` of a DICOM file; `None` where it is none, is broken, or has none near its start.
pub(super) fn series(path: &Path) -> Option<String> {
    instance(path).map(|instance| instance.series)
}

/// What a DICOM file is; `None` where it is none, is broken, or does not say its series near its start.
pub(super) fn instance(path: &Path) -> Option<Instance> {
    let mut bytes = Vec::new();
    let file = plain::open(path, u64::MAX).ok()?;
    // Most files that are asked are none, and their start says so.
    let mut file = file.take(MAX_BYTES);
    file.by_ref().take(132).read_to_end(&mut bytes).ok()?;
    if bytes.get(128..132)? != b"DICM" {
        return None;
    }
    // A folder can hold thousands, and nearly all say it at once.
    file.by_ref().take(SOON).read_to_end(&mut bytes).ok()?;
    match of_bytes(&bytes) {
        Some(found) if found.columns > 0 => Some(found),
        _ => {
            file.read_to_end(&mut bytes).ok()?;
            of_bytes(&bytes)
        }
    }
}

fn of_bytes(bytes: &[u8]) -> Option<Instance> {
    if bytes.get(128..132)? != b"DICM" {
        return None;
    }
    let mut reader = Reader {
        bytes,
        at: 132,
        explicit: true,
    };
    let mut found = Instance::default();
    // What stands behind the series is good to have, but a file need not be whole there.
    match read(&mut reader, &mut found) {
        Some(()) => Some(found),
        None => (!found.series.is_empty()).then_some(found),
    }
}

fn read(reader: &mut Reader<'_>, found: &mut Instance) -> Option<()> {
    let mut syntax = String::new();
    loop {
        // The first group is always explicit; what follows is as it says.
        if reader.peek_group()? > 2 {
            reader.explicit = syntax != "1.2.840.10008.1.2";
        }
        let (tag, length) = reader.head()?;
        if tag > tag::COLUMNS || tag > tag::SERIES && found.series.is_empty() {
            return None;
        }
        if length == UNDEFINED {
            reader.skip_sequence(MAX_DEPTH)?;
            continue;
        }
        let value = reader.take(length as usize)?;
        let text = || {
            String::from_utf8_lossy(value)
                .trim_end_matches(['\0', ' '])
                .to_owned()
        };
        match tag {
            tag::TRANSFER_SYNTAX => {
                syntax = text();
                found.syntax.clone_from(&syntax);
            }
            tag::PHOTOMETRIC => found.photometric = text(),
            tag::IMAGE_TYPE => {
                let values = text();
                let values = values.split('\\').map(|value| value.trim().to_owned());
                found.image_type = values.take(8).collect();
            }
            tag::CLASS => found.class = text(),
            tag::SERIES => found.series = text(),
            tag::COLUMNS => {
                found.columns = u32::from_le_bytes(value.try_into().ok()?);
                return Some(());
            }
            _ => {}
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether elements name the type of their value.
    explicit: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let part = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(part)
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn long(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn peek_group(&self) -> Option<u16> {
        let part = self.bytes.get(self.at..self.at.checked_add(2)?)?;
        Some(u16::from_le_bytes(part.try_into().ok()?))
    }

    /// The tag and length of the next element.
    fn head(&mut self) -> Option<((u16, u16), u32)> {
        self.typed_head().map(|(tag, _, length)| (tag, length))
    }

    /// The tag, the type where it is named, and the length of the next element.
    fn typed_head(&mut self) -> Option<TypedHead> {
        let tag = (self.short()?, self.short()?);
        if !self.explicit || tag.0 == 0xfffe {
            return Some((tag, None, self.long()?));
        }
        let kind: [u8; 2] = self.take(2)?.try_into().ok()?;
        let is_long = matches!(
            &kind,
            b"OB"
                | b"OD"
                | b"OF"
                | b"OL"
                | b"OV"
                | b"OW"
                | b"SQ"
                | b"SV"
                | b"UC"
                | b"UN"
                | b"UR"
                | b"UT"
                | b"UV"
        );
        let length = if is_long {
            self.take(2)?;
            self.long()?
        } else {
            self.short()?.into()
        };
        Some((tag, Some(kind), length))
    }

    /// Goes on behind a sequence of undefined length, whose head was read.
    fn skip_sequence(&mut self, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        loop {
            match self.head()? {
                (tag::SEQUENCE_END, _) => return Some(()),
                (tag::ITEM, UNDEFINED) => loop {
                    match self.head()? {
                        (tag::ITEM_END, _) => break,
                        (_, UNDEFINED) => self.skip_sequence(depth)?,
                        (_, length) => {
                            self.take(length as usize)?;
                        }
                    }
                },
                (tag::ITEM, length) => {
                    self.take(length as usize)?;
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> Vec<u8> {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign/dicom");
        std::fs::read(folder.join("level-0.dcm")).unwrap()
    }

    #[test]
    fn the_series_is_found_behind_a_sequence() {
        let found = of_bytes(&drawn()).unwrap();
        assert_eq!((found.series.as_str(), found.columns), ("2.25.3", 75));
        assert_eq!(found.image_type, ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]);
    }

    #[test]
    fn a_colour_transform_that_the_codestream_does_not_make_is_seen() {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("x.dcm");
        let element = |tag: (u16, u16), kind: &[u8; 2], text: &str| {
            let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
            bytes.extend(kind);
            bytes.extend((text.len() as u16).to_le_bytes());
            bytes.extend(text.as_bytes());
            bytes
        };
        let seen = |syntax: &str, photometric: &str, transform: u8| {
            let mut bytes = [vec![0; 128], b"DICM".to_vec()].concat();
            bytes.extend(element(tag::TRANSFER_SYNTAX, b"UI", syntax));
            bytes.extend(element(tag::SERIES, b"UI", "2.25.3"));
            bytes.extend(element(tag::PHOTOMETRIC, b"CS", photometric));
            bytes.extend(element(tag::COLUMNS, b"UL", "\u{10}\0\0\0"));
            bytes.extend([0xff, 0x4f, 0xff, 0x51, 0, 4, 0, 0]);
            bytes.extend([0xff, 0x52, 0, 12, 0, 0, 0, 1, transform, 0]);
            std::fs::write(&path, &bytes).unwrap();
            let instance = instance(&path).unwrap();
            assert_eq!(instance.photometric, photometric.trim_end());
            contradicts_its_codestream(&path, &instance)
        };
        let [lossy, jpeg] = ["1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.50"];
        assert!(seen(lossy, "YBR_ICT ", 0));
        assert!(!seen(lossy, "YBR_ICT ", 1));
        assert!(!seen(lossy, "RGB ", 0));
        assert!(!seen(jpeg, "YBR_ICT ", 0));
    }

    #[test]
    fn cut_and_flipped_files_are_no_trouble() {
        let whole = drawn();
        for end in 0..700.min(whole.len()) {
            let found = of_bytes(&whole[..end]);
            assert!(found.is_none_or(|found| found.series == "2.25.3"));
        }
        for at in 0..700.min(whole.len()) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let _ = of_bytes(&bytes);
        }
    }

    #[test]
    fn sequences_without_end_are_given_up() {
        let mut bytes = vec![0; 128];
        bytes.extend(b"DICM");
        for _ in 0..100_000 {
            bytes.extend([
                0x08, 0, 0x10, 0x11, b'S', b'Q', 0, 0, 0xff, 0xff, 0xff, 0xff,
            ]);
            bytes.extend([0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]);
        }
        assert_eq!(of_bytes(&bytes), None);
    }
}
