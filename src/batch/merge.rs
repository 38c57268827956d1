//! Joins the results of several runs, shares of one batch say, into one report and one submission.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::kept::difference;
use super::ledger::write_submission;
use super::lock::FolderLock;
use super::report::{Heading, write_report};
use super::rows::{Rows, row_of};
use super::{BatchError, Locking, ShardNote, SlideStatus, State, Status, Summary};
use crate::mask::{MAX_SIDE, rle};
use crate::slide::warning::Warning;
use ftuseg_files::plain;

/// The largest report that is read.
const MAX_REPORT_BYTES: u64 = 1 << 30;
/// The most objects or tiles of a slide that are believed; 2^24 slides of so many still add up.
const MAX_COUNT: u64 = 1 << 40;

/// What came of joining.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The joined report.
    pub summary: Summary,
    /// Shares that no folder holds, as `I/N`.
    pub missing_shares: Vec<String>,
    /// Slides that several folders hold, with the same result: id and folders. The first folder's is taken.
    pub alike: Vec<(String, Vec<String>)>,
    /// Slides that several folders hold, with different results: id and folders. The first folder's is taken.
    pub different: Vec<(String, Vec<String>)>,
}

impl Merged {
    /// Slides that no folder holds as done: those that failed, had no turn, or belong to a missing share.
    pub fn missing(&self) -> impl Iterator<Item = &SlideStatus> {
        self.summary.slides.iter().filter(|slide| !slide.is_there())
    }

    /// Whether all slides are there, each once or alike.
    pub fn is_whole(&self) -> bool {
        self.missing().next().is_none() && self.different.is_empty()
    }
}

/// One run's results.
struct Source {
    out: PathBuf,
    report: Value,
    slides: Vec<SlideStatus>,
    shard: Option<ShardNote>,
    rows: HashMap<String, String>,
    _lock: FolderLock,
}

/// Joins the results in `outs` and writes `run.json` and `submission.csv` into `out`. The slides' folders stay where they
/// are; each entry of the report names its own.
///
/// # Errors
/// When a folder holds no results, is being written, or was made with other settings than the first; when the reports
/// cannot be written.
pub fn merge(outs: &[PathBuf], out: &Path, locking: Locking) -> Result<Merged, BatchError> {
    std::fs::create_dir_all(out)
        .map_err(|error| BatchError::output(out, format!("the folder cannot be made: {error}")))?;
    let same = |one: &Path| one.canonicalize().ok() == out.canonicalize().ok();
    if outs.iter().any(|one| same(one)) || out.join("slides").exists() {
        return Err(BatchError::output(
            out,
            "it holds results of its own; choose another --out for the joined report",
        ));
    }
    let never = std::sync::atomic::AtomicBool::new(false);
    let _lock = FolderLock::take(out, locking, &never, &|_| {})?;
    let sources = outs
        .iter()
        .map(|one| Source::read(one, locking))
        .collect::<Result<Vec<_>, BatchError>>()?;
    let Some(first) = sources.first() else {
        return Err(BatchError::output(out, "there is nothing to join"));
    };
    for source in &sources[1..] {
        if let Some(what) = difference(&made_by(&source.report), &made_by(&first.report)) {
            return Err(BatchError::output(
                &source.out,
                format!(
                    "it was made with {what} than {}; results of different settings are not joined",
                    first.out.display()
                ),
            ));
        }
    }
    let mut joining = Joining {
        rows: Rows::new(out)?,
        slides: Vec::new(),
        places: HashMap::new(),
        doubles: BTreeMap::new(),
    };
    for (number, source) in sources.iter().enumerate() {
        for slide in &source.slides {
            joining.take(&sources, number, slide)?;
        }
    }
    let missing_shares = joining.add_missing(&sources);
    joining.write(out, &sources, missing_shares)
}

/// What tells slides apart: an id may stand for several, each with a folder of its own.
type Key = (String, String);

fn key_of(slide: &SlideStatus) -> Key {
    (slide.id.clone(), slide.folder_name().to_owned())
}

/// The joined report as it grows.
struct Joining {
    rows: Rows,
    slides: Vec<SlideStatus>,
    /// Which entry a slide has, and which source it came from.
    places: HashMap<Key, (usize, usize)>,
    /// The folders of a slide that several hold, and whether they differ.
    doubles: BTreeMap<String, (Vec<usize>, bool)>,
}

impl Joining {
    fn take(
        &mut self,
        sources: &[Source],
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
        BatchError::output(path, format!("the rows cannot be kept: {error}"))
    }

    /// Enters the slides of shares that no folder holds; returns those shares.
    fn add_missing(&mut self, sources: &[Source]) -> Vec<String> {
        let notes: Vec<&ShardNote> = sources.iter().filter_map(|s| s.shard.as_ref()).collect();
        let there: HashSet<(u32, u32)> = notes.iter().map(|note| (note.index, note.of)).collect();
        let wanted: BTreeSet<u32> = notes.iter().map(|note| note.of).collect();
        let missing = wanted
            .into_iter()
            .flat_map(|of| (1..=of).map(move |index| (index, of)))
            .filter(|share| !there.contains(share))
            .map(|(index, of)| format!("{index}/{of}"))
            .collect();
        for note in &notes {
            let mut known: HashSet<String> = self.slides.iter().map(|s| s.id.clone()).collect();
            for id in &note.batch {
                // Slides of one id are in one share, so that all of them are missing or none.
                if !known.insert(id.clone()) {
                    continue;
                }
                let reason = "no folder holds it; its share is missing or had other inputs";
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
        sources: &[Source],
        missing_shares: Vec<String>,
    ) -> Result<Merged, BatchError> {
        let first = made_by(&sources[0].report);
        let has_rle = first
            .pointer("/settings/write/rle")
            .and_then(Value::as_bool)
            .unwrap_or(true);
        let rows = match has_rle {
            true => Some(write_submission(
                &out.join("submission.csv"),
                &self.slides,
                &mut self.rows,
            )?),
            false => None,
        };
        let mut warnings: Vec<Warning> = Vec::new();
        for source in sources {
            let theirs = source.report.get("warnings").cloned().unwrap_or_default();
            let theirs: Vec<Warning> = serde_json::from_value(theirs).unwrap_or_default();
            for warning in theirs {
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        let summary = Summary {
            state: State::Merged,
            warnings: warnings.clone(),
            seconds: sources
                .iter()
                .filter_map(|s| s.report.pointer("/totals/seconds")?.as_f64())
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
            missing_shares,
        })
    }
}

/// What a report says of who made it, in the shape that records have.
fn made_by(report: &Value) -> Value {
    json!({
        "version": report.pointer("/versions/ftuseg"),
        "bundle": report.get("bundle"),
        "runtime": report.get("runtime"),
        "settings": report.get("settings"),
    })
}

impl Source {
    fn read(out: &Path, locking: Locking) -> Result<Self, BatchError> {
        let lock = FolderLock::take_to_read(out, locking)?;
        let path = out.join("run.json");
        let wrong = |reason: String| BatchError::output(&path, reason);
        let text = plain::read(&path, MAX_REPORT_BYTES)
            .map_err(|error| wrong(format!("no results of `ftuseg segment` here: {error}")))?;
        let report: Value = serde_json::from_slice(&text)
            .map_err(|error| wrong(format!("is not a report: {error}")))?;
        if report.get("schema").and_then(Value::as_str) != Some("ftuseg/run/1") {
            return Err(wrong(
                "its schema is not ftuseg/run/1; it was made by another version".to_owned(),
            ));
        }
        if report.get("state") == Some(&json!(State::Merged)) {
            return Err(wrong(
                "it is a joined report; name the folders that it was joined from".to_owned(),
            ));
        }
        let slides: Vec<SlideStatus> = report
            .get("slides")
            .cloned()
            .and_then(|slides| serde_json::from_value(slides).ok())
            .ok_or_else(|| wrong("its slides cannot be understood".to_owned()))?;
        let shard: Option<ShardNote> = report
            .get("shard")
            .map(|shard| serde_json::from_value(shard.clone()))
            .transpose()
            .map_err(|error| wrong(format!("its shard cannot be understood: {error}")))?;
        if let Some(note) = &shard {
            note.check()
                .map_err(|reason| wrong(format!("its shard cannot be: {reason}")))?;
        }
        let mut keys = HashSet::new();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for slide in &slides {
            check(slide).map_err(|reason| wrong(format!("the slide {:?}: {reason}", slide.id)))?;
            if !keys.insert(key_of(slide)) {
                return Err(wrong(format!(
                    "the slide {:?} stands there twice",
                    slide.id
                )));
            }
            *counts.entry(&slide.id).or_default() += 1;
        }
        let is_shared = |id: &str| counts.get(id).is_some_and(|&count| count > 1);
        let rows = submission(&out.join("submission.csv"), is_shared)?;
        let mut source = Source {
            out: out.to_owned(),
            slides,
            shard,
            rows,
            report,
            _lock: lock,
        };
        // A killed run's report may lag behind its folders by the slide that it had at hand.
        for slide in &mut source.slides {
            // A folder is a name, never a way out of the run's.
            let name = slide.folder_name();
            let is_name = !name.is_empty() && !name.contains(['/', '\\']) && !name.starts_with('.');
            if !is_name || slide.id.is_empty() {
                return Err(wrong(format!(
                    "{:?} is no id or {name:?} no folder",
                    slide.id
                )));
            }
            if slide.is_there() && !out.join("slides").join(name).is_dir() {
                slide.status = Status::Failed;
                slide.kind = Some("lost".to_owned());
                slide.reason = Some("its folder is not there any more".to_owned());
            }
        }
        Ok(source)
    }

    fn folder(&self, slide: &SlideStatus) -> PathBuf {
        self.out.join("slides").join(slide.folder_name())
    }

    /// The row of a slide: its table's, or from its mask where the table lags behind.
    fn row(&self, slide: &SlideStatus) -> Result<Option<String>, BatchError> {
        let folder = self.folder(slide);
        let Some(row) = self.rows.get(&slide.id) else {
            return Ok(row_of(&folder).ok());
        };
        rle::check(row, pixels_of(&folder)).map_err(|error| {
            BatchError::output(
                &self.out.join("submission.csv"),
                format!(
                    "the row of {:?} does not fit its slide: {error}; segment it again",
                    slide.id
                ),
            )
        })?;
        Ok(Some(row.clone()))
    }
}

/// Says what cannot be true of a slide's entry: a report is a file that anybody can have changed.
fn check(slide: &SlideStatus) -> Result<(), String> {
    let is_share = |value: f64| value.is_finite() && value >= 0.0;
    if slide.id.is_empty() {
        return Err("its id is empty".to_owned());
    }
    if slide.objects > MAX_COUNT {
        return Err(format!("it cannot have {} objects", slide.objects));
    }
    let tiles = slide.tiles.planned.max(slide.tiles.inferred);
    if tiles > MAX_COUNT {
        return Err(format!("it cannot have {tiles} tiles"));
    }
    if !is_share(slide.seconds) || !slide.area_mm2.is_none_or(is_share) {
        return Err("its seconds or its area cannot be".to_owned());
    }
    Ok(())
}

/// How many px a finished slide has, as its record says; the most that there can be where it does not.
fn pixels_of(folder: &Path) -> u64 {
    let record: Option<Value> = plain::read(&folder.join("slide.json"), MAX_REPORT_BYTES)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let side = |pointer: &str| {
        let side = record.as_ref()?.pointer(pointer)?.as_u64()?;
        u32::try_from(side).ok()
    };
    match side("/width").zip(side("/height")) {
        Some((width, height)) => u64::from(width) * u64::from(height),
        None => u64::from(MAX_SIDE) * u64::from(MAX_SIDE),
    }
}

/// The rows of a submission, each of them an RLE; none where there is no table.
///
/// Those of an id that several slides share are left out: they do not say which is whose.
fn submission(
    path: &Path,
    is_shared: impl Fn(&str) -> bool,
) -> Result<HashMap<String, String>, BatchError> {
    let wrong = |reason: String| BatchError::output(path, reason);
    let Ok(file) = File::open(path) else {
        return Ok(HashMap::new());
    };
    let mut rows = HashMap::new();
    for row in csv::Reader::from_reader(file).deserialize() {
        let (id, text): (String, String) =
            row.map_err(|error| wrong(format!("cannot be read: {error}")))?;
        if id.is_empty() {
            return Err(wrong("a row's id is empty".to_owned()));
        }
        rle::check(&text, u64::MAX).map_err(|error| {
            wrong(format!(
                "the row of {id:?} is damaged: {error}; segment its slide again"
            ))
        })?;
        if is_shared(&id) {
            continue;
        }
        if rows.contains_key(&id) {
            return Err(wrong(format!("the id {id:?} stands there twice")));
        }
        rows.insert(id, text);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_cannot_be_true_is_refused() {
        let sound = SlideStatus::new("a", String::new(), Status::Done);
        assert_eq!(check(&sound), Ok(()));
        let mut forged = [(); 4].map(|()| sound.clone());
        forged[0].id.clear();
        forged[1].objects = u64::MAX;
        forged[2].tiles.planned = u64::MAX;
        forged[3].seconds = -1.0;
        for (slide, word) in forged.iter().zip(["id", "objects", "tiles", "seconds"]) {
            let error = check(slide).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        for (index, of) in [(0, 3), (4, 3), (1, u32::MAX)] {
            let batch = Vec::new();
            assert!(ShardNote { index, of, batch }.check().is_err());
        }
    }

    #[test]
    fn rows_that_do_not_decode_are_refused_with_their_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("submission.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            submission(&path, |id| id == "shared").map_err(|error| error.to_string())
        };
        let shared = read("id,rle\nshared,1 2\na,1 2\nshared,3 4\n").unwrap();
        assert_eq!(shared.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(read("id,rle\na,1 2\nb,\n").unwrap().len(), 2);
        for (text, word) in [
            ("id,rle\na,1 2 3\n", "damaged"),
            ("id,rle\na,x\n", "damaged"),
            ("id,rle\n,1 2\n", "empty"),
            ("id,rle\na,1 2\na,1 2\n", "twice"),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.contains(word) && error.contains("submission.csv"),
                "{error}"
            );
        }
    }
}
