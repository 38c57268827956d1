//! `mask.tif`: the labels at full size, tiled, compressed, pyramidal.

use std::path::Path;

use ftuseg_router::Target;

use crate::mask::{Mask, Rect};
use crate::slide::tiled_tiff::{Compression, Samples, TiffOptions, TileSource, write_file_down};

use super::{Sink, SinkError, SlideFindings, colour};

/// Side of a tile, px.
const TILE: u32 = 512;

/// Writes `mask.tif`: 0 background, 1.. the organ in the bundle's order, 255 the single models.
#[derive(Debug, Clone, Copy, Default)]
pub struct MaskTiff;

impl Sink for MaskTiff {
    fn file_name(&self) -> &'static str {
        "mask.tif"
    }

    fn needs_objects(&self) -> bool {
        false
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        let grid = findings.segmentation.map.grid();
        let layers = findings
            .segmentation
            .layers
            .iter()
            .map(|layer| (findings.bundle.label(layer.target), &layer.mask))
            .collect();
        let down = findings.resolution().map(|resolution| resolution.down);
        let options = TiffOptions {
            width: grid.width(),
            height: grid.height(),
            samples: Samples::Gray8,
            compression: Compression::Deflate,
            tile: TILE,
            mpp: findings.mpp(),
            description: Some(legend(findings)),
            palette: Some(palette(findings)),
        };
        Ok(write_file_down(path, &options, down, &Labels(layers))?)
    }
}

/// The colours of the values: those of the outlines on black. Values that no mask holds are grey.
fn palette(findings: &SlideFindings<'_>) -> Box<[[u8; 3]; 256]> {
    let mut colours = Box::new([[128; 3]; 256]);
    colours[0] = [0; 3];
    colours[255] = colour(Target::Baseline);
    for organ in findings.bundle.organs() {
        let target = Target::Organ(organ);
        colours[usize::from(findings.bundle.label(target))] = colour(target);
    }
    colours
}

/// What the values mean, for people who open the file.
fn legend(findings: &SlideFindings<'_>) -> String {
    let organs = findings.bundle.organs();
    let names = organs
        .iter()
        .enumerate()
        .map(|(index, organ)| format!("{} {organ}", index + 1));
    let all: Vec<String> = std::iter::once("0 background".to_owned())
        .chain(names)
        .chain(std::iter::once(format!("255 {}", single(findings))))
        .collect();
    format!("ftuseg mask: {}", all.join(", "))
}

/// Who the single model is: the one that decided a part of the slide, else the bundle's.
fn single(findings: &SlideFindings<'_>) -> String {
    let is_single = |target: &Target| matches!(target, Target::Baseline | Target::Unet);
    let decided = findings.segmentation.map.targets().into_iter();
    let mut names: Vec<&str> = decided.filter(is_single).map(Target::name).collect();
    if names.is_empty() {
        let models = findings.bundle.models.iter().map(|model| model.target);
        names = models.filter(is_single).map(Target::name).collect();
        names.sort_unstable();
        names.dedup();
    }
    match names.is_empty() {
        true => Target::Baseline.name().to_owned(),
        false => names.join(" or "),
    }
}

/// The layers' labels, painted tile by tile straight from their bits.
struct Labels<'a>(Vec<(u8, &'a Mask)>);

impl TileSource for Labels<'_> {
    fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]) {
        let tile = Rect {
            x: column * TILE,
            y: row * TILE,
            width: TILE,
            height: TILE,
        };
        for (label, mask) in &self.0 {
            mask.read_block(tile, level as u32, *label, out, TILE as usize)
                .expect("invariant: the buffer holds one tile and a pyramid has at most 20 levels");
        }
    }
}
