//! Tells which files are one slide: DICOM keeps each level in a file of its own, VMS its pictures beside it, MRXS a folder.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::dicom::series;

/// The most that is read of a VMS file: OpenSlide's limit is the same.
const MAX_VMS: u64 = 64 << 10;

/// Keeps one file of each slide: of the DICOM files of one series in one folder the first, and of a VMS or VMU slide the
/// file that names the others. All other files stay, in their order.
pub fn one_per_slide(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let pictures: HashSet<PathBuf> = files.iter().flat_map(|file| named_by(file)).collect();
    let mut seen = HashSet::new();
    let mut kept = files;
    kept.retain(|file| {
        if pictures.contains(file) {
            return false;
        }
        // What is no DICOM after all is kept, so that it fails with its reason.
        let series = has_extension(file, &["dcm"])
            .then(|| series(file))
            .flatten();
        series.is_none_or(|series| seen.insert((file.parent().map(Path::to_owned), series)))
    });
    kept
}

/// The other files that a slide's pixels come from, sorted; none where it is one file.
///
/// For DICOM these are the files of the same series in the same folder, for MRXS what lies in the folder of its name, for
/// VMS and VMU the files that it names.
///
/// # Errors
/// When a folder cannot be listed.
pub fn files_beside(slide: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = if has_extension(slide, &["mrxs"]) {
        match std::fs::read_dir(slide.with_extension("")) {
            Ok(folder) => listed(folder)?,
            // A lone MRXS file fails when it is opened.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        }
    } else if has_extension(slide, &["dcm"])
        && let Some(own) = series(slide)
    {
        let folder = slide
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut files = listed(std::fs::read_dir(folder.unwrap_or(Path::new(".")))?)?;
        files.retain(|file| {
            file.file_name() != slide.file_name()
                && has_extension(file, &["dcm"])
                && series(file).as_ref() == Some(&own)
        });
        files
    } else {
        let mut named = named_by(slide);
        named.retain(|file| file.is_file());
        named
    };
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// The regular files of a folder.
fn listed(folder: std::fs::ReadDir) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// The files beside a VMS or VMU file that it names; none of any other.
fn named_by(file: &Path) -> Vec<PathBuf> {
    if !has_extension(file, &["vms", "vmu"]) {
        return Vec::new();
    }
    let mut text = Vec::new();
    let read = std::fs::File::open(file).and_then(|f| f.take(MAX_VMS).read_to_end(&mut text));
    let Some(folder) = file.parent().filter(|_| read.is_ok()) else {
        return Vec::new();
    };
    // A name with a folder in it is none of this slide's.
    String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty() && !value.contains(['/', '\\']))
        .map(|value| folder.join(value))
        .collect()
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    extensions.iter().any(|e| extension.eq_ignore_ascii_case(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_of_a_vms_are_no_slides_of_their_own() {
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        let text =
            "[Virtual Microscope Specimen]\nImageFile=a.jpg\nMapFile=../b.jpg\nMacroImage=\n";
        std::fs::write(at("x.vms"), text).unwrap();
        let files = ["a.jpg", "b.jpg", "c.jpg", "x.vms"].map(at);
        let kept = one_per_slide(files.to_vec());
        assert_eq!(kept, ["b.jpg", "c.jpg", "x.vms"].map(at));
    }

    #[test]
    fn a_slide_knows_its_other_files() {
        let foreign = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slides/foreign");
        let names = |slide: &str| -> Vec<String> {
            let files = files_beside(&foreign.join(slide)).unwrap();
            let name = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().into_owned();
            files.iter().map(name).collect()
        };
        assert_eq!(names("dicom/level-0.dcm"), ["level-1.dcm"]);
        assert_eq!(
            names("mirax.mrxs"),
            ["Data0000.dat", "Index.dat", "Slidedat.ini"]
        );
        assert!(names("leica.scn").is_empty());
        let work = tempfile::tempdir().unwrap();
        let vms = work.path().join("x.vms");
        std::fs::write(&vms, "ImageFile=a.jpg\nMapFile=gone.jpg\n").unwrap();
        std::fs::write(work.path().join("a.jpg"), "x").unwrap();
        assert_eq!(files_beside(&vms).unwrap(), [work.path().join("a.jpg")]);
        let lone = work.path().join("lone.mrxs");
        std::fs::write(&lone, "x").unwrap();
        assert!(files_beside(&lone).unwrap().is_empty());
    }

    #[test]
    fn a_series_is_one_slide_in_each_folder() {
        let drawn =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slides/foreign/dicom");
        let work = tempfile::tempdir().unwrap();
        std::fs::create_dir(work.path().join("sub")).unwrap();
        let copy = |from: &str, to: &str| {
            let to = work.path().join(to);
            std::fs::copy(drawn.join(from), &to).unwrap();
            to
        };
        let a = copy("level-0.dcm", "a.dcm");
        let b = copy("level-1.dcm", "b.DCM");
        let other_folder = copy("level-1.dcm", "sub/b.dcm");
        let broken = work.path().join("broken.dcm");
        std::fs::write(&broken, "no dicom").unwrap();
        let kept = one_per_slide(vec![a.clone(), b, broken.clone(), other_folder.clone()]);
        assert_eq!(kept, [a, broken, other_folder]);
    }
}
