//! Tells which files of a folder are one slide: DICOM keeps each level in a file of its own, VMS its pictures beside it.

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
