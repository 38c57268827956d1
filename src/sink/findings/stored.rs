//! Objects in an unnamed file, so that a slide may have more than memory holds: they are written as they end and read
//! one by one in their own order.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use crate::mask::{Figures, Polygon};
use serde::{Deserialize, Serialize};

use super::ObjectProbability;

/// An object as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    pub figures: Figures,
    pub polygon: Polygon,
    pub probability: Option<ObjectProbability>,
    pub touches_slide_edge: bool,
    pub touches_tissue_edge: bool,
}

impl Stored {
    pub(super) fn encode(&self) -> io::Result<Vec<u8>> {
        postcard::to_stdvec(self).map_err(io::Error::other)
    }
}

/// Where an object's bytes lie: offset and length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(u64, u32);

/// The file.
#[derive(Debug)]
pub(super) struct Store {
    file: Mutex<File>,
    end: u64,
}

impl Store {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Store {
            file: Mutex::new(tempfile::tempfile()?),
            end: 0,
        })
    }

    /// Appends some objects, and says where each lies.
    pub(super) fn append(
        &mut self,
        objects: impl Iterator<Item = Vec<u8>>,
    ) -> io::Result<Vec<Place>> {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for object in objects {
            let length = u32::try_from(object.len())
                .map_err(|_| io::Error::other("an object's outline passes 4 GiB"))?;
            places.push(Place(self.end + bytes.len() as u64, length));
            bytes.extend(object);
        }
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(&bytes)?;
        self.end += bytes.len() as u64;
        Ok(places)
    }

    pub(super) fn get(&self, Place(offset, length): Place) -> io::Result<Stored> {
        let mut bytes = vec![0; length as usize];
        {
            // Every reader seeks first, so that one that panicked leaves nothing half-done.
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(&mut bytes)?;
        }
        postcard::from_bytes(&bytes).map_err(io::Error::other)
    }
}
