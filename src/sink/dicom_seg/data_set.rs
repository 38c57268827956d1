//! The data set of a segmentation but for its frames: what it is, who made it of which image, and what its segments are.

use dicom_core::{PrimitiveValue, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use ftuseg_router::Target;
use sha2::{Digest, Sha256};

use super::Segment;
use super::codes::{
    self, ANATOMICAL_STRUCTURE, ARTIFICIAL_INTELLIGENCE, Code, SEGMENTATION, SOURCE_IMAGE,
};
use super::elements::{ascii, encoded, set, set_empty, set_items, uid};
use super::source::{Image, Source};
use crate::sink::SlideFindings;
use crate::sink::findings::names;

/// What stands before the places of the frames.
pub(super) struct DataSet<'a> {
    pub findings: &'a SlideFindings<'a>,
    pub source: &'a Source,
    pub segments: &'a [Segment<'a>],
    /// How many there are.
    pub frames: usize,
}

impl DataSet<'_> {
    /// The first group, and the data set up to the places of the frames, each encoded.
    pub fn encode(&self) -> Result<(Vec<u8>, Vec<u8>), String> {
        let mut to = self.source.context.clone();
        self.put_image(&mut to);
        self.put_dimensions(&mut to);
        self.put_references(&mut to);
        let numbered = (1..).zip(self.segments);
        let items = numbered.map(|(number, segment)| self.segment(number, segment));
        set_items(&mut to, tags::SEGMENT_SEQUENCE, items.collect());
        // What is in the file names it: another file is another instance.
        let mut digest = Sha256::new();
        digest.update(encoded(&to)?);
        for segment in self.segments {
            digest.update(segment.target.name());
            for (y, run) in segment.mask.iter().flat_map(|mask| mask.rows()) {
                [y, run.start, run.end]
                    .iter()
                    .for_each(|number| digest.update(number.to_le_bytes()));
            }
        }
        let digest: String = digest
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let instance = uid("instance", &digest);
        set(&mut to, tags::SOP_INSTANCE_UID, instance.as_str());
        set(&mut to, tags::SERIES_INSTANCE_UID, uid("series", &digest));
        let meta = FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(uids::SEGMENTATION_STORAGE)
            .media_storage_sop_instance_uid(instance)
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
            .implementation_class_uid(uid("implementation", ""))
            .implementation_version_name(ascii(concat!("FTUSEG_", env!("CARGO_PKG_VERSION"))))
            .build()
            .map_err(|error| error.to_string())?;
        let mut group = Vec::new();
        meta.write(&mut group).map_err(|error| error.to_string())?;
        Ok((group, encoded(&to)?))
    }

    /// The image itself: what it is, who made it, how its px are stored.
    fn put_image(&self, to: &mut InMemDicomObject) {
        let (bundle, grid) = (self.findings.bundle, self.findings.segmentation.map.grid());
        let tiles = self.source.tiles;
        for (tag, text) in [
            (tags::IMAGE_TYPE, "DERIVED\\PRIMARY"),
            (tags::SOP_CLASS_UID, uids::SEGMENTATION_STORAGE),
            (tags::MODALITY, "SEG"),
            (tags::MANUFACTURER, "ftuseg"),
            (tags::MANUFACTURER_MODEL_NAME, "ftuseg"),
            // A program has none: the models that it runs are told apart instead.
            (tags::DEVICE_SERIAL_NUMBER, bundle.sha256.as_str()),
            (tags::SERIES_DESCRIPTION, "Functional tissue units"),
            (tags::SERIES_NUMBER, "1"),
            (tags::INSTANCE_NUMBER, "1"),
            (tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"),
            (tags::BURNED_IN_ANNOTATION, "NO"),
            (tags::SEGMENTATION_TYPE, "BINARY"),
            (tags::SEGMENTS_OVERLAP, "NO"),
            (tags::CONTENT_LABEL, "SEGMENTATION"),
            (tags::CONTENT_DESCRIPTION, "Functional tissue units"),
        ] {
            set(to, tag, text);
        }
        let versions = [
            concat!("ftuseg ", env!("CARGO_PKG_VERSION")).to_owned(),
            ascii(&format!("bundle {} {}", bundle.name, bundle.version)),
        ];
        set(to, tags::SOFTWARE_VERSIONS, versions.join("\\"));
        set_empty(to, tags::CONTENT_CREATOR_NAME);
        set(to, tags::NUMBER_OF_FRAMES, self.frames.to_string());
        for (tag, number) in [
            (tags::SAMPLES_PER_PIXEL, 1),
            // Of at most 1024 px a side.
            (tags::ROWS, tiles.height as u16),
            (tags::COLUMNS, tiles.width as u16),
            (tags::BITS_ALLOCATED, 1),
            (tags::BITS_STORED, 1),
            (tags::HIGH_BIT, 0),
            (tags::PIXEL_REPRESENTATION, 0),
        ] {
            set(to, tag, dicom_value!(U16, [number]));
        }
        for (tag, number) in [
            (tags::TOTAL_PIXEL_MATRIX_COLUMNS, grid.width()),
            (tags::TOTAL_PIXEL_MATRIX_ROWS, grid.height()),
            (tags::TOTAL_PIXEL_MATRIX_FOCAL_PLANES, 1),
        ] {
            set(to, tag, dicom_value!(U32, [number]));
        }
    }

    /// How frames are told apart: by segment, row and column.
    fn put_dimensions(&self, to: &mut InMemDicomObject) {
        let organization = uid("dimensions", "segment, row, column");
        let mut own = InMemDicomObject::new_empty();
        set(
            &mut own,
            tags::DIMENSION_ORGANIZATION_UID,
            organization.as_str(),
        );
        set_items(to, tags::DIMENSION_ORGANIZATION_SEQUENCE, vec![own]);
        set(to, tags::DIMENSION_ORGANIZATION_TYPE, "TILED_SPARSE");
        let indices = [
            (
                tags::REFERENCED_SEGMENT_NUMBER,
                tags::SEGMENT_IDENTIFICATION_SEQUENCE,
                "Segment",
            ),
            (
                tags::ROW_POSITION_IN_TOTAL_IMAGE_PIXEL_MATRIX,
                tags::PLANE_POSITION_SLIDE_SEQUENCE,
                "Row",
            ),
            (
                tags::COLUMN_POSITION_IN_TOTAL_IMAGE_PIXEL_MATRIX,
                tags::PLANE_POSITION_SLIDE_SEQUENCE,
                "Column",
            ),
        ];
        let items = indices.map(|(pointer, group, label)| {
            let mut item = InMemDicomObject::new_empty();
            set(
                &mut item,
                tags::DIMENSION_ORGANIZATION_UID,
                organization.as_str(),
            );
            set(
                &mut item,
                tags::DIMENSION_INDEX_POINTER,
                PrimitiveValue::Tags([pointer].into_iter().collect()),
            );
            set(
                &mut item,
                tags::FUNCTIONAL_GROUP_POINTER,
                PrimitiveValue::Tags([group].into_iter().collect()),
            );
            set(&mut item, tags::DIMENSION_DESCRIPTION_LABEL, label);
            item
        });
        set_items(to, tags::DIMENSION_INDEX_SEQUENCE, items.into());
    }

    /// What all frames have in common, and the images that they were made from.
    fn put_references(&self, to: &mut InMemDicomObject) {
        let mut shared = InMemDicomObject::new_empty();
        let measures = vec![self.source.measures.clone()];
        set_items(&mut shared, tags::PIXEL_MEASURES_SEQUENCE, measures);
        if let Some(series) = &self.source.series {
            let images = series.images.iter().map(reference).collect();
            let mut item = InMemDicomObject::new_empty();
            set(&mut item, tags::SERIES_INSTANCE_UID, series.uid.as_str());
            set_items(&mut item, tags::REFERENCED_INSTANCE_SEQUENCE, images);
            set_items(to, tags::REFERENCED_SERIES_SEQUENCE, vec![item]);
            let sources = series.images.iter().map(|image| {
                let mut item = reference(image);
                set(&mut item, tags::SPATIAL_LOCATIONS_PRESERVED, "YES");
                let purpose = vec![SOURCE_IMAGE.item()];
                set_items(&mut item, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, purpose);
                item
            });
            let mut derivation = InMemDicomObject::new_empty();
            set_items(
                &mut derivation,
                tags::SOURCE_IMAGE_SEQUENCE,
                sources.collect(),
            );
            let how = vec![SEGMENTATION.item()];
            set_items(&mut derivation, tags::DERIVATION_CODE_SEQUENCE, how);
            set_items(
                &mut shared,
                tags::DERIVATION_IMAGE_SEQUENCE,
                vec![derivation],
            );
        }
        set_items(to, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
    }

    /// The description of a segment.
    fn segment(&self, number: u16, segment: &Segment<'_>) -> InMemDicomObject {
        let target = segment.target;
        let bundle = self.findings.bundle;
        let name = match target.organ() {
            Some(organ) => organ.ftu().to_owned(),
            None if target == Target::Other => "Functional tissue unit".to_owned(),
            None => format!("Functional tissue unit ({})", target.name()),
        };
        let mut layers = self.findings.segmentation.layers.iter();
        let layer = layers.find(|layer| layer.target == target);
        let model = layer.map_or("none".to_owned(), |layer| names(&layer.models));
        let code = |code: Code| vec![code.item()];
        let mut item = InMemDicomObject::new_empty();
        set(&mut item, tags::SEGMENT_NUMBER, dicom_value!(U16, [number]));
        set(&mut item, tags::SEGMENT_LABEL, name);
        set(&mut item, tags::SEGMENT_ALGORITHM_TYPE, "AUTOMATIC");
        set(
            &mut item,
            tags::SEGMENT_ALGORITHM_NAME,
            ascii(&format!("ftuseg {model}")),
        );
        for (tag, meaning) in [
            (
                tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE,
                ANATOMICAL_STRUCTURE,
            ),
            (
                tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE,
                codes::unit(target),
            ),
        ] {
            set_items(&mut item, tag, code(meaning));
        }
        if let Some(region) = codes::region(target) {
            set_items(&mut item, tags::ANATOMIC_REGION_SEQUENCE, code(region));
        }
        // The same units of the same slide, whoever finds them again.
        let tracked = format!("{} {}", self.source.name, target.name());
        set(&mut item, tags::TRACKING_ID, tracked.as_str());
        set(&mut item, tags::TRACKING_UID, uid("segment", &tracked));
        let mut algorithm = InMemDicomObject::new_empty();
        let family = code(ARTIFICIAL_INTELLIGENCE);
        set_items(&mut algorithm, tags::ALGORITHM_FAMILY_CODE_SEQUENCE, family);
        set(
            &mut algorithm,
            tags::ALGORITHM_NAME,
            ascii(&format!("ftuseg {model}")),
        );
        let version = format!("{} {}", bundle.name, bundle.version);
        set(&mut algorithm, tags::ALGORITHM_VERSION, ascii(&version));
        set(&mut algorithm, tags::ALGORITHM_SOURCE, "ftuseg");
        // A record of an older version may not tell the threshold.
        if let Some(threshold) = layer.map(|l| l.threshold).filter(|t| !t.is_nan()) {
            let stated = format!("threshold {threshold}");
            set(&mut algorithm, tags::ALGORITHM_PARAMETERS, stated);
        }
        set_items(
            &mut item,
            tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE,
            vec![algorithm],
        );
        item
    }
}

/// A reference to an image.
fn reference(image: &Image) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    set(
        &mut item,
        tags::REFERENCED_SOP_CLASS_UID,
        image.class.as_str(),
    );
    set(
        &mut item,
        tags::REFERENCED_SOP_INSTANCE_UID,
        image.instance.as_str(),
    );
    item
}
