//! `labels.ome.zarr`: each px's object by its id, as OME-Zarr 0.5: one image of labels for each target that found something.

use std::path::Path;

use serde_json::{Value, json};

use super::columns::{rounded, unit};
use super::instances::fit_32_bits;
use super::{Sink, SinkError, SlideFindings, TargetObjects, colour};
use crate::slide::label_zarr::{datasets, write_levels};
use crate::slide::zarr_store::ZarrStore;

/// Objects of one image whose colours and properties its metadata lists. Readers hold that list in memory as text; with more,
/// `objects.csv` is the place to look.
const MOST_LISTED: u64 = 10_000;

/// Writes `labels.ome.zarr`, a folder: 32-bit labels without a sign, 0 background, else the id of the object in `objects.csv`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LabelsZarr;

impl Sink for LabelsZarr {
    fn file_name(&self) -> &'static str {
        "labels.ome.zarr"
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        fit_32_bits(findings, path)?;
        let grid = findings.segmentation.map.grid();
        let size = (grid.width(), grid.height());
        let all = findings.objects()?.targets();
        let found: Vec<_> = all.iter().filter(|objects| objects.count > 0).collect();
        let names: Vec<&str> = found.iter().map(|objects| objects.target.name()).collect();
        let store = ZarrStore::create(path)?;
        store.group("/", json!({ "ome": { "version": VERSION } }))?;
        let list = json!({ "ome": { "version": VERSION, "labels": names } });
        store.group("/labels", list)?;
        for (objects, name) in found.into_iter().zip(names) {
            let node = format!("/labels/{name}");
            store.group(&node, attributes(findings, objects)?)?;
            write_levels(&store, &node, size, |put| {
                findings.objects()?.each_of(objects, |object| {
                    // Checked above.
                    put(object.id as u32, object.polygon.runs())
                })
            })?;
        }
        Ok(())
    }
}

/// The version of OME-Zarr.
const VERSION: &str = "0.5";

/// What stands beside an image of labels.
fn attributes(findings: &SlideFindings<'_>, objects: &TargetObjects) -> Result<Value, SinkError> {
    let grid = findings.segmentation.map.grid();
    let resolution = findings.resolution();
    let axes = ["y", "x"].map(|name| match resolution {
        Some(_) => json!({ "name": name, "type": "space", "unit": "micrometer" }),
        None => json!({ "name": name, "type": "space" }),
    });
    let px = resolution.map_or([1.0; 2], |r| [r.down, r.mpp]);
    Ok(json!({
        "ome": {
            "version": VERSION,
            "multiscales": [{
                "name": objects.target.name(),
                "type": "nearest",
                "axes": axes,
                "datasets": datasets(grid.width(), grid.height(), px),
            }],
            "image-label": image_label(findings, objects)?,
        },
        "ftuseg": {
            "slide": findings.id,
            "organ": objects.target.name(),
            "model": objects.model,
            "objects": objects.count,
            "version": env!("CARGO_PKG_VERSION"),
        },
    }))
}

/// The colour of each object and what a viewer shows beside it; nothing where there are too many. There is no `source`:
/// it would be an image in the same store.
fn image_label(findings: &SlideFindings<'_>, objects: &TargetObjects) -> Result<Value, SinkError> {
    if objects.count > MOST_LISTED {
        return Ok(json!({}));
    }
    let (mut colours, mut properties) = (Vec::new(), Vec::new());
    let [red, green, blue] = colour(objects.target);
    findings.objects()?.each_of(objects, |object| {
        let area = object.figures.area;
        colours.push(json!({ "label-value": object.id, "rgba": [red, green, blue, 255] }));
        let mut told = json!({
            "label-value": object.id,
            "uuid": object.uuid.to_string(),
            "unit": unit(object),
            "area_px": area,
        });
        if let Some(resolution) = findings.resolution() {
            told["area_um2"] = rounded(resolution.area(area)).into();
        }
        properties.push(told);
        Ok(())
    })?;
    Ok(json!({ "colors": colours, "properties": properties }))
}
