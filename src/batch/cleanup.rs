//! Puts an output folder in order after a run that was killed: removes what was half-written, and only that.

use std::path::{Path, PathBuf};

use super::BatchError;
use crate::slide::tiled_tiff::TEMPORARY;

/// End of the name of a folder that is being written.
const PART: &str = ".part";
/// End of the name of a finished folder that steps aside for a newer one.
const OLD: &str = ".old";

/// The files that the folder of a slide can hold.
const FILES: [&str; 10] = [
    "instances.ome.tif",
    "mask.tif",
    "objects.csv",
    "objects.geojson",
    "objects.geojson.gz",
    "objects.parquet",
    "overlay.png",
    "prob.tif",
    "segmentation.dcm",
    "slide.json",
];

/// The folder that the folder of a slide can hold: a Zarr hierarchy.
const STORE: &str = "labels.ome.zarr";
/// How deep its files lie at most: `labels/kidney/s0/c/0/0`.
const STORE_DEPTH: usize = 6;

/// The name under which the folder of a slide is written.
pub(super) fn part_of(slides: &Path, folder: &str) -> PathBuf {
    free(slides, folder, PART)
}

/// The name under which the older folder of a slide steps aside.
pub(super) fn old_of(slides: &Path, folder: &str) -> PathBuf {
    free(slides, folder, OLD)
}

/// A name that nothing has, or something of this program's: what a user put there stays.
fn free(slides: &Path, folder: &str, end: &str) -> PathBuf {
    let mut path = slides.join(format!(".{folder}{end}"));
    let mut number = 0_u32;
    while path.symlink_metadata().is_ok() && !is_ours(&path) {
        number += 1;
        path = slides.join(format!(".{folder}{end}-{number}"));
    }
    path
}

/// Whether a path is a folder, no link, with nothing in it but what the folder of a slide can hold.
fn is_ours(path: &Path) -> bool {
    let is_half = |name: &str| name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1);
    holds_only(path, &|entry, name, kind| match name {
        STORE => is_zarr_store(entry),
        _ => kind.is_file() && (FILES.contains(&name) || is_half(name)),
    })
}

/// Whether a path is a folder, no link, with nothing in it but what our Zarr hierarchies hold.
pub(super) fn is_zarr_store(path: &Path) -> bool {
    is_store(path, STORE_DEPTH)
}

/// Whether a folder, so many folders deep at most, has nothing in it but what a Zarr hierarchy of ours can hold: metadata,
/// and chunks, whose names are numbers.
fn is_store(path: &Path, depth: usize) -> bool {
    let is_number = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    holds_only(path, &|entry, name, kind| match kind.is_dir() {
        true => depth > 0 && is_store(entry, depth - 1),
        false => kind.is_file() && (name == "zarr.json" || is_number(name)),
    })
}

/// Whether a path is a folder, no link, and all that lies in it is known by path, name and kind.
fn holds_only(path: &Path, is_known: &dyn Fn(&Path, &str, std::fs::FileType) -> bool) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
        && std::fs::read_dir(path).is_ok_and(|mut entries| {
            entries.all(|entry| {
                entry.is_ok_and(|entry| {
                    let name = entry.file_name();
                    let (name, kind) = (name.to_str(), entry.file_type().ok());
                    let both = name.zip(kind);
                    both.is_some_and(|(name, kind)| is_known(&entry.path(), name, kind))
                })
            })
        })
}

/// What stands between the dot and the end, which may have a number behind it.
fn middle<'a>(name: &'a str, end: &str) -> Option<&'a str> {
    let name = name.strip_prefix('.')?;
    if let Some(folder) = name.strip_suffix(end) {
        return Some(folder);
    }
    let (folder, number) = name.rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    folder.strip_suffix(end).filter(|_| is_number)
}

/// Removes half-written folders and files, and gives a folder that had stepped aside its name back where the newer one
/// did not come. The caller holds the folder's lock, so nobody is writing them. Links are never followed.
pub(super) fn clean(out: &Path, slides: &Path) -> Result<(), BatchError> {
    for (path, name) in hidden(slides)? {
        // A user's folder or file may have such a name too.
        if !is_ours(&path) {
            continue;
        }
        let failed = |error: std::io::Error| {
            BatchError::output(
                &path,
                format!("what a killed run left behind cannot be cleaned up: {error}"),
            )
        };
        let old = middle(&name, OLD).filter(|folder| !folder.is_empty());
        if let Some(id) = old
            && !slides.join(id).exists()
            && path.join("slide.json").is_file()
        {
            // Killed between the two renames: the old folder is whole, and the only one.
            std::fs::rename(&path, slides.join(id)).map_err(failed)?;
        } else if middle(&name, PART).is_some() || old.is_some() {
            std::fs::remove_dir_all(&path).map_err(failed)?;
        }
    }
    for (path, name) in hidden(out)? {
        let is_report = matches!(
            middle(&name, PART),
            Some("run.json" | "submission.csv" | "slides.csv" | "objects.csv" | "objects.parquet")
        );
        if is_report && path.is_file() {
            std::fs::remove_file(&path).map_err(|error| {
                BatchError::output(
                    &path,
                    format!("what a killed run left behind is in the way: {error}"),
                )
            })?;
        }
    }
    Ok(())
}

/// What lies hidden in a folder and is no link: path and name.
fn hidden(folder: &Path) -> Result<Vec<(PathBuf, String)>, BatchError> {
    let unreadable =
        |error| BatchError::output(folder, format!("the folder cannot be read: {error}"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let is_link = entry.file_type().map_err(unreadable)?.is_symlink();
        if let Some(name) = entry.file_name().to_str().filter(|n| n.starts_with('.'))
            && !is_link
        {
            found.push((entry.path(), name.to_owned()));
        }
    }
    // Half-written folders first, so that an old one sees whether its successor came.
    found.sort_by_key(|(_, name)| middle(name, OLD).is_some());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_what_a_killed_run_left_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let slides = out.join("slides");
        for (file, text) in [
            ("slides/.a.part/mask.tif", "half"),
            ("slides/.a.part-77/mask.tif", "half"),
            ("slides/.f.part/.ftuseg-aB3.tmp", "half"),
            ("slides/.g.part/labels.ome.zarr/zarr.json", "half"),
            (
                "slides/.g.part/labels.ome.zarr/labels/lung/s0/c/0/12",
                "half",
            ),
            ("slides/.h.part/labels.ome.zarr/notes.txt", "a user's"),
            ("slides/.i.part/labels.zarr/zarr.json", "a user's"),
            // b's newer folder came; c's did not.
            ("slides/b/slide.json", "new"),
            ("slides/.b.old/slide.json", "old"),
            ("slides/.c.d.part/slide.json", "half"),
            ("slides/.c.d.old/slide.json", "old"),
            ("slides/.notes/x.txt", "a user's"),
            (".run.json.part-12", "{"),
            (".submission.csv.part-12", "id"),
            (".slides.csv.part-12", "id"),
            (".cache", "a user's"),
            ("slides/.x.part", "a user's"),
            ("slides/.a.part-b.begun", "1"),
            ("slides/.my.part-2/notes.txt", "a user's"),
            ("slides/.y.part/deep/er.txt", "a user's"),
            (".run.json.part-time", "a user's"),
            ("elsewhere/x.txt", "a user's"),
        ] {
            let path = out.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(out.join("elsewhere"), slides.join(".e.part")).unwrap();
        clean(out, &slides).unwrap();
        let mut left: Vec<String> = walkdir::WalkDir::new(out)
            .into_iter()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = entry.path().strip_prefix(out).unwrap();
                path.to_string_lossy().replace('\\', "/")
            })
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                ".cache",
                ".run.json.part-time",
                "elsewhere/x.txt",
                "slides/.a.part-b.begun",
                "slides/.h.part/labels.ome.zarr/notes.txt",
                "slides/.i.part/labels.zarr/zarr.json",
                "slides/.my.part-2/notes.txt",
                "slides/.notes/x.txt",
                "slides/.x.part",
                "slides/.y.part/deep/er.txt",
                "slides/b/slide.json",
                "slides/c.d/slide.json"
            ]
        );
        assert_eq!(
            fs::read_to_string(slides.join("b/slide.json")).unwrap(),
            "new"
        );
        // What is a user's is not written over either.
        assert_eq!(part_of(&slides, "x"), slides.join(".x.part-1"));
        assert_eq!(part_of(&slides, "z"), slides.join(".z.part"));
    }
}
