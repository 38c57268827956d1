//! Writes what was found, one file or folder per format.
//!
//! A [`Sink`] writes one entry of a slide's folder from a [`SlideFindings`]. Objects are measured and outlined once and
//! handed to each sink one by one, so that the record, the tables, the polygons and the picture speak of the same objects
//! under the same numbers, and no sink holds all of them.

mod colours;
pub(crate) mod columns;
#[cfg(feature = "dicom-seg")]
mod dicom_seg;
mod error;
mod findings;
mod geojson;
mod instances;
#[cfg(feature = "zarr")]
mod labels_zarr;
mod legend;
mod mask_tiff;
pub(crate) mod objects_csv;
#[cfg(feature = "parquet")]
pub(crate) mod objects_parquet;
mod output;
mod overlay;
mod picture;
mod probability_tiff;
mod provenance;
mod record;

use std::path::Path;

pub use colours::colour;
pub use columns::{Kind as ColumnKind, Value as ColumnValue, measurement_names, table_columns};
#[cfg(feature = "dicom-seg")]
pub use dicom_seg::DicomSeg;
pub use error::SinkError;
pub use findings::{
    FoundObjects, ObjectProbability, SlideFindings, SlideObject, TargetObjects, object_uuid,
};
pub use geojson::{GeoJson, GeoJsonGz, ObjectsAs, UnknownObjectsAs};
pub use instances::Instances;
#[cfg(feature = "zarr")]
pub use labels_zarr::LabelsZarr;
pub use mask_tiff::MaskTiff;
pub use objects_csv::ObjectsCsv;
#[cfg(feature = "parquet")]
pub use objects_parquet::ObjectsParquet;
pub use output::{Output, Outputs, SinkOptions, UnknownOutput};
pub use overlay::Overlay;
pub use probability_tiff::ProbabilityTiff;
pub use provenance::provenance;
pub use record::RecordSink;
#[cfg(feature = "batch")]
pub(crate) use record::write_record;

/// Writes one file of a slide's folder, or one folder in it.
pub trait Sink: Send + Sync {
    /// The name of the file, or folder, in the slide's folder.
    fn file_name(&self) -> &'static str;

    /// Whether it asks for the objects. One that does not can be written before they are found.
    fn needs_objects(&self) -> bool {
        true
    }

    /// Writes the file, or folder, at `path`, which does not exist yet.
    ///
    /// # Errors
    /// When the file cannot be written, or the slide cannot be read for it.
    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError>;
}

/// Writes a file and waits until it is on the disk, so that a full disk is told of.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), SinkError> {
    use std::io::Write;
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| SinkError::io(path, source))
}
