//! Joins the results of several runs, such as the shards of one batch, into one report and one submission.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::added_outputs::written;
use super::lock::FolderLock;
use super::merge_input::{Key, MergeInput, key_of};
use super::objects_table::ObjectTables;
use super::reports::write_submission;
use super::run_summary::{Heading, write_report};
use super::slides_table;
use super::submission::SubmissionRows;
use super::{
    BatchError, Locking, Output, Outputs, RunState, RunSummary, ShardNote, SlideStatus, Status,
};
use crate::slide::warning::Warning;
use ftuseg_records::SettingDifference;

/// What came of joining.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The joined report.
    pub summary: RunSummary,
    /// Shards that no folder holds, as `I/N`.
    pub missing_shards: Vec<String>,
    /// Slides that several folders hold, with the same result: id and folders. The first folder's is taken.
    pub alike: Vec<(String, Vec<String>)>,
    /// Slides that several folders hold, with different results: id and folders. The first folder's is taken.
    pub different: Vec<(String, Vec<String>)>,
}

impl Merged {
    /// Slides that no folder holds as done: those that failed, had no turn, or belong to a missing shard.
    pub fn missing(&self) -> impl Iterator<Item = &SlideStatus> {
        self.summary.slides.iter().filter(|slide| !slide.is_there())
    }

    /// Whether all slides are there, each once or alike.
    pub fn is_whole(&self) -> bool {
        self.missing().next().is_none() && self.different.is_empty()
    }
}

/// Joins the results in `outs` and writes `run.json`, `slides.csv`, `objects.csv` and `submission.csv` into `out`. The slides'
/// folders stay where they are; each entry of the report names its own.
///
/// # Errors
/// When a folder holds no results, is being written, or was made with other settings than the first; when the reports
/// cannot be written.
pub fn merge(outs: &[PathBuf], out: &Path, locking: Locking) -> Result<Merged, BatchError> {
    std::fs::create_dir_all(out)
        .map_err(|error| BatchError::output(out, format!("the folder cannot be made: {error}")))?;
    let same = |one: &Path| one.canonicalize().ok() == out.canonicalize().ok();
    if outs.iter().any(|one| same(one)) || out.join("slides").exists() {
        return Err(BatchError::HoldsResults {
            path: out.to_owned(),
        });
    }
    let never = std::sync::atomic::AtomicBool::new(false);
    let _lock = FolderLock::take(out, locking, &never, &|_| {})?;
    let sources = outs
        .iter()
        .map(|one| MergeInput::read(one, locking))
        .collect::<Result<Vec<_>, BatchError>>()?;
    let Some(first) = sources.first() else {
        return Err(BatchError::output(out, "no folders to join"));
    };
    for source in &sources[1..] {
        let ours = source.report.made_by();
        let theirs = first.report.made_by();
        let mut differences = theirs.differences(&ours);
        differences.extend(theirs.settings.written_difference(&ours.settings));
        if !differences.is_empty() {
            return Err(BatchError::output(
                &source.out,
                format!(
                    "its settings are not those of {} ({}); results made with different settings are not joined",
                    first.out.display(),
                    SettingDifference::list(&differences)
                ),
            ));
        }
    }
    let mut joining = Joining {
        rows: SubmissionRows::new(out)?,
        slides: Vec::new(),
        places: HashMap::new(),
        doubles: BTreeMap::new(),
    };
    for (number, source) in sources.iter().enumerate() {
        for slide in &source.slides {
            joining.take(&sources, number, slide)?;
        }
    }
    let missing_shards = joining.add_missing(&sources);
    joining.write(out, &sources, missing_shards)
}

/// The joined report as it grows.
struct Joining {
    rows: SubmissionRows,
    slides: Vec<SlideStatus>,
    /// Which entry a slide has, and which source it came from.
    places: HashMap<Key, (usize, usize)>,
    /// The folders of a slide that several hold, and whether they differ.
    doubles: BTreeMap<String, (Vec<usize>, bool)>,
}

impl Joining {
    fn take(
        &mut self,
        sources: &[MergeInput],
        number: usize,
        slide: &SlideStatus,
    ) -> Result<(), BatchError> {
        let source = &sources[number];
        let mut slide = slide.clone();
        slide.earlier = false;
        slide.done_again = None;
        let row = match slide.is_there() {
            true => {
                slide.folder = Some(source.folder(&slide).display().to_string());
                source.row(&slide)?
            }
            false => None,
        };
        let key = key_of(&slide);
        let Some(&(place, other)) = self.places.get(&key) else {
            let place = self.slides.len();
            self.put_row(place, row.as_deref())?;
            self.places.insert(key, (place, number));
            self.slides.push(slide);
            return Ok(());
        };
        let there = self.slides[place].is_there();
        if there && slide.is_there() {
            let first = self
                .rows
                .get(place)
                .map_err(|error| self.unkept(&source.out, &error))?;
            let (folders, differs) = self
                .doubles
                .entry(slide.id)
                .or_insert_with(|| (vec![other], false));
            folders.push(number);
            *differs |= first != row;
        } else if !there && slide.is_there() {
            // Failed in one folder, done in another.
            self.put_row(place, row.as_deref())?;
            self.places.insert(key, (place, number));
            self.slides[place] = slide;
        } else if self.slides[place].status == Status::Pending && slide.status == Status::Failed {
            self.slides[place] = slide;
        }
        Ok(())
    }

    fn put_row(&mut self, place: usize, row: Option<&str>) -> Result<(), BatchError> {
        match row {
            Some(row) => self
                .rows
                .put(place, row.as_bytes())
                .map_err(|error| self.unkept(Path::new("submission.csv"), &error)),
            None => Ok(()),
        }
    }

    fn unkept(&self, path: &Path, error: &std::io::Error) -> BatchError {
        BatchError::output(path, format!("the rows cannot be stored: {error}"))
    }

    /// Enters the slides of shards that no folder holds; returns those shards.
    fn add_missing(&mut self, sources: &[MergeInput]) -> Vec<String> {
        let notes: Vec<&ShardNote> = sources
            .iter()
            .filter_map(|source| source.report.shard.as_ref())
            .collect();
        let there: HashSet<(u32, u32)> = notes.iter().map(|note| (note.index, note.of)).collect();
        let wanted: BTreeSet<u32> = notes.iter().map(|note| note.of).collect();
        let missing = wanted
            .into_iter()
            .flat_map(|of| (1..=of).map(move |index| (index, of)))
            .filter(|shard| !there.contains(shard))
            .map(|(index, of)| format!("{index}/{of}"))
            .collect();
        for note in &notes {
            let mut known: HashSet<String> = self.slides.iter().map(|s| s.id.clone()).collect();
            for id in &note.batch {
                // Slides of one id are in one shard, so that all of them are missing or none.
                if !known.insert(id.clone()) {
                    continue;
                }
                let reason = "no folder holds it; its shard is missing or had other inputs";
                self.slides.push(SlideStatus {
                    reason: Some(reason.to_owned()),
                    ..SlideStatus::new(id, String::new(), Status::Pending)
                });
            }
        }
        missing
    }

    fn write(
        mut self,
        out: &Path,
        sources: &[MergeInput],
        missing_shards: Vec<String>,
    ) -> Result<Merged, BatchError> {
        let first = sources[0].report.made_by();
        let rows = match first.settings.writes(Output::Rle.name()) {
            true => Some(write_submission(
                &out.join("submission.csv"),
                &self.slides,
                &mut self.rows,
            )?),
            false => None,
        };
        let mut objects = ObjectTables::new(written(&first));
        for (index, slide) in self.slides.iter().enumerate() {
            if let (true, Some(folder)) = (slide.is_there(), &slide.folder) {
                let folder = Path::new(folder);
                // One that was made with other settings need not have all of them.
                let lacks = |output: &Output| {
                    let file = output.file_name().map(|file| folder.join(file));
                    file.is_some_and(|file| !file.exists())
                };
                let missing = Output::ALL.into_iter().filter(lacks);
                let missing = missing.fold(Outputs::NONE, Outputs::with);
                objects
                    .put(index, folder, missing)
                    .map_err(|why| BatchError::output(folder, why))?;
            }
        }
        objects.write(out, &self.slides, false)?;
        let mut warnings: Vec<Warning> = Vec::new();
        for source in sources {
            for warning in &source.report.warnings {
                if !warnings.contains(warning) {
                    warnings.push(warning.clone());
                }
            }
        }
        let summary = RunSummary {
            state: RunState::Merged,
            warnings: warnings.clone(),
            seconds: sources
                .iter()
                .map(|source| source.report.totals.seconds)
                .fold(0.0, |sum, seconds| sum + seconds),
            slides: self.slides,
        };
        let name = |&number: &usize| sources[number].out.display().to_string();
        let heading = Heading {
            provenance: first,
            shard: None,
            merged: Some((0..sources.len()).map(|number| name(&number)).collect()),
            rows,
            warnings,
        };
        slides_table::write(out, &summary.slides)?;
        write_report(out, &summary, &heading)?;
        let doubles = |wanted: bool| {
            self.doubles
                .iter()
                .filter(|(_, (_, differs))| *differs == wanted)
                .map(|(id, (folders, _))| (id.clone(), folders.iter().map(name).collect()))
                .collect()
        };
        Ok(Merged {
            alike: doubles(false),
            different: doubles(true),
            summary,
            missing_shards,
        })
    }
}
