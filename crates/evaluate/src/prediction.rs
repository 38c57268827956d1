//! Finds what a run predicted: a results folder of `ftuseg segment`, a submission, or a folder of masks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::{Classes, EvaluateError, mask_file};
use ftuseg_files::table::Table;
use ftuseg_mask::rle;
use ftuseg_records::{ReadError, RunRecord, SlideRecord, read_run, read_slide};
use ftuseg_slide::mask_image::LabelMask;

/// A run whose masks are scored.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// Its name in the report.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What its record says.
    pub(super) about: Option<RunRecord>,
    /// Why it says nothing.
    pub(super) source_unknown: Option<String>,
    kind: PredictionKind,
}

#[derive(Debug, Clone)]
enum PredictionKind {
    /// A folder that `ftuseg segment` wrote: the names of its slides' folders, by the ids in their records.
    Results(HashMap<String, Vec<String>>),
    /// id,rle
    Submission(HashMap<String, String>),
    /// A folder of `ID.png`, `ID.tif`, `ID.jpg`, `ID.geojson` or `ID.db`, as nnU-Net and TIAToolbox leave them, too: the files
    /// of each id.
    Masks(BTreeMap<String, Vec<PathBuf>>),
}

impl Prediction {
    /// Looks what kind of run a path holds.
    ///
    /// # Errors
    /// When there is nothing of a kind that is known.
    pub fn open(path: &Path) -> Result<Self, EvaluateError> {
        let name = path
            .canonicalize()
            .ok()
            .as_deref()
            .and_then(Path::file_name)
            .map_or_else(
                || path.display().to_string(),
                |n| n.to_string_lossy().into_owned(),
            );
        let kind = if path.is_dir() && path.join("slides").is_dir() {
            PredictionKind::Results(folders(&path.join("slides")))
        } else if path.is_dir() {
            PredictionKind::Masks(masks(path)?)
        } else if path.is_file() {
            PredictionKind::Submission(submission(path)?)
        } else if path.exists() {
            return Err(EvaluateError::format(
                path,
                "it is neither a folder nor a plain file, but a pipe or device",
            ));
        } else {
            return Err(EvaluateError::format(
                path,
                "there is no such file or folder; a run is a results folder of `ftuseg segment`, a submission.csv, or a folder of masks named ID.png, ID.tif, ID.jpg or ID.geojson",
            ));
        };
        let (about, source_unknown) = match kind {
            PredictionKind::Results(_) => match read_run(&path.join("run.json")) {
                Ok(about) => (Some(about), None),
                Err(error) => (None, Some(error.to_string())),
            },
            _ => (None, Some("mask files alone do not say".to_owned())),
        };
        Ok(Prediction {
            name,
            path: path.to_owned(),
            about,
            source_unknown,
            kind,
        })
    }

    /// The mask of an image, or none where the run has none. `size` is the truth's.
    ///
    /// # Errors
    /// When the mask cannot be read or has another size than the truth.
    pub fn mask(
        &self,
        id: &str,
        size: (u32, u32),
        classes: &Classes,
    ) -> Result<Option<LabelMask>, EvaluateError> {
        let read = match &self.kind {
            PredictionKind::Submission(rows) => match rows.get(id) {
                Some(text) => rle::decode(text, size.0, size.1)?.into(),
                None => return Ok(None),
            },
            PredictionKind::Results(folders) => {
                match self.of_slide(one_of(folders, id, &self.path)?, "mask.tif") {
                    Some(file) => mask_file::read(&file, None, classes)?,
                    None => return Ok(None),
                }
            }
            PredictionKind::Masks(files) => match files.get(id).map(Vec::as_slice) {
                None | Some([]) => return Ok(None),
                Some([file]) => mask_file::read(file, Some(size), classes)?,
                Some(several) => {
                    let names: Vec<_> = several
                        .iter()
                        .filter_map(|file| Some(file.file_name()?.to_string_lossy()))
                        .collect();
                    return Err(EvaluateError::format(
                        &self.path,
                        format!(
                            "it has several masks for {id:?} ({}); keep only the right one",
                            names.join(", ")
                        ),
                    ));
                }
            },
        };
        let found = (read.mask.width(), read.mask.height());
        if found != size {
            return Err(EvaluateError::Size { found, truth: size });
        }
        Ok(Some(read))
    }

    /// What the run's record says of an image.
    pub(super) fn record(&self, id: &str) -> Option<Result<SlideRecord, ReadError>> {
        let PredictionKind::Results(folders) = &self.kind else {
            return None;
        };
        let folder = one_of(folders, id, &self.path).ok()?;
        Some(read_slide(&self.of_slide(folder, "slide.json")?))
    }

    /// The file with the probabilities of an image, if the run has it.
    pub(super) fn probabilities(&self, id: &str) -> Option<PathBuf> {
        let PredictionKind::Results(folders) = &self.kind else {
            return None;
        };
        self.of_slide(one_of(folders, id, &self.path).ok()?, "prob.tif")
    }

    /// Ids that the run has and that are not in `known`.
    pub fn unknown(&self, known: &BTreeSet<&str>) -> Vec<String> {
        let mut unknown: Vec<String> = match &self.kind {
            PredictionKind::Submission(rows) => rows.keys().cloned().collect(),
            PredictionKind::Results(folders) => folders.keys().cloned().collect(),
            PredictionKind::Masks(files) => files.keys().cloned().collect(),
        };
        unknown.retain(|id| !known.contains(id.as_str()));
        unknown.sort();
        unknown
    }

    /// A file of a slide's folder, if both are there.
    fn of_slide(&self, folder: Option<&str>, name: &str) -> Option<PathBuf> {
        let file = self.path.join("slides").join(folder?).join(name);
        file.is_file().then_some(file)
    }
}

/// The folders of a run's slides, by the ids that their records state; those without a record by their names.
fn folders(slides: &Path) -> HashMap<String, Vec<String>> {
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    let mut all = names(slides);
    all.sort();
    for name in all {
        let record = read_slide(&slides.join(&name).join("slide.json"));
        let id = record.map_or_else(|_| name.clone(), |record| record.id);
        found.entry(id).or_default().push(name);
    }
    found
}

/// The masks in a folder, by id: the file's name without its extension, whatever the extension's case.
///
/// # Errors
/// When it has none, but files that other tools keep masks in and that are not read.
fn masks(folder: &Path) -> Result<BTreeMap<String, Vec<PathBuf>>, EvaluateError> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut not_read = BTreeSet::new();
    for name in names(folder) {
        let lower = name.to_lowercase();
        let mut endings = mask_file::NOT_READ.iter();
        // The longest last: `.nii.gz` is no `.gz`.
        if let Some(&ending) = endings.rfind(|&&ending| lower.ends_with(ending)) {
            not_read.insert(ending);
        }
        let Some((stem, _)) = name.rsplit_once('.') else {
            continue;
        };
        let path = folder.join(&name);
        if path.is_file() && mask_file::may_hold_a_mask(&path) {
            let files = found.entry(stem.to_owned()).or_default();
            files.push(path);
            files.sort();
        }
    }
    if found.is_empty() && !not_read.is_empty() {
        let list: Vec<&str> = not_read.into_iter().collect();
        return Err(EvaluateError::format(
            folder,
            format!(
                "it has no mask that can be read, but files that end in {}; save masks as PNG, TIFF or GeoJSON",
                list.join(", ")
            ),
        ));
    }
    Ok(found)
}

/// The folder of an id, if there is one.
///
/// # Errors
/// When there are several: which of them the truth speaks of is not known.
fn one_of<'a>(
    folders: &'a HashMap<String, Vec<String>>,
    id: &str,
    run: &Path,
) -> Result<Option<&'a str>, EvaluateError> {
    match folders.get(id).map(Vec::as_slice) {
        None | Some([]) => Ok(None),
        Some([one]) => Ok(Some(one)),
        Some(several) => Err(EvaluateError::format(
            run,
            format!(
                "{} slides have the id {id:?} (folders {}), so it is unclear which of them the truth is about; give them different ids in a table",
                several.len(),
                several.join(", ")
            ),
        )),
    }
}

/// Names in a folder that are not hidden; none where it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect()
}

fn submission(path: &Path) -> Result<HashMap<String, String>, EvaluateError> {
    let wrong = |reason: String| EvaluateError::format(path, reason);
    let table = Table::read(path, "id").map_err(wrong)?;
    let find = |name: &str| table.column(name).map_err(wrong);
    let (Some(id), Some(rle)) = (find("id")?, find("rle")?) else {
        return Err(wrong(
            "a submission needs the columns id and rle".to_owned(),
        ));
    };
    let mut rows = HashMap::new();
    for (_, mut row) in table.into_rows() {
        let [name, text] = [id, rle].map(|column| std::mem::take(&mut row[column]));
        if rows.contains_key(&name) {
            return Err(wrong(format!("the id {name:?} is listed twice")));
        }
        rows.insert(name, text);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_boxes_as_many_tools_write_them_are_4400_px_in_two_objects() {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/field_cases/05-mask-files");
        let Ok(folders) = std::fs::read_dir(&cases) else {
            println!("skipped: no {}", cases.display());
            return;
        };
        let (truths, _) = crate::read_truth(&cases.join("truth.csv")).unwrap();
        let truth = truths[0].mask().unwrap();
        let mut count = 0;
        for folder in folders
            .map(|folder| folder.unwrap().path())
            .filter(|folder| folder.is_dir())
        {
            let run = Prediction::open(&folder).unwrap();
            let found = run.mask("x", (160, 120), &Classes::default());
            let found = found.unwrap().expect(&run.name);
            assert_eq!(found.mask, truth, "{}", run.name);
            let objects = found
                .objects
                .unwrap_or_else(|| ftuseg_mask::Objects::find(&found.mask));
            assert_eq!(
                (found.mask.count(), objects.len()),
                (4400, 2),
                "{}",
                run.name
            );
            count += 1;
        }
        assert_eq!(count, 8);
    }

    #[test]
    fn what_tools_leave_beside_their_masks_is_no_mask() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
        // nnU-Net's predictions, with the spacing of a TIFF beside it.
        write("case_1.png", b"");
        write("case_2.tif", b"");
        write("case_2.json", b"{\"spacing\": [1, 0.5, 0.5]}");
        for name in ["dataset", "plans", "predict_from_raw_data_args", "summary"] {
            write(
                &format!("{name}.json"),
                br#"{"labels": {"background": 0, "gland": 1}, "file_ending": ".png"}"#,
            );
        }
        write("case_1.npz", b"");
        // TIAToolbox's, and what Windows leaves.
        write(
            "wsi_1.json",
            br#"{"type": "FeatureCollection", "features": []}"#,
        );
        write("wsi_2.json", br#"[{"type": "Feature", "geometry": null}]"#);
        write("wsi_3.db", b"SQLite format 3\0");
        write("Thumbs.db", b"\xd0\xcf\x11\xe0");
        let ids = |folder: &Path| masks(folder).map(|found| found.into_keys().collect::<Vec<_>>());
        assert_eq!(
            ids(folder.path()).unwrap(),
            ["case_1", "case_2", "wsi_1", "wsi_2", "wsi_3"]
        );
        let other = tempfile::tempdir().unwrap();
        assert!(ids(other.path()).unwrap().is_empty());
        std::fs::write(other.path().join("a.nii.gz"), "").unwrap();
        let error = ids(other.path()).unwrap_err().to_string();
        assert!(error.contains(".nii.gz; save masks as PNG"), "{error}");
    }

    #[test]
    fn submissions_of_all_programs_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("submission.csv");
        for text in [
            &b"id,rle\na,1 3\nb,\n"[..],
            b"\xef\xbb\xbfID;RLE\r\na;1 3\r\nb;\r\n;\r\n",
            b"rle\tid\n1 3\ta\n\tb\n\n",
        ] {
            std::fs::write(&path, text).unwrap();
            let rows = submission(&path).unwrap();
            assert_eq!(
                (rows["a"].as_str(), rows["b"].as_str(), rows.len()),
                ("1 3", "", 2)
            );
        }
        std::fs::write(&path, "id,rle\na,1 3\na,\n").unwrap();
        let error = submission(&path).unwrap_err().to_string();
        assert!(error.contains("is listed twice"), "{error}");
    }

    #[test]
    fn a_field_of_many_megabytes_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("submission.csv");
        let long = "1 1 ".repeat(4 << 20);
        std::fs::write(&path, format!("id,rle\na,{long}\n")).unwrap();
        let rows = submission(&path).unwrap();
        assert_eq!(rows["a"].len(), long.trim_end().len());
    }
}
