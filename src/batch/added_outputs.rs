//! Makes what a finished slide lacks of the outputs from what lies in its folder, without running a network again.
//!
//! The mask (or the RLE in the record) says what was found, and the record's organ map says which target decided it. With
//! both and the slide's file, findings come back as they were, and every sink writes the bytes that a new run would.

use std::path::Path;
use std::sync::Arc;

use ftuseg_records::{OrganRecord, Provenance, Settings, SlideRecord, Status};
use ftuseg_router::{CellGrid, OrganMap, Target};

use super::cleanup::is_zarr_store;
use super::deadline::{Deadline, TimedSlide};
use super::failure::Failure;
use super::objects_table::probabilities;
use super::reuse::record_of;
use super::run_summary::entry;
use super::slide_folder::add_to_folder;
use super::submission::mask_of;
use super::workers::ActiveRun;
use super::{Output, Outputs, SinkOptions, SlideStatus};
use crate::mask::{Mask, rle};
use crate::pipeline::{Layer, Segmentation};
use crate::sink::{SinkError, SlideFindings};
use crate::slide::warning::{Warning, WarningKind};
use crate::slide::{SlideReader, Tissue};

/// What is to be done with a finished slide that lacks outputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Addition {
    /// The outputs that are there.
    pub kept: Outputs,
    /// Those that are to be made.
    pub made: Outputs,
}

/// The outputs that a record says were written.
pub(super) fn written(made_by: &Provenance) -> Outputs {
    let named = Output::ALL
        .into_iter()
        .filter(|output| made_by.settings.writes(output.name()));
    named.fold(Outputs::NONE, Outputs::with)
}

/// Why a slide is segmented again for its probabilities.
pub(super) const ONLY_THE_NETWORKS: &str = "only the models can make";

/// The kind of a failure that only segmenting the slide again can mend.
pub(super) const NOT_RESTORED: &str = "not-restored";

/// Whether an output of a finished slide is there: its file is a plain one, no link to elsewhere, or its folder holds plain
/// files of ours alone.
fn is_there(folder: &Path, output: Output) -> bool {
    output.file_name().is_none_or(|name| {
        let path = folder.join(name);
        match output.is_folder() {
            true => path.join("zarr.json").is_file() && is_zarr_store(&path),
            false => std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file()),
        }
    })
}

/// Whether the GeoJSON of a finished slide was written with these options.
fn is_written_so(settings: &Settings, options: SinkOptions) -> bool {
    settings.objects_as == options.objects_as.name() && settings.simplify_um == options.simplify_um
}

/// What a finished slide lacks of the outputs that are wanted, and how that can be made.
///
/// # Errors
/// The reason why it cannot be made without segmenting the slide again.
pub(super) fn lacking(
    folder: &Path,
    record: &SlideRecord,
    wanted: Outputs,
    options: SinkOptions,
) -> Result<Option<Addition>, String> {
    let before = written(&record.made_by);
    let kept = before
        .iter()
        .filter(|&output| is_there(folder, output))
        // What is there in another way is written anew.
        .filter(|&output| !output.is_geojson() || is_written_so(&record.made_by.settings, options))
        .fold(Outputs::NONE, Outputs::with);
    // What was written once stays wanted.
    let made = (before.iter().chain(wanted.iter()))
        .filter(|&output| !kept.contains(output))
        .fold(Outputs::NONE, Outputs::with);
    if made == Outputs::NONE {
        // Where no mask is written, the record holds the row.
        let has_row = kept.contains(Output::Mask) || record.rle.is_some();
        return match kept.contains(Output::Rle) && !has_row {
            true => Err("its record has no RLE".to_owned()),
            false => Ok(None),
        };
    }
    let names = || {
        let names = made
            .iter()
            .map(|output| output.file_name().unwrap_or("RLE"));
        names.collect::<Vec<_>>().join(" and its ")
    };
    if made.contains(Output::Probabilities) {
        return Err(format!(
            "its prob.tif is missing, which {ONLY_THE_NETWORKS}"
        ));
    }
    if !kept.contains(Output::Mask) && record.rle.is_none() {
        return Err(format!(
            "its {} is missing, and so is the mask that it could be made from",
            names()
        ));
    }
    Ok(Some(Addition { kept, made }))
}

impl ActiveRun<'_> {
    /// Makes what a slide lacks, and enters it in the reports.
    pub(super) fn add(
        &self,
        index: usize,
        addition: &Addition,
        deadline: &Arc<Deadline>,
    ) -> Result<(), Failure> {
        let (batch, job) = (self.batch, &self.jobs[index]);
        let started = std::time::Instant::now();
        let folder = self.slides.join(&job.folder);
        let lost = |reason: String| Failure::new(NOT_RESTORED, reason);
        // Read again, since the records of all slides would be too much to hold.
        let before =
            record_of(&folder).ok_or_else(|| lost("its slide.json cannot be read".to_owned()))?;
        let mut record = before.clone();
        let settings = &mut record.made_by.settings;
        settings.objects_as = batch.sink_options.objects_as.name().to_owned();
        settings.simplify_um = batch.sink_options.simplify_um;
        let outputs = addition
            .made
            .iter()
            .fold(addition.kept, |all, output| all.with(output));
        for output in Output::ALL {
            let is_written = outputs.contains(output);
            let write = &mut record.made_by.settings.write;
            write.insert(output.name().to_owned(), is_written);
        }
        let add = |findings: Option<&SlideFindings<'_>>, record: &SlideRecord| {
            let parts = (addition.kept, addition.made, batch.sink_options);
            add_to_folder(&self.slides, &job.folder, findings, parts, record)
                .map_err(|error| Failure::of_output(&error))
        };
        // A mask holds the row better than the record does.
        if outputs.contains(Output::Mask) {
            record.rle = None;
        } else if outputs.contains(Output::Rle) && record.rle.is_none() {
            return Err(lost("its record has no RLE".to_owned()));
        }
        if addition
            .made
            .iter()
            .all(|output| output.file_name().is_none())
        {
            add(None, &record)?;
        } else {
            let readers = batch.engine.options().readers;
            let slide = TimedSlide::open(&job.path, batch.open, deadline, readers)
                .map_err(|error| Failure::new(error.kind(), error))?;
            let segmentation = self
                .restore(&folder, &before, addition.kept, &slide)
                .map_err(lost)?;
            let bundle = batch.engine.bundle();
            let mut findings = SlideFindings::new(&job.id, &slide, &segmentation, bundle);
            let failed = |error: SinkError| Failure::of_output(&error);
            let is_same = |found: &[OrganRecord]| {
                let of = |all: &[OrganRecord]| {
                    let counts = all.iter().map(|o| (o.organ.clone(), o.objects, o.area_px));
                    counts.collect::<Vec<_>>()
                };
                of(found) == of(&before.organs)
            };
            if !is_same(&findings.organs().map_err(failed)?) {
                return Err(lost(
                    "its mask is not what its record says of it".to_owned(),
                ));
            }
            if addition.made.iter().any(Output::has_probabilities) {
                let found = findings.objects().map_err(failed)?;
                let known = match addition.kept.contains(Output::Objects) {
                    true => probabilities(&folder, found).map_err(lost)?,
                    false => None,
                };
                match known {
                    Some(known) => findings.put_probabilities(known),
                    None if found.is_empty() => {}
                    None => doubt(&mut record.warnings),
                }
            }
            add(Some(&findings), &record)?;
        }
        let tables = self.reports().put_objects(index, &folder);
        tables.map_err(|why| Failure::new("io", format!("{}: {why}", folder.display())))?;
        let names: Vec<&str> = addition.made.iter().map(Output::name).collect();
        let mut status = SlideStatus {
            seconds: started.elapsed().as_secs_f64(),
            tiles: record.tiles,
            warnings: record.warnings.clone(),
            reason: Some(format!(
                "{} made from what was there",
                match names.len() {
                    1 => format!("{} was", names[0]),
                    _ => format!("{} were", names.join(", ")),
                }
            )),
            ..entry(job, Status::Done)
        };
        status.put_organs(&record.organs);
        self.note(index, status);
        Ok(())
    }

    /// What was found, from the mask or the RLE, and the record.
    fn restore(
        &self,
        folder: &Path,
        record: &SlideRecord,
        kept: Outputs,
        slide: &TimedSlide,
    ) -> Result<Segmentation, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let size = (record.width, record.height);
        let info = slide.info();
        if (info.width(), info.height()) != size {
            return Err("its record is of a slide of another size".to_owned());
        }
        let map = map_of(record)?;
        let found = match &record.rle {
            Some(row) if !kept.contains(Output::Mask) => {
                rle::decode(row, size.0, size.1).map_err(|error| text(&error))?
            }
            _ => mask_of(folder).map_err(|error| text(&error))?,
        };
        if (found.width(), found.height()) != size {
            return Err("its mask has another size than the slide".to_owned());
        }
        let targets = map.targets().into_iter();
        let layers = targets
            .filter(|&target| target != Target::Other)
            .map(|target| {
                let mut organs = record.organs.iter();
                let organ = organs.find(|organ| organ.organ == target.name());
                let organ = organ.ok_or("its record does not know all of its targets")?;
                Ok(Layer {
                    target,
                    models: organ.models.clone(),
                    threshold: organ.threshold.unwrap_or(f64::from(f32::NAN)) as f32,
                    mask: part_of(&found, &map, target).map_err(|error| text(&error))?,
                    probabilities: None,
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        Ok(Segmentation {
            tissue: Tissue::find(slide, self.batch.engine.options().tissue)
                .map_err(|error| text(&error))?,
            map,
            resolution: record.mpp,
            layers,
            tiles: record.tiles,
            timings: record.timings,
            warnings: Vec::new(),
            training_image: record.training_image.clone(),
        })
    }
}

/// Says that the probabilities of objects are not known any more.
fn doubt(warnings: &mut Vec<Warning>) {
    let doubt = Warning::new(
        WarningKind::LeftOut,
        "how probable its objects are is not known any more: they were found again in the mask, which does not tell; to \
         have it, do the slide again",
    );
    if !warnings.contains(&doubt) {
        warnings.push(doubt);
    }
}

/// The organ map of a record.
fn map_of(record: &SlideRecord) -> Result<OrganMap, String> {
    let text = |error: ftuseg_router::RouterError| error.to_string();
    let wrong = || "the organ map of its record cannot be read".to_owned();
    let told = &record.organ_map;
    let grid = CellGrid::new(record.width, record.height, told.cell_px).map_err(text)?;
    let columns = grid.columns() as usize;
    let is_whole = (told.columns, told.rows) == (grid.columns(), grid.rows())
        && told.cells.len() == grid.rows() as usize
        && told.cells.iter().all(|row| row.chars().count() == columns);
    if !is_whole {
        return Err(wrong());
    }
    let mut targets = Vec::with_capacity(grid.len());
    for letter in told.cells.iter().flat_map(|row| row.chars()) {
        let mut buffer = [0; 4];
        let name = told.legend.get(&*letter.encode_utf8(&mut buffer));
        targets.push(match name.map(String::as_str) {
            Some("glass") => None,
            Some(name) => Some(Target::named(name).ok_or_else(wrong)?),
            None => return Err(wrong()),
        });
    }
    let shares = record.organs.iter().map(|organ| {
        let target = Target::named(&organ.organ)?;
        Some((target, organ.share, organ.confidence))
    });
    let shares: Vec<_> = shares.collect::<Option<_>>().ok_or_else(wrong)?;
    OrganMap::restore(grid, targets, &shares).map_err(text)
}

/// What of a mask lies in the cells of a target.
fn part_of(all: &Mask, map: &OrganMap, target: Target) -> Result<Mask, crate::mask::MaskError> {
    let mut part = Mask::new(all.width(), all.height())?;
    let (mut of_row, mut ranges) = (None, Vec::new());
    for y in 0..all.height() {
        let row = map.grid().row_of(y);
        if of_row != Some(row) {
            (of_row, ranges) = (Some(row), map.ranges(target, y));
        }
        if ranges.is_empty() {
            continue;
        }
        for run in all.row_runs(y) {
            for &(from, to) in &ranges {
                let both = run.start.max(from)..run.end.min(to);
                if !both.is_empty() {
                    part.set_row_run(y, both);
                }
            }
        }
    }
    part.compact();
    Ok(part)
}
