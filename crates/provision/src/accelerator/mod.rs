//! Builds of a library that drive something other than the plain processor: where they are looked for, and how pip
//! brings them.
//!
//! They are several hundred megabytes, so they are brought only when the user asks for it.

pub(super) mod pinned;
#[cfg(feature = "pip")]
mod pip;

use std::path::Path;

#[cfg(not(feature = "pip"))]
use super::SearchedPlace;
use super::error::LibraryError;
use super::probe::{self, Probed};
use super::remedy::Remedy;
use super::{Located, Search, folder, located, named};

#[cfg(feature = "pip")]
pub use pip::install;

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
    /// How to get it.
    fn remedy(&self) -> Remedy {
        Remedy::Accelerator {
            name: self.name,
            package: self.package,
            megabytes: self.megabytes,
        }
    }
}

/// Finds the accelerated library: where the user says, in the cache folder, in the Python packages. Brings nothing.
///
/// # Errors
/// [`LibraryError::Unusable`] where the user names a library that is not such a one;
/// [`LibraryError::BrokenAccelerator`] where what was brought is damaged and no other place has one;
/// [`LibraryError::NoAccelerator`] where there is none.
pub fn locate_accelerated(search: &Search, wanted: &Accelerator) -> Result<Located, LibraryError> {
    if let Some((source, path)) = named(search) {
        return match check_named(search, path, wanted) {
            Ok(info) => Ok(located(search.product, info, source, Vec::new())),
            Err(reason) => Err(LibraryError::Unusable {
                product: search.product.name,
                given_by: source,
                reason: Box::new(reason),
            }),
        };
    }
    #[cfg(feature = "pip")]
    let findings = match pip::look(search, wanted) {
        pip::LookupResult::Found(found) => return Ok(*found),
        pip::LookupResult::Broken(reason) => {
            return Err(LibraryError::BrokenAccelerator {
                name: wanted.name,
                reason: reason.trim_end_matches('.').to_owned(),
                remedy: wanted.remedy(),
            });
        }
        pip::LookupResult::Nowhere(findings) => findings,
    };
    #[cfg(not(feature = "pip"))]
    let findings: Vec<SearchedPlace> = Vec::new();
    let looked = findings
        .iter()
        .map(|finding| format!("\n  {finding}"))
        .collect();
    Err(LibraryError::NoAccelerator {
        name: wanted.name,
        looked,
        remedy: wanted.remedy(),
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
            remedy: wanted.remedy(),
        });
    }
    probe::probe(search.product, &library)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::onnxruntime::{ACCELERATORS, OPENVINO};

    pub(super) fn empty(cache: &Path) -> Search {
        let mut search = Search::from_environment(&crate::onnxruntime::ONNX_RUNTIME, None, true);
        search.variable = None;
        search.cache = Some(cache.to_owned());
        search.pythons.clear();
        search
    }

    #[test]
    fn where_there_is_none_the_error_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        for accelerator in &ACCELERATORS {
            let error = locate_accelerated(&empty(folder.path()), accelerator).unwrap_err();
            assert_eq!(error.remedy(), Some(&accelerator.remedy()), "{error}");
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
}
