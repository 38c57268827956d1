//! Keeps the rows of `submission.csv`, in an unnamed file, so that memory does not grow with the batch.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::BatchError;
use crate::mask::rle;
use crate::sink::{SinkError, read_mask};
use crate::slide;

/// The RLE of each slide, by its place in the report.
pub(super) struct Rows {
    file: File,
    end: u64,
    places: BTreeMap<usize, (u64, u64)>,
}

impl Rows {
    /// No rows yet.
    pub(super) fn new(out: &Path) -> Result<Self, BatchError> {
        let file = tempfile::tempfile_in(out).map_err(|error| {
            BatchError::output(out, format!("the folder cannot be written to: {error}"))
        })?;
        Ok(Rows {
            file,
            end: 0,
            places: BTreeMap::new(),
        })
    }

    /// Adds a row.
    pub(super) fn put(&mut self, index: usize, text: &str) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(text.as_bytes())?;
        let length = text.len() as u64;
        self.places.insert(index, (self.end, length));
        self.end += length;
        Ok(())
    }

    /// Bytes of all rows.
    pub(super) fn bytes(&self) -> u64 {
        self.end
    }

    /// A row, if there is one.
    pub(super) fn get(&mut self, index: usize) -> io::Result<Option<String>> {
        let Some(&(start, length)) = self.places.get(&index) else {
            return Ok(None);
        };
        self.file.seek(SeekFrom::Start(start))?;
        let mut text = String::new();
        BufReader::new(&self.file)
            .take(length)
            .read_to_string(&mut text)?;
        Ok(Some(text))
    }
}

/// The RLE of a finished slide, from its mask.
pub(super) fn row_of(folder: &Path) -> Result<String, SinkError> {
    let image = slide::open(&folder.join("mask.tif"))?;
    Ok(rle::encode(&read_mask(image.as_ref())?))
}
