//! Puts an output folder in order after a run that was killed: removes what was half-written, and only that.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::BatchError;

/// End of the name of a folder that is being written.
const PART: &str = ".part";
/// End of the name of a finished folder that steps aside for a newer one.
const OLD: &str = ".old";

/// The name under which the folder of a slide is written.
pub(super) fn part_of(slides: &Path, id: &str) -> PathBuf {
    slides.join(format!(".{id}{PART}"))
}

/// The name under which the older folder of a slide steps aside.
pub(super) fn old_of(slides: &Path, id: &str) -> PathBuf {
    slides.join(format!(".{id}{OLD}"))
}

/// Removes half-written folders and files, and gives a folder that had stepped aside its name back where the newer one
/// did not come. The caller holds the folder's lock, so nobody is writing them. Links are never followed.
pub(super) fn clean(out: &Path, slides: &Path) -> Result<(), BatchError> {
    for (path, name) in hidden(slides)? {
        let middle = |end: &str| name.strip_prefix('.').and_then(|n| n.strip_suffix(end));
        let failed = |error: std::io::Error| {
            BatchError::output(
                &path,
                format!("what a killed run left cannot be put in order: {error}"),
            )
        };
        // Also as earlier versions named them: `.ID.part-PROCESS`.
        let is_part = middle(PART).is_some() || name.contains(".part-");
        if let Some(id) = middle(OLD)
            && !slides.join(id).exists()
        {
            // Killed between the two renames: the old folder is whole, and the only one.
            std::fs::rename(&path, slides.join(id)).map_err(failed)?;
        } else if is_part || middle(OLD).is_some() {
            std::fs::remove_dir_all(&path).map_err(failed)?;
        }
    }
    for (path, name) in hidden(out)? {
        let is_ours = [".run.json.part-", ".submission.csv.part-"]
            .iter()
            .any(|start| name.starts_with(start));
        if is_ours && path.is_file() {
            std::fs::remove_file(&path).map_err(|error| {
                BatchError::output(
                    &path,
                    format!("what a killed run left is in the way: {error}"),
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
    found.sort_by_key(|(path, _)| path.extension() == Some(OsStr::new("old")));
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
            // b's newer folder came; c's did not.
            ("slides/b/slide.json", "new"),
            ("slides/.b.old/slide.json", "old"),
            ("slides/.c.d.part/slide.json", "half"),
            ("slides/.c.d.old/slide.json", "old"),
            ("slides/.notes/x.txt", "a user's"),
            (".run.json.part-12", "{"),
            (".submission.csv.part-12", "id"),
            (".cache", "a user's"),
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
                "elsewhere/x.txt",
                "slides/.notes/x.txt",
                "slides/b/slide.json",
                "slides/c.d/slide.json"
            ]
        );
        assert_eq!(
            fs::read_to_string(slides.join("b/slide.json")).unwrap(),
            "new"
        );
    }
}
