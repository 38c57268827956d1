//! Writes files whole or not at all.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Result, Write};
use std::path::{Path, PathBuf};

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot be written: {cause}; check the free space and the folder's permissions", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The system's reason.
    pub cause: std::io::Error,
}

/// Replaces a file whole: it is written alongside under a temporary name, waits until it is on the disk, and is renamed.
///
/// # Errors
/// When it cannot be written; what was there stays as it was, and no temporary file is left.
pub fn replace(
    path: &Path,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> std::result::Result<(), WriteError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.part-{}", std::process::id()));
    let write = || -> Result<()> {
        let mut out = BufWriter::new(File::create(&part)?);
        fill(&mut out)?;
        out.into_inner()
            .map_err(IntoInnerError::into_error)?
            .sync_all()?;
        std::fs::rename(&part, path)
    };
    write().map_err(|cause| {
        // Nothing half-written stays behind; if even that fails, the first reason is the one to tell.
        let _ = std::fs::remove_file(&part);
        WriteError {
            path: path.to_owned(),
            cause,
        }
    })
}
