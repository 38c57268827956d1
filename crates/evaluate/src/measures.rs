//! The measures of an image, each in one place: its name, what it means, and where its value stands.
//!
//! A new measure is computed into a field of [`ImageScore`] and gets a line here; the report's means, its table, its page
//! and `report.csv` follow.

use serde::Serialize;

use super::ImageScore;

/// A measure of an image.
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct Measure {
    /// Its column in `report.csv`, and its key in the means of `report.json`.
    pub key: &'static str,
    /// Where an image of `report.json` has it: keys with periods in between.
    pub path: &'static str,
    /// Its name, for people.
    pub title: &'static str,
    /// What it means, as a sentence without its subject; empty where the name says it all.
    pub meaning: &'static str,
    /// Decimals to show.
    pub decimals: usize,
    /// Whether 0 means no error, so that a plus is worth showing.
    pub signed: bool,
    /// Whether the report states its mean per organ and over all.
    pub summarised: bool,
    /// Its value; none where the image has none.
    #[serde(skip)]
    pub value: fn(&ImageScore) -> Option<f64>,
}

/// All measures, in the order of the columns. Dice, the first one, decides comparisons.
pub const MEASURES: [Measure; 19] = [
    Measure {
        value: |score| Some(score.pixels.dice),
        ..mean("dice", "dice", "Dice")
    },
    Measure {
        value: |score| Some(score.pixels.iou),
        ..mean("iou", "iou", "IoU")
    },
    Measure {
        meaning: "is the fraction of what was found that is true",
        value: |score| Some(score.pixels.precision),
        ..mean("precision", "precision", "precision")
    },
    Measure {
        meaning: "is the fraction of the truth that was found",
        value: |score| Some(score.pixels.recall),
        ..mean("recall", "recall", "recall")
    },
    Measure {
        decimals: 1,
        value: |score| score.hd95_px,
        ..single("hd95_px", "hd95_px", "95 % Hausdorff, px")
    },
    Measure {
        meaning: "says how far apart the edges lie, where neither mask is empty and um/px is known",
        decimals: 1,
        value: |score| score.hd95_um,
        ..mean("hd95_um", "hd95_um", "95 % Hausdorff, um")
    },
    Measure {
        meaning: "counts the objects that match one of the truth with an IoU of at least 0.5, one to one",
        value: |score| Some(score.objects.f1),
        ..mean("object_f1", "objects.f1", "object F1")
    },
    Measure {
        value: |score| Some(score.objects.found as f64),
        ..single("objects_found", "objects.found", "objects found")
    },
    Measure {
        value: |score| Some(score.objects.truth as f64),
        ..single("objects_truth", "objects.truth", "true objects")
    },
    Measure {
        value: |score| Some(score.objects.matched as f64),
        ..single("objects_matched", "objects.matched", "matched objects")
    },
    Measure {
        value: |score| score.objects.matched_dice,
        ..mean(
            "matched_dice",
            "objects.matched_dice",
            "Dice of matched objects",
        )
    },
    Measure {
        value: |score| score.objects.matched_iou,
        ..mean(
            "matched_iou",
            "objects.matched_iou",
            "IoU of matched objects",
        )
    },
    Measure {
        meaning: "is object F1 times the mean IoU of the matched objects (Kirillov et al. 2019)",
        value: |score| Some(score.objects.pq),
        ..mean("pq", "objects.pq", "panoptic quality")
    },
    Measure {
        meaning: "is the found area over the true area, minus 1",
        signed: true,
        value: |score| score.pixels.area_error,
        ..mean("area_error", "area_error", "area error")
    },
    Measure {
        value: |score| Some(score.area.found_px as f64),
        ..single("area_found_px", "area.found_px", "found area, px")
    },
    Measure {
        value: |score| Some(score.area.truth_px as f64),
        ..single("area_truth_px", "area.truth_px", "true area, px")
    },
    Measure {
        decimals: 4,
        value: |score| score.area.found_mm2,
        ..single("area_found_mm2", "area.found_mm2", "found area, mm2")
    },
    Measure {
        decimals: 4,
        value: |score| score.area.truth_mm2,
        ..single("area_truth_mm2", "area.truth_mm2", "true area, mm2")
    },
    Measure {
        decimals: 4,
        value: |score| score.area.tissue_mm2,
        ..single("tissue_mm2", "area.tissue_mm2", "tissue, mm2")
    },
];

/// A measure whose means are stated.
const fn mean(key: &'static str, path: &'static str, title: &'static str) -> Measure {
    Measure {
        key,
        path,
        title,
        meaning: "",
        decimals: 3,
        signed: false,
        summarised: true,
        value: |_| None,
    }
}

/// A measure of single images only; a count, unless it says otherwise.
const fn single(key: &'static str, path: &'static str, title: &'static str) -> Measure {
    Measure {
        decimals: 0,
        summarised: false,
        ..mean(key, path, title)
    }
}

#[cfg(test)]
mod tests {
    use super::super::score::tests::plain;
    use super::*;

    #[test]
    fn a_path_leads_to_the_value() {
        let score = plain("a", Some("kidney"), 0.5);
        let json = serde_json::to_value(&score).unwrap();
        for measure in MEASURES {
            let parts = measure.path.split('.');
            let found = parts.fold(&json, |value, key| &value[key]);
            assert_eq!(found.as_f64(), (measure.value)(&score), "{}", measure.key);
        }
    }

    #[test]
    fn no_two_have_one_name() {
        let mut keys: Vec<&str> = MEASURES.iter().map(|measure| measure.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), MEASURES.len());
    }
}
