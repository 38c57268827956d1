//! What an array's metadata says of how it is stored, in version 3 (`zarr.json`) or 2 (`.zarray`) of Zarr, checked before
//! anybody relies on it.

use serde_json::{Map, Value};

use crate::problem::Problem;

use super::codec::Codec;
use super::store::{Store, join};

/// The most bytes of one chunk, as of one tile of a TIFF.
const MAX_CHUNK_BYTES: u64 = 128 << 20;
/// The most chunks of all levels together.
const MAX_CHUNKS: u64 = 1 << 23;
/// The most chunks in a file: an index of 4 MiB.
const MAX_IN_SHARD: u64 = 1 << 18;
/// The most axes: OME-Zarr knows five.
const MAX_AXES: usize = 8;

/// An array of bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ArrayInfo {
    pub shape: Vec<u64>,
    /// Size of what is read at once.
    pub chunk: Vec<u64>,
    /// Chunks in one file along each axis, and what is known of its index; none where every chunk is a file.
    pub shards: Option<Shards>,
    /// The axes in the order in which a chunk's px lie, the slowest first.
    pub order: Vec<usize>,
    /// From a chunk to what is stored.
    pub codecs: Vec<Codec>,
    /// What px of missing chunks are, where it says so.
    pub fill: Option<u8>,
    pub keys: Keys,
}

/// Files with several chunks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shards {
    pub counts: Vec<u64>,
    pub index_at_start: bool,
    /// Whether a sum stands behind the index.
    pub has_sum: bool,
}

/// How files of chunks are named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Keys {
    /// Whether they begin with `c`.
    pub has_prefix: bool,
    pub separator: char,
}

impl ArrayInfo {
    /// Reads the metadata of the array at `node`. `budget` is how many chunks all arrays may still have.
    pub(super) fn read(store: &Store, node: &str, budget: &mut u64) -> Result<Self, Problem> {
        let named = |problem: Problem| problem.within(|| format!("the array {node}"));
        let info = match store.json(&join(node, "zarr.json"))? {
            Some(told) => version_3(&told),
            None => match store.json(&join(node, ".zarray"))? {
                Some(told) => version_2(&told),
                None => {
                    return Err(Problem::format(format!(
                        "the array {node}, which its metadata names, is missing; copy the whole folder"
                    )));
                }
            },
        };
        let info = info.map_err(named)?;
        info.check(budget).map_err(named)?;
        Ok(info)
    }

    /// Checks all sizes.
    fn check(&self, budget: &mut u64) -> Result<(), Problem> {
        let axes = self.shape.len();
        if axes == 0 || axes > MAX_AXES {
            return Err(Problem::format(format!("it has {axes} axes")));
        }
        if self.chunk.len() != axes || self.chunk.contains(&0) || self.shape.contains(&0) {
            return Err(Problem::format("its shape or its chunks make no sense"));
        }
        let bytes = product(&self.chunk).filter(|&bytes| bytes <= MAX_CHUNK_BYTES);
        if bytes.is_none() {
            return Err(Problem::limits(format!(
                "its chunks of {} px take more than {} MiB; write it anew with smaller chunks",
                list(&self.chunk),
                MAX_CHUNK_BYTES >> 20
            )));
        }
        let chunks = self.shape.iter().zip(&self.chunk);
        let chunks: Vec<u64> = chunks
            .map(|(shape, chunk)| shape.div_ceil(*chunk))
            .collect();
        let all = product(&chunks).filter(|&all| all <= *budget);
        let Some(all) = all else {
            return Err(Problem::limits(format!(
                "more than {MAX_CHUNKS} chunks; write it anew with larger chunks"
            )));
        };
        *budget -= all;
        if let Some(shards) = &self.shards
            && product(&shards.counts).is_none_or(|all| all > MAX_IN_SHARD)
        {
            return Err(Problem::limits(format!(
                "more than {MAX_IN_SHARD} chunks in one file; write it anew with smaller shards"
            )));
        }
        Ok(())
    }

    /// Bytes of a chunk.
    pub(super) fn chunk_bytes(&self) -> usize {
        // Checked above.
        product(&self.chunk).unwrap_or(0) as usize
    }

    /// Files along each axis.
    pub(super) fn files(&self) -> Vec<u64> {
        let in_file = |axis: usize| self.shards.as_ref().map_or(1, |shards| shards.counts[axis]);
        let axes = self.shape.iter().zip(&self.chunk).enumerate();
        axes.map(|(axis, (shape, chunk))| shape.div_ceil(chunk.saturating_mul(in_file(axis))))
            .collect()
    }

    /// The key of a file by its place among the files.
    pub(super) fn key(&self, node: &str, place: &[u64]) -> String {
        let numbers: Vec<String> = place.iter().map(u64::to_string).collect();
        let separator = self.keys.separator.to_string();
        let mut name = numbers.join(&separator);
        if self.keys.has_prefix {
            name = format!("c{separator}{name}");
        }
        join(node, &name)
    }

    /// The compression's name for people.
    pub(super) fn compression(&self) -> &'static str {
        self.codecs
            .iter()
            .find_map(|codec| codec.title())
            .unwrap_or("none")
    }
}

/// How many chunks all levels of a slide may have.
pub(super) fn chunk_budget() -> u64 {
    MAX_CHUNKS
}

fn product(numbers: &[u64]) -> Option<u64> {
    numbers
        .iter()
        .try_fold(1_u64, |all, &one| all.checked_mul(one))
}

/// Sizes for people.
pub(super) fn list(sizes: &[u64]) -> String {
    let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
    sizes.join(" x ")
}

fn sizes(value: Option<&Value>, what: &str) -> Result<Vec<u64>, Problem> {
    let all = value.and_then(Value::as_array);
    let all = all.filter(|all| all.len() <= MAX_AXES);
    all.and_then(|all| all.iter().map(Value::as_u64).collect())
        .ok_or_else(|| Problem::format(format!("its {what} is no list of sizes")))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn check_type(name: &str) -> Result<(), Problem> {
    match name {
        "uint8" | "|u1" | "<u1" | ">u1" | "u1" => Ok(()),
        other => Err(Problem::unsupported(format!(
            "its samples are {}, not 8-bit ones without a sign; convert it to RGB of 8 bits",
            other.chars().take(40).collect::<String>()
        ))),
    }
}

fn fill(value: Option<&Value>) -> Result<Option<u8>, Problem> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let byte = value.as_u64().and_then(|byte| u8::try_from(byte).ok());
    let byte = byte.or_else(|| value.as_f64().filter(|&byte| byte == 0.0).map(|_| 0));
    byte.map(Some)
        .ok_or_else(|| Problem::format("its fill value is no 8-bit number"))
}

fn separator(value: Option<&str>, missing: char) -> Result<char, Problem> {
    match value {
        None => Ok(missing),
        Some(".") => Ok('.'),
        Some("/") => Ok('/'),
        Some(_) => Err(Problem::format(
            "its chunks are named with another separator than . or /",
        )),
    }
}

fn unknown_codec(name: &str) -> Problem {
    Problem::unsupported(format!(
        "its chunks are packed with {:?}; write it anew with Blosc, Zstandard, gzip or none",
        name.chars().take(40).collect::<String>()
    ))
}

fn only_one(codecs: &[Codec]) -> Result<(), Problem> {
    match codecs
        .iter()
        .filter(|codec| codec.title().is_some())
        .count()
    {
        0 | 1 => Ok(()),
        _ => Err(Problem::unsupported(
            "its chunks are compressed more than once; write it anew",
        )),
    }
}

fn version_2(told: &Value) -> Result<ArrayInfo, Problem> {
    check_type(text(told, "dtype"))?;
    let shape = sizes(told.get("shape"), "shape")?;
    let filters = told.get("filters").and_then(Value::as_array);
    if let Some(filter) = filters.and_then(|filters| filters.first()) {
        return Err(unknown_codec(text(filter, "id")));
    }
    let compressor = told.get("compressor").filter(|one| !one.is_null());
    let codecs = compressor.map(|one| {
        let name = text(one, "id");
        let known = Codec::named(name).filter(|codec| codec.title().is_some());
        known.ok_or_else(|| unknown_codec(name))
    });
    let axes = 0..shape.len();
    let order = match text(told, "order") {
        "F" => axes.rev().collect(),
        _ => axes.collect(),
    };
    Ok(ArrayInfo {
        chunk: sizes(told.get("chunks"), "chunks")?,
        shards: None,
        order,
        codecs: codecs.transpose()?.into_iter().collect(),
        fill: fill(told.get("fill_value"))?,
        keys: Keys {
            has_prefix: false,
            separator: separator(told.get("dimension_separator").and_then(Value::as_str), '.')?,
        },
        shape,
    })
}

/// What version 3 says of an array that this program knows; other words must be ones that may be passed over.
const KNOWN: [&str; 11] = [
    "zarr_format",
    "node_type",
    "shape",
    "data_type",
    "chunk_grid",
    "chunk_key_encoding",
    "fill_value",
    "codecs",
    "attributes",
    "dimension_names",
    "storage_transformers",
];

fn version_3(told: &Value) -> Result<ArrayInfo, Problem> {
    if text(told, "node_type") != "array" {
        return Err(Problem::format("it is no array"));
    }
    check_type(text(told, "data_type"))?;
    check_extensions(told.as_object().unwrap_or(&Map::new()))?;
    let nothing = Value::Null;
    let grid = told.get("chunk_grid").unwrap_or(&nothing);
    if text(grid, "name") != "regular" {
        return Err(Problem::unsupported(
            "its chunks are not all of one size; write it anew",
        ));
    }
    let of = |value: &Value, key: &str| {
        let all = value.get("configuration");
        all.and_then(|all| all.get(key)).cloned()
    };
    let shape = sizes(told.get("shape"), "shape")?;
    let file = sizes(of(grid, "chunk_shape").as_ref(), "chunk_shape")?;
    let keys = told.get("chunk_key_encoding").unwrap_or(&nothing);
    let stated = of(keys, "separator");
    let stated = stated.as_ref().and_then(Value::as_str);
    let keys = match text(keys, "name") {
        "default" => Keys {
            has_prefix: true,
            separator: separator(stated, '/')?,
        },
        "v2" => Keys {
            has_prefix: false,
            separator: separator(stated, '.')?,
        },
        _ => {
            return Err(Problem::unsupported(
                "its chunks are named in a way that is not known",
            ));
        }
    };
    let chain = Chain::read(told.get("codecs"), shape.len())?;
    let (chunk, shards, chain) = match chain.shards {
        None => (file, None, chain),
        Some(config) => {
            // A file that is packed as a whole would have to be unpacked as a whole.
            if !chain.codecs.is_empty() || chain.order.is_some() {
                return Err(Problem::unsupported(
                    "its shards are packed as a whole; write it anew",
                ));
            }
            sharded(&file, &config)?
        }
    };
    if chain.shards.is_some() {
        return Err(Problem::unsupported(
            "it has shards within shards; write it anew",
        ));
    }
    only_one(&chain.codecs)?;
    Ok(ArrayInfo {
        chunk,
        shards,
        order: chain.order.unwrap_or_else(|| (0..shape.len()).collect()),
        codecs: chain.codecs,
        fill: fill(told.get("fill_value"))?,
        keys,
        shape,
    })
}

fn check_extensions(told: &Map<String, Value>) -> Result<(), Problem> {
    let transformers = told.get("storage_transformers").and_then(Value::as_array);
    let may_be_passed_over = |value: &Value| value.get("must_understand") == Some(&false.into());
    let mut others = told
        .iter()
        .filter(|(name, _)| !KNOWN.contains(&name.as_str()));
    let unknown = others.find(|(_, value)| !may_be_passed_over(value));
    match (transformers.is_some_and(|all| !all.is_empty()), unknown) {
        (true, _) => Err(Problem::unsupported(
            "its storage is transformed; write it anew",
        )),
        (_, Some((name, _))) => Err(Problem::unsupported(format!(
            "its metadata must be read by programs that know {:?}",
            name.chars().take(40).collect::<String>()
        ))),
        _ => Ok(()),
    }
}

/// A chunk and the index of its file, from the configuration of shards.
fn sharded(file: &[u64], config: &Value) -> Result<(Vec<u64>, Option<Shards>, Chain), Problem> {
    let chunk = sizes(config.get("chunk_shape"), "chunk_shape of shards")?;
    let whole = |(file, chunk): (&u64, &u64)| *chunk > 0 && file.is_multiple_of(*chunk);
    if chunk.len() != file.len() || !file.iter().zip(&chunk).all(whole) {
        return Err(Problem::format("its shards do not hold whole chunks"));
    }
    let counts = file.iter().zip(&chunk).map(|(file, chunk)| file / chunk);
    let index = Chain::read(config.get("index_codecs"), chunk.len())?;
    let has_sum = match &index.codecs[..] {
        [] => false,
        [Codec::Crc32c] => true,
        _ => {
            return Err(Problem::unsupported(
                "the indices of its shards are packed; write it anew",
            ));
        }
    };
    if index.shards.is_some() || index.order.is_some() || index.is_big_endian {
        return Err(Problem::unsupported(
            "the indices of its shards are not as other programs write them; write it anew",
        ));
    }
    let shards = Shards {
        counts: counts.collect(),
        index_at_start: match config.get("index_location").and_then(Value::as_str) {
            None | Some("end") => false,
            Some("start") => true,
            Some(_) => return Err(Problem::format("its shards have their index nowhere")),
        },
        has_sum,
    };
    let inner = Chain::read(config.get("codecs"), chunk.len())?;
    Ok((chunk, Some(shards), inner))
}

/// A list of codecs of version 3.
#[derive(Default)]
struct Chain {
    order: Option<Vec<usize>>,
    is_big_endian: bool,
    /// The configuration of shards, where these stand in place of bytes.
    shards: Option<Value>,
    codecs: Vec<Codec>,
}

impl Chain {
    fn read(value: Option<&Value>, axes: usize) -> Result<Self, Problem> {
        let list = value.and_then(Value::as_array);
        let list = list.filter(|list| list.len() <= 16);
        let list = list.ok_or_else(|| Problem::format("it has no list of codecs"))?;
        let mut chain = Chain::default();
        let mut is_bytes = false;
        for one in list {
            let nothing = Value::Null;
            let config = one.get("configuration").unwrap_or(&nothing);
            // Short names may stand for themselves.
            let name = one.as_str().unwrap_or_else(|| text(one, "name"));
            match name {
                "transpose" if !is_bytes && chain.order.is_none() => {
                    chain.order = Some(transposed(config, axes)?);
                }
                "bytes" if !is_bytes => {
                    chain.is_big_endian = text(config, "endian") == "big";
                    is_bytes = true;
                }
                "sharding_indexed" if !is_bytes => {
                    chain.shards = Some(config.clone());
                    is_bytes = true;
                }
                other => match Codec::named(other) {
                    Some(codec) if is_bytes => chain.codecs.push(codec),
                    _ => return Err(unknown_codec(other)),
                },
            }
        }
        match is_bytes {
            true => Ok(chain),
            false => Err(Problem::format("its codecs make no bytes")),
        }
    }
}

/// The order of axes in a chunk.
fn transposed(config: &Value, axes: usize) -> Result<Vec<usize>, Problem> {
    let order = config.get("order").and_then(Value::as_array);
    let order: Option<Vec<usize>> = order.and_then(|order| {
        let axis = |axis: &Value| usize::try_from(axis.as_u64()?).ok();
        order.iter().map(axis).collect()
    });
    let is_order = |order: &Vec<usize>| {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted == (0..axes).collect::<Vec<_>>()
    };
    order
        .filter(is_order)
        .ok_or_else(|| Problem::format("its axes are transposed in a way that makes no sense"))
}
