//! What the targets that read slides share.

#![allow(dead_code, reason = "each target uses its own part")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ftuseg::slide::{SlideError, SlideReader};

/// Readers open paths, so the bytes become a file; on Linux one that never reaches a disk.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a temporary folder")
});

/// The folder.
pub fn folder() -> &'static Path {
    FOLDER.path()
}

/// Writes the bytes to a file and opens it. An error must name the file.
pub fn with_file<T>(bytes: &[u8], open: impl FnOnce(&Path) -> Result<T, SlideError>) {
    let path = FOLDER.path().join("slide");
    std::fs::write(&path, bytes).expect("room for a small file");
    if let Err(error) = open(&path) {
        assert!(error.to_string().contains("slide"), "{error}");
    }
}

/// Writes the bytes to two files with this extension and hands over their paths.
pub fn with_copies<T>(bytes: &[u8], extension: &str, then: impl FnOnce(Vec<PathBuf>) -> T) -> T {
    let paths = ["a", "b"].map(|stem| FOLDER.path().join(stem).with_extension(extension));
    for path in &paths {
        std::fs::write(path, bytes).expect("room for a small file");
    }
    then(paths.to_vec())
}

/// Reads the corners and the middle of each level. What a read gives is an error or px; both are fine.
pub fn parts(slide: &dyn SlideReader) {
    for (number, level) in slide.info().levels.iter().enumerate() {
        assert!(level.width > 0 && level.height > 0);
        let (width, height) = (i64::from(level.width), i64::from(level.height));
        for (x, y) in [(-3, -3), (width - 5, height - 5), (width / 2, height / 2)] {
            let mut rgb = vec![0; 9 * 9 * 3];
            let _ = slide.read(number, x, y, 9, 9, &mut rgb);
        }
    }
}
