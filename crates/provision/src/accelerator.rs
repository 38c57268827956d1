//! Builds of a library that drive something other than the plain processor: where they are looked for, and how pip
//! brings them.
//!
//! They are several hundred megabytes, so they are brought only when the user asks for it
//! (`ftuseg doctor --install NAME`).

use std::fs;
use std::path::{Path, PathBuf};

#[cfg(feature = "pip")]
use super::child;
use super::error::LibraryError;
use super::probe::{self, Probed};
use super::python::Python;
use super::{Finding, Located, Search, Source, folder, located, named, python};

/// An accelerated build of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accelerator {
    /// Its name: `openvino` or `cuda`.
    pub name: &'static str,
    /// The Python package that holds the library.
    pub package: &'static str,
    /// The version of the package that is brought.
    pub version: &'static str,
    /// The file beside the library that makes it an accelerated one.
    pub provider: &'static str,
    /// What pip is told to bring: package, version, sha256 of the file.
    pub requirements: &'static [(&'static str, &'static str, &'static str)],
    /// How the names of those libraries begin that come in packages of their own and that the provider links to.
    pub beside: &'static [&'static str],
    /// About how many megabytes come over the network.
    pub megabytes: u32,
}

impl Accelerator {
    /// Where it lies below the program's cache folder once it was brought.
    fn place(&self, cache: &Path) -> PathBuf {
        cache
            .join("accelerators")
            .join(format!("{}-{}", self.package, self.version))
    }

    /// Where its library lies once it was brought.
    fn libraries(&self, search: &Search, cache: &Path) -> PathBuf {
        let module = self.place(cache).join(search.product.module);
        module.join(search.product.folder)
    }

    /// How to get it, for error messages.
    fn advice(&self) -> String {
        format!(
            "Type: ftuseg doctor --install {} (about {} MB), or: python3 -m pip install {}",
            self.name, self.megabytes, self.package
        )
    }

    /// The lines of a requirements file that lets pip take these very files and no others.
    #[cfg(any(test, feature = "pip"))]
    fn requirements_file(&self) -> String {
        self.requirements
            .iter()
            .map(|(package, version, sha256)| {
                format!("{package}=={version} --hash=sha256:{sha256}\n")
            })
            .collect()
    }
}

/// Finds the accelerated library: where the user says, in the cache folder, in the Python packages. Brings nothing.
///
/// # Errors
/// [`LibraryError::Unusable`] where the user names a library that is not such a one; [`LibraryError::NoAccelerator`]
/// where there is none.
pub fn locate_accelerated(search: &Search, wanted: &Accelerator) -> Result<Located, LibraryError> {
    if let Some((source, path)) = named(search) {
        return match check_named(search, path, wanted) {
            Ok(info) => Ok(located(search.product, info, source, Vec::new())),
            Err(reason) => Err(LibraryError::Unusable {
                given_by: source,
                reason: Box::new(reason),
            }),
        };
    }
    let mut findings = Vec::new();
    if let Some(cache) = &search.cache {
        let capi = wanted.libraries(search, cache);
        if capi.join(wanted.provider).is_file() {
            match folder::library_in(search.product, &capi)
                .and_then(|library| probe::probe(search.product, &library))
            {
                Ok(info) => return Ok(located(search.product, info, Source::Cache, findings)),
                Err(error) => {
                    findings.push(Finding::passed(Source::Cache, Some(capi), error.one_line()))
                }
            }
        } else {
            findings.push(Finding::absent(
                Source::Cache,
                Some(capi),
                "nothing there yet",
            ));
        }
    }
    for python in search.pythons.iter().filter(|python| python.has_packages) {
        match in_python(python, search, wanted) {
            Ok(info) => return Ok(located(search.product, info, Source::Python, findings)),
            Err(reason) => {
                findings.push(Finding::absent(
                    Source::Python,
                    Some(python.program.clone()),
                    reason,
                ));
            }
        }
    }
    let looked = findings
        .iter()
        .map(|finding| format!("\n  {finding}"))
        .collect();
    Err(LibraryError::NoAccelerator {
        name: wanted.name,
        looked,
        advice: wanted.advice(),
    })
}

fn check_named(search: &Search, path: &Path, wanted: &Accelerator) -> Result<Probed, LibraryError> {
    let library = if path.is_dir() {
        folder::library_in(search.product, path)?
    } else {
        path.to_path_buf()
    };
    let beside = library.parent().unwrap_or(Path::new("."));
    if !beside.join(wanted.provider).is_file() {
        return Err(LibraryError::NoProvider {
            path: library,
            provider: wanted.provider,
            advice: wanted.advice(),
        });
    }
    probe::probe(search.product, &library)
}

fn in_python(python: &Python, search: &Search, wanted: &Accelerator) -> Result<Probed, String> {
    let package = python::package_of(search.product, python, search.ask_limit)
        .map_err(|_| format!("no {} package that can be used", search.product.module))?;
    let beside = package.library.parent().unwrap_or(Path::new("."));
    if !beside.join(wanted.provider).is_file() {
        return Err(format!(
            "its {} package is not {}",
            search.product.module, wanted.package
        ));
    }
    probe::probe_expecting(search.product, &package.library, &package.sums)
        .map_err(|error| error.one_line())
}

/// Brings the accelerator with pip into the cache folder, whole or not at all; each file must have the sum that stands
/// in this program. Returns the folder.
///
/// # Errors
/// Where this platform has none, there is no cache folder, `--offline` forbids it, or pip fails.
#[cfg(feature = "pip")]
pub fn install(search: &Search, wanted: &Accelerator) -> Result<PathBuf, LibraryError> {
    if !cfg!(all(
        target_os = "linux",
        target_arch = "x86_64",
        target_env = "gnu"
    )) {
        return Err(LibraryError::NoWheel {
            product: search.product.name,
            option: search.product.option,
            platform: probe::this_platform(),
            needed: search.product.oldest_version(),
        });
    }
    if search.offline {
        return Err(LibraryError::Offline {
            advice: format!(
                "By hand, where there is a network: python3 -m pip install {}",
                wanted.package
            ),
        });
    }
    let cache = search.cache.as_deref().ok_or(LibraryError::NoCacheFolder)?;
    let target = wanted.place(cache);
    if wanted
        .libraries(search, cache)
        .join(wanted.provider)
        .is_file()
    {
        return Ok(target);
    }
    let parent = target.parent().unwrap_or(cache).to_owned();
    let io = |what, path: &Path| {
        let path = path.to_owned();
        move |error| LibraryError::io(what, &path, error)
    };
    fs::create_dir_all(&parent).map_err(io("create the folder", &parent))?;
    // On the same disk as the target, so that the rename at the end is one step.
    let work = tempfile::Builder::new()
        .prefix(".bringing-")
        .tempdir_in(&parent)
        .map_err(io("write to the folder", &parent))?;
    let list = work.path().join("requirements.txt");
    fs::write(&list, wanted.requirements_file()).map_err(io("write", &list))?;
    let whole = work.path().join("packages");
    let mut tried = Vec::new();
    for python in &search.pythons {
        let mut command = python.command();
        command.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
        ]);
        for platform in [
            "manylinux_2_28_x86_64",
            "manylinux_2_27_x86_64",
            "manylinux2014_x86_64",
        ] {
            command.args(["--platform", platform]);
        }
        command.args([
            "--python-version",
            "312",
            "--implementation",
            "cp",
            "--target",
        ]);
        command.arg(&whole).arg("-r").arg(&list);
        // `python -m` looks for pip in the current folder first, and that may be a folder of slides.
        command.current_dir(work.path());
        for name in ["TMPDIR", "TEMP", "TMP"] {
            command.env(name, work.path());
        }
        command
            .env("PIP_NO_INPUT", "1")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_REQUIRE_VIRTUALENV", "0");
        match child::run(&mut command, search.bring_limit) {
            Ok(output) if output.status.success() => {
                return match fs::rename(&whole, &target) {
                    Ok(()) => Ok(target),
                    // Another program brought it at the same time: the same files.
                    Err(_) if target.is_dir() => Ok(target),
                    Err(error) => Err(LibraryError::io("write", &target, error)),
                };
            }
            Ok(output) => tried.push(format!(
                "{}: {}",
                python.program.display(),
                child::tail(&output.stderr, 400)
            )),
            Err(error) => tried.push(format!("{} {error}", python.program.display())),
        }
    }
    if tried.is_empty() {
        tried.push("no python3 or python was found on the PATH".to_owned());
    }
    Err(LibraryError::NoAccelerator {
        name: wanted.name,
        looked: tried.iter().map(|line| format!("\n  {line}")).collect(),
        advice: format!("By hand: python3 -m pip install {}", wanted.package),
    })
}

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
    use crate::onnxruntime::{ACCELERATORS, CUDA, OPENVINO};

    fn empty(cache: &Path) -> Search {
        let mut search = Search::from_environment(&crate::onnxruntime::ONNX_RUNTIME, None, true);
        search.variable = None;
        search.cache = Some(cache.to_owned());
        search.pythons.clear();
        search
    }

    #[test]
    fn where_there_is_none_the_error_says_what_to_type() {
        let folder = tempfile::tempdir().unwrap();
        for accelerator in &ACCELERATORS {
            let error = locate_accelerated(&empty(folder.path()), accelerator)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(&format!("doctor --install {}", accelerator.name)),
                "{error}"
            );
        }
    }

    #[test]
    fn a_named_library_without_its_provider_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libonnxruntime.so");
        fs::write(&library, b"whatever").unwrap();
        let mut search = empty(folder.path());
        search.option = Some(library);
        let error = locate_accelerated(&search, &OPENVINO)
            .unwrap_err()
            .to_string();
        assert!(error.contains(OPENVINO.provider), "{error}");
    }

    #[test]
    fn nothing_is_brought_offline() {
        let folder = tempfile::tempdir().unwrap();
        let error = install(&empty(folder.path()), &OPENVINO)
            .unwrap_err()
            .to_string();
        assert!(error.contains("pip"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn every_file_that_is_brought_has_a_sum() {
        for accelerator in &ACCELERATORS {
            let text = accelerator.requirements_file();
            assert!(text.contains(&format!(
                "{}=={} ",
                accelerator.package, accelerator.version
            )));
            for line in text.lines() {
                let (_, sum) = line.split_once("--hash=sha256:").unwrap();
                assert!(
                    sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn there_is_nothing_to_preload_beside_a_library_that_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(preload(&folder.path().join("a/b/c/lib.so"), &CUDA), 0);
    }
}
