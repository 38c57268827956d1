//! SpatialData stores: a slide's labels, outlines and table in one Zarr hierarchy (version 3).
//!
//! The layout is that of the Python package `spatialdata` (<https://spatialdata.scverse.org>): labels as OME-Zarr
//! multiscales, shapes as GeoParquet, the table as AnnData that says which rows are of which shapes.
//!
//! ```text
//! FOLDER.zarr/labels/objects_labels     each px's object by its id, y and x
//! FOLDER.zarr/shapes/objects            outlines, indexed by id
//! FOLDER.zarr/tables/table              a row an object: X has the figures, obs what else is known
//! ```
//!
//! All elements are in full-size px in the coordinate system `global`, and in um in `um`, where um/px is known.

mod anndata;
mod labels;
mod shapes;
mod transformations;

use std::path::Path;

use ftuseg_slide::zarr_store::ZarrStore;
use serde_json::json;

use crate::output::{make_folder, whole_folder};
use crate::{ExportError, Exported, FinishedSlide, Replace, RunSlide};
use anndata::Table;
use shapes::Shapes;

/// The element that the table is about.
const SHAPES: &str = "objects";
/// The element with the labels. All elements of a store have names of their own.
const LABELS: &str = "objects_labels";

/// Writes the store of a slide into the folder `out`, which is made; the store is named as the slide's folder.
///
/// # Errors
/// When a file of the slide is missing or contradicts another, when the store is there already or cannot be written.
pub fn write(slide: &RunSlide, out: &Path, replace: Replace) -> Result<Exported, ExportError> {
    make_folder(out)?;
    let slide = slide.open()?;
    let name = slide.folder.file_name().unwrap_or_default();
    let name = format!("{}.zarr", name.to_string_lossy());
    whole_folder(&out.join(name), replace, |folder| fill(&slide, folder))
}

fn fill(slide: &FinishedSlide, folder: &Path) -> Result<Exported, ExportError> {
    let store = ZarrStore::create(folder)?;
    store.group(
        "/",
        json!({ "spatialdata_attrs": {
            "version": "0.2",
            "spatialdata_software_version": concat!("ftuseg ", env!("CARGO_PKG_VERSION")),
        }}),
    )?;
    store.group("/labels", json!({ "ome": { "labels": [LABELS] } }))?;
    labels::write(&store, &format!("/labels/{LABELS}"), LABELS, slide)?;
    let mut objects = slide.objects()?;
    let mut done = Exported {
        slides: 1,
        objects: objects.stated(),
        doubts: Vec::new(),
    };
    // Readers refuse shapes without a row.
    if objects.stated() == 0 {
        done.doubts.push(format!(
            "{}: nothing was found, so its store has labels and neither shapes nor a table",
            slide.record.id
        ));
        return Ok(done);
    }
    store.group("/shapes", json!({}))?;
    store.group("/tables", json!({}))?;
    let mut shapes = Shapes::create(&store, &format!("/shapes/{SHAPES}"), slide)?;
    let mut table = Table::create(&store, "/tables/table", slide, &objects)?;
    while let Some(object) = objects.next_object()? {
        shapes.add(&object)?;
        table.add(&object)?;
    }
    shapes.finish()?;
    table.finish()?;
    Ok(done)
}
