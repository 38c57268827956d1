//! Reads the files of a Zarr hierarchy: plain ones of a sane size, that lie in its folder and nowhere else.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ftuseg_files::plain;
use serde_json::Value;

use crate::problem::Problem;

/// The most that is read of a file of metadata.
const MAX_METADATA: u64 = 16 << 20;

/// The folder.
pub(super) struct Store {
    /// Without links.
    root: PathBuf,
}

/// Where a part of a file begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Offset {
    Start(u64),
    /// So many bytes before its end.
    End(u64),
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let root = path.canonicalize().map_err(Problem::Io)?;
        Ok(Store { root })
    }

    /// Where a node or a file lies; none where nothing is there.
    pub(super) fn find(&self, key: &str) -> Result<Option<PathBuf>, Problem> {
        if !is_inside(key) {
            return Err(Problem::format(format!("{key:?} is no path within it")));
        }
        match self.root.join(key).canonicalize() {
            Ok(real) if real.starts_with(&self.root) => Ok(Some(real)),
            Ok(_) => Err(Problem::format(format!(
                "{key} is a link out of its folder; copy what it points to into the folder"
            ))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Problem::Io(error)),
        }
    }

    /// A whole file of at most so many bytes; none where nothing is there.
    pub(super) fn read(&self, key: &str, most: u64) -> Result<Option<Vec<u8>>, Problem> {
        let Some(path) = self.find(key)? else {
            return Ok(None);
        };
        match plain::read(&path, most) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::FileTooLarge => Err(Problem::limits(format!(
                "{key} is larger than the {most} bytes that it can need"
            ))),
            Err(error) => Err(Problem::Io(error)),
        }
    }

    /// A part of a file; none where there is no file. The caller bounds `length`.
    pub(super) fn read_part(
        &self,
        key: &str,
        from: Offset,
        length: usize,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let Some(path) = self.find(key)? else {
            return Ok(None);
        };
        let mut file = plain::open(&path, u64::MAX).map_err(Problem::Io)?;
        let size = file.metadata().map_err(Problem::Io)?.len();
        let start = match from {
            Offset::Start(start) => Some(start),
            Offset::End(back) => size.checked_sub(back),
        };
        let fits = |start: &u64| {
            start
                .checked_add(length as u64)
                .is_some_and(|end| end <= size)
        };
        let start = start.filter(fits).ok_or_else(|| {
            Problem::format(format!("{key} is too short for what is to be read of it"))
        })?;
        file.seek(SeekFrom::Start(start)).map_err(Problem::Io)?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).map_err(Problem::Io)?;
        Ok(Some(bytes))
    }

    /// A file of metadata; none where nothing is there.
    pub(super) fn json(&self, key: &str) -> Result<Option<Value>, Problem> {
        let Some(bytes) = self.read(key, MAX_METADATA)? else {
            return Ok(None);
        };
        let parsed = serde_json::from_slice(&bytes);
        parsed
            .map(Some)
            .map_err(|error| Problem::format(format!("{key} is no JSON: {error}")))
    }
}

/// Whether a path of a node stays within its folder on every system: plain names with slashes between.
pub(super) fn is_inside(key: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name != "." && name != ".." && !name.contains(['\\', ':', '\0'])
    };
    key.len() <= 1024 && key.split('/').all(is_name)
}

/// The key of something in a node.
pub(super) fn join(node: &str, name: &str) -> String {
    match node.is_empty() {
        true => name.to_owned(),
        false => format!("{node}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        for key in [
            "", "/", "/etc", "..", "a/../b", "a//b", "a/", ".", "a\\b", "C:x", "a/./b",
        ] {
            assert!(!is_inside(key), "{key}");
        }
        for key in ["0", "s0", "a/b.c", "..a", ".zattrs"] {
            assert!(is_inside(key), "{key}");
        }
    }
}
