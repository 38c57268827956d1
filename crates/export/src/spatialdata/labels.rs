//! Labels as OME-Zarr multiscales (version 0.5, with SpatialData's coordinate systems): each px's object by its id.

use ftuseg_slide::label_zarr::{PutObject, datasets, write_levels};
use ftuseg_slide::zarr_store::ZarrStore;
use serde_json::json;

use super::transformations::{Axes, transformations};
use crate::{ExportError, FinishedSlide};

/// Writes the labels of all objects of a slide as the group `node`.
pub(super) fn write(
    store: &ZarrStore,
    node: &str,
    name: &str,
    slide: &FinishedSlide,
) -> Result<(), ExportError> {
    let (width, height) = (slide.record.width, slide.record.height);
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
                    "datasets": datasets(width, height, [1.0; 2]),
                    "coordinateTransformations": transformations(Axes::Yx, slide.mpp()),
                }],
            },
            "spatialdata_attrs": { "version": "0.3" },
        }),
    )?;
    let mut objects = slide.objects_by_row()?;
    write_levels(
        store,
        node,
        (width, height),
        |put: &mut PutObject<'_, ExportError>| {
            while let Some(object) = objects.next_object()? {
                let id = u32::try_from(object.id).map_err(|_| {
                    ExportError::unsupported(
                        &slide.folder,
                        "it has more objects than 32 bits count",
                    )
                })?;
                put(id, object.polygon.runs())?;
            }
            Ok(())
        },
    )
}
