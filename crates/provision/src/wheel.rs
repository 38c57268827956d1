//! The pinned wheel for each platform: which file is brought, and the sums that prove it is that file.

use std::path::{Path, PathBuf};

use super::library_spec::LibrarySpec;

/// One wheel of a Python package, and the library inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheel {
    /// Version of the package, such as `1.31.1`.
    pub version: &'static str,
    /// The operating system and processor that it is for, in Rust's words; `any` is every processor.
    pub machine: (&'static str, &'static str),
    /// The platform tag that pip is asked for.
    pub platform: &'static str,
    /// The Python version that pip is asked for, without a dot (old pips want it so). It says nothing
    /// about the local Python: the library inside does not depend on it.
    pub python_version: &'static str,
    /// Size of the wheel in bytes.
    pub size: u64,
    /// sha256 of the wheel, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// Path of the library inside the wheel.
    pub member: &'static str,
    /// File name of the library in the cache folder: one plain name, no folder.
    pub library: &'static str,
    /// Size of the library in bytes.
    pub library_size: u64,
    /// sha256 of the library.
    pub library_sha256: &'static str,
}

impl Wheel {
    /// Where its library lies below the program's cache folder. The platform is part of the path: machines with
    /// different processors may share one home folder.
    pub(super) fn place(&self, product: &LibrarySpec, cache: &Path) -> PathBuf {
        self.folder(product, cache).join(self.library)
    }

    /// The folder that its library lies in.
    pub(super) fn folder(&self, product: &LibrarySpec, cache: &Path) -> PathBuf {
        cache
            .join(product.package)
            .join(self.version)
            .join(self.platform)
    }
}
