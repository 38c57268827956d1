//! Reads a manifest: `id,path` with optional `organ` and `mpp`, or Kaggle's own `train.csv`/`test.csv`.

use std::path::{Path, PathBuf};

use super::{BatchError, Job};
use crate::slide::{Resolution, ResolutionSource};

/// Reads manifests.
#[derive(Debug, Clone, Copy)]
pub struct Manifest;

/// Where each column stands.
struct Columns {
    id: usize,
    path: Option<usize>,
    organ: Option<usize>,
    mpp: Option<usize>,
}

impl Manifest {
    /// Reads the slides a manifest names. Relative paths count from the manifest's folder. For Kaggle's tables, which
    /// have no column `path`, `images` is the folder that holds `ID.tiff`.
    ///
    /// # Errors
    /// When the table cannot be read, lacks a column, or has a row that makes no sense; the error names the line.
    pub fn read(path: &Path, images: Option<&Path>) -> Result<Vec<Job>, BatchError> {
        let wrong = |reason: String| BatchError::manifest(path, reason);
        let mut table = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let header = table
            .headers()
            .map_err(|error| wrong(format!("is not a CSV table: {error}")))?
            .clone();
        let columns = Columns::find(path, &header, images)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut jobs = Vec::new();
        for row in table.records() {
            let row = row.map_err(|error| wrong(format!("is not a CSV table: {error}")))?;
            let line = row.position().map_or(0, csv::Position::line);
            let field = |index: Option<usize>| {
                index
                    .and_then(|index| row.get(index))
                    .filter(|text| !text.is_empty())
            };
            let id = field(Some(columns.id))
                .ok_or_else(|| wrong(format!("line {line}: the id is empty")))?;
            let file = match (columns.path, images) {
                (Some(_), _) => {
                    let text = field(columns.path)
                        .ok_or_else(|| wrong(format!("line {line}: the path is empty")))?;
                    folder.join(text)
                }
                (None, Some(images)) => image_of(images, id),
                (None, None) => return Err(wrong("it has no column path".to_owned())),
            };
            let resolution = field(columns.mpp)
                .map(|text| {
                    text.parse()
                        .ok()
                        .and_then(|mpp| Resolution::believable(mpp, ResolutionSource::Manifest))
                        .ok_or_else(|| {
                            wrong(format!(
                                "line {line}: {text:?} is no um/px between 0.02 and 40"
                            ))
                        })
                })
                .transpose()?;
            jobs.push(Job {
                id: id.to_owned(),
                path: file,
                organ: field(columns.organ).map(str::to_owned),
                resolution,
            });
        }
        if jobs.is_empty() {
            return Err(BatchError::Empty {
                path: path.to_owned(),
                reason: "the manifest names no slide".to_owned(),
            });
        }
        Ok(jobs)
    }
}

impl Columns {
    fn find(
        path: &Path,
        header: &csv::StringRecord,
        images: Option<&Path>,
    ) -> Result<Self, BatchError> {
        let find = |name: &str| header.iter().position(|column| column == name);
        let id = find("id").ok_or_else(|| {
            BatchError::manifest(path, "it has no column id; a manifest's header is id,path")
        })?;
        let columns = Columns {
            id,
            path: find("path"),
            organ: find("organ"),
            mpp: find("mpp").or_else(|| find("pixel_size")),
        };
        match (columns.path, images) {
            (Some(_), Some(_)) => Err(BatchError::manifest(
                path,
                "it has a column path, so --images has no meaning; leave it out",
            )),
            (None, None) => Err(BatchError::manifest(
                path,
                "it has no column path; for Kaggle's tables name the images' folder with --images DIR",
            )),
            _ => Ok(columns),
        }
    }
}

/// The image of an id: `ID.tiff` or another known extension; `ID.tiff`, which then fails by name, if there is none.
pub(crate) fn image_of(images: &Path, id: &str) -> PathBuf {
    // An id is a file's name here, never a way to somewhere else.
    let name = Path::new(id)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    ["tiff", "tif", "svs", "png", "jpg", "jpeg"]
        .iter()
        .map(|extension| images.join(format!("{name}.{extension}")))
        .find(|path| path.is_file())
        .unwrap_or_else(|| images.join(format!("{name}.tiff")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, images: Option<&Path>) -> Result<Vec<Job>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.csv");
        std::fs::write(&path, text).unwrap();
        Manifest::read(&path, images).map_err(|error| error.to_string())
    }

    #[test]
    fn both_kinds_of_table_are_read() {
        let jobs = read(
            "id,path,organ,mpp\na,x/a.svs,lung,0.5\nb,/y/b.tif,,\n",
            None,
        )
        .unwrap();
        assert!(jobs[0].path.ends_with("x/a.svs"));
        assert_eq!(jobs[0].organ.as_deref(), Some("lung"));
        assert_eq!(jobs[0].resolution.map(|r| r.mpp), Some(0.5));
        assert_eq!(jobs[1].path, Path::new("/y/b.tif"));
        assert_eq!((jobs[1].organ.clone(), jobs[1].resolution), (None, None));
        let kaggle = "id,organ,pixel_size,rle\n10044,prostate,0.4,1 2 3 4\n";
        let jobs = read(kaggle, Some(Path::new("imgs"))).unwrap();
        assert_eq!(jobs[0].path, Path::new("imgs/10044.tiff"));
        assert_eq!(jobs[0].resolution.map(|r| r.mpp), Some(0.4));
    }

    #[test]
    fn an_id_cannot_lead_out_of_the_images() {
        let jobs = read("id,organ\n../../etc/x,lung\n", Some(Path::new("imgs"))).unwrap();
        assert_eq!(jobs[0].path, Path::new("imgs/x.tiff"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, images, word) in [
            ("name,path\na,b\n", None, "column id"),
            ("id,organ\na,lung\n", None, "--images"),
            ("id,path\na,b\n", Some("imgs"), "--images"),
            ("id,path\n,b\n", None, "line 2"),
            ("id,path,mpp\na,b,72dpi\n", None, "72dpi"),
            ("id,path,mpp\na,b,0\n", None, "line 2"),
            ("id,path\n", None, "no slide"),
            ("id,path\na,b,c\n", None, "CSV"),
        ] {
            let error = read(text, images.map(Path::new)).unwrap_err();
            assert!(error.contains(word), "{text:?}: {error}");
        }
    }
}
