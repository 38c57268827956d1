//! `slide.json`: what was done to one slide, by whom, and what came of it.

use std::path::Path;

use ftuseg_router::Target;
use serde::Serialize;
use serde_json::{Value, json};

use crate::backend::About;
use crate::slide::warning::Warning;

use super::{Finding, Sink, SinkError, write_whole};

/// Who made a result: goes into every record.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Name, version and sha256 of the bundle.
    pub bundle: Value,
    /// The runtime and its device.
    pub runtime: About,
    /// The settings, as they were understood.
    pub settings: Value,
}

/// Writes `slide.json`.
#[derive(Debug, Clone)]
pub struct Record {
    /// Who made the result.
    pub provenance: Provenance,
    /// The name of its folder.
    pub folder: String,
    /// The input: path, size, time of change.
    pub input: Value,
    /// Seconds since the slide was opened, until the record was written.
    pub seconds: f64,
    /// What looks doubtful.
    pub warnings: Vec<Warning>,
    /// The RLE of all that was found, for a run that writes no mask.
    pub rle: Option<String>,
}

impl Sink for Record {
    fn file_name(&self) -> &'static str {
        "slide.json"
    }

    fn write(&self, finding: &Finding<'_>, path: &Path) -> Result<(), SinkError> {
        let mut text = serde_json::to_string_pretty(&self.describe(finding))
            .map_err(|error| SinkError::io(path, error.into()))?;
        text.push('\n');
        write_whole(path, text.as_bytes())
    }
}

impl Record {
    fn describe(&self, finding: &Finding<'_>) -> Value {
        let segmentation = finding.segmentation;
        let map = &segmentation.map;
        let info = finding.slide.info();
        let shares = map.shares();
        let organs: Vec<Value> = shares
            .iter()
            .map(|share| {
                let objects = finding.objects.iter().find(|o| o.target == share.target);
                let area = objects.map_or(0, |o| o.area());
                let layers = &segmentation.layers;
                let layer = layers.iter().find(|layer| layer.target == share.target);
                json!({
                    "organ": share.target.name(),
                    "model": objects.map(|o| &o.model),
                    "threshold": layer.and_then(|layer| as_written(layer.threshold)),
                    "label": finding.bundle.label(share.target),
                    "share": share.share,
                    "confidence": share.confidence,
                    "objects": objects.map_or(0, |o| o.polygons.len()),
                    "area_px": area,
                    "area_mm2": finding.resolution().map(|r| r.area(area) * 1e-6),
                })
            })
            .collect();
        let mut record = json!({
            "schema": "ftuseg/slide/1",
            "id": finding.id,
            "folder": self.folder,
            "input": self.input,
            "format": info.format,
            "reader": info.reader,
            "compression": info.compression,
            "levels": info.levels.iter().map(|l| [l.width, l.height]).collect::<Vec<_>>(),
            "width": info.width(),
            "height": info.height(),
            "mpp": segmentation.resolution,
            "mpp_ignored": info.ignored,
            "bounds": info.bounds,
            "tissue_share": segmentation.tissue.share(),
            "organ": shares.first().map(|share| share.target.name()),
            "organs": organs,
            "organ_map": organ_map(finding),
            "warnings": self.warnings,
            "tiles": segmentation.tiles,
            "timings": segmentation.timings,
            "seconds": self.seconds,
            "made_by": self.provenance,
        });
        if let Some(rle) = &self.rle {
            record["rle"] = json!(rle);
        }
        record
    }
}

/// A number as the bundle has it: 0.3, not the 0.30000001192092896 that its 32 bits come to.
fn as_written(value: f32) -> Option<f64> {
    value.to_string().parse().ok()
}

/// The organ map as text: one line a row of cells, one letter a cell.
fn organ_map(finding: &Finding<'_>) -> Value {
    let map = &finding.segmentation.map;
    let grid = map.grid();
    let letter = |target: Target| match finding.bundle.label(target) {
        255 if target == Target::Unet => 'u',
        255 => 'b',
        label => char::from_digit(u32::from(label), 36).unwrap_or('?'),
    };
    let rows: Vec<String> = (0..grid.rows())
        .map(|row| {
            (0..grid.columns())
                .map(|column| map.at(column, row).map_or('.', letter))
                .collect()
        })
        .collect();
    let mut legend = serde_json::Map::new();
    legend.insert(".".to_owned(), json!("glass"));
    for target in map.targets() {
        legend.insert(letter(target).to_string(), json!(target.name()));
    }
    json!({
        "cell_px": grid.side(),
        "columns": grid.columns(),
        "rows": grid.rows(),
        "legend": legend,
        "cells": rows,
    })
}
