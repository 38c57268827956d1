//! Slides that are drawn for the benchmark: all tissue, or tissue in one corner and glass elsewhere.

use std::path::{Path, PathBuf};

use ftuseg::slide::tiled_tiff::{Compression, Samples, TiffOptions, TileSource, write_file};
use ftuseg_router::Organ;
use ftuseg_samples::{Drawing, Part, RgbTiles, Spec};

const TILE: u32 = 256;

/// um/px of the drawn slides.
pub(crate) const MPP: f64 = 0.5;

/// A drawing with glass beyond a share of its width and height.
struct Corner<'a> {
    tiles: RgbTiles<'a>,
    /// Tissue reaches to here, full-size px.
    end: (u32, u32),
}

impl TileSource for Corner<'_> {
    fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]) {
        let (right, bottom) = (self.end.0 >> level, self.end.1 >> level);
        let (x, y) = (column * TILE, row * TILE);
        if x >= right || y >= bottom {
            out.fill(245);
            return;
        }
        self.tiles.tile(level, column, row, out);
        for (index, px) in out.chunks_exact_mut(3).enumerate() {
            let (across, down) = (index as u32 % TILE, index as u32 / TILE);
            if x + across >= right || y + down >= bottom {
                px.fill(245);
            }
        }
    }
}

/// Draws a slide of `side` x `side` px whose top left part of `share` of both sides is tissue of `organs`, in bands.
pub(crate) fn draw(
    folder: &Path,
    side: u32,
    share: f64,
    organs: &[Organ],
) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let um = f64::from(side) * MPP;
    let band = um / organs.len() as f64;
    // Where two parts overlap, the later one lies on top: the first organ fills the slide, the others lie on it as bands.
    let parts = organs
        .iter()
        .enumerate()
        .map(|(index, &organ)| Part {
            organ,
            centre: ((index as f64 + 0.5) * band, um / 2.0),
            // Far beyond the slide, so that a band's sides are straight and no corner is glass.
            radius: if index == 0 {
                (4.0 * um, 4.0 * um)
            } else {
                (0.5 * band, 20.0 * um)
            },
            irregularity: 0.0,
        })
        .collect();
    let drawing = Drawing::new(&Spec {
        parts,
        width: side,
        height: side,
        mpp: MPP,
        seed: 1,
    })?;
    let end = (f64::from(side) * share).round() as u32;
    let path = folder.join(format!(
        "{side}-{}-{}.tif",
        (share * 100.0) as u32,
        organs.len()
    ));
    let options = TiffOptions {
        width: side,
        height: side,
        samples: Samples::Rgb8,
        compression: Compression::Jpeg { quality: 85 },
        tile: TILE,
        mpp: Some(MPP),
        description: None,
        palette: None,
    };
    let corner = Corner {
        tiles: RgbTiles {
            drawing: &drawing,
            tile: TILE,
        },
        end: (end, end),
    };
    write_file(&path, &options, &corner)?;
    Ok(path)
}
