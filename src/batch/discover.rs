//! Finds the slides that the inputs name: files, folders (searched), manifests.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::folder_names::name_folders;
use super::{BatchError, Manifest};
use crate::slide::warning::{Warning, WarningKind};
use crate::slide::{EXTENSIONS, Resolution, id_of_file, is_zarr, slides_among};

/// One slide to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The id that the user gave: a manifest's, else the file's name without its extension. It may hold anything, and
    /// several slides may have it.
    pub id: String,
    /// The name of its folder: safe, and unique in the batch.
    pub folder: String,
    /// The slide.
    pub path: PathBuf,
    /// The organ that a manifest names, as it stands there.
    pub organ: Option<String>,
    /// The resolution that a manifest names.
    pub resolution: Option<Resolution>,
    /// What looks doubtful about it as an input.
    pub warnings: Vec<Warning>,
}

impl Job {
    /// A slide of which nothing is known but its file. Its folder is named when all slides are known.
    pub(super) fn new(id: String, path: PathBuf) -> Self {
        Job {
            folder: String::new(),
            id,
            path,
            organ: None,
            resolution: None,
            warnings: Vec::new(),
        }
    }
}

/// Finds all slides, in the order of the inputs, folders sorted by path. A folder that is an OME-Zarr image is a slide. `images` belongs to Kaggle's tables. A place that
/// several inputs name or hold is one slide, two links to one file are two; in a manifest each row is one, since it may
/// say other things of its file.
///
/// # Errors
/// When an input does not exist, a folder holds no slide, or a manifest is wrong.
pub fn discover(inputs: &[PathBuf], images: Option<&Path>) -> Result<Vec<Job>, BatchError> {
    let mut jobs = Vec::new();
    let mut seen = HashSet::new();
    let mut is_new = |path: &PathBuf| seen.insert(place_of(path));
    for input in inputs {
        let meta = std::fs::metadata(input).map_err(|cause| BatchError::Input {
            path: input.clone(),
            cause,
        })?;
        let is_table = Manifest::is_named_so(input);
        if meta.is_dir() && !is_zarr(input) {
            let found = search(input)?.into_iter();
            let new = found.filter(|(path, _)| is_new(path));
            jobs.extend(new.map(|(path, warnings)| Job {
                warnings,
                ..plain(path)
            }));
        } else if is_table {
            jobs.extend(Manifest::read(input, images)?);
        } else if is_new(input) {
            jobs.push(plain(input.clone()));
        }
    }
    name_folders(&mut jobs);
    doubt(&mut jobs);
    Ok(jobs)
}

fn plain(path: PathBuf) -> Job {
    Job::new(id_of_file(&path), path)
}

/// Where a file is named, whatever way leads there; a link's own place, not its file's.
pub(super) fn place_of(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent(), absolute.file_name()) {
        (Some(folder), Some(name)) => match folder.canonicalize() {
            Ok(folder) => folder.join(name),
            Err(_) => absolute,
        },
        _ => absolute,
    }
}

/// Warns of ids that several slides have, and of files that stand behind several slides.
fn doubt(jobs: &mut [Job]) {
    let mut ids: HashMap<String, Vec<usize>> = HashMap::new();
    let mut files: HashMap<PathBuf, Vec<usize>> = HashMap::new();
    for (index, job) in jobs.iter().enumerate() {
        ids.entry(job.id.clone()).or_default().push(index);
        if let Ok(file) = job.path.canonicalize() {
            files.entry(file).or_default().push(index);
        }
    }
    let mut found = Vec::new();
    for index in 0..jobs.len() {
        let other = |group: Option<&Vec<usize>>| {
            let others: Vec<usize> = group?.iter().copied().filter(|&o| o != index).collect();
            let first = jobs[*others.first()?].path.display().to_string();
            Some(match others.len() {
                1 => first,
                n => format!("{first} and {} more", n - 1),
            })
        };
        if let Some(other) = other(ids.get(&jobs[index].id)) {
            found.push((index, same_id(&format!("{other} has"))));
        }
        let file = jobs[index].path.canonicalize().ok();
        if let Some(other) = other(file.and_then(|file| files.get(&file))) {
            let text = format!("it is the same file as {other}");
            found.push((index, Warning::new(WarningKind::SameFile, text)));
        }
    }
    for (index, warning) in found {
        jobs[index].warnings.push(warning);
    }
}

/// The warning of a slide whose id others have.
pub(super) fn same_id(who: &str) -> Warning {
    Warning::new(
        WarningKind::SameId,
        format!(
            "{who} the same id, so submission.csv has several rows for it and it cannot be matched with a truth; give the slides different ids in a table (id,path)"
        ),
    )
}

/// All slides below a folder, sorted. Hidden files and folders are left out, and so are results of earlier runs: their
/// masks and pictures are no slides.
fn search(folder: &Path) -> Result<Vec<(PathBuf, Vec<Warning>)>, BatchError> {
    let visible = |entry: &walkdir::DirEntry| {
        let is_result = || entry.file_type().is_dir() && entry.path().join("slide.json").is_file();
        let is_hidden = || entry.file_name().to_string_lossy().starts_with('.');
        entry.depth() == 0 || !(is_hidden() || is_result())
    };
    let mut found = Vec::new();
    let mut entries = WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(visible);
    while let Some(entry) = entries.next() {
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
                        cause: error.into(),
                    });
                }
            },
        };
        let is_known = entry.path().extension().is_some_and(|extension| {
            let extension = extension.to_string_lossy().to_lowercase();
            EXTENSIONS.contains(&extension.as_str())
        });
        if entry.file_type().is_dir() {
            if is_zarr(entry.path()) {
                // What lies in it is the slide's.
                entries.skip_current_dir();
                found.push(entry.into_path());
            }
        } else if is_known && entry.file_type().is_file() {
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
    Ok(slides_among(found))
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
        assert_eq!(ids, ["x", "x", "c"]);
        assert_ne!(jobs[0].folder, jobs[1].folder);
        assert_eq!(jobs[2].folder, "c");
        assert_eq!(jobs[0].warnings[0].kind, WarningKind::SameId);
        assert!(jobs[0].path.ends_with("a/x.svs"));
    }

    #[test]
    fn a_folder_of_zarr_is_one_slide() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a.ome.zarr/zarr.json",
            "a.ome.zarr/0/c/0/0.png",
            "b/x.zarr/thumbnail.tif",
            "c/.zattrs",
            "c/0/p.jpg",
            "d.tif",
            "results/slides/e/slide.json",
            "results/slides/e/labels.ome.zarr/zarr.json",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let ids = |input: PathBuf| {
            let jobs = discover(&[input], None).unwrap().into_iter();
            jobs.map(|job| job.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(folder.path().to_owned()), ["a", "x", "c", "d"]);
        assert_eq!(ids(folder.path().join("a.ome.zarr")), ["a"]);
        let table = folder.path().join("m.csv");
        std::fs::write(&table, "id,path\nz,b/x.zarr\n").unwrap();
        let jobs = discover(&[table], None).unwrap();
        assert_eq!(
            (jobs[0].id.as_str(), &jobs[0].path),
            ("z", &folder.path().join("b/x.zarr"))
        );
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
        assert_eq!(ids, ["a", "b", "a"]);
    }

    #[cfg(unix)]
    #[test]
    fn two_links_to_one_file_are_two_slides() {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("work");
        std::fs::create_dir(&work).unwrap();
        std::fs::write(folder.path().join("blob"), "").unwrap();
        for name in ["patient-1.tif", "patient-2.tif"] {
            std::os::unix::fs::symlink("../blob", work.join(name)).unwrap();
        }
        let jobs = discover(&[work], None).unwrap();
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["patient-1", "patient-2"]);
        for job in &jobs {
            assert_eq!(job.warnings[0].kind, WarningKind::SameFile);
        }
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
