//! Accelerated builds that pip installs: looked for in the cache folder and in the Pythons' packages, checked, and brought.

use std::fs;
use std::path::{Path, PathBuf};

use super::Accelerator;
use crate::error::LibraryError;
use crate::probe::{self, Probed};
use crate::python::{self, Python};
use crate::remedy::Remedy;
use crate::{Located, PlaceKind, Search, SearchedPlace, folder, installed, located, subprocess};

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

    /// The packages that it consists of.
    fn packages(&self) -> impl Iterator<Item = &'static str> {
        self.requirements.iter().map(|(package, _, _)| *package)
    }

    /// The lines of a requirements file that lets pip take these very files and no others.
    fn requirements_file(&self) -> String {
        self.requirements
            .iter()
            .map(|(package, version, sha256)| {
                format!("{package}=={version} --hash=sha256:{sha256}\n")
            })
            .collect()
    }
}

/// What came of looking.
pub(super) enum LookupResult {
    /// The library.
    Found(Box<Located>),
    /// What was brought is damaged, and no other place has one.
    Broken(String),
    /// There is none; where it was looked for.
    Nowhere(Vec<SearchedPlace>),
}

/// Looks for the accelerated library in the cache folder and in the Pythons' packages.
pub(super) fn look(search: &Search, wanted: &Accelerator) -> LookupResult {
    let mut findings = Vec::new();
    let mut broken = None;
    if let Some(cache) = &search.cache {
        let place = wanted.place(cache);
        if place.is_dir() {
            match in_cache(search, cache, wanted) {
                Ok(info) => {
                    return LookupResult::Found(Box::new(located(
                        search.product,
                        info,
                        PlaceKind::Cache,
                        findings,
                    )));
                }
                Err(error) => {
                    let reason = error.one_line();
                    findings.push(SearchedPlace::passed(
                        PlaceKind::Cache,
                        Some(place),
                        reason.clone(),
                    ));
                    broken = Some(reason);
                }
            }
        } else {
            findings.push(SearchedPlace::absent(
                PlaceKind::Cache,
                Some(place),
                "nothing there yet",
            ));
        }
    }
    for python in search.pythons.iter().filter(|python| python.has_packages) {
        match in_python(python, search, wanted) {
            Ok(info) => {
                return LookupResult::Found(Box::new(located(
                    search.product,
                    info,
                    PlaceKind::Python,
                    findings,
                )));
            }
            Err(reason) => {
                findings.push(SearchedPlace::absent(
                    PlaceKind::Python,
                    Some(python.program.clone()),
                    reason,
                ));
            }
        }
    }
    match broken {
        Some(reason) => LookupResult::Broken(reason),
        None => LookupResult::Nowhere(findings),
    }
}

/// What was brought, once each of its libraries has the sum that it had then.
fn in_cache(search: &Search, cache: &Path, wanted: &Accelerator) -> Result<Probed, LibraryError> {
    check_brought(search, cache, wanted)?;
    let library = folder::library_in(search.product, &wanted.libraries(search, cache))?;
    probe::probe(search.product, &library)
}

/// Whether all that was brought is there and whole.
fn check_brought(search: &Search, cache: &Path, wanted: &Accelerator) -> Result<(), LibraryError> {
    let (place, libraries) = (wanted.place(cache), wanted.libraries(search, cache));
    let provider = libraries.join(wanted.provider);
    if !provider.is_file() {
        return Err(LibraryError::Missing { path: provider });
    }
    let (lists, checked) = installed::check(&place, wanted.packages())?;
    match lists == wanted.requirements.len() {
        true => installed::no_others(&place, &checked),
        false => Err(LibraryError::BadRecord {
            path: place.join("*.dist-info").join("RECORD"),
            found: format!("{lists} of {} packages have one", wanted.requirements.len()),
        }),
    }
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
    // site-packages, the module, its folder, the library
    if let Some(site) = package.library.ancestors().nth(3) {
        installed::check(site, wanted.packages()).map_err(|error| error.one_line())?;
    }
    probe::probe_expecting(search.product, &package.library, &package.sums)
        .map_err(|error| error.one_line())
}

/// Brings the accelerator with pip into the cache folder, whole or not at all; each file must have the sum that stands
/// in this program. What lies there already is brought again only if it is damaged. Returns the folder.
///
/// # Errors
/// Where this platform has none, there is no cache folder, the search forbids it, or pip fails.
pub fn install(search: &Search, wanted: &Accelerator) -> Result<PathBuf, LibraryError> {
    if !cfg!(all(
        target_os = "linux",
        target_arch = "x86_64",
        target_env = "gnu"
    )) {
        return Err(LibraryError::NoWheel {
            product: search.product.name,
            platform: probe::this_platform(),
            needed: search.product.oldest_version(),
        });
    }
    if search.offline {
        return Err(LibraryError::Offline {
            remedy: Remedy::Package {
                package: wanted.package,
            },
        });
    }
    let cache = search.cache.as_deref().ok_or(LibraryError::NoCacheFolder)?;
    let target = wanted.place(cache);
    if target.is_dir() && check_brought(search, cache, wanted).is_ok() {
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
        match subprocess::run(&mut command, search.bring_limit) {
            Ok(output) if output.status.success() => {
                if target.is_dir() && check_brought(search, cache, wanted).is_err() {
                    // What is damaged goes with the temporary folder.
                    let _ = fs::rename(&target, work.path().join("damaged"));
                }
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
                subprocess::tail(&output.stderr, 400)
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
        remedy: Remedy::Package {
            package: wanted.package,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::empty;
    use super::*;
    use crate::accelerator::locate_accelerated;
    use crate::onnxruntime::{ACCELERATORS, OPENVINO};

    fn brought(cache: &Path, wanted: &Accelerator) -> PathBuf {
        let capi = wanted.libraries(&empty(cache), cache);
        fs::create_dir_all(&capi).unwrap();
        let mut record = String::new();
        for name in [
            "libonnxruntime.so.1.24.1",
            "libopenvino.so",
            wanted.provider,
        ] {
            fs::write(capi.join(name), "whole").unwrap();
            record += &format!(
                "onnxruntime/capi/{name},sha256=XVdmzy14cBYUIAQY7hRQaQ2a8SyE1SVF5IAvABrVMJk,5\n"
            );
        }
        for (package, version, _) in wanted.requirements {
            let info = format!("{}-{version}.dist-info", package.replace('-', "_"));
            let info = wanted.place(cache).join(info);
            fs::create_dir_all(&info).unwrap();
            fs::write(info.join("RECORD"), &record).unwrap();
        }
        capi
    }

    #[test]
    fn what_was_brought_is_checked_before_it_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let search = empty(folder.path());
        let find = || {
            let error = locate_accelerated(&search, &OPENVINO).unwrap_err();
            assert!(
                matches!(error, LibraryError::BrokenAccelerator { .. }),
                "{error}"
            );
            error.to_string()
        };
        let capi = brought(folder.path(), &OPENVINO);
        check_brought(&search, folder.path(), &OPENVINO).unwrap();
        // Whole, but no library: nothing but its own bytes speak against it.
        assert!(find().contains("is not a shared library"), "{}", find());
        let companion = capi.join("libopenvino.so");
        for (bytes, word) in [("whOle", "sha256"), ("who", "3 bytes"), ("", "0 bytes")] {
            fs::write(&companion, bytes).unwrap();
            let error = find();
            for word in [word, "libopenvino.so", "pip install onnxruntime-openvino"] {
                assert!(error.contains(word), "{error}");
            }
        }
        fs::remove_file(&companion).unwrap();
        assert!(
            find().contains("libopenvino.so does not exist"),
            "{}",
            find()
        );
        fs::write(&companion, "whole").unwrap();
        fs::write(capi.join("libmore.so"), "whole").unwrap();
        assert!(find().contains("libmore.so"), "{}", find());
        fs::remove_file(capi.join("libmore.so")).unwrap();
        fs::remove_file(capi.join(OPENVINO.provider)).unwrap();
        assert!(find().contains(OPENVINO.provider), "{}", find());
        fs::remove_dir_all(
            OPENVINO
                .place(folder.path())
                .join("onnxruntime_openvino-1.24.1.dist-info"),
        )
        .unwrap();
        fs::write(capi.join(OPENVINO.provider), "whole").unwrap();
        assert!(find().contains("0 of 1 packages"), "{}", find());
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
}
