//! A Zarr hierarchy (version 3) in a folder that is being written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use zarrs::array::codec::GzipCodec;
use zarrs::array::{Array, ArrayBuilder, ArrayMetadataOptions, DataType, Element, data_type};
use zarrs::filesystem::FilesystemStore;
use zarrs::group::GroupBuilder;

use crate::ExportError;

/// How well chunks are compressed, 0 to 9.
const LEVEL: u32 = 5;

/// The store.
pub(super) struct Store {
    path: PathBuf,
    files: Arc<FilesystemStore>,
}

/// An array whose chunks are being written.
pub(super) struct Chunks {
    path: PathBuf,
    array: Array<FilesystemStore>,
}

/// What an array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Flag,
    Code,
    Whole,
    Label,
    Real,
    Text,
}

impl Store {
    /// Begins a store in an empty folder.
    pub(super) fn create(path: &Path) -> Result<Self, ExportError> {
        let files = FilesystemStore::new(path).map_err(|error| failed(path, error))?;
        Ok(Store {
            path: path.to_owned(),
            files: Arc::new(files),
        })
    }

    /// The folder of a node.
    pub(super) fn folder(&self, node: &str) -> PathBuf {
        self.path.join(node.trim_start_matches('/'))
    }

    /// Writes a group. `attributes` is an object.
    pub(super) fn group(&self, node: &str, attributes: Value) -> Result<(), ExportError> {
        let path = self.folder(node);
        let group = GroupBuilder::new()
            .attributes(map(attributes))
            .build(self.files.clone(), node)
            .map_err(|error| failed(&path, error))?;
        group.store_metadata().map_err(|error| failed(&path, error))
    }

    /// Begins an array. What is never handed over is zero, or empty.
    pub(super) fn array(
        &self,
        node: &str,
        holds: Holds,
        shape: &[u64],
        chunk: &[u64],
        dimensions: Option<[&str; 2]>,
        attributes: Value,
    ) -> Result<Chunks, ExportError> {
        let path = self.folder(node);
        let builder = |kind: DataType, fill: zarrs::array::FillValue| {
            ArrayBuilder::new(shape.to_vec(), chunk.to_vec(), kind, fill)
        };
        let mut builder = match holds {
            Holds::Flag => builder(data_type::bool(), false.into()),
            Holds::Code => builder(data_type::int8(), 0_i8.into()),
            Holds::Whole => builder(data_type::int64(), 0_i64.into()),
            Holds::Label => builder(data_type::uint32(), 0_u32.into()),
            Holds::Real => builder(data_type::float64(), 0_f64.into()),
            Holds::Text => builder(data_type::string(), "".into()),
        };
        let codec = GzipCodec::new(LEVEL).map_err(|error| failed(&path, error))?;
        builder
            .bytes_to_bytes_codecs(vec![Arc::new(codec)])
            .attributes(map(attributes));
        if let Some(dimensions) = dimensions {
            builder.dimension_names(Some(dimensions));
        }
        let array = builder
            .build(self.files.clone(), node)
            .map_err(|error| failed(&path, error))?;
        // Nothing but what the format wants.
        let options = ArrayMetadataOptions::default().with_include_zarrs_metadata(false);
        array
            .store_metadata_opt(&options)
            .map_err(|error| failed(&path, error))?;
        Ok(Chunks { path, array })
    }

    /// Writes an array of one dimension as a whole, in one chunk.
    pub(super) fn list<T: Element>(
        &self,
        node: &str,
        holds: Holds,
        all: &[T],
        attributes: Value,
    ) -> Result<(), ExportError> {
        let length = all.len() as u64;
        let chunks = self.array(node, holds, &[length], &[length.max(1)], None, attributes)?;
        match all.is_empty() {
            true => Ok(()),
            false => chunks.put(&[0], all),
        }
    }

    /// Writes a single text, an array without dimensions.
    pub(super) fn text(
        &self,
        node: &str,
        text: &str,
        attributes: Value,
    ) -> Result<(), ExportError> {
        let chunks = self.array(node, Holds::Text, &[], &[], None, attributes)?;
        chunks.put(&[], &[text])
    }
}

impl Chunks {
    /// Writes a chunk by its place among the chunks. It is always whole, whatever of it lies beyond the array. Chunks may be
    /// written side by side.
    pub(super) fn put<T: Element>(&self, place: &[u64], all: &[T]) -> Result<(), ExportError> {
        let stored = self.array.store_chunk(place, all);
        stored.map_err(|error| failed(&self.path, error))
    }
}

fn map(attributes: Value) -> Map<String, Value> {
    match attributes {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn failed(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> ExportError {
    ExportError::write(path, std::io::Error::other(error))
}
