//! What a run's records say: of one slide, and of the run.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use ftuseg_slide::warning::Warning;

/// The largest record that is read.
const MAX_RECORD: u64 = 64 << 20;
/// From this share of its tissue on, one target decided the whole image.
const WHOLE: f64 = 0.9995;

/// Where a slide was sent, as its record says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Routed {
    /// The target with the largest share of the tissue.
    pub to: String,
    /// Confidence of the router for it, 0..=1.
    pub confidence: f64,
    /// Share of the tissue by target, 0..=1.
    pub shares: Vec<(String, f64)>,
    /// Cells of tissue by target.
    pub cells: Vec<(String, usize)>,
}

impl Routed {
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

/// `slide.json` of one slide.
pub(super) struct Record(Value);

impl Record {
    /// Reads a record; none where it cannot be read or is no record.
    pub fn read(path: &Path) -> Option<Self> {
        let value = json(path)?;
        value.get("organs")?.as_array()?;
        Some(Record(value))
    }

    /// um per full-size px.
    pub fn mpp(&self) -> Option<f64> {
        let mpp = self.0.pointer("/mpp/value").and_then(Value::as_f64);
        mpp.filter(|mpp| mpp.is_finite() && *mpp > 0.0)
    }

    /// The file that was read.
    pub fn input(&self) -> Option<PathBuf> {
        let path = self.0.pointer("/input/path").and_then(Value::as_str);
        path.map(PathBuf::from)
    }

    /// What looked wrong when the slide was segmented; kinds of another version are left out.
    pub fn warnings(&self) -> Vec<Warning> {
        let warnings = self.0.get("warnings").and_then(Value::as_array);
        let known = |warning: &Value| serde_json::from_value(warning.clone()).ok();
        warnings.into_iter().flatten().filter_map(known).collect()
    }

    /// Where the tissue was sent.
    pub fn routed(&self) -> Option<Routed> {
        let organs = self.0.get("organs")?.as_array()?;
        let share = |organ: &Value| -> Option<(String, f64)> {
            Some((text(organ, "organ")?, organ.get("share")?.as_f64()?))
        };
        Some(Routed {
            to: text(&self.0, "organ")?,
            confidence: organs.first()?.get("confidence")?.as_f64()?,
            shares: organs.iter().filter_map(share).collect(),
            cells: self.cells().unwrap_or_default(),
        })
    }

    /// Cells by target, in the order of the legend.
    fn cells(&self) -> Option<Vec<(String, usize)>> {
        let map = self.0.get("organ_map")?;
        let rows = map.get("cells")?.as_array()?;
        let legend = map.get("legend")?.as_object()?;
        let targets = legend.iter().filter(|(letter, _)| *letter != ".");
        targets
            .map(|(letter, name)| {
                let in_row = |row: &Value| row.as_str().map_or(0, |r| r.matches(letter).count());
                Some((name.as_str()?.to_owned(), rows.iter().map(in_row).sum()))
            })
            .collect()
    }

    /// Who decided the image, if one target decided all of it; else why there is no such answer.
    pub fn decided(&self) -> Result<Decided, String> {
        let organs = self.0.get("organs").and_then(Value::as_array);
        let first = organs.and_then(|organs| organs.first());
        let first = first.ok_or("its record names no model: it has no tissue")?;
        let (Some(target), Some(share)) = (
            text(first, "organ"),
            first.get("share").and_then(Value::as_f64),
        ) else {
            return Err("its record says of no target how much it got".to_owned());
        };
        if share < WHOLE {
            return Err(format!(
                "several models decided it ({target} {:.0} % of the tissue), each with its own threshold",
                share * 100.0
            ));
        }
        let (Some(models), Some(threshold)) = (
            text(first, "model"),
            first.get("threshold").and_then(Value::as_f64),
        ) else {
            return Err("its record does not say which threshold was used".to_owned());
        };
        let plain = |name: &str| {
            let variants = [" int8", " fp16", " fp32"];
            let plain = variants
                .iter()
                .find_map(|variant| name.strip_suffix(variant));
            plain.unwrap_or(name).to_owned()
        };
        Ok(Decided {
            target,
            models: models.split(" + ").map(plain).collect(),
            threshold,
        })
    }
}

/// What `run.json` says of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RunRecord {
    /// `tile`, `slide`, `given`, ...
    pub route: Option<String>,
    /// sha256 of the bundle.
    pub bundle: Option<String>,
}

impl RunRecord {
    /// Reads a run's record; an empty one where it cannot be read.
    pub fn read(path: &Path) -> Self {
        let value = json(path).unwrap_or_default();
        let at = |pointer: &str| value.pointer(pointer)?.as_str().map(str::to_owned);
        RunRecord {
            route: at("/settings/route"),
            bundle: at("/bundle/sha256"),
        }
    }
}

/// The id that a slide's record states.
pub(super) fn id_of(path: &Path) -> Option<String> {
    text(&json(path)?, "id")
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&ftuseg_files::plain::read(path, MAX_RECORD).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(share: f64) -> Record {
        Record(json!({
            "organ": "lung",
            "organs": [
                { "organ": "lung", "model": "a fp16 + b int8 + c fp32", "threshold": 0.4, "share": share, "confidence": 0.9 },
                { "organ": "kidney", "model": "k", "threshold": 0.5, "share": 1.0 - share, "confidence": 0.5 },
            ],
            "organ_map": { "legend": { ".": "glass", "5": "lung", "1": "kidney" }, "cells": ["..5", "551"] },
        }))
    }

    #[test]
    fn a_record_says_where_tissue_went_and_who_decided() {
        let routed = record(0.75).routed().unwrap();
        assert_eq!((routed.to.as_str(), routed.confidence), ("lung", 0.9));
        assert_eq!(routed.cells_of("lung"), (3, 4));
        assert_eq!(routed.cells_of("spleen"), (0, 4));
        assert_eq!(routed.share_of("kidney"), 0.25);
        let decided = record(1.0).decided().unwrap();
        assert_eq!(decided.models, ["a", "b", "c"]);
        assert_eq!((decided.target.as_str(), decided.threshold), ("lung", 0.4));
        let reason = record(0.75).decided().unwrap_err();
        assert!(reason.contains("75 %"), "{reason}");
    }

    #[test]
    fn a_record_that_says_nothing_is_no_answer() {
        for value in [
            json!({ "organs": [] }),
            json!({ "organs": [{ "organ": 3 }] }),
            json!({ "organs": [{ "organ": "lung", "share": 1.0 }] }),
        ] {
            let record = Record(value);
            assert!(record.decided().is_err() && record.routed().is_none());
            assert_eq!((record.mpp(), record.input()), (None, None));
        }
    }
}
