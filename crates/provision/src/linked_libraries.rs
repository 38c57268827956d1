//! Loads the libraries that an accelerator's provider links to and that lie where the system's loader does not look.

use std::fs;
use std::path::{Path, PathBuf};

use super::Accelerator;

/// Loads the libraries that come in packages of their own beside the accelerator's (`nvidia/*/lib`, and PyTorch's), so
/// that the provider finds them: they lie in no folder that the system's loader looks in. Returns how many were loaded.
///
/// What cannot be loaded is left: whether it was needed shows when the provider is started.
pub fn preload(library: &Path, wanted: &Accelerator) -> usize {
    // site-packages, the module, its folder, the library
    let Some(packages) = library.ancestors().nth(3) else {
        return 0;
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(packages.join("nvidia"))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("lib"))
        .collect();
    folders.sort();
    folders.push(packages.join("torch").join("lib"));
    let mut waiting: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        waiting.extend(
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .filter(|path| {
                    let name = path
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned();
                    name.contains(".so")
                        && wanted.beside.iter().any(|start| name.starts_with(start))
                }),
        );
    }
    waiting.sort();
    let mut loaded = 0;
    // They need each other; rather than keeping a list of who needs whom, try until nothing more loads.
    loop {
        let before = waiting.len();
        waiting.retain(|path| !load_for_all(path));
        loaded += before - waiting.len();
        if waiting.is_empty() || waiting.len() == before {
            return loaded;
        }
    }
}

#[cfg(unix)]
fn load_for_all(path: &Path) -> bool {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: loading runs the library's initialisers. These are the installed packages of NVIDIA or PyTorch that the
    // user's runtime is linked to; the provider would load the same files. The handle is leaked on purpose: what was
    // linked against must stay.
    match unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) } {
        Ok(library) => {
            std::mem::forget(library);
            true
        }
        Err(_) => false,
    }
}

#[cfg(not(unix))]
fn load_for_all(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnxruntime::CUDA;

    #[test]
    fn there_is_nothing_to_preload_beside_a_library_that_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(preload(&folder.path().join("a/b/c/lib.so"), &CUDA), 0);
    }
}
