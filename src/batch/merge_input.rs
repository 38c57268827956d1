//! Reads one run's results to join them with others': the report and the rows, checked, for they are files that anybody can
//! have changed.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use ftuseg_records::{ReadError, RunRecord, RunState, SlideStatus, Status, read_run};

use super::lock::FolderLock;
use super::reuse::record_of;
use super::shard::check as check_shard;
use super::submission::row_of;
use super::{BatchError, Locking};
use crate::mask::{MAX_SIDE, rle};

/// The most objects or tiles of a slide that are believed; 2^24 slides of so many still add up.
const MAX_COUNT: u64 = 1 << 40;

/// One run's results.
pub(super) struct MergeInput {
    pub out: PathBuf,
    /// Its report, without the slides.
    pub report: RunRecord,
    pub slides: Vec<SlideStatus>,
    rows: HashMap<String, String>,
    _lock: FolderLock,
}

/// What tells slides apart: an id may stand for several, each with a folder of its own.
pub(super) type Key = (String, String);

pub(super) fn key_of(slide: &SlideStatus) -> Key {
    (slide.id.clone(), slide.folder_name().to_owned())
}

impl MergeInput {
    /// Reads what lies in a folder, which nobody else writes into from now on.
    ///
    /// # Errors
    /// When it holds no results, is being written, or what it holds cannot be true.
    pub(super) fn read(out: &Path, locking: Locking) -> Result<Self, BatchError> {
        let lock = FolderLock::take_to_read(out, locking)?;
        let path = out.join("run.json");
        let wrong = |reason: String| BatchError::output(&path, reason);
        let mut report = read_run(&path).map_err(|error| match error {
            ReadError::Io { cause, .. } => {
                wrong(format!("there are no results of a run here: {cause}"))
            }
            error => BatchError::Record(error),
        })?;
        if report.state == RunState::Merged {
            return Err(wrong(
                "it is a joined report; name the folders it was joined from".to_owned(),
            ));
        }
        if let Some(note) = &report.shard {
            check_shard(note).map_err(|reason| wrong(format!("its shard is invalid: {reason}")))?;
        }
        let slides = std::mem::take(&mut report.slides);
        let mut keys = HashSet::new();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for slide in &slides {
            check(slide).map_err(|reason| wrong(format!("the slide {:?}: {reason}", slide.id)))?;
            if !keys.insert(key_of(slide)) {
                return Err(wrong(format!("the slide {:?} is listed twice", slide.id)));
            }
            *counts.entry(&slide.id).or_default() += 1;
        }
        let is_shared = |id: &str| counts.get(id).is_some_and(|&count| count > 1);
        let rows = submission(&out.join("submission.csv"), is_shared)?;
        let mut source = MergeInput {
            out: out.to_owned(),
            slides,
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
                    "{:?} is not an id, or {name:?} is not a folder",
                    slide.id
                )));
            }
            if slide.is_there() && !out.join("slides").join(name).is_dir() {
                slide.status = Status::Failed;
                slide.kind = Some("lost".to_owned());
                slide.reason = Some("its folder is gone".to_owned());
            }
        }
        Ok(source)
    }

    /// A slide's folder.
    pub(super) fn folder(&self, slide: &SlideStatus) -> PathBuf {
        self.out.join("slides").join(slide.folder_name())
    }

    /// The row of a slide: its table's, or from its mask where the table lags behind.
    pub(super) fn row(&self, slide: &SlideStatus) -> Result<Option<String>, BatchError> {
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
        return Err("its seconds or its area are impossible".to_owned());
    }
    Ok(())
}

/// How many px a finished slide has, as its record says; the most that there can be where it does not.
fn pixels_of(folder: &Path) -> u64 {
    record_of(folder).map_or(u64::from(MAX_SIDE) * u64::from(MAX_SIDE), |record| {
        u64::from(record.width) * u64::from(record.height)
    })
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
            return Err(wrong(format!("the id {id:?} is listed twice")));
        }
        rows.insert(id, text);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use ftuseg_records::ShardNote;

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
            assert!(check_shard(&ShardNote { index, of, batch }).is_err());
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
