//! One level: an array whose chunks become pieces of RGB.

use std::path::Path;
use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::chunks::Chunk;
use crate::problem::Problem;

use super::array::{ArrayInfo, Shards, list};
use super::codec::{self, SUM, decode, most_stored};
use super::multiscale::Axes;
use super::store::{Offset, Store, join};

/// Bytes of an entry of an index: where a chunk begins, and how long it is.
const ENTRY: usize = 16;

/// The indices of some files, by level and place.
pub(super) type Indices = Cache<(usize, Vec<u64>), Arc<Vec<u8>>, IndexBytes>;

#[derive(Clone)]
pub(super) struct IndexBytes;

impl quick_cache::Weighter<(usize, Vec<u64>), Arc<Vec<u8>>> for IndexBytes {
    fn weight(&self, _: &(usize, Vec<u64>), index: &Arc<Vec<u8>>) -> u64 {
        index.len() as u64 + 64
    }
}

/// An array as a picture.
pub(super) struct PictureArray {
    number: usize,
    node: String,
    pub array: ArrayInfo,
    pub width: u32,
    pub height: u32,
    /// Width and height of a piece.
    pub side: (u32, u32),
    /// Pieces along a row.
    pub across: u32,
    y: usize,
    x: usize,
    channel: usize,
    /// Which channel red, green and blue are.
    colours: [u64; 3],
    /// How far apart two px of a chunk lie along each axis.
    steps: Vec<usize>,
}

impl PictureArray {
    /// An array as the level `number`.
    pub(super) fn new(
        number: usize,
        node: String,
        array: ArrayInfo,
        axes: &Axes,
        colours: [u64; 3],
    ) -> Result<Self, Problem> {
        let named = |problem: Problem| problem.within(|| format!("the array {node}"));
        if array.shape.len() != axes.count {
            return Err(named(Problem::format(format!(
                "it has {} axes, and its metadata tells of {}",
                array.shape.len(),
                axes.count
            ))));
        }
        if array.shape[axes.channel] != 3 {
            return Err(named(Problem::unsupported(format!(
                "{} channels, which are not red, green and blue; convert it to RGB",
                array.shape[axes.channel]
            ))));
        }
        let is_picture = |axis: usize| [axes.y, axes.x, axes.channel].contains(&axis);
        let mut others = (0..axes.count).filter(|&axis| !is_picture(axis));
        if let Some(axis) = others.find(|&axis| array.shape[axis] != 1) {
            return Err(named(Problem::unsupported(format!(
                "{} px of {} along an axis beside y, x and the channels: several focal planes or times; save one of them",
                array.shape[axis],
                list(&array.shape)
            ))));
        }
        let side = |axis: usize| u32::try_from(array.shape[axis]).ok();
        let (Some(width), Some(height)) = (side(axes.x), side(axes.y)) else {
            return Err(named(too_large(&array)));
        };
        if width.max(height) > crate::MAX_SIDE {
            return Err(named(too_large(&array)));
        }
        // A chunk may reach far beyond the picture; no piece does.
        let chunk =
            |axis: usize, side: u32| u32::try_from(array.chunk[axis]).unwrap_or(side).min(side);
        let side = (chunk(axes.x, width), chunk(axes.y, height));
        let mut steps = vec![0; axes.count];
        let mut step = 1;
        for &axis in array.order.iter().rev() {
            steps[axis] = step;
            step *= array.chunk[axis] as usize;
        }
        Ok(PictureArray {
            number,
            width,
            height,
            across: width.div_ceil(side.0),
            side,
            y: axes.y,
            x: axes.x,
            channel: axes.channel,
            colours,
            steps,
            node,
            array,
        })
    }

    /// What px of missing chunks are: what the array says, else white.
    pub(super) fn fill(&self) -> u8 {
        self.array.fill.unwrap_or(u8::MAX)
    }

    /// A piece by its column and row.
    pub(super) fn piece(
        &self,
        store: &Store,
        indices: &Indices,
        column: u32,
        row: u32,
    ) -> Result<Chunk, Problem> {
        let width = self.side.0.min(self.width - column * self.side.0);
        let height = self.side.1.min(self.height - row * self.side.1);
        let mut rgb = vec![self.fill(); width as usize * height as usize * 3];
        let mut place = vec![0_u64; self.steps.len()];
        (place[self.x], place[self.y]) = (column.into(), row.into());
        let deep = self.array.chunk[self.channel];
        for part in 0..3_u64.div_ceil(deep) {
            place[self.channel] = part;
            let Some(chunk) = self.chunk(store, indices, &place)? else {
                continue;
            };
            for (colour, &channel) in self.colours.iter().enumerate() {
                if channel / deep != part {
                    continue;
                }
                let first = (channel % deep) as usize * self.steps[self.channel];
                for y in 0..height as usize {
                    let line = first + y * self.steps[self.y];
                    let out = &mut rgb[y * width as usize * 3..][..width as usize * 3];
                    for (x, px) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                        px[colour] = chunk[line + x * self.steps[self.x]];
                    }
                }
            }
        }
        Ok(Chunk { width, height, rgb })
    }

    /// The px of a chunk; none where it is missing.
    fn chunk(
        &self,
        store: &Store,
        indices: &Indices,
        place: &[u64],
    ) -> Result<Option<Vec<u8>>, Problem> {
        let length = self.array.chunk_bytes();
        let stored = match &self.array.shards {
            None => store.read(&self.array.key(&self.node, place), most_stored(length))?,
            Some(shards) => self.of_shard(store, indices, shards, place)?,
        };
        let Some(stored) = stored else {
            return Ok(None);
        };
        let decoded = decode(&self.array.codecs, stored, length);
        decoded.map(Some).map_err(|problem| {
            problem.within(|| format!("chunk {} of level {}", list(place), self.number))
        })
    }

    /// What is stored of a chunk in its file.
    fn of_shard(
        &self,
        store: &Store,
        indices: &Indices,
        shards: &Shards,
        place: &[u64],
    ) -> Result<Option<Vec<u8>>, Problem> {
        let file: Vec<u64> = place
            .iter()
            .zip(&shards.counts)
            .map(|(at, count)| at / count)
            .collect();
        let key = self.array.key(&self.node, &file);
        let index = indices.get_or_insert_with(&(self.number, file), || {
            index(store, &key, shards).map(Arc::new)
        })?;
        if index.is_empty() {
            return Ok(None);
        }
        let within = place
            .iter()
            .zip(&shards.counts)
            .fold(0, |sum, (at, count)| sum * count + at % count);
        let entry = index
            .get(within as usize * ENTRY..)
            .and_then(|rest| rest.first_chunk::<ENTRY>());
        let entry =
            entry.ok_or_else(|| Problem::format(format!("the index of {key} is too short")))?;
        let (start, length) = entry.split_at(8);
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte))
        };
        let (start, length) = (number(start), number(length));
        if (start, length) == (u64::MAX, u64::MAX) {
            return Ok(None);
        }
        if length > most_stored(self.array.chunk_bytes()) {
            return Err(Problem::limits(format!(
                "chunk {} of level {} takes {length} bytes, more than it can need",
                list(place),
                self.number
            )));
        }
        store.read_part(&key, Offset::Start(start), length as usize)
    }

    /// How many files the array lacks, and how many there should be.
    pub(super) fn missing(&self, store: &Store) -> Result<(u64, u64), Problem> {
        let files = self.array.files();
        let all: u64 = files.iter().product();
        let keys = self.array.keys;
        let is_nested = keys.separator == '/';
        let folder = match keys.has_prefix && is_nested {
            true => join(&self.node, "c"),
            false => self.node.clone(),
        };
        let Some(folder) = store.find(&folder)? else {
            return Ok((all, all));
        };
        let present = match is_nested {
            true => nested(&folder, &files),
            false => flat(&folder, keys.has_prefix, &files),
        };
        Ok((all - present.map_err(Problem::Io)?.min(all), all))
    }
}

fn too_large(array: &ArrayInfo) -> Problem {
    Problem::limits(format!(
        "{} px; a side may have at most {}",
        list(&array.shape),
        crate::MAX_SIDE
    ))
}

/// The index of a file with several chunks; empty where there is no file.
fn index(store: &Store, key: &str, shards: &Shards) -> Result<Vec<u8>, Problem> {
    // Bounded when the array was opened.
    let length = shards.counts.iter().product::<u64>() as usize * ENTRY;
    let stored = length + if shards.has_sum { SUM } else { 0 };
    let from = match shards.index_at_start {
        true => Offset::Start(0),
        false => Offset::End(stored as u64),
    };
    let Some(bytes) = store.read_part(key, from, stored)? else {
        return Ok(Vec::new());
    };
    match shards.has_sum {
        true => codec::checked(bytes)
            .map_err(|problem| problem.within(|| format!("the index of {key}"))),
        false => Ok(bytes),
    }
}

/// A number below a limit, as names of files have it.
fn number(name: &str, below: u64) -> Option<u64> {
    let number: u64 = name.parse().ok()?;
    (number < below && number.to_string() == name).then_some(number)
}

/// Files whose place is a path, by listing folders.
fn nested(folder: &Path, files: &[u64]) -> std::io::Result<u64> {
    let Some((&most, deeper)) = files.split_first() else {
        return Ok(1);
    };
    let mut present = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry
            .file_name()
            .to_str()
            .and_then(|name| number(name, most))
            .is_none()
        {
            continue;
        }
        present += match deeper {
            [] => 1,
            // What is a file here is no part of a path.
            _ if entry.path().is_dir() => nested(&entry.path(), deeper)?,
            _ => 0,
        };
    }
    Ok(present)
}

/// Files whose place is one name.
fn flat(folder: &Path, has_prefix: bool, files: &[u64]) -> std::io::Result<u64> {
    let mut present = 0;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_str().unwrap_or_default();
        let Some(place) = (match has_prefix {
            true => name.strip_prefix("c."),
            false => Some(name),
        }) else {
            continue;
        };
        let parts: Vec<&str> = place.split('.').collect();
        let is_one = parts.len() == files.len()
            && parts
                .iter()
                .zip(files)
                .all(|(part, &most)| number(part, most).is_some());
        present += u64::from(is_one);
    }
    Ok(present)
}
