//! Builds the elements of a data set: each with the type that the standard's dictionary gives it, and within its limits.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;
use dicom_transfer_syntax_registry::entries::EXPLICIT_VR_LITTLE_ENDIAN;
use uuid::Uuid;

use crate::slide::dicom::{DicomElement, DicomValue};

/// The type of a tag.
pub(super) fn kind_of(tag: Tag) -> VR {
    let entry = StandardDataDictionary.by_tag(tag);
    entry.map_or(VR::UN, |entry| entry.vr().relaxed())
}

/// Gives a data set an element.
pub(super) fn set(to: &mut InMemDicomObject, tag: Tag, value: impl Into<PrimitiveValue>) {
    to.put(DataElement::new(tag, kind_of(tag), value.into()));
}

/// Gives a data set an element without a value, which the standard wants even where nothing is known.
pub(super) fn set_empty(to: &mut InMemDicomObject, tag: Tag) {
    match kind_of(tag) {
        VR::SQ => set_items(to, tag, Vec::new()),
        _ => set(to, tag, PrimitiveValue::Empty),
    }
}

/// Gives a data set a sequence.
pub(super) fn set_items(to: &mut InMemDicomObject, tag: Tag, items: Vec<InMemDicomObject>) {
    to.put(sequence(tag, items));
}

/// A decimal number in the sixteen characters that it may have.
pub(super) fn decimal(number: f64) -> String {
    // No minus before a nought.
    let number = number + 0.0;
    let shortest = number.to_string();
    if shortest.len() <= 16 {
        return shortest;
    }
    let rounded = (0..=14).rev().map(|digits| format!("{number:.digits$}"));
    let mut short = rounded.filter(|text| text.len() <= 16);
    let fixed = short.next().unwrap_or_default();
    // Of tiny numbers, digits would be lost.
    match number.abs() < 1e-3 || fixed.is_empty() {
        true => format!("{number:.8e}"),
        false => fixed,
    }
}

/// A text of at most 64 characters on one line: what separates values or controls anything becomes `_`.
pub(super) fn long_string(text: &str) -> String {
    let is_bad = |c: char| c.is_control() || c == '\\';
    let clean = text.chars().map(|c| if is_bad(c) { '_' } else { c });
    let clean: String = clean.take(64).collect();
    clean.trim().to_owned()
}

/// The same in ASCII, for data sets of any character set.
pub(super) fn ascii(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_ascii() { c } else { '_' });
    long_string(&plain.collect::<String>())
}

/// A UID that is the same whenever it is made of the same text: `2.25` and a UUID of version 5 (PS3.5, B.2).
pub(super) fn uid(what: &str, text: &str) -> String {
    let name = format!("ftuseg dicom {what} {text}");
    let made = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
    format!("2.25.{}", made.as_u128())
}

/// An element of a file as one of ours, its bytes as they are; `None` where the dictionary does not know its type.
///
/// # Errors
/// Its tag, where it contradicts the dictionary or is too long for its type.
pub(super) fn copied(element: &DicomElement) -> Result<Option<InMemElement>, Tag> {
    let tag = Tag(element.tag.0, element.tag.1);
    let kind = match element.kind {
        Some(kind) => VR::from_binary(kind).ok_or(tag)?,
        None => kind_of(tag),
    };
    let value = match &element.value {
        _ if kind == VR::UN => return Ok(None),
        DicomValue::Items(items) if kind == VR::SQ => {
            let items = items.iter().map(|item| data_set(item));
            let items: Vec<_> = items.collect::<Result<_, _>>()?;
            return Ok(Some(sequence(tag, items)));
        }
        DicomValue::Bytes(bytes) if kind == VR::SQ && bytes.is_empty() => {
            return Ok(Some(sequence(tag, Vec::new())));
        }
        // Most types say their length in two bytes.
        DicomValue::Bytes(bytes) if kind != VR::SQ && bytes.len() < 1 << 16 => match kind {
            // What is no text would be written as numbers of its own.
            VR::DS | VR::IS => PrimitiveValue::from(element.text().unwrap_or_default()),
            _ => PrimitiveValue::U8(bytes.as_slice().into()),
        },
        _ => return Err(tag),
    };
    Ok(Some(DataElement::new(tag, kind, value)))
}

/// The elements of an item as a data set of ours.
///
/// # Errors
/// As [`copied`].
pub(super) fn data_set(elements: &[DicomElement]) -> Result<InMemDicomObject, Tag> {
    let mut made = InMemDicomObject::new_empty();
    for element in elements {
        if let Some(element) = copied(element)? {
            made.put(element);
        }
    }
    Ok(made)
}

/// A data set in bytes. Texts that were taken over are in the character set that they came in.
pub(super) fn encoded(data_set: &InMemDicomObject) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    data_set
        .write_dataset_with_ts(&mut bytes, &EXPLICIT_VR_LITTLE_ENDIAN.erased())
        .map_err(|error| format!("its header cannot be encoded: {error}"))?;
    Ok(bytes)
}

fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> InMemElement {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_have_sixteen_characters() {
        for (number, text) in [
            (0.0005, "0.0005"),
            (-0.0, "0"),
            (-0.1, "-0.1"),
            (0.000_252_5, "0.0002525"),
            (1.0 / 3.0, "0.33333333333333"),
            (-12_345.678_901_234_567, "-12345.678901235"),
            (2.0 / 3000.0, "6.66666667e-4"),
        ] {
            assert_eq!(decimal(number), text);
            assert!(decimal(number).len() <= 16);
        }
    }

    #[test]
    fn texts_are_made_to_fit() {
        assert_eq!(long_string(" a\\b\nc "), "a_b_c");
        assert_eq!(long_string(&"é".repeat(100)).chars().count(), 64);
        assert_eq!(ascii("slide é 7"), "slide _ 7");
    }

    #[test]
    fn uids_are_those_that_any_tool_makes_of_the_same_text() {
        // Python: f'2.25.{uuid.uuid5(uuid.NAMESPACE_URL, "ftuseg dicom study slide 7").int}'
        let study = uid("study", "slide 7");
        assert_eq!(study, "2.25.89244208455517819733193704951706872038");
        assert_ne!(study, uid("series", "slide 7"));
    }
}
