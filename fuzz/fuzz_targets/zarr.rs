//! Reads OME-Zarr images of which one file is any bytes: no panic, no hang, no memory beyond the limits.

#![no_main]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[path = "../shared/reading.rs"]
mod reading;

/// The drawn stores, copied: what each file of them holds.
static FILES: LazyLock<Vec<(PathBuf, PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let drawn = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/slides/zarr");
    let mut files = Vec::new();
    for name in [
        "zarr-shards.zarr",
        "zarr-blosc.zarr",
        "zarr-gzip.zarr",
        "zarr-images.zarr",
    ] {
        let (from, to) = (drawn.join(name), reading::folder().join(name));
        for file in ftuseg::slide::files_of_slide(&from).expect("the drawn stores") {
            let bytes = std::fs::read(&file).expect("a drawn file");
            let path = to.join(
                file.strip_prefix(&from)
                    .expect("invariant: it lies in there"),
            );
            std::fs::create_dir_all(path.parent().expect("invariant: it lies in a folder"))
                .expect("room for a folder");
            std::fs::write(&path, &bytes).expect("room for a small file");
            files.push((to.clone(), path, bytes));
        }
    }
    files
});

fuzz_target!(|bytes: &[u8]| {
    // The first byte says which file the others are.
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    let (store, path, sound) = &FILES[usize::from(*which) % FILES.len()];
    std::fs::write(path, bytes).expect("room for a small file");
    match ftuseg::slide::open(store) {
        Ok(slide) => reading::parts(slide.as_ref()),
        Err(error) => assert!(error.to_string().contains(".zarr"), "{error}"),
    }
    std::fs::write(path, sound).expect("room for a small file");
});
