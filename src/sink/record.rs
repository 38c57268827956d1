//! `slide.json`: what was done to one slide, by whom, and what came of it.

use std::collections::BTreeMap;
use std::path::Path;

use ftuseg_records::{
    InputRecord, OrganMapRecord, OrganRecord, Provenance, SLIDE_SCHEMA, SlideRecord,
};
use ftuseg_router::{Share, Target};

use crate::slide::warning::Warning;

use super::columns::rounded;
use super::{FoundObjects, Sink, SinkError, SlideFindings, write_whole};

/// Writes `slide.json`.
#[derive(Debug, Clone)]
pub struct RecordSink {
    /// Who made the result.
    pub provenance: Provenance,
    /// The name of its folder.
    pub folder: String,
    /// The input: path, size, time of change.
    pub input: InputRecord,
    /// Seconds since the slide was opened, until the record was written.
    pub seconds: f64,
    /// What looks doubtful.
    pub warnings: Vec<Warning>,
    /// The RLE of all that was found, for a run that writes no mask.
    pub rle: Option<String>,
}

impl Sink for RecordSink {
    fn file_name(&self) -> &'static str {
        "slide.json"
    }

    fn write(&self, findings: &SlideFindings<'_>, path: &Path) -> Result<(), SinkError> {
        write_record(&self.record(findings)?, path)
    }
}

/// Writes a record as it stands.
pub(crate) fn write_record(record: &SlideRecord, path: &Path) -> Result<(), SinkError> {
    let mut text =
        serde_json::to_string_pretty(record).map_err(|error| SinkError::io(path, error.into()))?;
    text.push('\n');
    write_whole(path, text.as_bytes())
}

impl RecordSink {
    /// The record as it would be written.
    ///
    /// # Errors
    /// As [`SlideFindings::objects`].
    pub fn record(&self, findings: &SlideFindings<'_>) -> Result<SlideRecord, SinkError> {
        let segmentation = findings.segmentation;
        let info = findings.slide.info();
        let shares = segmentation.map.shares();
        Ok(SlideRecord {
            schema: SLIDE_SCHEMA.to_owned(),
            id: findings.id.to_owned(),
            folder: self.folder.clone(),
            input: self.input.clone(),
            format: info.format.clone(),
            reader: info.reader.clone(),
            compression: info.compression.clone(),
            levels: info.levels.iter().map(|l| [l.width, l.height]).collect(),
            width: info.width(),
            height: info.height(),
            mpp: segmentation.resolution,
            mpp_ignored: info.ignored.clone(),
            bounds: info.bounds,
            tissue_share: segmentation.tissue.share(),
            organ: shares.first().map(|share| share.target.name().to_owned()),
            organs: findings.organs()?,
            organ_map: organ_map(findings),
            warnings: self.warnings.clone(),
            tiles: segmentation.tiles,
            timings: segmentation.timings,
            seconds: self.seconds,
            made_by: self.provenance.clone(),
            training_image: segmentation.training_image.clone(),
            rle: self.rle.clone(),
        })
    }
}

impl SlideFindings<'_> {
    /// What each target got and what was found there, the largest share first.
    ///
    /// # Errors
    /// As [`SlideFindings::objects`].
    pub fn organs(&self) -> Result<Vec<OrganRecord>, SinkError> {
        let (shares, found) = (self.segmentation.map.shares(), self.objects()?);
        let organs = shares.iter().map(|share| organ(self, found, share));
        Ok(organs.collect())
    }
}

/// What one target got and what was found there.
fn organ(findings: &SlideFindings<'_>, found: &FoundObjects, share: &Share) -> OrganRecord {
    let mut all = found.targets().iter();
    let objects = all.find(|objects| objects.target == share.target);
    let (count, area) = objects.map_or((0, 0), |o| (o.count, o.area));
    let tissue = findings.tissue_mm2(share.target);
    let median = objects.and_then(|o| o.median_area);
    let layers = &findings.segmentation.layers;
    let layer = layers.iter().find(|layer| layer.target == share.target);
    OrganRecord {
        organ: share.target.name().to_owned(),
        model: objects.map(|o| o.model.clone()),
        models: layer.map_or_else(Vec::new, |layer| layer.models.clone()),
        threshold: layer.and_then(|layer| as_written(layer.threshold)),
        label: findings.bundle.label(share.target),
        share: share.share,
        confidence: share.confidence,
        objects: count,
        area_px: area,
        area_mm2: findings.resolution().map(|r| r.area(area) * 1e-6),
        tissue_mm2: tissue.map(rounded),
        objects_per_mm2: tissue
            .filter(|&tissue| tissue > 0.0)
            .map(|tissue| rounded(count as f64 / tissue)),
        median_area_px: median,
        median_area_um2: findings
            .resolution()
            .zip(median)
            .map(|(r, median)| rounded(median * r.mpp * r.down)),
    }
}

/// A number as the bundle has it: 0.3, not the 0.30000001192092896 that its 32 bits come to.
fn as_written(value: f32) -> Option<f64> {
    value.to_string().parse().ok()
}

/// The organ map as text: one line a row of cells, one letter a cell.
fn organ_map(findings: &SlideFindings<'_>) -> OrganMapRecord {
    let map = &findings.segmentation.map;
    let grid = map.grid();
    let letter = |target: Target| match findings.bundle.label(target) {
        255 if target == Target::Unet => 'u',
        255 => 'b',
        0 => 'o',
        label => char::from_digit(u32::from(label), 36).unwrap_or('?'),
    };
    let rows: Vec<String> = (0..grid.rows())
        .map(|row| {
            (0..grid.columns())
                .map(|column| map.at(column, row).map_or('.', letter))
                .collect()
        })
        .collect();
    let mut legend = BTreeMap::from([(".".to_owned(), "glass".to_owned())]);
    for target in map.targets() {
        legend.insert(letter(target).to_string(), target.name().to_owned());
    }
    OrganMapRecord {
        cell_px: grid.side(),
        columns: grid.columns(),
        rows: grid.rows(),
        legend,
        cells: rows,
    }
}
