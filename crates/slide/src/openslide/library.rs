//! The one OpenSlide library of the process: looked for when a slide first needs it.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::ffi::Api;
use crate::SlideError;
use ftuseg_provision::openslide::OPENSLIDE;
use ftuseg_provision::{LibraryError, Search, locate};

/// Gets the lines for the user about what is passed over or brought.
pub type Say = Box<dyn FnMut(&str) + Send>;

/// How the library is looked for, if somebody said so before it was.
static SEARCH: Mutex<Option<(Search, Say)>> = Mutex::new(None);
static LIBRARY: OnceLock<Result<Api, String>> = OnceLock::new();

/// Sets how OpenSlide is looked for when a slide first needs it. Without this, as the environment says. Returns false
/// where it was looked for already: a process has one OpenSlide.
pub fn use_search(search: Search, say: Say) -> bool {
    *SEARCH.lock().unwrap_or_else(PoisonError::into_inner) = Some((search, say));
    LIBRARY.get().is_none()
}

/// The version of the OpenSlide that is used, which is looked for and brought if need be.
///
/// # Errors
/// Why there is none, and what to do.
pub fn version() -> Result<&'static str, &'static str> {
    match library() {
        Ok(api) => Ok(&api.version),
        Err(reason) => Err(reason),
    }
}

/// The library for a slide.
pub(super) fn api(path: &Path, format: &str) -> Result<&'static Api, SlideError> {
    library().map_err(|reason| SlideError::NoOpenSlide {
        path: path.to_owned(),
        reason: format!("{format} is read through OpenSlide, which is not here: {reason}"),
    })
}

fn library() -> Result<&'static Api, &'static str> {
    let found = LIBRARY.get_or_init(|| {
        let search = SEARCH.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (search, mut say) = search.unwrap_or_else(|| {
            let search = Search::from_environment(&OPENSLIDE, None, false);
            (search, Box::new(|_: &str| {}))
        });
        match locate(&search, &mut say) {
            Ok(located) => Api::load(&located),
            Err(LibraryError::NotFound { reason, .. }) => Err(format!(
                "{reason}\nOr install it: python3 -m pip install openslide-bin"
            )),
            Err(error) => Err(error.to_string()),
        }
    });
    found.as_ref().map_err(String::as_str)
}
