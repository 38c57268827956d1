//! A finished run on the disk: which slides it has, and where.

use std::path::{Path, PathBuf};

use ftuseg_records::{SlideRecord, Status, read_run, read_slide};

use crate::{ExportError, Objects, ObjectsByRow};

/// A results folder of `ftuseg segment`.
#[derive(Debug, Clone)]
pub struct Run {
    path: PathBuf,
    slides: Vec<RunSlide>,
    missing: Vec<String>,
}

/// A slide of a run that is done. Its record is read by [`RunSlide::open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSlide {
    /// The slide's id, as the user gave it.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
}

impl Run {
    /// Opens a run by its `run.json`.
    ///
    /// # Errors
    /// When there is none, when it joins the reports of other folders, or when a slide's folder is named so that it would
    /// lie elsewhere.
    pub fn open(path: &Path) -> Result<Self, ExportError> {
        let record = read_run(&path.join("run.json"))?;
        let not_a_run = |reason: &str| ExportError::NotARun {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        if record.merged.is_some() {
            return Err(not_a_run(
                "it joins the reports of several runs, whose slides lie in their own folders; name those folders instead",
            ));
        }
        let (mut slides, mut missing) = (Vec::new(), Vec::new());
        for slide in &record.slides {
            if !slide.is_there() {
                missing.push(slide.id.clone());
                continue;
            }
            let name = slide.folder_name();
            if name.is_empty() || name.starts_with('.') {
                return Err(not_a_run("a slide's folder has a name that no run gives"));
            }
            slides.push(RunSlide {
                id: slide.id.clone(),
                folder: path.join("slides").join(name),
            });
        }
        debug_assert!(
            record
                .slides
                .iter()
                .all(|s| s.is_there() || matches!(s.status, Status::Failed | Status::Pending))
        );
        Ok(Run {
            path: path.to_owned(),
            slides,
            missing,
        })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The slides that are done, in the order of the report.
    pub fn slides(&self) -> &[RunSlide] {
        &self.slides
    }

    /// Ids of the slides that failed or had no turn.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }
}

impl RunSlide {
    /// Reads the slide's record.
    ///
    /// # Errors
    /// When it cannot be read, is of another version, or is another slide's, or when the slide's outlines were simplified.
    pub fn open(&self) -> Result<FinishedSlide, ExportError> {
        let path = self.folder.join("slide.json");
        let record = read_slide(&path)?;
        if record.id != self.id {
            let reason = format!("it is the record of {:?}, not of {:?}", record.id, self.id);
            return Err(ExportError::damaged(&path, reason));
        }
        let side = 1..=ftuseg_slide::MAX_SIDE;
        if !side.contains(&record.width) || !side.contains(&record.height) {
            return Err(ExportError::damaged(&path, "no slide has such a size"));
        }
        if let Some(tolerance_um) = record.made_by.settings.simplify_um {
            return Err(ExportError::Simplified {
                folder: self.folder.clone(),
                tolerance_um,
            });
        }
        Ok(FinishedSlide {
            folder: self.folder.clone(),
            record,
        })
    }

    /// The name of its folder.
    pub fn folder_name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// A slide with its record, which hands out its objects.
#[derive(Debug, Clone)]
pub struct FinishedSlide {
    /// Its folder.
    pub folder: PathBuf,
    /// What its `slide.json` says.
    pub record: SlideRecord,
}

impl FinishedSlide {
    /// um per full-size px, from left to right and from top to bottom, where it is known.
    pub fn mpp(&self) -> Option<(f64, f64)> {
        self.record.mpp.map(|size| (size.mpp, size.down))
    }

    /// The name of the slide's file.
    pub fn file_name(&self) -> &str {
        let path = &self.record.input.path;
        path.rsplit(['/', '\\']).next().unwrap_or(path)
    }

    /// Its objects, in the order of their ids.
    ///
    /// # Errors
    /// When the run wrote no `objects.csv` or no outlines, or simplified them.
    pub fn objects(&self) -> Result<Objects, ExportError> {
        Objects::open(self)
    }

    /// Its objects in the order of their first px, from the top down, whatever found them.
    ///
    /// # Errors
    /// As [`FinishedSlide::objects`].
    pub fn objects_by_row(&self) -> Result<ObjectsByRow, ExportError> {
        ObjectsByRow::open(self)
    }
}
