//! Keeps the rows of `submission.csv`, in an unnamed file, so that memory does not grow with the batch.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::BatchError;
use crate::mask::{Mask, rle};
use crate::sink::SinkError;
use crate::slide;
use crate::slide::mask_image::{MaskImageError, read_mask};

/// The RLE of each slide, by its place in the report.
pub(super) struct SubmissionRows {
    file: File,
    end: u64,
    places: BTreeMap<usize, (u64, u64)>,
}

impl SubmissionRows {
    /// No rows yet.
    pub(super) fn new(out: &Path) -> Result<Self, BatchError> {
        let file = tempfile::tempfile_in(out).map_err(|error| {
            BatchError::output(out, format!("the folder cannot be written to: {error}"))
        })?;
        Ok(SubmissionRows {
            file,
            end: 0,
            places: BTreeMap::new(),
        })
    }

    /// Adds a row.
    pub(super) fn put(&mut self, index: usize, mut text: impl Read) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        let length = io::copy(&mut text, &mut self.file)?;
        self.places.insert(index, (self.end, length));
        self.end += length;
        Ok(())
    }

    /// Whether there is a row.
    pub(super) fn has(&self, index: usize) -> bool {
        self.places.contains_key(&index)
    }

    /// Bytes of all rows.
    pub(super) fn bytes(&self) -> u64 {
        self.end
    }

    /// A row, if there is one.
    pub(super) fn get(&mut self, index: usize) -> io::Result<Option<String>> {
        let mut text = Vec::new();
        let is_there = self.copy(index, &mut text)?;
        let text = String::from_utf8(text).map_err(io::Error::other)?;
        Ok(is_there.then_some(text))
    }

    /// Writes a row to `out`, and says whether there is one.
    pub(super) fn copy(
        &mut self,
        index: usize,
        out: &mut (impl Write + ?Sized),
    ) -> io::Result<bool> {
        let Some(&(start, length)) = self.places.get(&index) else {
            return Ok(false);
        };
        self.file.seek(SeekFrom::Start(start))?;
        io::copy(&mut (&self.file).take(length), out)?;
        Ok(true)
    }
}

/// Encodes a mask into an unnamed file in the folder `out`: the row of a large slide has tens of megabytes.
pub(super) fn spill(out: &Path, mask: &Mask) -> Result<File, SinkError> {
    let write = || -> io::Result<File> {
        let mut row = BufWriter::new(tempfile::tempfile_in(out)?);
        rle::write_to(mask, &mut row)?;
        let mut row = row.into_inner().map_err(io::IntoInnerError::into_error)?;
        row.rewind()?;
        Ok(row)
    };
    write().map_err(|cause| SinkError::Io {
        path: out.join("submission.csv"),
        cause,
    })
}

/// What stands in a file that was just spilled.
pub(super) fn text_of(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    file.rewind()?;
    Ok(text)
}

/// The mask of a finished slide.
pub(super) fn mask_of(folder: &Path) -> Result<Mask, MaskImageError> {
    let image = slide::open(&folder.join("mask.tif"))?;
    read_mask(image.as_ref())
}

/// The RLE of a finished slide, from its mask.
pub(super) fn row_of(folder: &Path) -> Result<String, MaskImageError> {
    Ok(rle::encode(&mask_of(folder)?))
}
