//! What the search for the library is told: paths, limits and the Pythons to ask.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::library_spec::LibrarySpec;
use super::python::{Places, Python};
use super::wheel::Wheel;

/// What [`super::locate`] and [`super::survey`] look through. [`Search::from_environment`] fills it for a
/// program; tests fill it by hand.
#[derive(Debug, Clone)]
pub struct Search {
    /// What is looked for.
    pub product: &'static LibrarySpec,
    /// The path from the option: the library, or a folder that holds it.
    pub option: Option<PathBuf>,
    /// The path from the variable, used where `option` is `None`.
    pub variable: Option<PathBuf>,
    /// The program's cache folder; `None` where there is neither `FTUSEG_CACHE` nor a home folder.
    pub cache: Option<PathBuf>,
    /// The Pythons to ask for their package and then for pip, in this order.
    pub pythons: Vec<Python>,
    /// How long one Python may take to answer whether it has the package.
    pub ask_limit: Duration,
    /// How long pip may take.
    pub bring_limit: Duration,
    /// The wheel for this platform; `None` where there is none, and then the cache is not looked at either.
    pub wheel: Option<Wheel>,
    /// Folders of the system's libraries, looked through in this order.
    pub system: Vec<PathBuf>,
    /// Bring nothing over the network.
    pub offline: bool,
}

impl Search {
    /// The search of a program: `option` is the path that the command line names, `offline` forbids bringing the
    /// library. Reads the product's variable, `FTUSEG_CACHE`, `FTUSEG_OFFLINE`, `VIRTUAL_ENV`, `CONDA_PREFIX`, `PATH` and the
    /// variables that name the home folder. An empty variable counts as one that is not set.
    pub fn from_environment(
        product: &'static LibrarySpec,
        option: Option<PathBuf>,
        offline: bool,
    ) -> Self {
        let get = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
        let places = Places {
            virtual_env: get("VIRTUAL_ENV").map(PathBuf::from),
            conda_prefix: get("CONDA_PREFIX").map(PathBuf::from),
            path: get("PATH"),
        };
        Self {
            product,
            option,
            variable: get(product.variable).map(PathBuf::from),
            cache: cache_folder(get),
            pythons: places.pythons(),
            ask_limit: Duration::from_secs(20),
            bring_limit: Duration::from_secs(30 * 60),
            wheel: product.wheel(),
            system: if product.system {
                system_folders(get("LD_LIBRARY_PATH"))
            } else {
                Vec::new()
            },
            offline: offline || get("FTUSEG_OFFLINE").is_some_and(|v| v != "0"),
        }
    }

    /// Asks another Python before all others, for a program that runs within it.
    #[must_use]
    pub fn with_python(mut self, program: &Path) -> Self {
        let is_new = |python: &Python| python.program != program;
        self.pythons.retain(is_new);
        self.pythons.insert(0, Python::new(program));
        self
    }
}

/// The program's cache folder by the platform's custom, as an absolute path. `get` reads a variable.
pub(super) fn cache_folder(get: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| get(name).map(PathBuf::from);
    let by_custom = || {
        if cfg!(windows) {
            Some(folder("LOCALAPPDATA")?.join("ftuseg"))
        } else if cfg!(target_os = "macos") {
            Some(folder("HOME")?.join("Library/Caches/ftuseg"))
        } else {
            // The XDG custom: a relative path there is to be ignored.
            let base = folder("XDG_CACHE_HOME").filter(|p| p.is_absolute());
            Some(
                base.or_else(|| Some(folder("HOME")?.join(".cache")))?
                    .join("ftuseg"),
            )
        }
    };
    let path = folder("FTUSEG_CACHE").or_else(by_custom)?;
    std::path::absolute(path).ok()
}

/// Where systems and their package managers keep libraries; `more` is a list of folders that goes first.
fn system_folders(more: Option<OsString>) -> Vec<PathBuf> {
    let listed = more.map(|list| std::env::split_paths(&list).collect::<Vec<_>>());
    let mut folders: Vec<PathBuf> = listed.unwrap_or_default();
    folders.retain(|folder| folder.is_absolute());
    if cfg!(target_os = "linux") {
        let machine = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        folders.extend(
            [
                "/usr/local/lib64",
                "/usr/local/lib",
                &machine,
                "/usr/lib64",
                "/usr/lib",
            ]
            .map(PathBuf::from),
        );
    } else if cfg!(target_os = "macos") {
        folders
            .extend(["/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib"].map(PathBuf::from));
    }
    folders
}
