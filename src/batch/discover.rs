//! Finds the slides that the inputs name: files, folders (searched), manifests.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::ids::{Names, of_file, safe};
use super::{BatchError, Manifest};
use crate::slide::{EXTENSIONS, Resolution, one_per_slide};

/// One slide to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Safe as a folder's name, unique in the batch.
    pub id: String,
    /// The slide.
    pub path: PathBuf,
    /// The organ that a manifest names, as it stands there.
    pub organ: Option<String>,
    /// The resolution that a manifest names.
    pub resolution: Option<Resolution>,
}

/// Finds all slides, in the order of the inputs, folders sorted by path. `images` belongs to Kaggle's tables. A file that
/// several inputs name or hold is one slide; in a manifest each row is one, since it may say other things of its file.
///
/// # Errors
/// When an input does not exist, a folder holds no slide, or a manifest is wrong.
pub fn discover(inputs: &[PathBuf], images: Option<&Path>) -> Result<Vec<Job>, BatchError> {
    let mut jobs = Vec::new();
    let mut seen = HashSet::new();
    let mut is_new = |path: &PathBuf| seen.insert(path.canonicalize().unwrap_or(path.clone()));
    for input in inputs {
        let meta = std::fs::metadata(input).map_err(|source| BatchError::Input {
            path: input.clone(),
            source,
        })?;
        let is_table = input
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if meta.is_dir() {
            jobs.extend(search(input)?.into_iter().filter(&mut is_new).map(plain));
        } else if is_table {
            jobs.extend(Manifest::read(input, images)?);
        } else if is_new(input) {
            jobs.push(plain(input.clone()));
        }
    }
    let mut names = Names::default();
    for job in &mut jobs {
        job.id = names.take(&safe(&job.id));
    }
    Ok(jobs)
}

fn plain(path: PathBuf) -> Job {
    Job {
        id: of_file(&path),
        path,
        organ: None,
        resolution: None,
    }
}

/// All slides below a folder, sorted. Hidden files and folders are left out, and so are results of earlier runs: their
/// masks and pictures are no slides.
fn search(folder: &Path) -> Result<Vec<PathBuf>, BatchError> {
    let visible = |entry: &walkdir::DirEntry| {
        let is_result = || entry.file_type().is_dir() && entry.path().join("slide.json").is_file();
        let is_hidden = || entry.file_name().to_string_lossy().starts_with('.');
        entry.depth() == 0 || !(is_hidden() || is_result())
    };
    let mut found = Vec::new();
    for entry in WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(visible)
    {
        let entry = match entry {
            Ok(entry) => entry,
            // A link back to a folder that is being searched hides nothing.
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) => match error.path() {
                // What cannot be looked into becomes a slide that fails with its reason, so it is not lost silently.
                Some(path) if error.depth() > 0 => {
                    found.push(path.to_owned());
                    continue;
                }
                _ => {
                    return Err(BatchError::Input {
                        path: folder.to_owned(),
                        source: error.into(),
                    });
                }
            },
        };
        let known = entry.path().extension().is_some_and(|extension| {
            let extension = extension.to_string_lossy().to_lowercase();
            EXTENSIONS.contains(&extension.as_str())
        });
        if known && entry.file_type().is_file() {
            found.push(entry.into_path());
        }
    }
    if found.is_empty() {
        return Err(BatchError::Empty {
            path: folder.to_owned(),
            reason: format!(
                "no slides in this folder (looked for {})",
                EXTENSIONS.join(", ")
            ),
        });
    }
    Ok(one_per_slide(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_in_order_and_ids_are_unique() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b/x.tif",
            "a/x.svs",
            "a/.x.tif",
            ".h/y.tif",
            "a/readme.txt",
            "c.PNG",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let jobs = discover(&[folder.path().to_owned()], None).unwrap();
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["x", "x-2", "c"]);
        assert!(jobs[0].path.ends_with("a/x.svs"));
    }

    #[cfg(unix)]
    #[test]
    fn broken_links_are_named_and_loops_are_harmless() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.tif"), "").unwrap();
        std::os::unix::fs::symlink("nowhere.tif", folder.path().join("b.tif")).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
        let jobs = discover(&[folder.path().to_owned()], None).unwrap();
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
    }

    #[test]
    fn a_file_that_is_named_twice_is_one_slide() {
        let folder = tempfile::tempdir().unwrap();
        let (sub, file) = (folder.path().join("sub"), folder.path().join("sub/a.tif"));
        std::fs::create_dir(&sub).unwrap();
        std::fs::write(&file, "").unwrap();
        let all = [file, folder.path().to_owned(), sub.join("../sub")];
        assert_eq!(discover(&all, None).unwrap().len(), 1);
        // Rows of a table are taken as they are.
        let table = folder.path().join("m.csv");
        std::fs::write(&table, "id,path\na,sub/a.tif\nb,sub/a.tif\n").unwrap();
        let jobs = discover(&[table, sub], None).unwrap();
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "a-2"]);
    }

    #[test]
    fn an_empty_folder_and_a_missing_file_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let error = discover(&[folder.path().to_owned()], None).unwrap_err();
        assert!(matches!(error, BatchError::Empty { .. }));
        let error = discover(&[folder.path().join("none.svs")], None).unwrap_err();
        assert!(matches!(error, BatchError::Input { .. }));
    }
}
