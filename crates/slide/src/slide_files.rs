//! Tells which files are one slide: DICOM keeps each level in a file of its own, VMS its pictures alongside it, MRXS a
//! folder.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::completeness::with_its_parts;
use super::dicom::{Instance, instance, series};
use crate::warning::{Warning, WarningKind};
use ftuseg_files::plain;

/// The most that is read of a VMS file or a `Slidedat.ini`: OpenSlide's limit for both is 64 KiB and 1 MiB.
const MAX_TEXT: u64 = 1 << 20;

/// Keeps one file of each slide: of the DICOM files of one series in one folder the first, and of a VMS or VMU slide the
/// file that names the others. All other files stay, in their order.
pub fn one_per_slide(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let slides = slides_among(files).into_iter();
    slides.map(|(file, _)| file).collect()
}

/// The same with what looks doubtful: a DICOM label, overview, thumbnail or segmentation whose series has no level, beside a slide of
/// another series, is no slide, and the slide says so. Alone in its folder it stays, and fails with its reason.
pub fn slides_among(files: Vec<PathBuf>) -> Vec<(PathBuf, Vec<Warning>)> {
    let pictures: HashSet<PathBuf> = files.iter().flat_map(|file| named_by(file)).collect();
    let mut places: HashMap<(PathBuf, String), usize> = HashMap::new();
    let mut kept: Vec<(PathBuf, Vec<Warning>)> = Vec::new();
    // Of each kept DICOM file whether its series has a level.
    let mut levels: HashMap<usize, bool> = HashMap::new();
    for file in files {
        if pictures.contains(&file) {
            continue;
        }
        // What is no DICOM after all is kept, so that it fails with its reason.
        if let Some(found) = may_be_dicom(&file).then(|| instance(&file)).flatten() {
            let folder = file.parent().unwrap_or(Path::new("")).to_owned();
            let place = *places
                .entry((folder, found.series.clone()))
                .or_insert(kept.len());
            *levels.entry(place).or_insert(false) |= found.is_level();
            if place < kept.len() {
                continue;
            }
        }
        kept.push((file, Vec::new()));
    }
    let folder_of = |place: &usize| kept[*place].0.parent().map(Path::to_owned);
    let mut slides: HashMap<Option<PathBuf>, usize> = HashMap::new();
    for place in levels
        .iter()
        .filter(|(_, has)| **has)
        .map(|(place, _)| place)
    {
        let first = slides.entry(folder_of(place)).or_insert(*place);
        *first = *place.min(first);
    }
    let mut lone: Vec<(usize, usize)> = levels
        .iter()
        .filter(|(_, has)| !**has)
        .filter_map(|(place, _)| Some((*place, *slides.get(&folder_of(place))?)))
        .collect();
    lone.sort_unstable();
    for &(place, slide) in &lone {
        let name = kept[place].0.file_name().unwrap_or_default();
        let text = format!(
            "{} next to it is a label, an overview, a thumbnail or something made of a slide, in a series of its own, and was left out",
            name.to_string_lossy()
        );
        kept[slide]
            .1
            .push(Warning::new(WarningKind::OtherImages, text));
    }
    let mut place = 0;
    kept.retain(|_| {
        place += 1;
        lone.binary_search_by_key(&(place - 1), |one| one.0)
            .is_err()
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
    let slide = &with_its_parts(slide);
    let mut files = if is_mirax(slide) {
        match std::fs::read_dir(slide.with_extension("")) {
            Ok(folder) => listed(folder)?,
            // A lone MRXS file fails when it is opened.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        }
    } else if may_be_dicom(slide)
        && let Some(own) = series(slide)
    {
        let beside = same_series(slide, &own)?.into_iter();
        beside.map(|(file, _)| file).collect()
    } else {
        let mut named = named_by(slide);
        named.retain(|file| file.is_file());
        named
    };
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// The other files of a DICOM series in a file's folder.
pub(super) fn same_series(slide: &Path, own: &str) -> std::io::Result<Vec<(PathBuf, Instance)>> {
    let folder = slide
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let files = listed(std::fs::read_dir(folder.unwrap_or(Path::new(".")))?)?;
    let others = files.into_iter().filter_map(|file| {
        let is_other = file.file_name() != slide.file_name() && may_be_dicom(&file);
        let found = is_other.then(|| instance(&file)).flatten()?;
        (found.series == own).then_some((file, found))
    });
    Ok(others.collect())
}

/// Whether the name is one that DICOM files have; they can be TIFF files at the same time.
pub(super) fn may_be_dicom(file: &Path) -> bool {
    file.extension().is_none() || has_extension(file, &["dcm", "tif", "tiff", "svs", "btf"])
}

/// Whether a file is called a MIRAX slide. Its own bytes are a preview or nothing at all.
pub(super) fn is_mirax(file: &Path) -> bool {
    has_extension(file, &["mrxs"])
}

/// Whether a value is the name of a file beside, without a folder in it.
pub(super) fn is_name(value: &str) -> bool {
    !value.is_empty() && !value.contains(['/', '\\'])
}

/// The keys and values of a vendor's text file; none where it cannot be read.
pub(super) fn values(file: &Path) -> Vec<(String, String)> {
    let mut text = Vec::new();
    let read = plain::open(file, u64::MAX).and_then(|f| f.take(MAX_TEXT).read_to_end(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect()
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
    let Some(folder) = file.parent() else {
        return Vec::new();
    };
    // A name with a folder in it is none of this slide's.
    values(file)
        .into_iter()
        .filter(|(_, value)| is_name(value))
        .map(|(_, value)| folder.join(value))
        .collect()
}

pub(super) fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    extensions.iter().any(|e| extension.eq_ignore_ascii_case(e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completeness::check_complete;

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
        let foreign =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign");
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
    fn a_tiff_in_the_preamble_makes_no_slide_of_its_own() {
        let drawn =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign/dicom");
        let work = tempfile::tempdir().unwrap();
        let files = [("level-0.dcm", "a.dcm"), ("level-1.dcm", "b.tif")].map(|(from, to)| {
            let mut bytes = std::fs::read(drawn.join(from)).unwrap();
            bytes[..8].copy_from_slice(b"II*\0\x08\0\0\0");
            let to = work.path().join(to);
            std::fs::write(&to, bytes).unwrap();
            to
        });
        assert_eq!(one_per_slide(files.to_vec()), files[..1]);
        assert_eq!(files_beside(&files[0]).unwrap(), files[1..]);
    }

    /// A copy of a drawn level that says to be a label of another series.
    fn label(to: &Path) {
        let drawn = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures/slides/foreign/dicom/level-0.dcm");
        let mut bytes = std::fs::read(drawn).unwrap();
        for (old, new) in [(&b"VOLUME"[..], &b"LABEL "[..]), (b"2.25.3", b"2.25.9")] {
            for at in 0..bytes.len() - old.len() {
                if bytes[at..].starts_with(old) {
                    bytes[at..at + old.len()].copy_from_slice(new);
                }
            }
        }
        std::fs::write(to, bytes).unwrap();
    }

    #[test]
    fn a_label_of_its_own_series_is_no_slide() {
        let drawn =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign/dicom");
        let work = tempfile::tempdir().unwrap();
        let at = |name: &str| work.path().join(name);
        std::fs::create_dir(at("alone")).unwrap();
        label(&at("a-label.dcm"));
        label(&at("alone/label.dcm"));
        std::fs::copy(drawn.join("level-0.dcm"), at("b.dcm")).unwrap();
        std::fs::copy(drawn.join("level-1.dcm"), at("c.dcm")).unwrap();
        // A segmentation, which is no image of a slide at all.
        let mut made = std::fs::read(drawn.join("level-0.dcm")).unwrap();
        for (old, new) in [
            (
                &b"1.2.840.10008.5.1.4.1.1.77.1.6"[..],
                &b"1.2.840.10008.5.1.4.1.1.66.4\0\0"[..],
            ),
            (b"2.25.3", b"2.25.8"),
        ] {
            for place in 0..made.len() - old.len() {
                if made[place..].starts_with(old) {
                    made[place..place + old.len()].copy_from_slice(new);
                }
            }
        }
        std::fs::write(at("d.dcm"), made).unwrap();
        let files = ["a-label.dcm", "alone/label.dcm", "b.dcm", "c.dcm", "d.dcm"].map(at);
        let found = slides_among(files.to_vec());
        let names: Vec<&PathBuf> = found.iter().map(|(file, _)| file).collect();
        assert_eq!(names, [&at("alone/label.dcm"), &at("b.dcm")]);
        assert!(found[0].1.is_empty());
        assert_eq!(found[1].1.len(), 2);
        for (warning, name) in found[1].1.iter().zip(["a-label.dcm", "d.dcm"]) {
            assert!(warning.text.contains(name), "{found:?}");
        }
        // Alone, or named by itself, it is refused with the reason.
        for lone in ["alone/label.dcm", "a-label.dcm"] {
            let error = check_complete(&at(lone)).unwrap_err().to_string();
            assert!(
                error.contains("no level of the slide") && error.contains("LABEL"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_series_is_one_slide_in_each_folder() {
        let drawn =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/slides/foreign/dicom");
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
