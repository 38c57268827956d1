//! What a run's records say of where slides were sent and who decided them.

use ftuseg_records::SlideRecord;
use ftuseg_router::Target;
use serde::Serialize;

/// From this share of its tissue on, one target decided the whole image.
const WHOLE: f64 = 0.9995;

/// Where a slide was sent, as its record says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedRoute {
    /// The target with the largest share of the tissue.
    pub to: String,
    /// Confidence of the router for it, 0..=1.
    pub confidence: f64,
    /// Share of the tissue by target, 0..=1.
    pub shares: Vec<(String, f64)>,
    /// Cells of tissue by target.
    pub cells: Vec<(String, usize)>,
}

impl RecordedRoute {
    /// The share of the tissue that a target got.
    pub(super) fn share_of(&self, target: &str) -> f64 {
        let own = self.shares.iter().find(|(name, _)| name == target);
        own.map_or(0.0, |(_, share)| *share)
    }

    /// Cells that a target got, and all cells.
    pub(super) fn cells_of(&self, target: &str) -> (usize, usize) {
        let own = self.cells.iter().find(|(name, _)| name == target);
        let all = self.cells.iter().map(|(_, count)| count).sum();
        (own.map_or(0, |(_, count)| *count), all)
    }
}

/// The models that decided a whole image, and the threshold they used.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decided {
    pub target: String,
    /// Their names in the bundle.
    pub models: Vec<String>,
    pub threshold: f64,
}

/// um per full-size px that a slide was segmented at.
pub(super) fn mpp(record: &SlideRecord) -> Option<f64> {
    let mpp = record.mpp.map(|resolution| resolution.mpp);
    mpp.filter(|mpp| mpp.is_finite() && *mpp > 0.0)
}

/// Where the tissue was sent; none where there is none.
pub(super) fn routed(record: &SlideRecord) -> Option<RecordedRoute> {
    Some(RecordedRoute {
        to: record.organ.clone()?,
        confidence: record.organs.first()?.confidence,
        shares: record
            .organs
            .iter()
            .map(|organ| (organ.organ.clone(), organ.share))
            .collect(),
        cells: cells(record),
    })
}

/// Cells by target, in the order of the legend.
fn cells(record: &SlideRecord) -> Vec<(String, usize)> {
    let map = &record.organ_map;
    let targets = map.legend.iter().filter(|(letter, _)| *letter != ".");
    targets
        .map(|(letter, name)| {
            let in_rows = map
                .cells
                .iter()
                .map(|row| row.matches(letter.as_str()).count());
            (name.clone(), in_rows.sum())
        })
        .collect()
}

/// Who decided the image, if one target decided all of it; else why there is no such answer.
pub(super) fn decided(record: &SlideRecord) -> Result<Decided, String> {
    let first = record
        .organs
        .first()
        .ok_or("its record names no model: it has no tissue")?;
    if first.share < WHOLE {
        return Err(format!(
            "several models decided it ({} {:.0} % of the tissue), each with its own threshold",
            first.organ,
            first.share * 100.0
        ));
    }
    if first.organ == Target::Other.name() {
        return Err("no model decided it: its tissue is none of the router's organs".to_owned());
    }
    let threshold = first
        .threshold
        .filter(|_| !first.models.is_empty())
        .ok_or("its record does not say which threshold was used")?;
    Ok(Decided {
        target: first.organ.clone(),
        models: first
            .models
            .iter()
            .map(|model| model.name.clone())
            .collect(),
        threshold,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A record with two targets.
    fn record(share: f64) -> SlideRecord {
        let organ = |organ: &str, models: &[&str], threshold: f64, share: f64, confidence: f64| {
            json!({
                "organ": organ, "model": "for people", "threshold": threshold, "label": 1,
                "models": models.iter().map(|name| json!({ "name": name, "computed_in": "int8" })).collect::<Vec<_>>(),
                "share": share, "confidence": confidence, "objects": 0, "area_px": 0, "area_mm2": null,
            })
        };
        let value = json!({
            "schema": "ftuseg/slide/1", "id": "x", "folder": "x",
            "input": { "path": "x.tif", "bytes": 1, "modified": null, "organ": null, "mpp": null },
            "format": "TIFF", "reader": "ftuseg", "compression": "none", "levels": [[9, 9]],
            "width": 9, "height": 9, "mpp": null, "mpp_ignored": [], "bounds": null, "tissue_share": 1.0,
            "organ": "lung",
            "organs": [
                organ("lung", &["a", "b", "c"], 0.4, share, 0.9),
                organ("kidney", &["k"], 0.5, 1.0 - share, 0.5),
            ],
            "organ_map": {
                "cell_px": 3.0, "columns": 3, "rows": 2,
                "legend": { ".": "glass", "5": "lung", "1": "kidney" }, "cells": ["..5", "551"],
            },
            "warnings": [{ "kind": "no-tissue", "text": "t" }, { "kind": "of-the-future", "text": "t" }],
            "tiles": { "planned": 0, "inferred": 0 }, "timings": {}, "seconds": 0.0,
            "made_by": {
                "version": "1",
                "bundle": { "name": "b", "version": "1", "licence": "none", "sha256": "00" },
                "runtime": { "backend": "rten", "version": "1", "device": "cpu", "arithmetic": "fp32", "proof": "p", "threads": 1 },
                "settings": {
                    "route": "tile", "tissue": "auto", "overlap": null, "blend": "crop", "tta": "none",
                    "precision": "auto", "batch": 1, "mpp": null,
                    "write": { "rle": true, "mask": true, "geojson": true, "overlay": true, "prob": false },
                },
            },
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_record_says_where_tissue_went_and_who_decided() {
        let routed = routed(&record(0.75)).unwrap();
        assert_eq!((routed.to.as_str(), routed.confidence), ("lung", 0.9));
        assert_eq!(routed.cells_of("lung"), (3, 4));
        assert_eq!(routed.cells_of("spleen"), (0, 4));
        assert_eq!(routed.share_of("kidney"), 0.25);
        let found = decided(&record(1.0)).unwrap();
        assert_eq!(found.models, ["a", "b", "c"]);
        assert_eq!((found.target.as_str(), found.threshold), ("lung", 0.4));
        let reason = decided(&record(0.75)).unwrap_err();
        assert!(reason.contains("75 %"), "{reason}");
    }

    #[test]
    fn a_record_that_says_nothing_is_no_answer() {
        let mut record = record(1.0);
        // Of two warnings one is of a kind that this version does not know.
        assert_eq!(record.warnings.len(), 1);
        record.organs[0].models.clear();
        assert!(decided(&record).is_err());
        record.organs.clear();
        assert!(decided(&record).is_err() && routed(&record).is_none());
        assert_eq!(mpp(&record), None);
    }
}
