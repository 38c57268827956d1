//! Tests with candidates made on the spot: fake libraries, fake Pythons and fake wheels, and one real download.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod headers;
mod libraries;
#[cfg(unix)]
#[cfg(feature = "pip")]
mod pip;
#[cfg(unix)]
mod pythons;
mod real;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Python, Search, Wheel};
use crate::onnxruntime::ONNX_RUNTIME;

/// ONNX Runtime's file name on this platform, without a version.
const LIBRARY_NAME: &str = if cfg!(windows) {
    "onnxruntime.dll"
} else if cfg!(target_vendor = "apple") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// A search that finds nothing: no path, no Python, no wheel.
fn empty_search(cache: &Path) -> Search {
    Search {
        product: &ONNX_RUNTIME,
        system: Vec::new(),
        option: None,
        variable: None,
        cache: Some(cache.to_path_buf()),
        pythons: Vec::new(),
        ask_limit: Duration::from_secs(20),
        bring_limit: Duration::from_secs(60),
        wheel: None,
        offline: false,
    }
}

/// Compiles C code to a shared library with this platform's file name, in a new folder below `folder`. `None`,
/// with a message, where there is no C compiler.
fn compile(folder: &Path, code: &str) -> Option<PathBuf> {
    let own = tempfile::tempdir_in(folder).unwrap().keep();
    let (source, library) = (own.join("fake.c"), own.join(LIBRARY_NAME));
    fs::write(&source, code).unwrap();
    let result = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .output();
    match result {
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            Some(library)
        }
        Err(e) => {
            println!("skipped: no C compiler ({e})");
            None
        }
    }
}

/// C code of a library that calls itself ONNX Runtime `version` and has the interfaces up to `newest`.
fn fake_code(version: &str, newest: u32) -> String {
    format!(
        "#include <stddef.h>
        #include <stdint.h>
        static int api;
        static const void* get_api(uint32_t v) {{ return v <= {newest} ? &api : NULL; }}
        static const char* get_version(void) {{ return \"{version}\"; }}
        static const struct {{ const void* (*a)(uint32_t); const char* (*v)(void); }} base = {{ get_api, get_version }};
        const void* OrtGetApiBase(void) {{ return &base; }}"
    )
}

/// A Python that is really a shell script. The shell is started with the script, and not the script itself:
/// a file just written may still be open in a process that another test is starting.
#[cfg(unix)]
fn script(folder: &Path, text: &str) -> Python {
    use std::io::Write;
    let mut file = tempfile::NamedTempFile::new_in(folder).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let (_, path) = file.keep().unwrap();
    let mut python = Python::new("/bin/sh");
    python.arguments = vec![path.into()];
    python
}

/// The digits of a text's bytes, as the question to Python prints them.
#[cfg(unix)]
fn hex(bytes: impl AsRef<std::ffi::OsStr>) -> String {
    use std::os::unix::ffi::OsStrExt;
    bytes
        .as_ref()
        .as_bytes()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

#[test]
fn the_pinned_table_is_whole() {
    let products = [&ONNX_RUNTIME, &crate::openslide::OPENSLIDE];
    let all: Vec<&Wheel> = products.iter().flat_map(|p| p.wheels).collect();
    for product in products {
        for wheel in product.wheels {
            for sum in [wheel.sha256, wheel.library_sha256] {
                assert!(
                    sum.len() == 64 && sum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
                );
            }
            assert_eq!(
                wheel.member.rsplit('/').next(),
                Some(wheel.library),
                "{}",
                wheel.platform
            );
            assert_eq!(product.new_enough(wheel.version), Some(true));
            let same =
                |w: &Wheel| w.sha256 == wheel.sha256 || w.library_sha256 == wheel.library_sha256;
            assert_eq!(
                all.iter().filter(|w| same(w)).count(),
                1,
                "{}",
                wheel.platform
            );
        }
    }
}

#[test]
fn the_cache_folder_follows_the_variables() {
    use super::search::cache_folder;
    let root = std::path::absolute(if cfg!(windows) { "C:/" } else { "/" }).unwrap();
    let set = |names: &'static [&'static str]| {
        let root = root.clone();
        move |name: &str| {
            names
                .contains(&name)
                .then(|| root.join(name).into_os_string())
        }
    };
    assert_eq!(cache_folder(|_| None), None);
    let own = cache_folder(set(&[
        "FTUSEG_CACHE",
        "HOME",
        "XDG_CACHE_HOME",
        "LOCALAPPDATA",
    ]));
    assert_eq!(own, Some(root.join("FTUSEG_CACHE")));
    if cfg!(target_os = "linux") {
        let custom = cache_folder(set(&["HOME", "XDG_CACHE_HOME"]));
        assert_eq!(custom, Some(root.join("XDG_CACHE_HOME/ftuseg")));
        assert_eq!(
            cache_folder(set(&["HOME"])),
            Some(root.join("HOME/.cache/ftuseg"))
        );
    }
}
