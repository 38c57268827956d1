//! Outlines as GeoParquet: a polygon for each id, with its holes.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use ftuseg_mask::Polygon;
use ftuseg_slide::zarr_store::ZarrStore;
use parquet::basic::{Compression, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use serde_json::json;

use super::transformations::{Axes, transformations};
use crate::{ExportError, ExportedObject, FinishedSlide};

/// Bytes of outlines that are written at once.
const GROUP: usize = 8 << 20;
/// The column that is the index.
const INDEX: &str = "id";

/// Outlines that are being written.
pub(super) struct Shapes {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    outlines: Vec<ByteArray>,
    ids: Vec<i64>,
    bytes: usize,
    /// Left, top, right and bottom of all.
    bounds: [u32; 4],
}

impl Shapes {
    /// Writes the group `node` and begins its file.
    pub(super) fn create(
        store: &ZarrStore,
        node: &str,
        slide: &FinishedSlide,
    ) -> Result<Self, ExportError> {
        store.group(
            node,
            json!({
                "encoding-type": "ngff:shapes",
                "axes": Axes::Xy.list(),
                "coordinateTransformations": transformations(Axes::Xy, slide.mpp()),
                "spatialdata_attrs": { "version": "0.3" },
            }),
        )?;
        let path = store.folder(node).join("shapes.parquet");
        let file = File::create(&path).map_err(|cause| ExportError::write(&path, cause))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("ftuseg ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = schema().and_then(|schema| {
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
        });
        Ok(Shapes {
            writer: writer.map_err(|error| failed(&path, error))?,
            path,
            outlines: Vec::new(),
            ids: Vec::new(),
            bytes: 0,
            bounds: [u32::MAX, u32::MAX, 0, 0],
        })
    }

    /// Adds an object.
    pub(super) fn add(&mut self, object: &ExportedObject) -> Result<(), ExportError> {
        let outline = well_known_binary(&object.polygon);
        self.bytes += outline.len();
        self.outlines.push(outline.into());
        // No slide has 2^63 objects.
        self.ids.push(i64::try_from(object.id).unwrap_or(i64::MAX));
        let one = object.bounds;
        let [left, top, right, bottom] = &mut self.bounds;
        *left = one.x.min(*left);
        *top = one.y.min(*top);
        *right = (one.x + one.width).max(*right);
        *bottom = (one.y + one.height).max(*bottom);
        match self.bytes >= GROUP {
            true => self.flush().map_err(|error| failed(&self.path, error)),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        if let Some(mut column) = group.next_column()? {
            let all = std::mem::take(&mut self.outlines);
            column
                .typed::<ByteArrayType>()
                .write_batch(&all, None, None)?;
            column.close()?;
        }
        if let Some(mut column) = group.next_column()? {
            let all = std::mem::take(&mut self.ids);
            column.typed::<Int64Type>().write_batch(&all, None, None)?;
            column.close()?;
        }
        group.close()?;
        self.bytes = 0;
        Ok(())
    }

    /// Writes the rest and what readers want to know of the columns, and waits until the file is on the disk.
    pub(super) fn finish(mut self) -> Result<(), ExportError> {
        let path = std::mem::take(&mut self.path);
        let mut write = || {
            self.flush()?;
            let geo = json!({
                "version": "1.1.0",
                "primary_column": "geometry",
                "columns": { "geometry": {
                    "encoding": "WKB",
                    "geometry_types": ["Polygon"],
                    // Px of a slide lie nowhere on Earth.
                    "crs": null,
                    "bbox": self.bounds.map(f64::from),
                }},
                "creator": { "library": "ftuseg", "version": env!("CARGO_PKG_VERSION") },
            });
            let pandas = json!({
                "index_columns": [INDEX],
                "column_indexes": [{
                    "name": null, "field_name": null, "pandas_type": "unicode", "numpy_type": "object",
                    "metadata": { "encoding": "UTF-8" },
                }],
                "columns": [
                    { "name": "geometry", "field_name": "geometry", "pandas_type": "bytes", "numpy_type": "object", "metadata": null },
                    { "name": INDEX, "field_name": INDEX, "pandas_type": "int64", "numpy_type": "int64", "metadata": null },
                ],
                "pandas_version": "2.0.0",
            });
            for (key, value) in [("geo", geo), ("pandas", pandas)] {
                let entry = KeyValue::new(key.to_owned(), value.to_string());
                self.writer.append_key_value_metadata(entry);
            }
            Ok(())
        };
        write().map_err(|error| failed(&path, error))?;
        let file = self
            .writer
            .into_inner()
            .map_err(|error| failed(&path, error))?;
        file.sync_all()
            .map_err(|cause| ExportError::write(&path, cause))
    }
}

fn schema() -> Result<Type, ParquetError> {
    let column = |name: &str, kind: Physical| {
        let made = Type::primitive_type_builder(name, kind).with_repetition(Repetition::REQUIRED);
        made.build().map(Arc::new)
    };
    Type::group_type_builder("shapes")
        .with_fields(vec![
            column("geometry", Physical::BYTE_ARRAY)?,
            column(INDEX, Physical::INT64)?,
        ])
        .build()
}

/// A polygon in the Simple Features standard's binary form, least significant byte first.
fn well_known_binary(polygon: &Polygon) -> Vec<u8> {
    let rings: Vec<_> = std::iter::once(&polygon.exterior)
        .chain(&polygon.holes)
        .collect();
    let corners: usize = rings.iter().map(|ring| ring.len()).sum();
    let mut bytes = Vec::with_capacity(9 + 4 * rings.len() + 16 * corners);
    // Of rings and of corners there are fewer than 2^28: whoever read them saw to it.
    let count = |bytes: &mut Vec<u8>, number: usize| {
        bytes.extend((number as u32).to_le_bytes());
    };
    bytes.push(1);
    count(&mut bytes, 3);
    count(&mut bytes, rings.len());
    for ring in rings {
        count(&mut bytes, ring.len());
        for px in ring.iter().flatten() {
            bytes.extend(f64::from(*px).to_le_bytes());
        }
    }
    bytes
}

fn failed(path: &std::path::Path, error: ParquetError) -> ExportError {
    ExportError::write(path, std::io::Error::other(error))
}
