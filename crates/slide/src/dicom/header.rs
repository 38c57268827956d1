//! What stands before the pixels in a DICOM file of a slide: elements as bytes, none of which is believed before it is
//! checked to lie in the file.

use std::io::Read;
use std::path::Path;

use ftuseg_files::plain;

use super::super::slide_files::same_series;
use super::{MAX_BYTES, MAX_DEPTH, Reader, UNDEFINED, instance, tag};
use crate::SlideError;

/// The most that is read of a file: room for colour profiles, and for whatever stands before the places of the frames.
const MAX_HEADER: u64 = 16 << 20;
/// Elements of one header; real ones have some hundred.
const MAX_ELEMENTS: usize = 20_000;
/// Files of one level, where it is divided among several.
const MAX_PARTS: usize = 1000;
/// `PerFrameFunctionalGroupsSequence`: from here on elements speak of single frames.
const PER_FRAME: DicomTag = (0x5200, 0x9230);

/// Group and element.
pub type DicomTag = (u16, u16);

/// An element of a data set.
#[derive(Clone, PartialEq)]
pub struct DicomElement {
    /// What it is.
    pub tag: DicomTag,
    /// The type of its value, as `LO`, where the file names types.
    pub kind: Option<[u8; 2]>,
    /// Its value.
    pub value: DicomValue,
}

/// The value of an element.
#[derive(Clone, PartialEq)]
pub enum DicomValue {
    /// As it stands in the file, little endian.
    Bytes(Vec<u8>),
    /// The items of a sequence.
    Items(Vec<Vec<DicomElement>>),
}

/// The elements of a file that were asked for, in the order of their tags. Private elements, and those of an unknown type,
/// are left out at every depth.
#[derive(Clone, PartialEq)]
pub struct DicomHeader {
    elements: Vec<DicomElement>,
}

impl DicomHeader {
    /// All elements.
    pub fn elements(&self) -> &[DicomElement] {
        &self.elements
    }

    /// An element of the top level.
    pub fn get(&self, tag: DicomTag) -> Option<&DicomElement> {
        self.elements.iter().find(|element| element.tag == tag)
    }

    /// The text of an element of the top level, without what pads it.
    pub fn text(&self, tag: DicomTag) -> Option<String> {
        self.get(tag)?.text()
    }
}

impl DicomElement {
    /// The value as text, without what pads it; `None` where it is a sequence or empty. Bytes beyond ASCII are taken for
    /// Latin-1.
    pub fn text(&self) -> Option<String> {
        let DicomValue::Bytes(bytes) = &self.value else {
            return None;
        };
        let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        let text = text.trim_matches(['\0', ' ']);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The items of a sequence, none where it is no sequence.
    pub fn items(&self) -> &[Vec<DicomElement>] {
        match &self.value {
            DicomValue::Items(items) => items,
            DicomValue::Bytes(_) => &[],
        }
    }
}

/// The headers of the files of a slide's series that hold it at its full size, `width` px, in the order of their names:
/// one, or several where the level is divided. Of their top-level elements those that `is_wanted` names. `None` where the file
/// is no DICOM.
///
/// # Errors
/// When none of them is of that size, or one cannot be read.
pub fn headers_of_full_size(
    slide: &Path,
    width: u32,
    is_wanted: fn(DicomTag) -> bool,
) -> Result<Option<Vec<DicomHeader>>, SlideError> {
    if !is_dicom(slide).map_err(|error| SlideError::io(slide, error))? {
        return Ok(None);
    }
    let own = instance(slide).ok_or_else(|| {
        SlideError::format(slide, "its DICOM series cannot be told from its start")
    })?;
    let mut files =
        same_series(slide, &own.series).map_err(|error| SlideError::io(slide, error))?;
    files.push((slide.to_owned(), own));
    files.retain(|(_, file)| file.is_level() && file.columns == width);
    files.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    if files.is_empty() {
        return Err(SlideError::format(
            slide,
            format!("no file of its DICOM series says that it is {width} px wide"),
        ));
    }
    if files.len() > MAX_PARTS {
        return Err(SlideError::limits(
            slide,
            format!(
                "its full size is divided among {} DICOM files; the maximum is {MAX_PARTS}",
                files.len()
            ),
        ));
    }
    let read = |(file, _): &(std::path::PathBuf, _)| header(file, is_wanted);
    files.iter().map(read).collect::<Result<_, _>>().map(Some)
}

fn is_dicom(path: &Path) -> std::io::Result<bool> {
    let mut start = Vec::new();
    let file = plain::open(path, u64::MAX)?;
    file.take(132).read_to_end(&mut start)?;
    Ok(start.get(128..132) == Some(b"DICM"))
}

fn header(path: &Path, is_wanted: fn(DicomTag) -> bool) -> Result<DicomHeader, SlideError> {
    let io = |error| SlideError::io(path, error);
    let mut bytes = Vec::new();
    let mut file = plain::open(path, u64::MAX).map_err(io)?.take(MAX_HEADER);
    // Most headers are small, and what comes behind may be large.
    file.by_ref()
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    let found = match elements_of(&bytes, is_wanted) {
        Ok(found) => Ok(found),
        Err(_) => {
            file.read_to_end(&mut bytes).map_err(io)?;
            elements_of(&bytes, is_wanted)
        }
    };
    match found {
        Ok(elements) => Ok(DicomHeader { elements }),
        Err(Problem::Broken) => Err(SlideError::format(
            path,
            format!(
                "its DICOM header is broken, or has more than {MAX_ELEMENTS} elements or {} MiB",
                MAX_HEADER >> 20
            ),
        )),
        Err(Problem::Syntax(syntax)) => Err(SlideError::unsupported(
            path,
            format!("its DICOM header is encoded in the transfer syntax {syntax:?}"),
        )),
    }
}

/// Why a header cannot be read.
#[derive(Debug, PartialEq)]
enum Problem {
    Broken,
    /// It is deflated or big endian.
    Syntax(String),
}

fn elements_of(
    bytes: &[u8],
    is_wanted: fn(DicomTag) -> bool,
) -> Result<Vec<DicomElement>, Problem> {
    let mut reader = Reader {
        bytes,
        at: 132,
        explicit: true,
    };
    let mut syntax = String::new();
    let mut budget = MAX_ELEMENTS;
    let mut found: Vec<DicomElement> = Vec::new();
    let mut is_data = false;
    while reader.at < bytes.len() {
        // The first group is always explicit; what follows is as it says.
        if !is_data && reader.peek_group().ok_or(Problem::Broken)? > 2 {
            is_data = true;
            reader.explicit = match syntax.as_str() {
                "1.2.840.10008.1.2" => false,
                "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.2" => {
                    return Err(Problem::Syntax(syntax));
                }
                _ => true,
            };
        }
        let (tag, kind, length) = reader.typed_head().ok_or(Problem::Broken)?;
        // Pixels, and what speaks of single frames.
        if tag >= PER_FRAME {
            return Ok(found);
        }
        let is_in_order = found.last().is_none_or(|last| last.tag < tag);
        let element = match (is_data && is_wanted(tag), tag) {
            (true, _) if is_in_order => {
                value(&mut reader, (tag, kind, length), MAX_DEPTH, &mut budget)
            }
            (true, _) => None,
            (false, tag::TRANSFER_SYNTAX) => {
                let text = reader.take(length as usize).ok_or(Problem::Broken)?;
                let text = String::from_utf8_lossy(text);
                text.trim_end_matches(['\0', ' ']).clone_into(&mut syntax);
                continue;
            }
            (false, _) => skip(&mut reader, length).map(|()| None),
        };
        found.extend(element.ok_or(Problem::Broken)?);
    }
    // The pixels are missing, or lie behind what was read.
    Err(Problem::Broken)
}

fn skip(reader: &mut Reader<'_>, length: u32) -> Option<()> {
    match length {
        UNDEFINED => reader.skip_sequence(MAX_DEPTH),
        length => reader.take(length as usize).map(|_| ()),
    }
}

/// The element whose head was read; `Some(None)` where it is one that is left out.
fn value(
    reader: &mut Reader<'_>,
    (tag, kind, length): (DicomTag, Option<[u8; 2]>, u32),
    depth: u32,
    budget: &mut usize,
) -> Option<Option<DicomElement>> {
    *budget = budget.checked_sub(1)?;
    let depth = depth.checked_sub(1)?;
    if tag.0 % 2 == 1 || kind == Some(*b"UN") {
        // A sequence of an unknown type does not name the types of its elements (PS3.5, 6.2.2).
        let explicit = reader.explicit;
        reader.explicit &= kind != Some(*b"UN");
        let skipped = skip(reader, length);
        reader.explicit = explicit;
        return skipped.map(|()| None);
    }
    let value = if kind == Some(*b"SQ") || length == UNDEFINED {
        // Nothing but a sequence is so long without saying how long.
        if kind.is_some_and(|kind| kind != *b"SQ") {
            return None;
        }
        DicomValue::Items(items(reader, length, depth, budget)?)
    } else {
        let bytes = reader.take(length as usize)?;
        // Where types are not named, a sequence is told by its first item.
        let is_sequence = kind.is_none() && bytes.starts_with(&[0xfe, 0xff, 0x00, 0xe0]);
        match is_sequence {
            true => {
                let mut own = Reader {
                    bytes,
                    at: 0,
                    explicit: false,
                };
                DicomValue::Items(items(&mut own, length, depth, budget)?)
            }
            false => DicomValue::Bytes(bytes.to_vec()),
        }
    };
    Some(Some(DicomElement { tag, kind, value }))
}

/// The items of a sequence whose head was read.
fn items(
    reader: &mut Reader<'_>,
    length: u32,
    depth: u32,
    budget: &mut usize,
) -> Option<Vec<Vec<DicomElement>>> {
    let end = end_of(reader, length)?;
    let mut items = Vec::new();
    while end != Some(reader.at) {
        *budget = budget.checked_sub(1)?;
        match reader.head()? {
            (tag::SEQUENCE_END, _) if end.is_none() => break,
            (tag::ITEM, length) => items.push(item(reader, length, depth, budget)?),
            _ => return None,
        }
        if end.is_some_and(|end| reader.at > end) {
            return None;
        }
    }
    Some(items)
}

fn item(
    reader: &mut Reader<'_>,
    length: u32,
    depth: u32,
    budget: &mut usize,
) -> Option<Vec<DicomElement>> {
    let end = end_of(reader, length)?;
    let mut elements: Vec<DicomElement> = Vec::new();
    while end != Some(reader.at) {
        let (tag, kind, length) = reader.typed_head()?;
        if tag == tag::ITEM_END && end.is_none() {
            break;
        }
        if tag.0 == 0xfffe || elements.last().is_some_and(|last| last.tag >= tag) {
            return None;
        }
        elements.extend(value(reader, (tag, kind, length), depth, budget)?);
        if end.is_some_and(|end| reader.at > end) {
            return None;
        }
    }
    Some(elements)
}

/// Where something of a length ends; `Some(None)` where its end is marked.
fn end_of(reader: &Reader<'_>, length: u32) -> Option<Option<usize>> {
    if length == UNDEFINED {
        return Some(None);
    }
    let end = reader.at.checked_add(length as usize)?;
    (end <= reader.bytes.len()).then_some(Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> Vec<u8> {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign/dicom");
        std::fs::read(folder.join("level-0.dcm")).unwrap()
    }

    fn all(bytes: &[u8]) -> Result<Vec<DicomElement>, Problem> {
        elements_of(bytes, |_| true)
    }

    fn text_of(elements: &[DicomElement], tag: DicomTag) -> Option<String> {
        let mut all = elements.iter();
        all.find(|element| element.tag == tag)?.text()
    }

    /// A file of which `body` follows the first group.
    fn file(syntax: &str, body: &[u8]) -> Vec<u8> {
        let mut bytes = [vec![0; 128], b"DICM\x02\0\x10\0UI".to_vec()].concat();
        bytes.extend((syntax.len() as u16).to_le_bytes());
        bytes.extend(syntax.as_bytes());
        bytes.extend(body);
        bytes.extend(*b"\xe0\x7f\x10\0OB\0\0\0\0\0\0");
        bytes
    }

    #[test]
    fn elements_and_items_are_read_up_to_the_pixels() {
        let found = all(&drawn()).unwrap();
        assert_eq!(text_of(&found, (0x0020, 0x000d)).as_deref(), Some("2.25.2"));
        let shared = found.iter().find(|e| e.tag == (0x5200, 0x9229)).unwrap();
        let measures = &shared.items()[0][0];
        assert_eq!(measures.tag, (0x0028, 0x9110));
        let spacing = text_of(&measures.items()[0], (0x0028, 0x0030));
        assert_eq!(spacing.as_deref(), Some("0.0005\\0.0005"));
        let few = elements_of(&drawn(), |tag| tag == (0x0020, 0x000d)).unwrap();
        assert_eq!(few.len(), 1);
    }

    #[test]
    fn types_that_are_not_named_are_told_by_the_items() {
        // The specimen's sequence: an item of known length with one element, and a private element behind it.
        let mut body =
            b"\x40\0\x60\x05\x12\0\0\0\xfe\xff\0\xe0\x0a\0\0\0\x40\0\x51\x05\x02\0\0\0S1".to_vec();
        body.extend(*b"\x41\0\x01\0\x02\0\0\0xx");
        let body = body.as_slice();
        let mut bytes = file("1.2.840.10008.1.2\0", body);
        // Behind a head without a type the pixels' length stands at once.
        let end = bytes.len() - 12;
        bytes.truncate(end);
        bytes.extend(*b"\xe0\x7f\x10\0\0\0\0\0");
        let found = all(&bytes).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            text_of(&found[0].items()[0], (0x0040, 0x0551)).as_deref(),
            Some("S1")
        );
        assert_eq!(found[0].kind, None);
        let deflated = file("1.2.840.10008.1.2.1.99", b"\x40\0");
        assert!(matches!(all(&deflated), Err(Problem::Syntax(_))));
    }

    #[test]
    fn what_is_private_or_of_an_unknown_type_is_left_out() {
        let mut body = b"\x10\0\x10\0PN\x04\0A^B ".to_vec();
        body.extend(*b"\x11\0\x10\0LO\x02\0me");
        body.extend(*b"\x12\0\x10\0UN\0\0\x02\0\0\0??");
        let found = all(&file("1.2.840.10008.1.2.1\0", &body)).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text().as_deref(), Some("A^B"));
    }

    #[test]
    fn headers_that_lie_are_refused() {
        for body in [
            // Longer than the file, than the sequence, than the item.
            &b"\x10\0\x10\0PN\xff\0A"[..],
            b"\x40\0\x60\x05SQ\0\0\x04\0\0\0\xfe\xff\0\xe0\0\0\0\0",
            b"\x40\0\x60\x05SQ\0\0\x0a\0\0\0\xfe\xff\0\xe0\x02\0\0\0\x40\0\x51\x05LO\x02\0S1",
            // A text of unknown length, and elements that go backwards.
            b"\x40\0\x60\x05UT\0\0\xff\xff\xff\xff",
            b"\x10\0\x20\0LO\x02\0id\x10\0\x10\0PN\x02\0me",
        ] {
            let bytes = file("1.2.840.10008.1.2.1\0", body);
            assert_eq!(all(&bytes).err(), Some(Problem::Broken), "{body:?}");
        }
        let mut deep = Vec::new();
        for _ in 0..100_000 {
            deep.extend(*b"\x08\0\x10\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff");
        }
        let many: Vec<u8> = [&b"\x08\0\x10\x11SQ\0\0\xff\xff\xff\xff"[..]]
            .into_iter()
            .chain((0..=MAX_ELEMENTS).map(|_| &b"\xfe\xff\0\xe0\0\0\0\0"[..]))
            .flatten()
            .copied()
            .collect();
        for body in [deep, many] {
            assert_eq!(
                all(&file("1.2.840.10008.1.2.1\0", &body)).err(),
                Some(Problem::Broken)
            );
        }
        let whole = drawn();
        for at in 0..2000.min(whole.len()) {
            let _ = all(&whole[..at]);
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let _ = all(&bytes);
        }
    }

    #[test]
    fn the_files_of_the_full_size_are_found_from_any_of_the_series() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign/dicom");
        for file in ["level-0.dcm", "level-1.dcm"] {
            let headers = headers_of_full_size(&folder.join(file), 75, |_| true).unwrap();
            let headers = headers.unwrap();
            assert_eq!(headers.len(), 1);
            assert_eq!(
                headers[0].text((0x0008, 0x0018)).as_deref(),
                Some("2.25.100")
            );
        }
        assert!(headers_of_full_size(&folder.join("level-0.dcm"), 76, |_| true).is_err());
        let other = folder.join("../leica.scn");
        assert!(
            headers_of_full_size(&other, 75, |_| true)
                .unwrap()
                .is_none()
        );
    }
}
