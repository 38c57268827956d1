//! Finds the shared libraries that the program loads while it runs, and brings them where there are none.
//!
//! A [`LibrarySpec`] says what a library is called and how to check it; ONNX Runtime and OpenSlide are two. The search goes,
//! in this order, through: the path that the user names (an option, then a variable); the program's cache folder; the
//! system's folders, for what systems have; a package of the active or default Python; and at last it brings one fixed
//! wheel with pip into the cache folder, checked against a sum in this program.
//!
//! A library that the user names is used or is an error: it is never passed over silently. Any other candidate that
//! cannot be used is passed over, and the reason is kept as a [`SearchedPlace`]. Each candidate is checked by [`probe`]
//! before it is used, so that a wrong file gives an error and not a crash, and an old one is known to be old.

pub mod accelerator;
#[cfg(feature = "pip")]
mod download;
mod error;
mod folder;
#[cfg(feature = "pip")]
mod installed;
mod library_header;
mod library_spec;
mod linked_libraries;
pub mod onnxruntime;
pub mod openslide;
mod probe;
mod python;
mod remedy;
mod search;
mod searched_place;
mod subprocess;
mod wheel;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

#[cfg(feature = "pip")]
pub use accelerator::install;
pub use accelerator::{Accelerator, locate_accelerated};
pub use error::LibraryError;
pub use library_spec::LibrarySpec;
pub use linked_libraries::preload;
pub use probe::reason;
pub use probe::{Probed, probe};
pub use python::Python;
pub use remedy::{Remedy, WheelByHand};
pub use search::Search;
pub use searched_place::{PlaceKind, PlaceOutcome, SearchedPlace};
pub use wheel::Wheel;

/// The library that was found, ready to be loaded, and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The library, as an absolute path: what the loader is given.
    pub path: PathBuf,
    /// The version that the library says it is, such as `1.31.1`.
    pub version: String,
    /// Where it came from.
    pub source: PlaceKind,
    /// sha256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Every place that was looked at on the way, in order; the last one is this library's own.
    pub findings: Vec<SearchedPlace>,
}

/// Finds a usable library, and brings one if need be. `say` is given one line for each candidate that is passed
/// over and one before anything is brought.
///
/// # Errors
/// [`LibraryError::Unusable`] where the user names a library that cannot be used: the program should stop.
/// [`LibraryError::NotFound`] where no place has one and none could be brought: another backend may serve. Its
/// message lists every place and says what to type.
pub fn locate(search: &Search, say: &mut dyn FnMut(&str)) -> Result<Located, LibraryError> {
    if let Some((source, path)) = named(search) {
        let info = probe_named(search.product, path).map_err(|reason| LibraryError::Unusable {
            product: search.product.name,
            given_by: source,
            reason: Box::new(reason),
        })?;
        return Ok(located(search.product, info, source, Vec::new()));
    }
    let mut findings = Vec::new();
    let cached = look_in_cache(search);
    // A whole library that does not load will not load when it is brought once more.
    let mut hopeless = None;
    match cached {
        Some(Ok(info)) => return Ok(located(search.product, info, PlaceKind::Cache, findings)),
        Some(Err((finding, error))) => {
            passed_over(search.product, finding, &mut findings, say);
            hopeless = error.filter(|e| matches!(e, LibraryError::Load { .. }));
        }
        None => {}
    }
    for folder in &search.system {
        match look_in_system(folder, search) {
            Some(Ok(info)) => {
                return Ok(located(search.product, info, PlaceKind::System, findings));
            }
            Some(Err(finding)) => passed_over(search.product, finding, &mut findings, say),
            None => {}
        }
    }
    for python in search.pythons.iter().filter(|p| p.has_packages) {
        match look_in_python(python, search) {
            Ok(info) => return Ok(located(search.product, info, PlaceKind::Python, findings)),
            Err(finding) => passed_over(search.product, finding, &mut findings, say),
        }
    }
    let brought = match hopeless {
        Some(error) => Err(error),
        None => bring(search, say),
    };
    match brought {
        Ok(info) => Ok(located(search.product, info, PlaceKind::Brought, findings)),
        Err(reason) => Err(LibraryError::NotFound {
            product: search.product.name,
            findings,
            reason: Box::new(reason),
        }),
    }
}

/// Looks at every place without stopping at the first good one, and brings nothing: the list that
/// `ftuseg doctor` shows. The first [`PlaceOutcome::Usable`] is what [`locate`] would use, unless the user
/// names a library that cannot be used.
///
/// Usable libraries stay loaded, see [`probe`].
pub fn survey(search: &Search) -> Vec<SearchedPlace> {
    let mut findings = Vec::new();
    for (source, path) in named_paths(search) {
        findings.push(match probe_named(search.product, path) {
            Ok(info) => usable(search.product, &info, source),
            Err(e) => SearchedPlace::passed(source, Some(path.to_path_buf()), e.one_line()),
        });
    }
    match look_in_cache(search) {
        Some(Ok(info)) => findings.push(usable(search.product, &info, PlaceKind::Cache)),
        Some(Err((finding, _))) => findings.push(finding),
        None => {}
    }
    for found in search
        .system
        .iter()
        .filter_map(|f| look_in_system(f, search))
    {
        findings.push(match found {
            Ok(info) => usable(search.product, &info, PlaceKind::System),
            Err(finding) => finding,
        });
    }
    for python in search.pythons.iter().filter(|p| p.has_packages) {
        let finding = match look_in_python(python, search) {
            Ok(info) => usable(search.product, &info, PlaceKind::Python),
            Err(finding) => finding,
        };
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    let found = findings
        .iter()
        .any(|f| matches!(f.outcome, PlaceOutcome::Usable { .. }));
    let reason = match plan(search) {
        Ok(_) if found => "not needed".to_owned(),
        Ok((_, wheel)) => format!(
            "{} {} ({}) will be fetched when first needed",
            search.product.name, wheel.version, wheel.platform
        ),
        Err(e) => e.one_line(),
    };
    findings.push(SearchedPlace::new(
        PlaceKind::Brought,
        None,
        PlaceOutcome::NotTried { reason },
    ));
    findings
}

/// The library that the user names, where they do: the option goes before the variable.
fn named(search: &Search) -> Option<(PlaceKind, &Path)> {
    named_paths(search).next()
}

fn named_paths(search: &Search) -> impl Iterator<Item = (PlaceKind, &Path)> {
    let product = search.product;
    let option = search.option.as_deref();
    let option = option.map(|p| (PlaceKind::Named, p));
    let variable = search.variable.as_deref();
    let variable = variable.map(|p| (PlaceKind::Variable(product.variable), p));
    option.into_iter().chain(variable)
}

fn probe_named(product: &'static LibrarySpec, path: &Path) -> Result<Probed, LibraryError> {
    if path.is_dir() {
        return probe(product, &folder::library_in(product, path)?);
    }
    probe(product, path)
}

type CacheMiss = (SearchedPlace, Option<LibraryError>);

/// The library in the cache; `None` where this platform has no wheel or no cache folder.
fn look_in_cache(search: &Search) -> Option<Result<Probed, CacheMiss>> {
    let (cache, wheel) = (search.cache.as_deref()?, search.wheel?);
    let path = wheel.place(search.product, cache);
    let expected = [wheel.library_sha256.to_owned()];
    Some(
        match probe::probe_expecting(search.product, &path, &expected) {
            Ok(info) => Ok(info),
            Err(LibraryError::Missing { .. }) => Err((
                SearchedPlace::absent(PlaceKind::Cache, Some(path), "nothing there yet"),
                None,
            )),
            Err(e) => Err((
                SearchedPlace::passed(PlaceKind::Cache, Some(path), e.one_line()),
                Some(e),
            )),
        },
    )
}

/// The library in a folder of the system; `None` where it holds none.
fn look_in_system(folder: &Path, search: &Search) -> Option<Result<Probed, SearchedPlace>> {
    let path = folder::directly_in(search.product, folder)?;
    let probed = probe(search.product, &path);
    Some(probed.map_err(|e| SearchedPlace::passed(PlaceKind::System, Some(path), e.one_line())))
}

fn look_in_python(python: &Python, search: &Search) -> Result<Probed, SearchedPlace> {
    use python::NoPackage;
    let product = search.product;
    let place = PlaceKind::Python;
    let program = Some(python.program.clone());
    let package = python::package_of(product, python, search.ask_limit).map_err(|no| match no {
        NoPackage::NotInstalled => SearchedPlace::absent(
            place,
            program,
            format!("no {} package installed", product.package),
        ),
        NoPackage::NoLibrary(folder) => SearchedPlace::passed(
            place,
            program,
            format!(
                "its {} package has no {} in {}",
                product.package,
                product.library_name(),
                folder.display()
            ),
        ),
        NoPackage::NoAnswer(reason) => SearchedPlace::passed(place, program, reason),
    })?;
    let old = |v: &String| product.new_enough(v) == Some(false);
    let checked = match package.versions.first() {
        // Not loaded: two ONNX Runtimes in one process is one too many.
        Some(version) if package.versions.iter().all(old) => {
            Err(product.too_old(&package.library, version.clone()))
        }
        _ => probe::probe_expecting(search.product, &package.library, &package.sums),
    };
    checked.map_err(|e| SearchedPlace::passed(place, Some(package.library), e.one_line()))
}

/// What would be brought and where to, or why nothing can be.
fn plan(search: &Search) -> Result<(&Path, Wheel), LibraryError> {
    let Some(wheel) = search.wheel else {
        return Err(LibraryError::NoWheel {
            platform: probe::this_platform(),
            product: search.product.name,
            needed: search.product.oldest_version(),
        });
    };
    if search.offline {
        return Err(LibraryError::Offline {
            remedy: search.product.by_hand(&wheel),
        });
    }
    let cache = search.cache.as_deref().ok_or(LibraryError::NoCacheFolder)?;
    Ok((cache, wheel))
}

#[cfg(feature = "pip")]
fn bring(search: &Search, say: &mut dyn FnMut(&str)) -> Result<Probed, LibraryError> {
    let (cache, wheel) = plan(search)?;
    let target = wheel.place(search.product, cache);
    say(&format!(
        "No {} library found: fetching version {} with pip ({:.1} MB) to {}",
        search.product.name,
        wheel.version,
        wheel.size as f64 / 1e6,
        target.display()
    ));
    let path = download::fetch_library(
        search.product,
        cache,
        &wheel,
        &search.pythons,
        search.bring_limit,
    )?;
    probe::probe_expecting(search.product, &path, &[wheel.library_sha256.to_owned()])
}

#[cfg(not(feature = "pip"))]
fn bring(search: &Search, _say: &mut dyn FnMut(&str)) -> Result<Probed, LibraryError> {
    let (_, wheel) = plan(search)?;
    Err(LibraryError::CannotBring {
        remedy: search.product.by_hand(&wheel),
    })
}

fn passed_over(
    product: &LibrarySpec,
    finding: SearchedPlace,
    findings: &mut Vec<SearchedPlace>,
    say: &mut dyn FnMut(&str),
) {
    // `python` and `python3` often lead to the same package.
    if findings.contains(&finding) {
        return;
    }
    if matches!(finding.outcome, PlaceOutcome::PassedOver { .. }) {
        say(&format!("{}: {finding}", product.name));
    }
    findings.push(finding);
}

fn usable(product: &LibrarySpec, info: &Probed, source: PlaceKind) -> SearchedPlace {
    let outcome = PlaceOutcome::Usable {
        product: product.name,
        version: info.version.clone(),
    };
    SearchedPlace::new(source, Some(info.path.clone()), outcome)
}

fn located(
    product: &LibrarySpec,
    info: Probed,
    source: PlaceKind,
    mut findings: Vec<SearchedPlace>,
) -> Located {
    findings.push(usable(product, &info, source));
    Located {
        path: info.path,
        version: info.version,
        source,
        sha256: info.sha256,
        findings,
    }
}
