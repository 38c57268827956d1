//! Finds the ONNX Runtime library that the engine loads, and brings it where there is none.
//!
//! The search goes, in this order, through: the path that the user names (`--runtime`, then the variable
//! `ORT_DYLIB_PATH`); the program's cache folder; an `onnxruntime` package of the active or default Python; and
//! at last it brings one fixed wheel with pip into the cache folder, checked against a sum in this program.
//!
//! A library that the user names is used or is an error: it is never passed over silently. Any other candidate that
//! cannot be used is passed over, and the reason is kept as a [`Finding`]. Each candidate is checked by [`probe`]
//! before it is used, so that a wrong file gives an error and not a crash, and an old one is known to be old.
//!
//! ```no_run
//! # use ftuseg::backend::runtime;
//! let search = runtime::Search::from_environment(None, false);
//! let located = runtime::locate(&search, &mut |line| eprintln!("{line}"))?;
//! println!("ONNX Runtime {} at {}", located.version, located.path.display());
//! # Ok::<(), runtime::RuntimeError>(())
//! ```

pub(in crate::backend) mod accelerator;
mod binary;
mod bring;
mod child;
mod error;
mod finding;
mod folder;
mod probe;
mod python;
mod search;
mod wheel;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use accelerator::{Accelerator, CUDA, OPENVINO, install, locate_accelerated};
pub use error::RuntimeError;
pub use finding::{Finding, Outcome, Source};
pub use probe::{API_VERSION, RuntimeInfo, probe};
pub use python::Python;
pub use search::Search;
pub use wheel::Wheel;

/// The library that was found, ready to be loaded, and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The library, as an absolute path: what `ort::init_from` is given.
    pub path: PathBuf,
    /// The version that the library says it is, such as `1.31.1`.
    pub version: String,
    /// Where it came from.
    pub source: Source,
    /// sha256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Every place that was looked at on the way, in order; the last one is this library's own.
    pub findings: Vec<Finding>,
}

/// Finds a usable library, and brings one if need be. `say` is given one line for each candidate that is passed
/// over and one before anything is brought.
///
/// # Errors
/// [`RuntimeError::Unusable`] where the user names a library that cannot be used: the program should stop.
/// [`RuntimeError::NotFound`] where no place has one and none could be brought: another backend may serve. Its
/// message lists every place and says what to type.
pub fn locate(search: &Search, say: &mut dyn FnMut(&str)) -> Result<Located, RuntimeError> {
    if let Some((source, path)) = named(search) {
        let info = probe_named(path).map_err(|reason| RuntimeError::Unusable {
            given_by: source,
            reason: Box::new(reason),
        })?;
        return Ok(located(info, source, Vec::new()));
    }
    let mut findings = Vec::new();
    let cached = look_in_cache(search);
    // A whole library that does not load will not load when it is brought once more.
    let mut hopeless = None;
    match cached {
        Some(Ok(info)) => return Ok(located(info, Source::Cache, findings)),
        Some(Err((finding, error))) => {
            passed_over(finding, &mut findings, say);
            hopeless = error.filter(|e| matches!(e, RuntimeError::Load { .. }));
        }
        None => {}
    }
    for python in search.pythons.iter().filter(|p| p.has_packages) {
        match look_in_python(python, search) {
            Ok(info) => return Ok(located(info, Source::Python, findings)),
            Err(finding) => passed_over(finding, &mut findings, say),
        }
    }
    let brought = match hopeless {
        Some(error) => Err(error),
        None => bring(search, say),
    };
    match brought {
        Ok(info) => Ok(located(info, Source::Brought, findings)),
        Err(reason) => Err(RuntimeError::NotFound {
            findings,
            reason: Box::new(reason),
        }),
    }
}

/// Looks at every place without stopping at the first good one, and brings nothing: the list that
/// `ftuseg doctor` shows. The first [`Outcome::Usable`] is what [`locate`] would use, unless the user
/// names a library that cannot be used.
///
/// Usable libraries stay loaded, see [`probe`].
pub fn survey(search: &Search) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (source, path) in named_paths(search) {
        findings.push(match probe_named(path) {
            Ok(info) => usable(&info, source),
            Err(e) => Finding::passed(source, Some(path.to_path_buf()), e.one_line()),
        });
    }
    match look_in_cache(search) {
        Some(Ok(info)) => findings.push(usable(&info, Source::Cache)),
        Some(Err((finding, _))) => findings.push(finding),
        None => {}
    }
    for python in search.pythons.iter().filter(|p| p.has_packages) {
        let finding = match look_in_python(python, search) {
            Ok(info) => usable(&info, Source::Python),
            Err(finding) => finding,
        };
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    let found = findings
        .iter()
        .any(|f| matches!(f.outcome, Outcome::Usable { .. }));
    let reason = match plan(search) {
        Ok(_) if found => "not needed".to_owned(),
        Ok((_, wheel)) => format!(
            "ONNX Runtime {} ({}) would be brought when it is first needed",
            wheel.version, wheel.platform
        ),
        Err(e) => e.one_line(),
    };
    findings.push(Finding::new(
        Source::Brought,
        None,
        Outcome::NotTried { reason },
    ));
    findings
}

/// The library that the user names, where they do: the option goes before the variable.
fn named(search: &Search) -> Option<(Source, &Path)> {
    named_paths(search).next()
}

fn named_paths(search: &Search) -> impl Iterator<Item = (Source, &Path)> {
    let option = search.option.as_deref().map(|p| (Source::Option, p));
    let variable = search.variable.as_deref().map(|p| (Source::Variable, p));
    option.into_iter().chain(variable)
}

fn probe_named(path: &Path) -> Result<RuntimeInfo, RuntimeError> {
    if path.is_dir() {
        return probe(&folder::library_in(path)?);
    }
    probe(path)
}

type CacheMiss = (Finding, Option<RuntimeError>);

/// The library in the cache; `None` where this platform has no wheel or no cache folder.
fn look_in_cache(search: &Search) -> Option<Result<RuntimeInfo, CacheMiss>> {
    let (cache, wheel) = (search.cache.as_deref()?, search.wheel?);
    let path = bring::place(cache, &wheel);
    let expected = [wheel.library_sha256.to_owned()];
    Some(match probe::probe_expecting(&path, &expected) {
        Ok(info) => Ok(info),
        Err(RuntimeError::Missing { .. }) => Err((
            Finding::absent(Source::Cache, Some(path), "nothing there yet"),
            None,
        )),
        Err(e) => Err((
            Finding::passed(Source::Cache, Some(path), e.one_line()),
            Some(e),
        )),
    })
}

fn look_in_python(python: &Python, search: &Search) -> Result<RuntimeInfo, Finding> {
    use python::NoPackage;
    let place = Source::Python;
    let program = Some(python.program.clone());
    let package = python::package_of(python, search.ask_limit).map_err(|no| match no {
        NoPackage::NotInstalled => {
            Finding::absent(place, program, "no onnxruntime package installed")
        }
        NoPackage::NoLibrary(folder) => Finding::passed(
            place,
            program,
            format!(
                "its onnxruntime package has no {} in {}",
                folder::LIBRARY_NAME,
                folder.display()
            ),
        ),
        NoPackage::NoAnswer(reason) => Finding::passed(place, program, reason),
    })?;
    let old = |v: &String| probe::new_enough(v) == Some(false);
    let checked = match package.versions.first() {
        // Not loaded: two ONNX Runtimes in one process is one too many.
        Some(version) if package.versions.iter().all(old) => Err(RuntimeError::TooOld {
            path: package.library.clone(),
            found: version.clone(),
            needed: probe::oldest(),
        }),
        _ => probe::probe_expecting(&package.library, &package.sums),
    };
    checked.map_err(|e| Finding::passed(place, Some(package.library), e.one_line()))
}

/// What would be brought and where to, or why nothing can be.
fn plan(search: &Search) -> Result<(&Path, Wheel), RuntimeError> {
    let Some(wheel) = search.wheel else {
        return Err(RuntimeError::NoWheel {
            platform: probe::this_platform(),
            needed: probe::oldest(),
        });
    };
    if search.offline {
        return Err(RuntimeError::Offline {
            advice: wheel.by_hand(),
        });
    }
    let cache = search.cache.as_deref().ok_or(RuntimeError::NoCacheFolder)?;
    Ok((cache, wheel))
}

fn bring(search: &Search, say: &mut dyn FnMut(&str)) -> Result<RuntimeInfo, RuntimeError> {
    let (cache, wheel) = plan(search)?;
    let target = bring::place(cache, &wheel);
    say(&format!(
        "No ONNX Runtime library found: bringing version {} with pip ({:.1} MB) to {}",
        wheel.version,
        wheel.size as f64 / 1e6,
        target.display()
    ));
    let path = bring::bring(cache, &wheel, &search.pythons, search.bring_limit)?;
    probe::probe_expecting(&path, &[wheel.library_sha256.to_owned()])
}

fn passed_over(finding: Finding, findings: &mut Vec<Finding>, say: &mut dyn FnMut(&str)) {
    // `python` and `python3` often lead to the same package.
    if findings.contains(&finding) {
        return;
    }
    if matches!(finding.outcome, Outcome::PassedOver { .. }) {
        say(&format!("ONNX Runtime: {finding}"));
    }
    findings.push(finding);
}

fn usable(info: &RuntimeInfo, source: Source) -> Finding {
    let version = info.version.clone();
    Finding::new(source, Some(info.path.clone()), Outcome::Usable { version })
}

fn located(info: RuntimeInfo, source: Source, mut findings: Vec<Finding>) -> Located {
    findings.push(usable(&info, source));
    Located {
        path: info.path,
        version: info.version,
        source,
        sha256: info.sha256,
        findings,
    }
}
