//! Reads any bytes as a table of slides: an error, or slides whose folders are unique names inside one folder.

#![no_main]

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use ftuseg::batch::discover;
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fuzz_target!(|bytes: &[u8]| {
    let table = FOLDER.path().join("table.csv");
    std::fs::write(&table, bytes).expect("room for a small file");
    let images = FOLDER.path().join("images");
    for images in [None, Some(images.as_path())] {
        let Ok(jobs) = discover(std::slice::from_ref(&table), images) else {
            continue;
        };
        let mut seen = HashSet::new();
        for job in jobs {
            assert!(seen.insert(job.folder.to_lowercase()), "{:?} twice", job.folder);
            let name = Path::new(&job.folder);
            assert_eq!(name.components().count(), 1, "{:?}", job.folder);
            assert_eq!(name.file_name(), Some(name.as_os_str()), "{:?}", job.folder);
            assert!(!job.folder.starts_with('.') && !job.folder.contains(['/', '\\']));
            assert!(job.folder.len() <= 255 && !job.folder.contains(char::is_control));
            assert!(!job.id.is_empty());
            if let Some(images) = images {
                // An id cannot lead out of the images' folder.
                assert_eq!(job.path.parent(), Some(images), "{:?}", job.path);
            }
            if let Some(resolution) = job.resolution {
                assert!((0.02..=40.0).contains(&resolution.mpp));
            }
        }
    }
});
