//! Reads a manifest: `id,path` with optional `organ` and `mpp`, or Kaggle's own `train.csv`/`test.csv`.

use std::path::{Path, PathBuf};

use super::{BatchError, Job};
use crate::slide::{Resolution, ResolutionSource, image_of};
use ftuseg_files::table::{Table, said};

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
    /// Whether a file is a table by its name; a spreadsheet is one too, which is then refused as such.
    pub(super) fn is_named_so(path: &Path) -> bool {
        ends_with(path, &["csv", "tsv"]) || is_spreadsheet(path)
    }

    /// Reads the slides a manifest names. Relative paths count from the manifest's folder. For Kaggle's tables, which
    /// have no column `path`, `images` is the folder that holds `ID.tiff`.
    ///
    /// # Errors
    /// When the table cannot be read, lacks a column, or has a row that makes no sense; the error names the line.
    pub fn read(path: &Path, images: Option<&Path>) -> Result<Vec<Job>, BatchError> {
        let wrong = |reason: String| BatchError::manifest(path, reason);
        if is_spreadsheet(path) {
            return Err(wrong(
                "is a spreadsheet, not a CSV table; save it as CSV in UTF-8".to_owned(),
            ));
        }
        let table = Table::read(path, "id").map_err(wrong)?;
        let columns = Columns::find(path, &table, images)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut jobs = Vec::new();
        for (line, row) in table.rows() {
            let field = |index: Option<usize>| {
                index
                    .and_then(|index| row.get(index))
                    .map(String::as_str)
                    .filter(|text| !text.is_empty())
            };
            let known = |index: Option<usize>| field(index).and_then(said);
            let id = field(Some(columns.id))
                .ok_or_else(|| wrong(format!("line {line}: the id is empty")))?;
            let file = match (columns.path, images) {
                (Some(_), _) => {
                    let text = field(columns.path)
                        .ok_or_else(|| wrong(format!("line {line}: the path is empty")))?;
                    file_of(folder, text)
                }
                (None, Some(images)) => image_of(images, id),
                (None, None) => return Err(wrong("it has no column path".to_owned())),
            };
            let resolution = known(columns.mpp)
                .map(|text| {
                    table
                        .number(text)
                        .and_then(|mpp| Resolution::believable(mpp, ResolutionSource::Manifest))
                        .ok_or_else(|| {
                            wrong(format!(
                                "line {line}: {text:?} is not a um/px from 0.02 to 40"
                            ))
                        })
                })
                .transpose()?;
            jobs.push(Job {
                organ: known(columns.organ).map(str::to_lowercase),
                resolution,
                ..Job::new(id.to_owned(), file)
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
    fn find(path: &Path, table: &Table, images: Option<&Path>) -> Result<Self, BatchError> {
        let find = |name: &str| {
            let found = table.column(name);
            found.map_err(|reason| BatchError::manifest(path, reason))
        };
        let id = find("id")?.ok_or_else(|| {
            BatchError::manifest(
                path,
                "it has no column id; the header of a manifest is id,path",
            )
        })?;
        let columns = Columns {
            id,
            path: find("path")?,
            organ: find("organ")?,
            mpp: find("mpp")?.or(find("pixel_size")?),
        };
        match (columns.path, images) {
            (Some(_), Some(_)) => Err(BatchError::ImagesNotNeeded {
                path: path.to_owned(),
            }),
            (None, None) => Err(BatchError::NoPaths {
                path: path.to_owned(),
            }),
            _ => Ok(columns),
        }
    }
}

/// Whether a file is a spreadsheet by its name.
fn is_spreadsheet(path: &Path) -> bool {
    ends_with(path, &["xlsx", "xls", "xlsm", "ods"])
}

fn ends_with(path: &Path, endings: &[&str]) -> bool {
    let extension = path.extension().unwrap_or_default();
    endings
        .iter()
        .any(|ending| extension.eq_ignore_ascii_case(ending))
}

/// The file that a table names. On systems where a back slash is a letter, a path of Windows is tried with slashes too.
fn file_of(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join(text);
    if cfg!(windows) || !text.contains('\\') || file.symlink_metadata().is_ok() {
        return file;
    }
    let other = folder.join(text.replace('\\', "/"));
    match other.symlink_metadata() {
        Ok(_) => other,
        Err(_) => file,
    }
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
    fn what_spreadsheets_write_is_understood() {
        for text in [
            "id;path;mpp;organ\na;x.svs;0,5;Kidney\n",
            "ID,Path,MPP,Organ\na,x.svs,0.5,KIDNEY\n,,,\n",
        ] {
            let jobs = read(text, None).unwrap();
            assert_eq!(jobs.len(), 1);
            assert_eq!(jobs[0].organ.as_deref(), Some("kidney"));
            assert_eq!(jobs[0].resolution.map(|r| r.mpp), Some(0.5));
        }
        let jobs = read("id,path,organ,mpp\na,x.svs,nan,NaN\n", None).unwrap();
        assert_eq!((jobs[0].organ.clone(), jobs[0].resolution), (None, None));
        let error = Manifest::read(Path::new("slides.xlsx"), None).unwrap_err();
        assert!(error.to_string().contains("spreadsheet"), "{error}");
    }

    #[test]
    fn images_are_found_by_every_ending() {
        let folder = tempfile::tempdir().unwrap();
        let images = folder.path();
        for name in ["a.TIFF", "b.NDPI", "c.mrxs", "d.Jpg", "e.ome.tif"] {
            std::fs::write(images.join(name), "").unwrap();
            let id = crate::slide::id_of_file(Path::new(name));
            assert_eq!(image_of(images, &id), images.join(name));
        }
        assert_eq!(image_of(images, "none"), images.join("none.tiff"));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_of_windows_is_tried_with_slashes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.tif"), "").unwrap();
        std::fs::write(
            folder.path().join("m.csv"),
            "id,path\na,.\\x.tif\nb,c\\d.tif\n",
        )
        .unwrap();
        let jobs = Manifest::read(&folder.path().join("m.csv"), None).unwrap();
        assert!(jobs[0].path.is_file());
        assert!(jobs[1].path.ends_with("c\\d.tif"));
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
            ("id,organ\na,lung\n", None, "folder of images"),
            ("id,path\na,b\n", Some("imgs"), "folder of images"),
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
