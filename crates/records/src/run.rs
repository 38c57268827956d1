//! `run.json`: what a run did, slide by slide.

use ftuseg_slide::SlideError;
use ftuseg_slide::warning::Warning;
use serde::{Deserialize, Deserializer, Serialize};

use super::{About, BundleRecord, OrganRecord, Provenance, Settings, TileCount};

/// What a `run.json` of this version states as its schema.
pub const RUN_SCHEMA: &str = "ftuseg/run/1";

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`RUN_SCHEMA`].
    pub schema: String,
    /// How far the run has come.
    pub state: RunState,
    /// Versions of the program and the runtime.
    pub versions: Versions,
    /// The bundle.
    pub bundle: BundleRecord,
    /// The runtime.
    pub runtime: About,
    /// The device, once more by itself.
    pub device: DeviceRecord,
    /// The settings.
    pub settings: Settings,
    /// Counts over all slides.
    pub totals: Totals,
    /// Which part of a larger batch the inputs were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardNote>,
    /// The folders that were joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Vec<String>>,
    /// `submission.csv`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<SubmissionRecord>,
    /// What looks doubtful about the run as a whole.
    #[serde(default, deserialize_with = "known_warnings")]
    pub warnings: Vec<Warning>,
    /// The slides.
    pub slides: Vec<SlideStatus>,
}

impl RunRecord {
    /// Who made it, in the shape that a slide's record has.
    pub fn made_by(&self) -> Provenance {
        Provenance {
            version: self.versions.ftuseg.clone(),
            bundle: self.bundle.clone(),
            runtime: self.runtime.clone(),
            settings: self.settings.clone(),
        }
    }
}

/// Versions of what made a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The program's.
    pub ftuseg: String,
    /// The runtime's.
    pub runtime: String,
}

/// The device that networks ran on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRecord {
    /// `cpu`, `openvino`, `cuda:0`, `cuda:all`.
    pub name: String,
    /// How it is known that it was used.
    pub proof: String,
}

/// Counts: `slides`, `tiles` and `earlier` over all entries, the others over this run's inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// All entries.
    pub slides: usize,
    /// Inputs that were done.
    pub done: usize,
    /// Inputs that failed.
    pub failed: usize,
    /// Inputs that were there already.
    pub skipped: usize,
    /// Inputs that had no turn yet.
    pub pending: usize,
    /// Inputs of which an earlier result was not kept.
    pub done_again: usize,
    /// Entries that are no inputs of this run.
    pub earlier: usize,
    /// Warnings: the run's own, and those of its inputs.
    pub warnings: usize,
    /// Tiles of all entries.
    pub tiles: TileCount,
    /// Seconds the run took.
    pub seconds: f64,
}

/// What `run.json` says of `submission.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionRecord {
    /// Rows that it has.
    pub rows: usize,
}

/// The part of a batch that a run did, and the batch that it is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardNote {
    /// The part's number, from 1.
    pub index: u32,
    /// How many parts there are.
    pub of: u32,
    /// Ids of the whole batch, so that whoever joins the parts knows what is missing.
    pub batch: Vec<String>,
}

/// What became of a slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its folder was written in this run.
    Done,
    /// It could not be done; the reason is given.
    Failed,
    /// Its folder was there already, from the same input and settings.
    Skipped,
    /// Not done yet: the run goes on, or was ended before its turn came.
    Pending,
}

/// A line of `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlideStatus {
    /// The slide's id, as the user gave it.
    pub id: String,
    /// The slide's file.
    pub path: String,
    /// What became of it.
    pub status: Status,
    /// Why it failed, was skipped or is pending; the kind of failure stands in `kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Kind of failure: `format`, `unsupported`, `io`, `limits`, `no-resolution`, `backend`, `timeout`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Why an earlier result of it was not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_again: Option<String>,
    /// Whether it is not among the inputs of this run: its entry says what an earlier run into this folder left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub earlier: bool,
    /// Its folder, whose name is not its id where that is not safe as a name or not the only one; where it lies, in a
    /// report that joins several. Without it, `slides/ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Seconds it took in this run.
    pub seconds: f64,
    /// Its tiles.
    pub tiles: TileCount,
    /// Organ with the largest share of its tissue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organ: Option<String>,
    /// What each target got and found, the largest share first; empty where no tissue was found, or nothing is there yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organs: Vec<OrganFound>,
    /// Objects found.
    pub objects: u64,
    /// Their area in mm2, where um/px is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_mm2: Option<f64>,
    /// What looks doubtful about it.
    #[serde(default, deserialize_with = "known_warnings")]
    pub warnings: Vec<Warning>,
    /// What would help, where it failed just now. No part of the file.
    #[serde(skip)]
    pub help: Option<Help>,
}

/// What one target got of a slide's tissue, and what was found there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrganFound {
    /// The target.
    pub organ: String,
    /// Its share of the tissue, 0..=1.
    pub share: f64,
    /// Confidence of the router, 0..=1.
    pub confidence: f64,
    /// Objects found.
    pub objects: u64,
    /// Their area in mm2, where um/px is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_mm2: Option<f64>,
    /// Objects in a mm2 of the target's tissue, where um/px is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects_per_mm2: Option<f64>,
    /// Median of the objects' areas in um2, where there are objects and um/px is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_area_um2: Option<f64>,
}

impl From<&OrganRecord> for OrganFound {
    fn from(record: &OrganRecord) -> Self {
        OrganFound {
            organ: record.organ.clone(),
            share: record.share,
            confidence: record.confidence,
            objects: record.objects,
            area_mm2: record.area_mm2,
            objects_per_mm2: record.objects_per_mm2,
            median_area_um2: record.median_area_um2,
        }
    }
}

/// What would help against a failure, for a program that has options for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Help {
    /// To say how large a px is.
    Resolution,
    /// To allow larger compressed strips.
    StripLimit,
    /// To have OpenSlide found or installed.
    OpenSlide,
    /// To allow a slide more time.
    Time,
}

impl Help {
    /// What would help against an error of a slide.
    pub fn for_slide(error: &SlideError) -> Option<Self> {
        match error {
            SlideError::NoOpenSlide { .. } => Some(Help::OpenSlide),
            SlideError::StripTooLarge { .. } => Some(Help::StripLimit),
            _ => None,
        }
    }
}

impl SlideStatus {
    /// An entry with nothing found yet.
    pub fn new(id: &str, path: String, status: Status) -> Self {
        SlideStatus {
            id: id.to_owned(),
            path,
            status,
            reason: None,
            kind: None,
            done_again: None,
            earlier: false,
            folder: None,
            seconds: 0.0,
            tiles: TileCount::default(),
            organ: None,
            organs: Vec::new(),
            objects: 0,
            area_mm2: None,
            warnings: Vec::new(),
            help: None,
        }
    }

    /// The name of its folder.
    pub fn folder_name(&self) -> &str {
        let name = self.folder.as_deref().unwrap_or(&self.id);
        name.rsplit(['/', '\\']).next().unwrap_or(name)
    }

    /// Enters what was found, the largest share first.
    pub fn put_organs(&mut self, organs: &[OrganRecord]) {
        self.organ = organs.first().map(|organ| organ.organ.clone());
        self.objects = organs
            .iter()
            .fold(0, |sum, organ| sum.saturating_add(organ.objects));
        // Unknown if one of them is.
        self.area_mm2 = organs
            .iter()
            .map(|organ| organ.area_mm2)
            .try_fold(0.0, |sum, area| Some(sum + area?));
        self.organs = organs.iter().map(OrganFound::from).collect();
    }

    /// Whether its folder is on the disk.
    pub fn is_there(&self) -> bool {
        matches!(self.status, Status::Done | Status::Skipped)
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It goes on, or was killed: then nobody holds the folder's lock.
    Running,
    /// Every slide had its turn.
    Finished,
    /// It was told to stop.
    Interrupted,
    /// It stopped since the disk takes nothing more.
    DiskFull,
    /// Several runs, joined.
    Merged,
}

/// Warnings without those of a kind that this version does not know: they are not worth the whole record.
pub(super) fn known_warnings<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Warning>, D::Error> {
    /// A warning, or whatever else stands there.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Maybe {
        Known(Warning),
        Other(serde::de::IgnoredAny),
    }
    let all = Vec::<Maybe>::deserialize(from)?.into_iter();
    Ok(all
        .filter_map(|maybe| match maybe {
            Maybe::Known(warning) => Some(warning),
            Maybe::Other(_) => None,
        })
        .collect())
}
