//! Writes objects as the levels of an OME-Zarr image of labels: 32-bit labels without a sign, axes y and x, one array a level.

use ftuseg_files::whole::WriteError;
use ftuseg_mask::Run;
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::label_pyramid::{LabelPyramid, LabelTiles, TILE, level_sizes};
use crate::zarr_store::{ZarrChunks, ZarrGrid, ZarrStore, ZarrType};

/// Tiles that stand side by side in one file: few files for a large slide, and 4 MiB of labels in memory.
const TILES_A_FILE: u32 = 16;
const SIDE: usize = TILE as usize;

/// The entries `datasets` of OME-Zarr for the levels of a slide of `width` x `height` px: each with its array's path, and how
/// large its px are from top to bottom and from left to right, where one of the full size is `px`.
pub fn datasets(width: u32, height: u32, px: [f64; 2]) -> Value {
    (0..level_sizes(width, height).len())
        .map(|level| {
            let scale = px.map(|px| px * f64::from(1_u32 << level));
            json!({
                "path": path(level),
                "coordinateTransformations": [{ "type": "scale", "scale": scale }],
            })
        })
        .collect()
}

/// Where a level's array lies in its group.
fn path(level: usize) -> String {
    format!("s{level}")
}

/// Takes an object: its id and its runs from the top down, none of them empty.
pub type PutObject<'a, E> = dyn FnMut(u32, Vec<Run>) -> Result<(), E> + 'a;

/// Writes the arrays that [`datasets`] names into the group `node`, whose attributes are the caller's. `fill` hands over the
/// objects in the order of their first rows.
///
/// # Errors
/// When a file cannot be written, and what `fill` says.
pub fn write_levels<E: From<WriteError>>(
    store: &ZarrStore,
    node: &str,
    (width, height): (u32, u32),
    fill: impl FnOnce(&mut PutObject<'_, E>) -> Result<(), E>,
) -> Result<(), E> {
    let levels = level_sizes(width, height)
        .into_iter()
        .enumerate()
        .map(|(level, size)| Level::create(store, &format!("{node}/{}", path(level)), size))
        .collect::<Result<Vec<_>, WriteError>>()?;
    let put = |level: usize, tiles: LabelTiles| levels[level].put(tiles).map_err(E::from);
    let mut pyramid = LabelPyramid::new(levels.len(), put);
    fill(&mut |id, runs| pyramid.add(id, runs))?;
    pyramid.finish()
}

/// A level that is being written.
struct Level {
    files: ZarrChunks,
    /// Tiles side by side in a file.
    across: u32,
}

impl Level {
    fn create(
        store: &ZarrStore,
        node: &str,
        (width, height): (u32, u32),
    ) -> Result<Self, WriteError> {
        let across = width.div_ceil(TILE).min(TILES_A_FILE);
        let shape = [height.into(), width.into()];
        let grid = ZarrGrid {
            shape: &shape,
            chunk: &[TILE.into(), TILE.into()],
            file: &[TILE.into(), (TILE * across).into()],
        };
        let axes = Some(["y", "x"]);
        let files = store.array(node, ZarrType::Label, grid, axes, json!({}))?;
        Ok(Level { files, across })
    }

    /// Writes a row of tiles, of which each file takes some.
    fn put(&self, tiles: LabelTiles) -> Result<(), WriteError> {
        let of_one_file: Vec<_> = tiles
            .chunk_by(|one, next| one.0 / self.across == next.0 / self.across)
            .collect();
        of_one_file.into_par_iter().try_for_each(|tiles| {
            let (first, row, _) = tiles[0];
            let place = [u64::from(row), u64::from(first / self.across)];
            let width = SIDE * self.across as usize;
            let mut all = vec![0_u32; SIDE * width];
            for (column, _, labels) in tiles {
                let left = (column % self.across) as usize * SIDE;
                for (line, from) in all.chunks_exact_mut(width).zip(labels.chunks_exact(SIDE)) {
                    line[left..left + SIDE].copy_from_slice(from);
                }
            }
            self.files.put(&place, &all)
        })
    }
}
