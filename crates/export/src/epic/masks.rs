//! The masks of a slide: one OME-TIFF with a channel for each kind of object, and the table of each.

use std::path::Path;

use ftuseg_router::Target;
use ftuseg_slide::label_pyramid::{LabelPyramid, LabelTiles, TILE};
use ftuseg_slide::tiled_tiff::{LabelImage, LabelTiffOptions, write_labels};
use uuid::Uuid;

use super::feature_table::FeatureTable;
use super::{About, terms};
use crate::{ExportError, ExportedObject, FinishedSlide, Objects};

/// Writes the image `image` and the tables of the masks of `targets`, which have terms, into `folder`. Returns how many
/// objects there are.
pub(super) fn write(
    slide: &FinishedSlide,
    targets: &[Target],
    folder: &Path,
    image: &str,
    about: &About,
) -> Result<u64, ExportError> {
    let mut objects = slide.objects()?;
    let found = in_order(slide, targets)?;
    let name_of = |target: Target| terms(target).map_or("", |terms| terms.mask);
    let channels = found
        .iter()
        .map(|&(target, colour)| (name_of(target), Some(colour)));
    let channels: Vec<_> = channels.collect();
    let targets: Vec<Target> = found.iter().map(|&(target, _)| target).collect();
    let own = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("ftuseg segmentations {} {targets:?}", slide.record.id).as_bytes(),
    );
    let (width, height) = (slide.record.width, slide.record.height);
    let options = LabelTiffOptions {
        width,
        height,
        planes: targets.len(),
        tile: TILE,
        mpp: slide.mpp(),
        description: LabelImage {
            name: &slide.record.id,
            uuid: &own.to_string(),
            creator: concat!("ftuseg ", env!("CARGO_PKG_VERSION")),
            width,
            height,
            mpp: slide.mpp(),
            channels,
        }
        .ome_xml(),
    };
    let levels = options.levels().len();
    let columns = objects.columns().to_owned();
    let mut count = 0;
    write_labels(&folder.join(image), &options, |file| {
        let mut next = objects.next_object()?;
        while let Some(target) = next.as_ref().map(|object| object.target) {
            let plane = targets.iter().position(|&other| other == target);
            let (Some(plane), Some(terms)) = (plane, terms(target)) else {
                next = skip(&mut objects, target)?;
                continue;
            };
            let mut table = FeatureTable::new(folder, image, terms, about, &columns)?;
            let put = |level: usize, tiles: LabelTiles| {
                file.put(plane, level, &tiles).map_err(ExportError::Tiff)
            };
            let mut pyramid = LabelPyramid::new(levels, put);
            while let Some(object) = next.take_if(|object| object.target == target) {
                let number = u32::try_from(table.add(&object)?).map_err(|_| {
                    ExportError::unsupported(
                        &slide.folder,
                        "it has more objects than 32 bits count",
                    )
                })?;
                pyramid.add(number, object.polygon.runs())?;
                count += 1;
                next = objects.next_object()?;
            }
            pyramid.finish()?;
            table.finish()?;
        }
        Ok::<(), ExportError>(())
    })?;
    Ok(count)
}

/// Passes over the objects of a target, up to the first one of another.
fn skip(objects: &mut Objects, target: Target) -> Result<Option<ExportedObject>, ExportError> {
    loop {
        match objects.next_object()? {
            Some(object) if object.target == target => {}
            other => return Ok(other),
        }
    }
}

/// The targets in the order of their objects, as `instances.ome.tif` has them, with the colours of these: the image's
/// description must be known before its px.
fn in_order(
    slide: &FinishedSlide,
    targets: &[Target],
) -> Result<Vec<(Target, [u8; 3])>, ExportError> {
    let mut found: Vec<(Target, [u8; 3])> = Vec::new();
    let mut objects = slide.objects()?;
    while found.len() < targets.len()
        && let Some(object) = objects.next_object()?
    {
        let is_new = found.iter().all(|(target, _)| *target != object.target);
        if is_new && targets.contains(&object.target) {
            found.push((object.target, object.colour));
        }
    }
    Ok(found)
}
