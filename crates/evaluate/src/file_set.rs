//! Replaces several files as one: they are written next to their places, and get their names when all of them are whole. What
//! stood there before steps aside until then, and comes back if one of them cannot have its name.

use std::fs;
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use super::EvaluateError;

/// Files that belong together.
#[derive(Default)]
pub(super) struct FileSet(Vec<Staged>);

/// A file on its way to its place.
struct Staged {
    target: PathBuf,
    /// What is to stand there; nothing where that is `None`.
    part: Option<PathBuf>,
    /// What stood there before, under this name.
    old: PathBuf,
}

impl Staged {
    fn new(target: &Path, has_content: bool) -> Self {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let beside =
            |kind: &str| target.with_file_name(format!(".{name}.{kind}-{}", std::process::id()));
        Staged {
            target: target.to_owned(),
            part: has_content.then(|| beside("part")),
            old: beside("old"),
        }
    }

    /// Only a file can be replaced.
    fn check(&self) -> std::result::Result<(), EvaluateError> {
        match fs::symlink_metadata(&self.target).is_ok_and(|meta| meta.is_dir()) {
            true => Err(EvaluateError::format(
                &self.target,
                "a folder is in the way",
            )),
            false => Ok(()),
        }
    }

    /// Makes room, if anything stands there.
    fn step_aside(&self) -> Result<()> {
        match fs::rename(&self.target, &self.old) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Whoever left something of this name is gone, and it must not come back in place of nothing.
                let _ = fs::remove_file(&self.old);
                Ok(())
            }
            done => done,
        }
    }

    fn step_in(&self) -> Result<()> {
        match &self.part {
            Some(part) => fs::rename(part, &self.target),
            None => Ok(()),
        }
    }

    /// Puts back what stood there before.
    fn give_back(&self) -> Result<()> {
        match fs::rename(&self.old, &self.target) {
            // Nothing stood there.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                match fs::remove_file(&self.target) {
                    Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                }
            }
            done => done,
        }
    }
}

impl FileSet {
    /// Writes a file beside its place.
    ///
    /// # Errors
    /// When it cannot be written, or a folder is in its place.
    pub(super) fn stage(
        &mut self,
        target: &Path,
        bytes: &[u8],
    ) -> std::result::Result<(), EvaluateError> {
        let staged = Staged::new(target, true);
        staged.check()?;
        let write = |part: &Path| -> Result<()> {
            let mut file = fs::File::create(part)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        let written = staged.part.as_deref().map_or(Ok(()), write);
        self.0.push(staged);
        written.map_err(|source| EvaluateError::io(target, source))
    }

    /// Has a file go that does not belong to the set, if there is one.
    pub(super) fn stage_removal(&mut self, target: &Path) {
        self.0.push(Staged::new(target, false));
    }

    /// Gives all files their names.
    ///
    /// # Errors
    /// When one of them cannot have its name; then all are as they were before.
    pub(super) fn publish(self) -> std::result::Result<(), EvaluateError> {
        self.0.iter().try_for_each(Staged::check)?;
        for (place, staged) in self.0.iter().enumerate() {
            if let Err(source) = staged.step_aside() {
                return Err(undone(&self.0[..place], staged, &source));
            }
            if let Err(source) = staged.step_in() {
                return Err(undone(&self.0[..=place], staged, &source));
            }
        }
        for staged in &self.0 {
            // One that stays is hidden and harmless.
            let _ = fs::remove_file(&staged.old);
        }
        Ok(())
    }
}

/// Puts everything back, since one file could not have its name.
fn undone(begun: &[Staged], failed: &Staged, source: &std::io::Error) -> EvaluateError {
    let lost: Vec<String> = begun
        .iter()
        .rev()
        .filter(|staged| staged.give_back().is_err())
        .map(|staged| staged.old.display().to_string())
        .collect();
    let kept = match lost[..] {
        [] => String::new(),
        _ => format!(
            "; the previous files could not be put back and are in {}",
            lost.join(", ")
        ),
    };
    EvaluateError::format(&failed.target, format!("cannot be written: {source}{kept}"))
}

impl Drop for FileSet {
    fn drop(&mut self) {
        // What got its name is not there any more.
        for part in self.0.iter().filter_map(|staged| staged.part.as_ref()) {
            let _ = fs::remove_file(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["one", "two", "three", "four"];

    /// A folder with old files of some names.
    fn old(names: &[&str]) -> (tempfile::TempDir, [PathBuf; 4]) {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "old").unwrap();
        }
        let paths = NAMES.map(|name| folder.path().join(name));
        (folder, paths)
    }

    /// All that lies in a folder, sorted: names, and what they hold.
    fn content(folder: &Path) -> Vec<(String, String)> {
        let mut all: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn a_set_is_published_whole() {
        let (folder, [one, two, three, _]) = old(&["one", "three"]);
        let mut set = FileSet::default();
        set.stage(&one, b"new").unwrap();
        set.stage(&two, b"new").unwrap();
        set.stage_removal(&three);
        assert!(!two.exists() && fs::read(&one).unwrap() == b"old");
        set.publish().unwrap();
        let new = |name: &str| (name.to_owned(), "new".to_owned());
        assert_eq!(content(folder.path()), [new("one"), new("two")]);
    }

    #[test]
    fn what_is_not_published_leaves_nothing() {
        let (folder, [one, two, ..]) = old(&["one"]);
        let before = content(folder.path());
        let mut set = FileSet::default();
        set.stage(&one, b"new").unwrap();
        drop(set);
        assert_eq!(content(folder.path()), before);
        fs::create_dir(&two).unwrap();
        let before = content(folder.path());
        let mut set = FileSet::default();
        set.stage(&one, b"new").unwrap();
        assert!(set.stage(&two, b"new").is_err());
        drop(set);
        assert_eq!(content(folder.path()), before);
    }

    #[test]
    fn where_one_cannot_have_its_name_all_are_as_they_were() {
        for stolen in 0..4 {
            let (folder, paths) = old(&["one", "three"]);
            let before = content(folder.path());
            let mut set = FileSet::default();
            for path in &paths {
                set.stage(path, b"new").unwrap();
            }
            // Somebody clears hidden files away.
            fs::remove_file(set.0[stolen].part.as_ref().unwrap()).unwrap();
            let error = set.publish().unwrap_err().to_string();
            assert!(error.contains(NAMES[stolen]), "{error}");
            assert_eq!(content(folder.path()), before, "{stolen}");
            // A folder comes in the way.
            let mut set = FileSet::default();
            for path in &paths {
                set.stage(path, b"new").unwrap();
            }
            let _ = fs::remove_file(&paths[stolen]);
            fs::create_dir(&paths[stolen]).unwrap();
            let before: Vec<_> = content(folder.path())
                .into_iter()
                .filter(|(name, _)| !name.starts_with('.'))
                .collect();
            let error = set.publish().unwrap_err().to_string();
            assert!(error.contains(NAMES[stolen]), "{error}");
            assert_eq!(content(folder.path()), before, "{stolen}");
        }
    }
}
