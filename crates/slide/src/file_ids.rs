//! Which slide a file's name is, and which file an id means.

use std::path::{Path, PathBuf};

use super::{EXTENSIONS, is_zarr};

/// The id of a file: its name without its extension; `.ome.tif` and `.ome.zarr` count as one extension.
pub fn id_of_file(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let stem = match name.rfind('.') {
        Some(0) | None => name.as_str(),
        Some(dot) => &name[..dot],
    };
    let stem = match stem.to_lowercase().strip_suffix(".ome") {
        Some(_) if stem.len() > 4 => &stem[..stem.len() - 4],
        _ => stem,
    };
    stem.to_owned()
}

/// The image of an id: `ID.tiff`, or another ending that a search of folders finds, in any case; `ID.tiff`, which then
/// fails by name, if there is none.
pub fn image_of(images: &Path, id: &str) -> PathBuf {
    // An id is a file's name here, never a way to somewhere else.
    let name = Path::new(id)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let usual = images.join(format!("{name}.tiff"));
    let endings = ["tiff", "tif", "ome.tiff", "ome.tif", "ome.zarr"];
    let found = endings.iter().chain(&EXTENSIONS).find_map(|ending| {
        [ending.to_string(), ending.to_uppercase()]
            .into_iter()
            .map(|ending| images.join(format!("{name}.{ending}")))
            .find(|path| is_slide(path))
    });
    found
        .or_else(|| oddly_named(images, &name))
        .unwrap_or(usual)
}

/// The image of a name with an ending such as `.Tif`.
fn oddly_named(images: &Path, name: &str) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(images)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| has_known_ending(path) && id_of_file(path) == name && is_slide(path))
        .collect();
    found.sort();
    found.into_iter().next()
}

/// Whether something is there that can be a slide: a file, or a folder of Zarr.
fn is_slide(path: &Path) -> bool {
    path.is_file() || is_zarr(path)
}

fn has_known_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| {
        let ending = ending.to_string_lossy().to_lowercase();
        EXTENSIONS.contains(&ending.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_lose_their_extension() {
        for (path, id) in [
            ("a/b/10044.tiff", "10044"),
            ("x.ome.tif", "x"),
            ("x.OME.TIFF", "x"),
            ("two.parts.svs", "two.parts"),
            ("a/x.ome.zarr", "x"),
            ("a/x.zarr/", "x"),
            ("noextension", "noextension"),
            (".hidden", ".hidden"),
            (".ome.tif", ".ome"),
        ] {
            assert_eq!(id_of_file(Path::new(path)), id, "{path}");
        }
    }
}
