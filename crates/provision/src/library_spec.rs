//! What is known about a library before it is found: its names, its wheels, and how to ask what version it is.

use std::path::Path;

use super::error::LibraryError;
use super::library_header::BinaryFormat;
use super::remedy::{Remedy, WheelByHand};
use super::wheel::Wheel;

/// A library that the program loads while it runs.
#[derive(Debug)]
pub struct LibrarySpec {
    /// Its name for people, such as `ONNX Runtime`.
    pub name: &'static str,
    /// The environment variable that names it.
    pub variable: &'static str,
    /// The Python package that pip brings; also its folder in the cache.
    pub package: &'static str,
    /// All Python packages that may hold it.
    pub packages: &'static [&'static str],
    /// The module of those packages, as Python imports it.
    pub module: &'static str,
    /// The folder inside the module that holds the library; empty where that is the module's own.
    pub folder: &'static str,
    /// The library's file name without ending: `libonnxruntime`; on Windows without `lib`.
    pub stem: &'static str,
    /// The library's file name on Windows.
    pub dll: &'static str,
    /// Folders to look in when the user names a folder.
    pub places: &'static [&'static str],
    /// Whether the system's own folders are looked through.
    pub system: bool,
    /// The function that every such library exports, with the closing zero byte.
    pub entry: &'static [u8],
    /// The oldest version that works: the first two numbers.
    pub oldest: (u32, u32),
    /// The wheels that may be brought, one a platform at most.
    pub wheels: &'static [Wheel],
    /// Loads the library for good, checks that it is what it should be, and returns its version.
    pub load: fn(&'static LibrarySpec, &Path) -> Result<String, LibraryError>,
}

impl LibrarySpec {
    /// The library's plain file name on this platform, without a version.
    pub(super) fn library_name(&self) -> String {
        match BinaryFormat::this() {
            BinaryFormat::Pe => self.dll.to_owned(),
            BinaryFormat::MachO => format!("{}.dylib", self.stem),
            BinaryFormat::Elf => format!("{}.so", self.stem),
        }
    }

    /// The version in a file's name, `None` for the name of another library. The plain name counts as the highest.
    pub(super) fn version_in_name(&self, name: &str) -> Option<Vec<u32>> {
        if name == self.library_name() {
            return Some(vec![u32::MAX]);
        }
        let version = match BinaryFormat::this() {
            BinaryFormat::Pe => return None,
            BinaryFormat::MachO => name
                .strip_prefix(self.stem)?
                .strip_prefix('.')?
                .strip_suffix(".dylib")?,
            BinaryFormat::Elf => name.strip_prefix(self.stem)?.strip_prefix(".so.")?,
        };
        version.split('.').map(|part| part.parse().ok()).collect()
    }

    /// The oldest version that works, as text.
    pub(super) fn oldest_version(&self) -> String {
        format!("{}.{}", self.oldest.0, self.oldest.1)
    }

    /// Whether a version such as `1.31.1` is new enough; `None` where it is no version.
    pub(crate) fn new_enough(&self, version: &str) -> Option<bool> {
        let mut parts = version.split('.').map(|p| p.parse::<u32>().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        Some((major, minor) >= self.oldest)
    }

    /// The error for a version that is too old.
    pub fn too_old(&self, path: &Path, found: String) -> LibraryError {
        LibraryError::TooOld {
            product: self.name,
            package: self.package,
            path: path.to_path_buf(),
            found,
            needed: self.oldest_version(),
        }
    }

    /// The error for another library.
    pub fn foreign(&self, path: &Path, found: &str) -> LibraryError {
        LibraryError::Foreign {
            product: self.name,
            path: path.to_path_buf(),
            found: found.to_owned(),
        }
    }

    /// How a user gets the library without this program's help.
    pub(super) fn by_hand(&self, wheel: &Wheel) -> Remedy {
        let folder = self.package.replace('-', "_");
        let inside = match self.folder {
            "" => self.module.to_owned(),
            deeper => format!("{}/{deeper}", self.module),
        };
        Remedy::Wheel(Box::new(WheelByHand {
            pip: self.pip_arguments(wheel).join(" "),
            folder,
            library: inside,
        }))
    }

    /// What pip is told after `-m pip`, without the folder to download to.
    pub(super) fn pip_arguments(&self, wheel: &Wheel) -> Vec<String> {
        [
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--platform",
            wheel.platform,
            "--python-version",
            wheel.python_version,
            "--implementation",
            "cp",
        ]
        .map(String::from)
        .into_iter()
        .chain([format!("{}=={}", self.package, wheel.version)])
        .collect()
    }

    /// The wheel for the platform that this program was built for, or `None` where there is none.
    pub(super) fn wheel(&self) -> Option<Wheel> {
        // The Linux wheels are linked with glibc; a program linked with another libc cannot load them.
        if cfg!(all(target_os = "linux", not(target_env = "gnu"))) {
            return None;
        }
        let here = (std::env::consts::OS, std::env::consts::ARCH);
        self.wheels
            .iter()
            .find(|wheel| wheel.machine == here || wheel.machine == (here.0, "any"))
            .copied()
    }
}
