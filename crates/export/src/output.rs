//! Puts what is exported into its place, whole or not at all.

#[cfg(any(feature = "epic", feature = "spatialdata"))]
use std::io;
use std::path::Path;
#[cfg(any(feature = "epic", feature = "spatialdata"))]
use std::path::PathBuf;

use crate::ExportError;

/// What happens to an export that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// It stays, and the new one is refused.
    Refuse,
    /// It is replaced once the new one is whole.
    Whole,
}

impl Replace {
    /// Checks that `path` may be written.
    ///
    /// # Errors
    /// [`ExportError::Exists`] when it is there and must stay.
    pub(crate) fn check(self, path: &Path) -> Result<(), ExportError> {
        match self == Replace::Refuse && path.symlink_metadata().is_ok() {
            true => Err(ExportError::Exists {
                path: path.to_owned(),
            }),
            false => Ok(()),
        }
    }
}

/// Makes a folder with all above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), ExportError> {
    std::fs::create_dir_all(path).map_err(|cause| ExportError::write(path, cause))
}

/// Fills a folder that appears whole or not at all: `fill` gets another one beside it, which takes its name at the end.
///
/// # Errors
/// What `fill` says; when there is a folder that must stay, or it cannot be made or renamed.
#[cfg(any(feature = "epic", feature = "spatialdata"))]
pub(crate) fn whole_folder<T>(
    path: &Path,
    replace: Replace,
    fill: impl FnOnce(&Path) -> Result<T, ExportError>,
) -> Result<T, ExportError> {
    replace.check(path)?;
    let part = beside(path, "part");
    let old = beside(path, "old");
    let write = |cause: io::Error| ExportError::write(path, cause);
    remove(&part).map_err(write)?;
    let filled = make_folder(&part).and_then(|()| fill(&part));
    let done = filled.and_then(|value| {
        if path.symlink_metadata().is_ok() {
            remove(&old)
                .and_then(|()| std::fs::rename(path, &old))
                .map_err(write)?;
        }
        std::fs::rename(&part, path).map_err(write)?;
        remove(&old).map_err(write)?;
        Ok(value)
    });
    if done.is_err() {
        // Nothing half-written stays behind; if even that fails, the first reason is the one to tell.
        let _ = remove(&part);
    }
    done
}

/// A hidden name beside another, of this process alone.
#[cfg(any(feature = "epic", feature = "spatialdata"))]
fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{what}-{}", std::process::id()))
}

/// Removes a folder, a file or a link, if it is there.
#[cfg(any(feature = "epic", feature = "spatialdata"))]
fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(all(test, any(feature = "epic", feature = "spatialdata")))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("a");
        let fill = |text: &'static str| {
            move |folder: &Path| {
                std::fs::write(folder.join("file"), text).unwrap();
                match text {
                    "bad" => Err(ExportError::damaged(folder, "it is bad")),
                    _ => Ok(()),
                }
            }
        };
        let names = || {
            let all = std::fs::read_dir(above.path()).unwrap();
            all.map(|entry| entry.unwrap().file_name())
                .collect::<Vec<_>>()
        };
        let text = || std::fs::read_to_string(path.join("file")).unwrap();
        assert!(whole_folder(&path, Replace::Refuse, fill("bad")).is_err());
        assert!(names().is_empty());
        whole_folder(&path, Replace::Refuse, fill("one")).unwrap();
        assert_eq!(text(), "one");
        let refused = whole_folder(&path, Replace::Refuse, fill("two"));
        assert!(matches!(refused, Err(ExportError::Exists { .. })));
        assert!(whole_folder(&path, Replace::Whole, fill("bad")).is_err());
        assert_eq!(text(), "one");
        whole_folder(&path, Replace::Whole, fill("two")).unwrap();
        assert_eq!((text().as_str(), names().len()), ("two", 1));
    }
}
