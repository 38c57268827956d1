//! `slide.json`: what was done to one slide, by whom, and what came of it.

use std::collections::BTreeMap;

use ftuseg_mask::Rect;
use ftuseg_slide::warning::Warning;
use ftuseg_slide::{IgnoredResolution, Resolution};
use serde::{Deserialize, Serialize};

use super::Provenance;
use super::run::known_warnings;

/// What a `slide.json` of this version states as its schema.
pub const SLIDE_SCHEMA: &str = "ftuseg/slide/1";

/// `slide.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlideRecord {
    /// [`SLIDE_SCHEMA`].
    pub schema: String,
    /// The slide's id, as the user gave it.
    pub id: String,
    /// The name of its folder.
    pub folder: String,
    /// The slide's file, and what its table says of it.
    pub input: InputRecord,
    /// The file format, for people.
    pub format: String,
    /// Who read it: `ftuseg`, or `OpenSlide` with its version.
    pub reader: String,
    /// How the pixels are compressed, for people.
    pub compression: String,
    /// Width and height of each level, px.
    pub levels: Vec<[u32; 2]>,
    /// Full-size width, px.
    pub width: u32,
    /// Full-size height, px.
    pub height: u32,
    /// The size of a full-size px that was used.
    pub mpp: Option<Resolution>,
    /// Those that the file states and that were not used.
    pub mpp_ignored: Vec<IgnoredResolution>,
    /// The part that was scanned, full-size px, if the file says so and it is not all.
    pub bounds: Option<Rect>,
    /// The share of the slide that is tissue, 0..=1.
    pub tissue_share: f64,
    /// The target with the largest share of the tissue.
    pub organ: Option<String>,
    /// The targets, the one with the largest share first.
    pub organs: Vec<OrganRecord>,
    /// Which target decided where.
    pub organ_map: OrganMapRecord,
    /// What looks doubtful.
    #[serde(default, deserialize_with = "known_warnings")]
    pub warnings: Vec<Warning>,
    /// Tiles planned and inferred.
    pub tiles: TileCount,
    /// Seconds by stage.
    pub timings: Timings,
    /// Seconds since the slide was opened, until the record was written.
    pub seconds: f64,
    /// Who made it.
    pub made_by: Provenance,
    /// The training image that this slide looks like: the bundle's networks have seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_image: Option<String>,
    /// The RLE of all that was found, for a run that writes no mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rle: Option<String>,
}

/// A slide's file, by which a rerun knows it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputRecord {
    /// The file, as far as its name is text.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its time of change, seconds since 1970 with nanoseconds.
    pub modified: Option<String>,
    /// The organ that a table names.
    pub organ: Option<String>,
    /// The um/px that a table names.
    pub mpp: Option<f64>,
    /// sha256 of its bytes, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// sha256 over name, size and time of change of the other files of the slide, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// sha256 over name and sha256 of those files, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside_sha256: Option<String>,
}

/// What one target got and what was found there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrganRecord {
    /// The target.
    pub organ: String,
    /// The models that decided it, for people; none where no tile was looked at.
    pub model: Option<String>,
    /// The same models, one by one.
    #[serde(default)]
    pub models: Vec<UsedModel>,
    /// Probability from which a px counted as found.
    pub threshold: Option<f64>,
    /// Its value in `mask.tif`.
    pub label: u8,
    /// Its share of the tissue, 0..=1.
    pub share: f64,
    /// Confidence of the router, 0..=1.
    pub confidence: f64,
    /// Objects found.
    pub objects: u64,
    /// Their area, full-size px.
    pub area_px: u64,
    /// Their area in mm2, where um/px is known.
    pub area_mm2: Option<f64>,
    /// The target's share of the slide's tissue in mm2, where um/px is known.
    #[serde(default)]
    pub tissue_mm2: Option<f64>,
    /// Objects in a mm2 of that tissue, where there is any.
    #[serde(default)]
    pub objects_per_mm2: Option<f64>,
    /// Median of the objects' areas, full-size px, where there are objects.
    #[serde(default)]
    pub median_area_px: Option<f64>,
    /// The same in um2, where um/px is known.
    #[serde(default)]
    pub median_area_um2: Option<f64>,
}

/// A model that decided something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedModel {
    /// Its name in the bundle.
    pub name: String,
    /// What it was computed in, where that is not what the whole run states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed_in: Option<ComputedIn>,
}

impl std::fmt::Display for UsedModel {
    /// `kidney`, `kidney int8`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        match self.computed_in {
            None => Ok(()),
            Some(ComputedIn::Int8) => f.write_str(" int8"),
            Some(ComputedIn::Fp16) => f.write_str(" fp16"),
            Some(ComputedIn::Fp32) => f.write_str(" fp32"),
        }
    }
}

/// What one model was computed in, where that needs saying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComputedIn {
    /// The bundle's int8 file.
    Int8,
    /// 16-bit floats.
    Fp16,
    /// 32-bit floats, since the model's file cannot be computed in the run's 16-bit floats.
    Fp32,
}

/// The organ map as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrganMapRecord {
    /// Side of a cell, full-size px.
    pub cell_px: f64,
    /// Cells across.
    pub columns: u32,
    /// Cells down.
    pub rows: u32,
    /// What each letter stands for.
    pub legend: BTreeMap<String, String>,
    /// One text a row of cells, one letter a cell.
    pub cells: Vec<String>,
}

/// How many tiles there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TileCount {
    /// Tiles in the plans.
    pub planned: u64,
    /// Tiles that a network was run on.
    pub inferred: u64,
}

/// Seconds spent in each stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// Finding tissue.
    pub tissue: f64,
    /// Routing, the router's loading included.
    pub route: f64,
    /// Loading models that were not loaded yet.
    pub load: f64,
    /// Reading, inferring and stitching tiles.
    pub tiles: f64,
    /// Filling holes and dropping small objects.
    pub postprocess: f64,
}
