//! Finds the bundle when none is named.

use std::path::PathBuf;

use super::BundleError;

/// The bundle's folder when the user names none: the environment variable `FTUSEG_BUNDLE`, `models/bundle` in the
/// current folder, `bundle` or `../share/ftuseg/bundle` beside the program, or the folder the program was built from.
///
/// # Errors
/// When none of these holds a `bundle.toml`, with the list of places.
pub fn default_bundle() -> Result<PathBuf, BundleError> {
    if let Some(named) = std::env::var_os("FTUSEG_BUNDLE") {
        return Ok(PathBuf::from(named));
    }
    let mut places = vec![PathBuf::from("models/bundle")];
    if let Ok(program) = std::env::current_exe()
        && let Some(folder) = program.parent()
    {
        places.push(folder.join("bundle"));
        places.push(folder.join("../share/ftuseg/bundle"));
    }
    places.push(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/bundle"));
    places
        .iter()
        .find(|place| place.join("bundle.toml").is_file())
        .cloned()
        .ok_or_else(|| BundleError::NotFound {
            looked: places.iter().map(|p| p.display().to_string()).collect(),
        })
}
