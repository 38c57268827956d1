//! `segmentation.dcm`: what was found as a DICOM Segmentation (PS3.3, A.51), binary and tiled, a segment a target.
//!
//! Only tiles that hold something are frames (`TILED_SPARSE`), so that the file grows with the objects, not with the slide.
//! Frames go to the disk one by one; memory holds their places. Where the slide is DICOM, the file belongs to its series.

mod codes;
mod data_set;
mod elements;
mod frames;
mod geometry;
mod source;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use dicom_core::{PrimitiveValue, Tag, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use ftuseg_router::Target;

use super::{Sink, SinkError, SlideFindings};
use crate::mask::Mask;
use data_set::DataSet;
use elements::{decimal, encoded, set, set_items};
use frames::{BitPacker, Place, packed_bytes};
use source::{Source, source};

/// Writes `segmentation.dcm`: a segment a target that found something, the px of `mask.tif` one by one.
#[derive(Debug, Clone, Copy, Default)]
pub struct DicomSeg;

/// A segment: the objects of a target.
struct Segment<'a> {
    target: Target,
    /// None where nothing was looked for.
    mask: Option<&'a Mask>,
    /// The tiles that are its frames.
    places: Vec<Place>,
}

impl Sink for DicomSeg {
    fn file_name(&self) -> &'static str {
        "segmentation.dcm"
    }

    fn needs_objects(&self) -> bool {
        false
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        let io = |cause| SinkError::io(path, cause);
        let source = source(findings, path)?;
        let segments = segments(findings, &source);
        let frames = segments.iter().map(|segment| segment.places.len()).sum();
        let bytes = packed_bytes(frames, source.tiles)
            .and_then(|bytes| u32::try_from(bytes).ok())
            .filter(|&bytes| bytes < u32::MAX)
            .ok_or_else(|| SinkError::Dicom {
                path: path.to_owned(),
                reason: format!(
                    "{frames} tiles are more than a DICOM file can hold; leave this output out"
                ),
            })?;
        let file = File::create(path).map_err(io)?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let header = DataSet {
            findings,
            source: &source,
            segments: &segments,
            frames,
        };
        let (group, header) = header.encode().map_err(|reason| SinkError::Dicom {
            path: path.to_owned(),
            reason,
        })?;
        let write = |out: &mut BufWriter<File>| -> io::Result<()> {
            out.write_all(&[0; 128])?;
            out.write_all(b"DICM")?;
            out.write_all(&group)?;
            out.write_all(&header)?;
            write_places(out, &source, &segments)?;
            head(out, tags::PIXEL_DATA, *b"OB", bytes)
        };
        write(&mut out).map_err(io)?;
        let mut packer = BitPacker::new(out);
        // Fits: the sides of tiles are bounded.
        let mut px = vec![0; source.tiles.px() as usize];
        for segment in &segments {
            for &place in &segment.places {
                px.fill(0);
                if let Some(mask) = segment.mask {
                    let (rect, stride) = (source.tiles.rect(place), source.tiles.width as usize);
                    mask.read_block(rect, 0, 1, &mut px, stride)?;
                }
                packer.put(&px).map_err(io)?;
            }
        }
        let out = packer.finish().map_err(io)?;
        let file = out.into_inner().map_err(|error| io(error.into_error()))?;
        file.sync_all().map_err(io)
    }
}

/// The segments: of every target that found something. The standard wants a segment and a frame at least: where nothing was
/// found, there is a segment of every target that was asked, and one empty frame.
fn segments<'a>(findings: &SlideFindings<'a>, source: &Source) -> Vec<Segment<'a>> {
    let layers = findings.segmentation.layers.iter();
    let mut all: Vec<Segment<'a>> = layers
        .map(|layer| Segment {
            target: layer.target,
            mask: Some(&layer.mask),
            places: source.tiles.occupied(&layer.mask),
        })
        .collect();
    if all.iter().any(|segment| !segment.places.is_empty()) {
        all.retain(|segment| !segment.places.is_empty());
        return all;
    }
    if all.is_empty() {
        all.push(Segment {
            target: Target::Other,
            mask: None,
            places: Vec::new(),
        });
    }
    all[0].places.push((0, 0));
    all
}

/// Writes where each frame lies, frame by frame.
fn write_places(out: &mut impl Write, source: &Source, segments: &[Segment<'_>]) -> io::Result<()> {
    const ITEM: Tag = Tag(0xfffe, 0xe000);
    const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);
    let places = || segments.iter().flat_map(|segment| &segment.places);
    let ranks = |all: BTreeSet<u32>| all.into_iter().collect::<Vec<_>>();
    let rows = ranks(places().map(|place| place.0).collect());
    let columns = ranks(places().map(|place| place.1).collect());
    // Each was put there above.
    let rank = |all: &[u32], one: u32| 1 + all.partition_point(|&other| other < one) as u32;
    head(
        out,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        *b"SQ",
        u32::MAX,
    )?;
    for (segment, number) in segments.iter().zip(1_u16..) {
        for &place in &segment.places {
            let at = source.tiles.rect(place);
            let indices = [number.into(), rank(&rows, place.0), rank(&columns, place.1)];
            let item = frame(source, number, (at.x, at.y), indices);
            let item = encoded(&item).map_err(io::Error::other)?;
            marker(out, ITEM, item.len() as u32)?;
            out.write_all(&item)?;
        }
    }
    marker(out, SEQUENCE_END, 0)
}

/// What is said of one frame, whose first px lies at a column and row of the full size.
fn frame(source: &Source, segment: u16, (x, y): (u32, u32), indices: [u32; 3]) -> InMemDicomObject {
    let mut content = InMemDicomObject::new_empty();
    set(
        &mut content,
        tags::DIMENSION_INDEX_VALUES,
        PrimitiveValue::U32(indices.as_slice().into()),
    );
    let mut plane = InMemDicomObject::new_empty();
    for (tag, px) in [
        (tags::COLUMN_POSITION_IN_TOTAL_IMAGE_PIXEL_MATRIX, x),
        (tags::ROW_POSITION_IN_TOTAL_IMAGE_PIXEL_MATRIX, y),
    ] {
        // They are counted from 1, and no side of a slide is over 2^20 px.
        set(&mut plane, tag, dicom_value!(I32, [px as i32 + 1]));
    }
    let offsets = [
        tags::X_OFFSET_IN_SLIDE_COORDINATE_SYSTEM,
        tags::Y_OFFSET_IN_SLIDE_COORDINATE_SYSTEM,
        tags::Z_OFFSET_IN_SLIDE_COORDINATE_SYSTEM,
    ];
    for (tag, mm) in offsets.into_iter().zip(source.geometry.at(x, y)) {
        set(&mut plane, tag, decimal(mm));
    }
    let mut identification = InMemDicomObject::new_empty();
    set(
        &mut identification,
        tags::REFERENCED_SEGMENT_NUMBER,
        dicom_value!(U16, [segment]),
    );
    let mut item = InMemDicomObject::new_empty();
    set_items(&mut item, tags::FRAME_CONTENT_SEQUENCE, vec![content]);
    set_items(&mut item, tags::PLANE_POSITION_SLIDE_SEQUENCE, vec![plane]);
    set_items(
        &mut item,
        tags::SEGMENT_IDENTIFICATION_SEQUENCE,
        vec![identification],
    );
    item
}

/// The head of an element of a type whose length has four bytes.
fn head(out: &mut impl Write, tag: Tag, kind: [u8; 2], length: u32) -> io::Result<()> {
    out.write_all(&tag.0.to_le_bytes())?;
    out.write_all(&tag.1.to_le_bytes())?;
    out.write_all(&kind)?;
    out.write_all(&[0; 2])?;
    out.write_all(&length.to_le_bytes())
}

/// The head of an item, or of the end of a sequence.
fn marker(out: &mut impl Write, tag: Tag, length: u32) -> io::Result<()> {
    out.write_all(&tag.0.to_le_bytes())?;
    out.write_all(&tag.1.to_le_bytes())?;
    out.write_all(&length.to_le_bytes())
}
