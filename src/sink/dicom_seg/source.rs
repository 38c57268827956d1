//! Where a segmentation belongs: the series of the slide's own DICOM files, or a study that is made up of the slide's name.

use std::path::Path;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::codes::SLIDE;
use super::elements::{
    ascii, copied, data_set, decimal, long_string, set, set_empty, set_items, uid,
};
use super::frames::Grid;
use super::geometry::{Geometry, UPRIGHT, are_directions};
use crate::sink::{Output, SinkError, SlideFindings};
use crate::slide::dicom::{DicomElement, DicomHeader, DicomTag, DicomValue};

/// Sides of tiles that are taken over from the slide, px: smaller ones would be too many, larger ones mostly empty.
const SIDES: std::ops::RangeInclusive<u32> = 64..=1024;
/// Side of other tiles, px.
const SIDE: u32 = 512;

/// An image that the segmentation was made from.
pub(super) struct Image {
    pub class: String,
    pub instance: String,
}

/// The series that those images are.
pub(super) struct Series {
    pub uid: String,
    /// In the order of their UIDs.
    pub images: Vec<Image>,
}

/// Where a segmentation belongs.
pub(super) struct Source {
    /// Patient, study, frame of reference, slide and specimen.
    pub context: InMemDicomObject,
    /// The item of the pixel measures.
    pub measures: InMemDicomObject,
    pub geometry: Geometry,
    pub tiles: Grid,
    /// None where the slide is not DICOM.
    pub series: Option<Series>,
    /// What UIDs of what is the slide's are made from, in ASCII where the slide is DICOM.
    pub name: String,
}

/// Finds out where the segmentation of a slide belongs.
///
/// # Errors
/// When the headers of its DICOM files cannot be read or contradict themselves, or nothing says how large its px are.
pub(super) fn source(findings: &SlideFindings<'_>, path: &Path) -> Result<Source, SinkError> {
    match findings.slide.dicom_headers(is_wanted)? {
        Some(headers) => of_series(findings, &headers, path),
        None => of_slide(findings, path),
    }
}

/// Tags of what is taken over as it is, beside all that is said of the patient and of trials.
const TAKEN_OVER: [Tag; 23] = [
    tags::SPECIFIC_CHARACTER_SET,
    tags::STUDY_DATE,
    tags::CONTENT_DATE,
    tags::STUDY_TIME,
    tags::CONTENT_TIME,
    tags::ACCESSION_NUMBER,
    tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::TIMEZONE_OFFSET_FROM_UTC,
    tags::STUDY_DESCRIPTION,
    tags::STUDY_INSTANCE_UID,
    tags::STUDY_ID,
    tags::FRAME_OF_REFERENCE_UID,
    tags::POSITION_REFERENCE_INDICATOR,
    tags::LOSSY_IMAGE_COMPRESSION,
    tags::LOSSY_IMAGE_COMPRESSION_RATIO,
    tags::LOSSY_IMAGE_COMPRESSION_METHOD,
    tags::CONTAINER_IDENTIFIER,
    tags::ISSUER_OF_THE_CONTAINER_IDENTIFIER_SEQUENCE,
    tags::CONTAINER_TYPE_CODE_SEQUENCE,
    tags::SPECIMEN_DESCRIPTION_SEQUENCE,
    tags::TOTAL_PIXEL_MATRIX_ORIGIN_SEQUENCE,
    tags::IMAGE_ORIENTATION_SLIDE,
];

/// Tags of what is looked at and stated anew.
const LOOKED_AT: [Tag; 8] = [
    tags::SOP_CLASS_UID,
    tags::SOP_INSTANCE_UID,
    tags::SERIES_INSTANCE_UID,
    tags::ROWS,
    tags::COLUMNS,
    tags::TOTAL_PIXEL_MATRIX_COLUMNS,
    tags::TOTAL_PIXEL_MATRIX_ROWS,
    tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
];

fn is_taken_over(tag: DicomTag) -> bool {
    // The patient, and the trial that the patient is part of; no length of a group.
    let is_of_patient = matches!(tag.0, 0x0010 | 0x0012) && tag.1 != 0;
    is_of_patient || TAKEN_OVER.contains(&Tag(tag.0, tag.1))
}

fn is_wanted(tag: DicomTag) -> bool {
    is_taken_over(tag) || LOOKED_AT.contains(&Tag(tag.0, tag.1))
}

fn of_series(
    findings: &SlideFindings<'_>,
    headers: &[DicomHeader],
    path: &Path,
) -> Result<Source, SinkError> {
    let refused = |reason: String| SinkError::Dicom {
        path: path.to_owned(),
        reason,
    };
    let told = |tag: Tag| refused(format!("the slide's DICOM header has no sound {tag}"));
    let header = headers.first().ok_or_else(|| {
        refused("the slide's DICOM files do not hold it at its full size".to_owned())
    })?;
    let uid_of = |header: &DicomHeader, tag: Tag| {
        let text = header.text((tag.0, tag.1));
        match text.filter(|text| is_uid(text)) {
            Some(text) => Ok(text),
            None => Err(told(tag)),
        }
    };
    let grid = findings.segmentation.map.grid();
    let mut images = Vec::new();
    for header in headers {
        for (tag, side) in [
            (tags::TOTAL_PIXEL_MATRIX_COLUMNS, grid.width()),
            (tags::TOTAL_PIXEL_MATRIX_ROWS, grid.height()),
        ] {
            if whole(header, tag) != Some(side) {
                return Err(told(tag));
            }
        }
        images.push(Image {
            class: uid_of(header, tags::SOP_CLASS_UID)?,
            instance: uid_of(header, tags::SOP_INSTANCE_UID)?,
        });
    }
    images.sort_unstable_by(|one, other| one.instance.cmp(&other.instance));
    let series = Series {
        uid: uid_of(header, tags::SERIES_INSTANCE_UID)?,
        images,
    };
    let mut context = InMemDicomObject::new_empty();
    for element in header.elements() {
        if is_taken_over(element.tag)
            && let Some(element) = copied(element).map_err(told)?
        {
            context.put(element);
        }
    }
    for (tag, what) in [
        (tags::STUDY_INSTANCE_UID, "study"),
        (tags::FRAME_OF_REFERENCE_UID, "frame of reference"),
    ] {
        match header.get((tag.0, tag.1)) {
            Some(_) => drop(uid_of(header, tag)?),
            None => set(&mut context, tag, uid(what, &series.uid)),
        }
    }
    let shared = header.get(number(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE));
    let shared = shared.and_then(|groups| groups.items().first());
    let measures = shared.and_then(|groups| item_of(groups, tags::PIXEL_MEASURES_SEQUENCE));
    let (measures, spacing) = match measures {
        Some(item) => {
            let tag = tags::PIXEL_SPACING;
            let spacing = element_of(item, tag).and_then(numbers::<2>);
            let spacing = spacing.filter(|spacing| spacing.iter().all(|&mm| mm > 0.0));
            (
                data_set(item).map_err(told)?,
                spacing.ok_or_else(|| told(tag))?,
            )
        }
        None => measured(findings, path)?,
    };
    let origin = match header.get(number(tags::TOTAL_PIXEL_MATRIX_ORIGIN_SEQUENCE)) {
        None => [0.0; 2],
        Some(sequence) => {
            let item = sequence.items().first();
            let offset = |tag: Tag| {
                let element = item.and_then(|item| element_of(item, tag));
                let [mm] = element.and_then(numbers::<1>).ok_or_else(|| told(tag))?;
                Ok::<f64, SinkError>(mm)
            };
            [
                offset(tags::X_OFFSET_IN_SLIDE_COORDINATE_SYSTEM)?,
                offset(tags::Y_OFFSET_IN_SLIDE_COORDINATE_SYSTEM)?,
            ]
        }
    };
    let tag = tags::IMAGE_ORIENTATION_SLIDE;
    let orientation = match header.get(number(tag)) {
        None => UPRIGHT,
        Some(element) => numbers::<6>(element)
            .filter(are_directions)
            .ok_or_else(|| told(tag))?,
    };
    let side = |tag: Tag| whole(header, tag).filter(|side| SIDES.contains(side));
    let tiles = match (side(tags::COLUMNS), side(tags::ROWS)) {
        (Some(width), Some(height)) => Grid { width, height },
        _ => Grid {
            width: SIDE,
            height: SIDE,
        },
    };
    let mut source = Source {
        context,
        measures,
        geometry: Geometry {
            origin,
            orientation,
            spacing,
        },
        tiles,
        name: series.uid.clone(),
        series: Some(series),
    };
    source.complete(&ascii(findings.id));
    Ok(source)
}

/// A slide that belongs to no study: one is made up, whose UIDs are those of the slide's name, size and um/px.
fn of_slide(findings: &SlideFindings<'_>, path: &Path) -> Result<Source, SinkError> {
    let grid = findings.segmentation.map.grid();
    let (measures, spacing) = measured(findings, path)?;
    let container = long_string(findings.id);
    let name = format!(
        "{} {} x {} px of {} x {} mm",
        findings.id.replace(char::is_control, "_"),
        grid.width(),
        grid.height(),
        spacing[1],
        spacing[0]
    );
    let mut context = InMemDicomObject::new_empty();
    set(&mut context, tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
    set(&mut context, tags::STUDY_INSTANCE_UID, uid("study", &name));
    let frame = uid("frame of reference", &name);
    set(&mut context, tags::FRAME_OF_REFERENCE_UID, frame);
    let mut source = Source {
        context,
        measures,
        geometry: Geometry {
            origin: [0.0; 2],
            orientation: UPRIGHT,
            spacing,
        },
        tiles: Grid {
            width: SIDE,
            height: SIDE,
        },
        series: None,
        name,
    };
    source.complete(&container);
    Ok(source)
}

impl Source {
    /// Says of what is not known that it is not known, and of what must be known what follows from the rest.
    fn complete(&mut self, container: &str) {
        let Geometry {
            origin,
            orientation,
            ..
        } = &self.geometry;
        let to = &mut self.context;
        let missing = |to: &InMemDicomObject, tag: Tag| to.get(tag).is_none();
        for tag in [
            tags::PATIENT_NAME,
            tags::PATIENT_ID,
            tags::PATIENT_BIRTH_DATE,
            tags::PATIENT_SEX,
            tags::STUDY_DATE,
            tags::STUDY_TIME,
            tags::STUDY_ID,
            tags::ACCESSION_NUMBER,
            tags::REFERRING_PHYSICIAN_NAME,
            tags::ISSUER_OF_THE_CONTAINER_IDENTIFIER_SEQUENCE,
        ] {
            if missing(to, tag) {
                set_empty(to, tag);
            }
        }
        // The program states no time of its own, so that the same input gives the same bytes.
        if missing(to, tags::CONTENT_DATE) || missing(to, tags::CONTENT_TIME) {
            set(to, tags::CONTENT_DATE, "19700101");
            set(to, tags::CONTENT_TIME, "000000");
        }
        if missing(to, tags::LOSSY_IMAGE_COMPRESSION) {
            set(to, tags::LOSSY_IMAGE_COMPRESSION, "00");
        }
        if missing(to, tags::POSITION_REFERENCE_INDICATOR) {
            set(to, tags::POSITION_REFERENCE_INDICATOR, "UNKNOWN");
        }
        if missing(to, tags::CONTAINER_IDENTIFIER) {
            set(to, tags::CONTAINER_IDENTIFIER, container);
        }
        if missing(to, tags::CONTAINER_TYPE_CODE_SEQUENCE) {
            set_items(to, tags::CONTAINER_TYPE_CODE_SEQUENCE, vec![SLIDE.item()]);
        }
        if missing(to, tags::SPECIMEN_DESCRIPTION_SEQUENCE) {
            let mut specimen = InMemDicomObject::new_empty();
            set(&mut specimen, tags::SPECIMEN_IDENTIFIER, container);
            let own = uid("specimen", &self.name);
            set(&mut specimen, tags::SPECIMEN_UID, own);
            for tag in [
                tags::ISSUER_OF_THE_SPECIMEN_IDENTIFIER_SEQUENCE,
                tags::SPECIMEN_PREPARATION_SEQUENCE,
            ] {
                set_empty(&mut specimen, tag);
            }
            set_items(to, tags::SPECIMEN_DESCRIPTION_SEQUENCE, vec![specimen]);
        }
        if missing(to, tags::TOTAL_PIXEL_MATRIX_ORIGIN_SEQUENCE) {
            let mut item = InMemDicomObject::new_empty();
            let [x, y] = origin.map(decimal);
            set(&mut item, tags::X_OFFSET_IN_SLIDE_COORDINATE_SYSTEM, x);
            set(&mut item, tags::Y_OFFSET_IN_SLIDE_COORDINATE_SYSTEM, y);
            set_items(to, tags::TOTAL_PIXEL_MATRIX_ORIGIN_SEQUENCE, vec![item]);
        }
        // Readers want one above 0, and nobody knows how thick the section is: as they usually are.
        if missing(&self.measures, tags::SLICE_THICKNESS) {
            set(&mut self.measures, tags::SLICE_THICKNESS, "0.004");
        }
        if missing(to, tags::IMAGE_ORIENTATION_SLIDE) {
            let all = orientation.map(decimal).join("\\");
            set(to, tags::IMAGE_ORIENTATION_SLIDE, all);
        }
    }
}

/// The pixel measures of a slide that says how large its px are.
fn measured(
    findings: &SlideFindings<'_>,
    path: &Path,
) -> Result<(InMemDicomObject, [f64; 2]), SinkError> {
    let resolution = findings
        .resolution()
        .ok_or_else(|| SinkError::NoResolution {
            path: path.to_owned(),
            output: Output::DicomSeg,
        })?;
    // In decimals, as the file will state it.
    let text = [resolution.down, resolution.mpp].map(|um| decimal(rounded(um / 1000.0)));
    let spacing = [resolution.down, resolution.mpp].map(|um| rounded(um / 1000.0));
    let mut item = InMemDicomObject::new_empty();
    set(&mut item, tags::PIXEL_SPACING, text.join("\\"));
    Ok((item, spacing))
}

/// A number of mm without what the division by 1000 left in its last digits.
fn rounded(mm: f64) -> f64 {
    (mm * 1e12).round() / 1e12
}

fn number(tag: Tag) -> DicomTag {
    (tag.0, tag.1)
}

fn element_of(item: &[DicomElement], tag: Tag) -> Option<&DicomElement> {
    item.iter().find(|element| element.tag == number(tag))
}

/// The first item of a sequence in an item.
fn item_of(item: &[DicomElement], tag: Tag) -> Option<&[DicomElement]> {
    let first = element_of(item, tag)?.items().first()?;
    Some(first)
}

/// So many decimal numbers, no more and no fewer.
fn numbers<const N: usize>(element: &DicomElement) -> Option<[f64; N]> {
    let text = element.text()?;
    let all: Option<Vec<f64>> = text
        .split('\\')
        .map(|one| one.trim().parse().ok())
        .collect();
    let all: [f64; N] = all?.try_into().ok()?;
    all.iter().all(|number| number.is_finite()).then_some(all)
}

/// A whole number of two or four bytes.
fn whole(header: &DicomHeader, tag: Tag) -> Option<u32> {
    match &header.get(number(tag))?.value {
        DicomValue::Bytes(bytes) => match *bytes.as_slice() {
            [a, b] => Some(u16::from_le_bytes([a, b]).into()),
            [a, b, c, d] => Some(u32::from_le_bytes([a, b, c, d])),
            _ => None,
        },
        DicomValue::Items(_) => None,
    }
}

/// Whether a text can be a UID (PS3.5, 9.1).
fn is_uid(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.len() <= 64 && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_checked() {
        let of = |text: &str| DicomElement {
            tag: (0x0028, 0x0030),
            kind: Some(*b"DS"),
            value: DicomValue::Bytes(text.as_bytes().to_vec()),
        };
        assert_eq!(numbers::<2>(&of("0.5\\ 2e-1 ")), Some([0.5, 0.2]));
        for wrong in ["0.5", "0.5\\0.5\\0.5", "0.5\\x", "0.5\\inf", ""] {
            assert_eq!(numbers::<2>(&of(wrong)), None, "{wrong:?}");
        }
        assert!(is_uid("1.2.840.10008.1") && is_uid("2.25.7"));
        for wrong in ["", "1.", "1..2", "1.2a", "1.2 3", &"1".repeat(65)] {
            assert!(!is_uid(wrong), "{wrong:?}");
        }
    }
}
