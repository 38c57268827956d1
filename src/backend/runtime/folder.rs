//! Finds the ONNX Runtime library in a folder by its file name.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::RuntimeError;

/// The library's name on this platform, without a version.
pub(super) const LIBRARY_NAME: &str = if cfg!(windows) {
    "onnxruntime.dll"
} else if cfg!(target_vendor = "apple") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// Where the library lies in what people unpack: a release archive, a wheel, a `site-packages` folder.
const PLACES: [&str; 5] = ["", "lib", "bin", "capi", "onnxruntime/capi"];

/// The library in `folder`, or in one of the usual folders inside it.
///
/// # Errors
/// [`RuntimeError::NoLibraryInFolder`] where there is none.
pub(super) fn library_in(folder: &Path) -> Result<PathBuf, RuntimeError> {
    PLACES
        .iter()
        .find_map(|place| directly_in(&folder.join(place)))
        .ok_or_else(|| RuntimeError::NoLibraryInFolder {
            path: folder.to_path_buf(),
            name: LIBRARY_NAME,
        })
}

/// The library in this very folder: the plain name first, then the highest version.
pub(super) fn directly_in(folder: &Path) -> Option<PathBuf> {
    let mut found: Vec<(Reverse<Vec<u32>>, PathBuf)> = fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let version = version_in_name(entry.file_name().to_str()?)?;
            Some((Reverse(version), entry.path()))
        })
        .filter(|(_, path)| path.is_file())
        .collect();
    found.sort();
    found.into_iter().next().map(|(_, path)| path)
}

/// The version in the name of an ONNX Runtime library, `None` for any other name. The plain name counts as
/// the highest version.
fn version_in_name(name: &str) -> Option<Vec<u32>> {
    if name == LIBRARY_NAME {
        return Some(vec![u32::MAX]);
    }
    let version = if cfg!(windows) {
        return None;
    } else if cfg!(target_vendor = "apple") {
        name.strip_prefix("libonnxruntime.")?
            .strip_suffix(".dylib")?
    } else {
        name.strip_prefix("libonnxruntime.so.")?
    };
    version.split('.').map(|part| part.parse().ok()).collect()
}
