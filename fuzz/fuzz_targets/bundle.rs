//! Reads any bytes as `bundle.toml`: an error, or a bundle that the engine can work with.

#![no_main]

use std::path::{Component, Path};
use std::sync::LazyLock;

use ftuseg::bundle::Bundle;
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(FOLDER.path().join("bundle.toml"), bytes).expect("room for a small file");
    let bundle = match Bundle::load(FOLDER.path()) {
        Ok(bundle) => bundle,
        Err(error) => {
            assert!(error.to_string().contains("bundle.toml"), "{error}");
            return;
        }
    };
    for model in &bundle.models {
        assert!(model.tile > 0, "{model:?}");
        assert_ne!(bundle.label(model.target), 0);
        is_inside(&model.file);
        assert!(bundle.verified_file(&model.file, &model.sha256).is_err());
    }
    if let Some(router) = &bundle.router {
        assert!(router.tile > 0 && router.cell > 0 && router.mpp > 0.0);
        is_inside(&router.file);
    }
});

/// A bundle names files of its own folder only.
fn is_inside(file: &str) {
    let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    assert!(Path::new(file).components().all(is_plain), "{file:?}");
}
