//! Decides whether a file is a library that this program can use.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::LibraryError;
use super::library_header::{BinaryFormat, Platform, Refusal};
use super::library_spec::LibrarySpec;

/// Largest library that is read, in bytes. The largest real ones, with debug symbols, have some hundred million.
const SIZE_LIMIT: u64 = 2 << 30;
/// A library that works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probed {
    /// The library, as an absolute path.
    pub path: PathBuf,
    /// The version that it says it is, such as `1.31.1`.
    pub version: String,
    /// sha256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Size of the file in bytes.
    pub size: u64,
}

/// Checks the library at `path`: that it is a whole shared library for this platform, that it is the product, and
/// that it is new enough.
///
/// A library that passes stays loaded until the program ends, so that loading it again costs nothing.
///
/// # Errors
/// Every wrong file gives an error that says what it is instead: [`LibraryError::Format`],
/// [`LibraryError::WrongPlatform`], [`LibraryError::Truncated`], [`LibraryError::Foreign`],
/// [`LibraryError::TooOld`] and the like.
///
/// # Safety of the machine
/// To load a library is to run its initialisers. Files that do not name the product's entry function are
/// refused before that (not on macOS, where the name may be stored in parts).
pub fn probe(product: &'static LibrarySpec, path: &Path) -> Result<Probed, LibraryError> {
    probe_expecting(product, path, &[])
}

/// As [`probe`], and the file's sha256 must be one of `expected` unless that is empty. The sum is checked
/// before anything of the file runs.
pub(super) fn probe_expecting(
    product: &'static LibrarySpec,
    path: &Path,
    expected: &[String],
) -> Result<Probed, LibraryError> {
    // The loader would look for a plain name in the system's own folders.
    let path = std::path::absolute(path).map_err(|e| LibraryError::io("find", path, e))?;
    let file = inspect(product, &path)?;
    if let Some(first) = expected.first()
        && !expected.contains(&file.sha256)
    {
        return Err(LibraryError::Damaged {
            path,
            found: file.sha256,
            expected: first.clone(),
        });
    }
    if Platform::this().kind != BinaryFormat::MachO && !file.names_entry {
        let name = String::from_utf8_lossy(product.entry);
        let found = format!("it does not name {}", name.trim_end_matches('\0'));
        return Err(product.foreign(&path, &found));
    }
    let version = (product.load)(product, &path)?;
    Ok(Probed {
        path,
        version,
        sha256: file.sha256,
        size: file.size,
    })
}

/// What reading a file tells, without loading it.
struct Inspected {
    size: u64,
    sha256: String,
    names_entry: bool,
}

fn inspect(product: &LibrarySpec, path: &Path) -> Result<Inspected, LibraryError> {
    let io = |e| LibraryError::io("read", path, e);
    // Before opening: to open a named pipe is to wait for someone to write into it.
    let metadata = fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(LibraryError::NotAFile {
            path: path.to_path_buf(),
        });
    }
    let size = metadata.len();
    if size > SIZE_LIMIT {
        return Err(LibraryError::LimitsExceeded {
            path: path.to_path_buf(),
            size,
            limit: SIZE_LIMIT,
        });
    }
    let mut file = File::open(path).map_err(io)?;
    let target = Platform::this();
    target.check(&mut file, size).map_err(|refusal| {
        let path = path.to_path_buf();
        match refusal {
            Refusal::Format(found) => LibraryError::Format { path, found },
            Refusal::Platform(found) => LibraryError::WrongPlatform {
                path,
                found,
                needed: this_platform(),
            },
            Refusal::Truncated(needed) => LibraryError::Truncated { path, size, needed },
            Refusal::Io(source) => LibraryError::io("read", &path, source),
        }
    })?;
    let (sha256, names_entry) = sum_and_search(path, product.entry)?;
    Ok(Inspected {
        size,
        sha256,
        names_entry,
    })
}

/// The operating system and processor of this program, such as `linux x86_64`.
pub(super) fn this_platform() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// sha256 of the file at `path`, as 64 lower-case hexadecimal digits.
#[cfg(any(test, feature = "pip"))]
pub(super) fn sum(path: &Path) -> Result<String, LibraryError> {
    Ok(sum_and_search(path, &[])?.0)
}

/// sha256 of a file, and whether the bytes of `name` occur in it (true for an empty `name`).
fn sum_and_search(path: &Path, name: &[u8]) -> Result<(String, bool), LibraryError> {
    let io = |e| LibraryError::io("read", path, e);
    let mut file = File::open(path).map_err(io)?;
    let mut hash = Sha256::new();
    let mut found = name.is_empty();
    // The last bytes of one part stand before the next, so that a name across the border is seen.
    let mut part = vec![0_u8; name.len() + (1 << 18)];
    let mut kept = 0;
    loop {
        let count = match part.get_mut(kept..) {
            Some(free) => file.read(free).map_err(io)?,
            None => 0,
        };
        if count == 0 {
            break;
        }
        let filled = kept + count;
        hash.update(part.get(kept..filled).unwrap_or_default());
        if !found {
            let seen = part.get(..filled).unwrap_or_default();
            found = seen.windows(name.len()).any(|w| w == name);
            kept = filled.min(name.len().saturating_sub(1));
            part.copy_within(filled - kept..filled, 0);
        } else {
            kept = 0;
        }
    }
    let digits = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok((digits, found))
}

/// What the loader said; libloading's own message does not hold it.
pub fn reason(error: &libloading::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(inner) = next {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        next = inner.source();
    }
    text
}
