//! Which folders are Zarr slides, and which files a slide in a folder has.

use std::io;
use std::path::{Path, PathBuf};

use super::slide_files::{files_beside, has_extension};

/// What tells a Zarr hierarchy: the metadata of versions 3 and 2.
const METADATA: [&str; 4] = ["zarr.json", ".zattrs", ".zgroup", ".zarray"];
/// Folders below one another that are followed.
const MAX_DEPTH: usize = 32;

/// Whether a path is a folder that is one slide: by its name (`.zarr`), or by the metadata in it. Its inner files are no
/// slides of their own.
pub fn is_zarr(path: &Path) -> bool {
    let has = |name: &&str| path.join(name).is_file();
    path.is_dir() && (has_extension(path, &["zarr"]) || METADATA.iter().any(has))
}

/// All files that a slide's pixels come from, sorted, the slide's own first where it is a file. Links to folders are not
/// followed.
///
/// # Errors
/// When a folder cannot be listed, or holds too many below one another.
pub fn files_of_slide(slide: &Path) -> io::Result<Vec<PathBuf>> {
    if slide.is_dir() {
        let mut files = Vec::new();
        collect(slide, MAX_DEPTH, &mut files)?;
        files.sort_unstable();
        return Ok(files);
    }
    let mut files = vec![slide.to_owned()];
    files.extend(files_beside(slide)?);
    Ok(files)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true if depth == 0 => {
                return Err(io::Error::other(format!(
                    "{} lies too many folders deep",
                    entry.path().display()
                )));
            }
            true => collect(&entry.path(), depth - 1, files)?,
            false => files.push(entry.path()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_slide_by_its_name_or_its_metadata() {
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        for file in [
            "a.zarr/x",
            "b/zarr.json",
            "c/.zattrs",
            "d/x.tif",
            "e.ZARR/0/x",
        ] {
            std::fs::create_dir_all(at(file).parent().unwrap()).unwrap();
            std::fs::write(at(file), "").unwrap();
        }
        std::fs::write(at("f.zarr"), "a file").unwrap();
        let found = ["a.zarr", "b", "c", "d", "e.ZARR", "f.zarr", "none.zarr"];
        let found: Vec<&str> = found
            .into_iter()
            .filter(|name| is_zarr(&at(name)))
            .collect();
        assert_eq!(found, ["a.zarr", "b", "c", "e.ZARR"]);
        assert_eq!(files_of_slide(&at("e.ZARR")).unwrap(), [at("e.ZARR/0/x")]);
        assert_eq!(files_of_slide(&at("d/x.tif")).unwrap(), [at("d/x.tif")]);
    }
}
