//! Finds a library in a folder by its file name.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::LibraryError;
use super::library_spec::LibrarySpec;

/// The library in `folder`, or in one of the usual folders inside it.
///
/// # Errors
/// [`LibraryError::NoLibraryInFolder`] where there is none.
pub(super) fn library_in(product: &LibrarySpec, folder: &Path) -> Result<PathBuf, LibraryError> {
    product
        .places
        .iter()
        .find_map(|place| directly_in(product, &folder.join(place)))
        .ok_or_else(|| LibraryError::NoLibraryInFolder {
            path: folder.to_path_buf(),
            name: product.library_name(),
        })
}

/// The library in this very folder: the plain name first, then the highest version.
pub(super) fn directly_in(product: &LibrarySpec, folder: &Path) -> Option<PathBuf> {
    let mut found: Vec<(Reverse<Vec<u32>>, PathBuf)> = fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let version = product.version_in_name(entry.file_name().to_str()?)?;
            Some((Reverse(version), entry.path()))
        })
        .filter(|(_, path)| path.is_file())
        .collect();
    found.sort();
    found.into_iter().next().map(|(_, path)| path)
}
