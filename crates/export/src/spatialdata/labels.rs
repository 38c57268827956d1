//! Labels as OME-Zarr multiscales (version 0.5, with SpatialData's coordinate systems): each px's object by its id.

use ftuseg_slide::label_pyramid::{LabelPyramid, LabelTiles, TILE, level_sizes};
use rayon::prelude::*;
use serde_json::json;

use super::transformations::{Axes, transformations};
use super::zarr::{Holds, Store};
use crate::{ExportError, FinishedSlide};

/// Writes the labels of all objects of a slide as the group `node`.
pub(super) fn write(
    store: &Store,
    node: &str,
    name: &str,
    slide: &FinishedSlide,
) -> Result<(), ExportError> {
    let sizes = level_sizes(slide.record.width, slide.record.height);
    let datasets: Vec<_> = (0..sizes.len())
        .map(|level| {
            let scale = f64::from(1_u32 << level);
            json!({
                "path": format!("s{level}"),
                "coordinateTransformations": [{ "type": "scale", "scale": [scale, scale] }],
            })
        })
        .collect();
    let axes = ["y", "x"].map(|axis| json!({ "name": axis, "type": "space" }));
    store.group(
        node,
        json!({
            "ome": {
                // OME-Zarr 0.5 but for the coordinate systems, which is what the readers of these stores look for.
                "version": "0.5-dev-spatialdata",
                "multiscales": [{
                    "name": name,
                    "axes": axes,
                    "datasets": datasets,
                    "coordinateTransformations": transformations(Axes::Yx, slide.mpp()),
                }],
            },
            "spatialdata_attrs": { "version": "0.3" },
        }),
    )?;
    let levels = sizes
        .iter()
        .enumerate()
        .map(|(level, &(width, height))| {
            store.array(
                &format!("{node}/s{level}"),
                Holds::Label,
                &[height.into(), width.into()],
                &[TILE.into(), TILE.into()],
                Some(["y", "x"]),
                json!({}),
            )
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut pyramid = LabelPyramid::new(levels.len(), |level: usize, tiles: LabelTiles| {
        tiles.par_iter().try_for_each(|(column, row, labels)| {
            levels[level].put(&[(*row).into(), (*column).into()], labels)
        })
    });
    let mut objects = slide.objects_by_row()?;
    while let Some(object) = objects.next_object()? {
        let id = u32::try_from(object.id).map_err(|_| {
            ExportError::unsupported(&slide.folder, "it has more objects than 32 bits count")
        })?;
        pyramid.add(id, object.polygon.runs())?;
    }
    pyramid.finish()
}
