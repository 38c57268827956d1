//! A Zarr hierarchy (version 3) in a folder that is being written. Every file is on the disk when its call returns.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ftuseg_files::whole::WriteError;
use serde_json::{Map, Value};
use zarrs::array::codec::{GzipCodec, ShardingCodecBuilder, SubchunkWriteOrder};
use zarrs::array::{Array, ArrayBuilder, ArrayMetadataOptions, ChunkShape, DataType, data_type};
use zarrs::filesystem::FilesystemStore;
use zarrs::group::GroupBuilder;

/// What a chunk can be made of.
pub use zarrs::array::Element as ZarrElement;

/// How well chunks are compressed, 0 to 9.
const LEVEL: u32 = 5;

/// The store.
pub struct ZarrStore {
    path: PathBuf,
    files: Arc<FilesystemStore>,
}

/// An array whose chunks are being written.
pub struct ZarrChunks {
    path: PathBuf,
    array: Array<FilesystemStore>,
}

/// What an array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZarrType {
    /// True or false.
    Flag,
    /// 8 bits with a sign.
    Code,
    /// 64 bits with a sign.
    Whole,
    /// 32 bits without a sign.
    Label,
    /// 64-bit floats.
    Real,
    /// Texts.
    Text,
}

/// How an array is cut into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZarrGrid<'a> {
    /// The array's size along each axis.
    pub shape: &'a [u64],
    /// The size of a piece that is read at once.
    pub chunk: &'a [u64],
    /// The size of a piece that is written at once, a file: some whole chunks.
    pub file: &'a [u64],
}

impl<'a> ZarrGrid<'a> {
    /// Every chunk is a file.
    pub fn plain(shape: &'a [u64], chunk: &'a [u64]) -> Self {
        ZarrGrid {
            shape,
            chunk,
            file: chunk,
        }
    }
}

impl ZarrStore {
    /// Begins a store in an empty folder, which is made if it is not there.
    ///
    /// # Errors
    /// When the path is no text in UTF-8.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let files = FilesystemStore::new(path).map_err(|error| failed(path, error))?;
        Ok(ZarrStore {
            path: path.to_owned(),
            files: Arc::new(files),
        })
    }

    /// The folder of a node, which begins with a slash.
    pub fn folder(&self, node: &str) -> PathBuf {
        self.path.join(node.trim_start_matches('/'))
    }

    /// Writes a group. `attributes` is an object.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn group(&self, node: &str, attributes: Value) -> Result<(), WriteError> {
        let path = self.folder(node);
        let group = GroupBuilder::new()
            .attributes(map(attributes))
            .build(self.files.clone(), node)
            .map_err(|error| failed(&path, error))?;
        group.store_metadata().map_err(|error| failed(&path, error))
    }

    /// Begins an array. What is never handed over is zero, or empty.
    ///
    /// # Errors
    /// When it cannot be written, or the grid makes no sense.
    pub fn array(
        &self,
        node: &str,
        holds: ZarrType,
        grid: ZarrGrid<'_>,
        dimensions: Option<[&str; 2]>,
        attributes: Value,
    ) -> Result<ZarrChunks, WriteError> {
        let path = self.folder(node);
        let (kind, fill): (DataType, zarrs::array::FillValue) = match holds {
            ZarrType::Flag => (data_type::bool(), false.into()),
            ZarrType::Code => (data_type::int8(), 0_i8.into()),
            ZarrType::Whole => (data_type::int64(), 0_i64.into()),
            ZarrType::Label => (data_type::uint32(), 0_u32.into()),
            ZarrType::Real => (data_type::float64(), 0_f64.into()),
            ZarrType::Text => (data_type::string(), "".into()),
        };
        let codec = Arc::new(GzipCodec::new(LEVEL).map_err(|error| failed(&path, error))?);
        let mut builder =
            ArrayBuilder::new(grid.shape.to_vec(), grid.file.to_vec(), kind.clone(), fill);
        if grid.file == grid.chunk {
            builder.bytes_to_bytes_codecs(vec![codec]);
        } else {
            let chunk = grid.chunk.iter().map(|&side| side.try_into());
            let chunk: ChunkShape = chunk
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error: std::num::TryFromIntError| failed(&path, error))?;
            let shards = ShardingCodecBuilder::new(chunk, &kind)
                .bytes_to_bytes_codecs(vec![codec])
                .build()
                // The same bytes with any number of threads.
                .with_subchunk_write_order(SubchunkWriteOrder::C);
            builder.array_to_bytes_codec(Arc::new(shards));
        }
        builder.attributes(map(attributes));
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
        Ok(ZarrChunks { path, array })
    }

    /// Writes an array of one dimension as a whole, in one chunk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn list<T: ZarrElement>(
        &self,
        node: &str,
        holds: ZarrType,
        all: &[T],
        attributes: Value,
    ) -> Result<(), WriteError> {
        let length = all.len() as u64;
        let (shape, chunk) = ([length], [length.max(1)]);
        let grid = ZarrGrid::plain(&shape, &chunk);
        let chunks = self.array(node, holds, grid, None, attributes)?;
        match all.is_empty() {
            true => Ok(()),
            false => chunks.put(&[0], all),
        }
    }

    /// Writes a single text, an array without dimensions.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn text(&self, node: &str, text: &str, attributes: Value) -> Result<(), WriteError> {
        let grid = ZarrGrid::plain(&[], &[]);
        let chunks = self.array(node, ZarrType::Text, grid, None, attributes)?;
        chunks.put(&[], &[text])
    }
}

impl ZarrChunks {
    /// Writes a file by its place among the files. It is always whole, whatever of it lies beyond the array. Files may be
    /// written side by side.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put<T: ZarrElement>(&self, place: &[u64], all: &[T]) -> Result<(), WriteError> {
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

fn failed(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> WriteError {
    WriteError {
        path: path.to_owned(),
        cause: std::io::Error::other(error),
    }
}
