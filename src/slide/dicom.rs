//! Reads from a DICOM file which series it belongs to (DICOM PS3.10 and PS3.5, chapter 7). Nothing else: OpenSlide reads
//! the pixels.

use std::io::Read;
use std::path::Path;

/// The most that is read: the series stands before anything large.
const MAX_BYTES: u64 = 1 << 20;
/// Sequences in sequences; real files have a handful.
const MAX_DEPTH: u32 = 32;
const UNDEFINED: u32 = u32::MAX;

/// Tags, as group and element.
mod tag {
    pub(super) const TRANSFER_SYNTAX: (u16, u16) = (0x0002, 0x0010);
    pub(super) const SERIES: (u16, u16) = (0x0020, 0x000e);
    pub(super) const ITEM: (u16, u16) = (0xfffe, 0xe000);
    pub(super) const ITEM_END: (u16, u16) = (0xfffe, 0xe00d);
    pub(super) const SEQUENCE_END: (u16, u16) = (0xfffe, 0xe0dd);
}

/// The `SeriesInstanceUID` of a DICOM file; `None` where it is none, is broken, or has none near its start.
pub(super) fn series(path: &Path) -> Option<String> {
    let meta = std::fs::metadata(path).ok().filter(|meta| meta.is_file());
    meta?;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    of_bytes(&bytes)
}

fn of_bytes(bytes: &[u8]) -> Option<String> {
    if bytes.get(128..132)? != b"DICM" {
        return None;
    }
    let mut reader = Reader {
        bytes,
        at: 132,
        explicit: true,
    };
    let mut syntax = String::new();
    loop {
        // The first group is always explicit; what follows is as it says.
        if reader.peek_group()? > 2 {
            reader.explicit = syntax != "1.2.840.10008.1.2";
        }
        let (tag, length) = reader.head()?;
        if tag > tag::SERIES {
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
            tag::SERIES => return Some(text()).filter(|uid| !uid.is_empty()),
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
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slides/foreign/dicom");
        std::fs::read(folder.join("level-0.dcm")).unwrap()
    }

    #[test]
    fn the_series_is_found_behind_a_sequence() {
        assert_eq!(of_bytes(&drawn()).as_deref(), Some("2.25.3"));
    }

    #[test]
    fn cut_and_flipped_files_are_no_trouble() {
        let whole = drawn();
        for end in 0..700.min(whole.len()) {
            let found = of_bytes(&whole[..end]);
            assert!(found.is_none_or(|uid| uid == "2.25.3"));
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
