//! Reads from a DICOM file which series it belongs to and which image of it it is (DICOM PS3.10, PS3.5, chapter 7, and
//! PS3.3, C.8.12.4). Nothing else: OpenSlide reads the pixels.

use std::io::Read;
use std::path::Path;

use ftuseg_files::plain;

/// The most that is read: the series stands before anything large.
const MAX_BYTES: u64 = 1 << 20;
/// What is read at first.
const SOON: u64 = 32 << 10;
/// Sequences in sequences; real files have a handful.
const MAX_DEPTH: u32 = 32;
const UNDEFINED: u32 = u32::MAX;

/// Tags, as group and element.
mod tag {
    pub(super) const TRANSFER_SYNTAX: (u16, u16) = (0x0002, 0x0010);
    pub(super) const IMAGE_TYPE: (u16, u16) = (0x0008, 0x0008);
    pub(super) const SERIES: (u16, u16) = (0x0020, 0x000e);
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
    /// The values of `ImageType`, as `ORIGINAL`, `PRIMARY`, `VOLUME`, `NONE`.
    pub(super) image_type: Vec<String>,
    /// Width of the whole image, px.
    pub(super) columns: u32,
}

impl Instance {
    /// Whether it is a level of the slide, and no label, overview or thumbnail.
    pub(super) fn is_level(&self) -> bool {
        // Where the type is not stated, nothing speaks against it.
        self.image_type.get(2).is_none_or(|kind| kind == "VOLUME")
    }

    /// Whether it was made smaller, so that there is a larger level.
    pub(super) fn is_reduced(&self) -> bool {
        self.image_type
            .get(3)
            .is_some_and(|kind| kind == "RESAMPLED")
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
            tag::TRANSFER_SYNTAX => syntax = text(),
            tag::IMAGE_TYPE => {
                let values = text();
                let values = values.split('\\').map(|value| value.trim().to_owned());
                found.image_type = values.take(8).collect();
            }
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
        let tag = (self.short()?, self.short()?);
        if !self.explicit || tag.0 == 0xfffe {
            return Some((tag, self.long()?));
        }
        let kind = self.take(2)?;
        let is_long = matches!(
            kind,
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
        Some((tag, length))
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
