//! `instances.ome.tif`: each px's object by its id, one plane a target, pyramidal, with the units and names in OME-XML.

use std::path::Path;

use ftuseg_router::Target;
use uuid::Uuid;

use super::{Sink, SinkError, SlideFindings, colour};
use crate::slide::label_pyramid::{LabelPyramid, LabelTiles, TILE};
use crate::slide::tiled_tiff::{LabelImage, LabelTiffOptions, TiledTiffError, write_labels};

/// Writes `instances.ome.tif`: 32-bit labels without a sign, 0 background, else the id of the object in `objects.csv`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Instances;

impl Sink for Instances {
    fn file_name(&self) -> &'static str {
        "instances.ome.tif"
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        fit_32_bits(findings, path)?;
        let grid = findings.segmentation.map.grid();
        let all = findings.objects()?.targets();
        let found: Vec<_> = all.iter().filter(|objects| objects.count > 0).collect();
        let names: Vec<Target> = found.iter().map(|objects| objects.target).collect();
        let options = LabelTiffOptions {
            width: grid.width(),
            height: grid.height(),
            planes: names.len().max(1),
            tile: TILE,
            mpp: findings.resolution().map(|r| (r.mpp, r.down)),
            description: ome_xml(findings, &names),
        };
        let levels = options.levels().len();
        let written = write_labels(path, &options, |file| {
            for (plane, objects) in found.iter().enumerate() {
                let put = |level: usize, tiles: LabelTiles| {
                    file.put(plane, level, &tiles).map_err(SinkError::Tiff)
                };
                let mut pyramid = LabelPyramid::new(levels, put);
                findings.objects()?.each_of(objects, |object| {
                    // Checked above.
                    pyramid.add(object.id as u32, object.polygon.runs())
                })?;
                pyramid.finish()?;
            }
            Ok(())
        });
        written.map_err(|error| match error {
            SinkError::Tiff(TiledTiffError::Io(cause)) => SinkError::io(path, cause),
            other => other,
        })
    }
}

/// Checks that labels of 32 bits can name all objects of a slide.
///
/// # Errors
/// When there are more; `path` is the output that cannot be written.
pub(super) fn fit_32_bits(findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
    let objects = findings.objects()?.len();
    match u32::try_from(objects) {
        Ok(_) => Ok(()),
        Err(_) => Err(SinkError::TooManyObjects {
            path: path.to_owned(),
            objects,
        }),
    }
}

/// The OME-XML of the file: one channel a target, or one that says that nothing was found.
fn ome_xml(findings: &SlideFindings<'_>, targets: &[Target]) -> String {
    let grid = findings.segmentation.map.grid();
    let mut channels: Vec<_> = targets
        .iter()
        .map(|&target| (target.name(), Some(colour(target))))
        .collect();
    if channels.is_empty() {
        channels.push(("nothing found", None));
    }
    // What the file is called within OME: the same for the same slide and the same objects' planes.
    let own = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("ftuseg instances {} {targets:?}", findings.id).as_bytes(),
    );
    LabelImage {
        name: findings.id,
        uuid: &own.to_string(),
        creator: concat!("ftuseg ", env!("CARGO_PKG_VERSION")),
        width: grid.width(),
        height: grid.height(),
        mpp: findings.resolution().map(|r| (r.mpp, r.down)),
        channels,
    }
    .ome_xml()
}
