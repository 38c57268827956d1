//! Objects in an unnamed file, so that a slide may have more than memory holds: they are written as they end and read
//! in their own order, which a list behind them in the same file tells.

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

/// Where an object's bytes lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub offset: u64,
    pub length: u32,
}

impl Place {
    /// Bytes of a place in a list.
    const BYTES: usize = 12;

    fn end(&self) -> u64 {
        self.offset + u64::from(self.length)
    }
}

/// Where a list of places lies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct List {
    offset: u64,
    count: u64,
}

/// The file.
#[derive(Debug)]
pub(super) struct Store {
    file: Mutex<File>,
    end: u64,
}

/// Places of a list that are read at once.
const PLACES_AT_ONCE: u64 = 1 << 10;
/// Bytes of objects that are read at once; a larger object is read alone.
const BYTES_AT_ONCE: u64 = 1 << 20;

impl Store {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Store {
            file: Mutex::new(tempfile::tempfile()?),
            end: 0,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
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
            let offset = self.end + bytes.len() as u64;
            places.push(Place { offset, length });
            bytes.extend(object);
        }
        self.write(&bytes)?;
        Ok(places)
    }

    /// Begins a list of places at the end of the file. Nothing else may be appended until it is whole.
    pub(super) fn begin_list(&self) -> List {
        List {
            offset: self.end,
            count: 0,
        }
    }

    /// Appends some places to the list at the end of the file.
    pub(super) fn append_places(&mut self, list: &mut List, places: &[Place]) -> io::Result<()> {
        let bytes: Vec<u8> = (places.iter())
            .flat_map(|place| {
                let [offset, length] = [
                    place.offset.to_le_bytes(),
                    u64::from(place.length).to_le_bytes(),
                ];
                offset.into_iter().chain(length.into_iter().take(4))
            })
            .collect();
        list.count += places.len() as u64;
        self.write(&bytes)
    }

    /// Calls `visit` with every object of a list, in its order.
    pub(super) fn each<E>(
        &self,
        list: &List,
        failed: impl Fn(io::Error) -> E,
        mut visit: impl FnMut(Stored) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut from = 0;
        while from < list.count {
            let count = (list.count - from).min(PLACES_AT_ONCE);
            let places = self.places(list, from, count).map_err(&failed)?;
            let mut rest = &places[..];
            while !rest.is_empty() {
                let (near, further) = rest.split_at(near(rest));
                for stored in self.read(near).map_err(&failed)? {
                    visit(stored)?;
                }
                rest = further;
            }
            from += count;
        }
        Ok(())
    }

    fn places(&self, list: &List, from: u64, count: u64) -> io::Result<Vec<Place>> {
        let bytes = self.bytes(
            list.offset + from * Place::BYTES as u64,
            count as usize * Place::BYTES,
        )?;
        let entries = bytes.as_chunks::<{ Place::BYTES }>().0.iter();
        let place = |entry: &[u8; Place::BYTES]| {
            let (offset, length) = entry.split_at(8);
            let number = |bytes: &[u8]| {
                let from_low = bytes.iter().rev();
                from_low.fold(0, |number, &byte| number << 8 | u64::from(byte))
            };
            Place {
                offset: number(offset),
                // Of four bytes.
                length: number(length) as u32,
            }
        };
        Ok(entries.map(place).collect())
    }

    /// Objects that lie [near](near) each other.
    fn read(&self, places: &[Place]) -> io::Result<Vec<Stored>> {
        let (start, end) = span(places);
        let bytes = self.bytes(start, (end - start) as usize)?;
        let object = |place: &Place| {
            let from = (place.offset - start) as usize;
            postcard::from_bytes(&bytes[from..from + place.length as usize])
                .map_err(io::Error::other)
        };
        places.iter().map(object).collect()
    }

    fn bytes(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        // Every reader seeks first, so that one that panicked leaves nothing half-done.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// How many of the first places lie so near each other that one reading brings them all.
fn near(places: &[Place]) -> usize {
    let mut span = span(&places[..1]);
    let more = places[1..].iter().take_while(|place| {
        span = (span.0.min(place.offset), span.1.max(place.end()));
        span.1 - span.0 <= BYTES_AT_ONCE
    });
    1 + more.count()
}

/// From where to where some places reach in the file.
fn span(places: &[Place]) -> (u64, u64) {
    let start = places.iter().map(|place| place.offset).min();
    let end = places.iter().map(Place::end).max();
    (start.unwrap_or(0), end.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_together_as_long_as_they_are_near() {
        let place = |offset, length| Place { offset, length };
        let mib = 1 << 20;
        for (places, expected) in [
            (vec![place(5, 10)], 1),
            (vec![place(5, 10), place(0, 5), place(15, 100)], 3),
            (vec![place(0, 3 << 20), place(3 << 20, 1)], 1),
            (vec![place(0, 10), place(mib - 10, 10), place(mib, 1)], 2),
            (vec![place(mib, 10), place(5, 1)], 1),
        ] {
            assert_eq!(near(&places), expected, "{places:?}");
        }
    }

    #[test]
    fn lists_come_back() {
        let mut store = Store::new().unwrap();
        store.append([vec![1; 5], vec![2; 7]].into_iter()).unwrap();
        let mut list = store.begin_list();
        let places: Vec<Place> = (0..3000)
            .map(|place| Place {
                offset: place << 33,
                length: u32::MAX - place as u32,
            })
            .collect();
        for part in places.chunks(700) {
            store.append_places(&mut list, part).unwrap();
        }
        assert_eq!(list.count, 3000);
        assert_eq!(store.places(&list, 0, 3000).unwrap(), places);
        assert_eq!(store.places(&list, 2999, 1).unwrap(), places[2999..]);
    }
}
