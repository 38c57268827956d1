//! Stores of Zarr with broken files in them: an error that names the folder and the reason, or another picture.

use std::path::{Path, PathBuf};

use crate::conformance::Random;
use crate::fixtures::folder;
use crate::hostile::{assert_memory, read};

/// The drawn stores.
fn stores() -> Vec<PathBuf> {
    let mut stores: Vec<PathBuf> = std::fs::read_dir(folder().join("zarr"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "zarr"))
        .collect();
    stores.sort();
    assert!(stores.len() >= 6);
    stores
}

/// All files below a folder, as paths from there.
fn files(store: &Path) -> Vec<PathBuf> {
    let all = ftuseg::slide::files_of_slide(store).unwrap().into_iter();
    all.map(|file| file.strip_prefix(store).unwrap().to_owned())
        .collect()
}

/// A copy of a store.
fn copy(store: &Path, work: &Path) -> PathBuf {
    let to = work.join(store.file_name().unwrap());
    for file in files(store) {
        let path = to.join(&file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(store.join(file), path).unwrap();
    }
    to
}

#[test]
fn a_store_with_a_file_cut_off_or_lost_is_an_error_or_has_a_gap() {
    for store in stores() {
        let work = tempfile::tempdir().unwrap();
        let copied = copy(&store, work.path());
        assert_eq!(read(&copied), Ok(()));
        for file in files(&store) {
            let path = copied.join(&file);
            let whole = std::fs::read(&path).unwrap();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let is_chunk = name
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            for part in 0..6 {
                std::fs::write(&path, &whole[..whole.len() * part / 6]).unwrap();
                let result = read(&copied);
                // The label beside a slide is not looked at.
                let is_seen = !file.starts_with("1") || !store.ends_with("zarr-images.zarr");
                if is_chunk && is_seen {
                    assert!(result.is_err(), "{} cut to {part} / 6", path.display());
                }
            }
            std::fs::remove_file(&path).unwrap();
            let _ = read(&copied);
            std::fs::write(&path, &whole).unwrap();
        }
        assert_eq!(read(&copied), Ok(()));
    }
    assert_memory();
}

#[test]
fn flipped_bits_in_a_store_are_an_error_or_another_picture() {
    let mut random = Random(7);
    let mut refused = 0;
    let stores = stores();
    let work = tempfile::tempdir().unwrap();
    let copies: Vec<PathBuf> = stores
        .iter()
        .map(|store| copy(store, work.path()))
        .collect();
    for variant in 0..600 {
        let (store, copied) = (
            &stores[variant % stores.len()],
            &copies[variant % stores.len()],
        );
        let files = files(store);
        // Half of the flips go to metadata.
        let is_text = |file: &&PathBuf| {
            let name = file.file_name().unwrap().to_string_lossy();
            name.starts_with('.') || name == "zarr.json"
        };
        let (texts, chunks): (Vec<&PathBuf>, Vec<&PathBuf>) =
            files.iter().partition(|f| is_text(f));
        let from = if random.below(2) == 0 { texts } else { chunks };
        let file = from[random.below(from.len() as u64) as usize];
        let whole = std::fs::read(store.join(file)).unwrap();
        let mut bytes = whole.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << random.below(8);
        }
        std::fs::write(copied.join(file), bytes).unwrap();
        refused += usize::from(read(copied).is_err());
        std::fs::write(copied.join(file), whole).unwrap();
    }
    // Most flips hit something that is checked.
    assert!(refused > 150, "{refused} of 600");
    assert_memory();
}

#[test]
fn what_is_no_image_is_refused() {
    let work = tempfile::tempdir().unwrap();
    for (name, file, text, words) in [
        ("empty.zarr", "x", "", "without Zarr's metadata"),
        (
            "group",
            ".zgroup",
            "{\"zarr_format\": 2}",
            "no OME-Zarr image",
        ),
        ("array.zarr", ".zarray", "{}", "above it"),
        (
            "labels.zarr",
            ".zattrs",
            "{\"labels\": []}",
            "labels, not a slide",
        ),
    ] {
        let folder = work.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(file), text).unwrap();
        let error = read(&folder).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    let zipped = work.path().join("x.ozx");
    std::fs::write(&zipped, b"PK\x03\x04").unwrap();
    assert!(read(&zipped).unwrap_err().contains("unpack it"));
    std::fs::create_dir(work.path().join("plain")).unwrap();
    assert!(
        read(&work.path().join("plain"))
            .unwrap_err()
            .contains("regular file")
    );
}
