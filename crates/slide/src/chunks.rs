//! Pieces that a file cuts its levels into: decoded ones are kept for neighbouring regions, and put together.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::{Level, SlideError, copy_overlap};

/// Bytes of decoded chunks that are kept: a row of tiles across 80,000 px.
pub(crate) const CACHE_BYTES: u64 = 64 << 20;
/// The cache holds at least so many of the slide's largest chunks, or a slide in one strip would be decoded anew for every
/// tile.
const CACHE_CHUNKS: u64 = 2;

/// Decoded chunks by level and number.
pub(crate) struct ChunkCache(Cache<(usize, u32), Arc<Chunk>, ChunkBytes>);

#[derive(Clone)]
struct ChunkBytes;

impl Weighter<(usize, u32), Arc<Chunk>> for ChunkBytes {
    fn weight(&self, _: &(usize, u32), chunk: &Arc<Chunk>) -> u64 {
        weight(chunk.rgb.len() as u64)
    }
}

/// What a chunk of so many bytes takes in memory.
fn weight(bytes: u64) -> u64 {
    bytes + 64
}

impl ChunkCache {
    /// A cache for a slide whose levels have chunks of these sizes, px.
    pub(crate) fn new(sizes: impl Iterator<Item = (u32, u32)>) -> Self {
        let bytes = sizes.map(|(width, height)| u64::from(width) * u64::from(height) * 3);
        let most = CACHE_BYTES.max(CACHE_CHUNKS * weight(bytes.max().unwrap_or(0)));
        // So few expected items make one shard; with more, each would hold a part of the bytes and refuse large chunks.
        ChunkCache(Cache::with_weighter(32, most, ChunkBytes))
    }

    /// How many chunks are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// A chunk, decoded by `decode` where it is not there.
    ///
    /// # Errors
    /// What `decode` gives.
    pub(crate) fn get(
        &self,
        level: usize,
        number: u32,
        decode: impl FnOnce() -> Result<Chunk, SlideError>,
    ) -> Result<Arc<Chunk>, SlideError> {
        self.0
            .get_or_insert_with(&(level, number), || decode().map(Arc::new))
    }
}

/// A decoded piece of a level: RGB, `[height, width, 3]`.
pub(crate) struct Chunk {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgb: Vec<u8>,
}

/// Puts a region (its place and its size) of a level together from the pieces that the level is cut into, of `side` px each;
/// what lies outside the level is white. `read` gives a piece by its column and row.
///
/// # Errors
/// What `read` gives.
pub(crate) fn read_blocks<C: AsRef<Chunk>>(
    level: Level,
    side: (u32, u32),
    ((x, y), (width, height)): ((i64, i64), (u32, u32)),
    out: &mut [u8],
    mut read: impl FnMut(u32, u32) -> Result<C, SlideError>,
) -> Result<(), SlideError> {
    let side = (i64::from(side.0), i64::from(side.1));
    let clamp = |start: i64, length: u32, most: u32| {
        let most = i64::from(most);
        let end = start.saturating_add(i64::from(length)).clamp(0, most);
        (start.clamp(0, most), end)
    };
    let (x0, x1) = clamp(x, width, level.width);
    let (y0, y1) = clamp(y, height, level.height);
    if (x1 - x0, y1 - y0) != (i64::from(width), i64::from(height)) {
        out.fill(255);
    }
    if x0 >= x1 || y0 >= y1 {
        return Ok(());
    }
    for row in y0 / side.1..=(y1 - 1) / side.1 {
        for column in x0 / side.0..=(x1 - 1) / side.0 {
            let block = read(column as u32, row as u32)?;
            let block = block.as_ref();
            let at = (column * side.0, row * side.1);
            let size = (block.width, block.height);
            copy_overlap(&block.rgb, at, size, out, (x, y), (width, height));
        }
    }
    Ok(())
}
