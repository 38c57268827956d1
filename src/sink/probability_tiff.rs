//! `prob.tif`: how probable each px is, as the model says that decides it; tiled, compressed, pyramidal.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::pipeline::{PROBABILITY_TILE, ProbabilityMap};
use crate::slide::tiled_tiff::{Compression, Samples, TiffOptions, TileSource, write_file_down};

use super::{Sink, SinkError, SlideFindings};

/// What the values mean, for people who open the file.
const LEGEND: &str = "ftuseg probabilities: a value v says that v/256 <= p < (v+1)/256 (255: p >= 255/256), from the model that decides the px, before clean-up; 0 also where none looked";

/// Writes `prob.tif`, one byte a px at full size. Each px is decided by one target, so one plane holds all targets.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProbabilityTiff;

impl Sink for ProbabilityTiff {
    fn file_name(&self) -> &'static str {
        "prob.tif"
    }

    fn needs_objects(&self) -> bool {
        false
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        let grid = findings.segmentation.map.grid();
        let layers = findings.segmentation.layers.iter().map(|layer| {
            let kept = layer.probabilities.as_deref();
            kept.ok_or_else(|| SinkError::NoProbabilities {
                path: path.to_owned(),
                target: layer.target,
            })
        });
        let source = Sum {
            layers: layers.collect::<Result<_, _>>()?,
            failed: Mutex::new(None),
        };
        let down = findings.resolution().map(|resolution| resolution.down);
        let options = TiffOptions {
            width: grid.width(),
            height: grid.height(),
            samples: Samples::Gray8,
            compression: Compression::Deflate,
            tile: PROBABILITY_TILE,
            mpp: findings.mpp(),
            description: Some(LEGEND.to_owned()),
            palette: None,
        };
        let written = write_file_down(path, &options, down, &source);
        let failed = source.failed.into_inner();
        match failed.unwrap_or_else(PoisonError::into_inner) {
            // What was written is not what was found; the folder that holds it is thrown away.
            Some(error) => Err(SinkError::io(path, error)),
            None => Ok(written?),
        }
    }
}

/// The layers' maps as one. Each is 0 in the others' cells, so they are added.
struct Sum<'a> {
    layers: Vec<&'a ProbabilityMap>,
    failed: Mutex<Option<io::Error>>,
}

impl TileSource for Sum<'_> {
    fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]) {
        for map in &self.layers {
            match map.tile(level, column, row) {
                Ok(None) => {}
                Ok(Some(values)) => {
                    for (sum, value) in out.iter_mut().zip(values) {
                        *sum = sum.saturating_add(value);
                    }
                }
                Err(error) => {
                    let failed = self.failed.lock();
                    *failed.unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }
        }
    }
}
