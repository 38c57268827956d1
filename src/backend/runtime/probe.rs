//! Decides whether a file is an ONNX Runtime library that this program can use.

use std::ffi::{CStr, c_char, c_void};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use libloading::Library;
use sha2::{Digest, Sha256};

use super::binary::{Kind, Refusal, Target};
use super::error::RuntimeError;

/// The ONNX Runtime interface that this program is built against: the `api-24` feature of the `ort` crate.
/// Version 1.N of the library offers the interfaces 1 to N, so 1.24 is the oldest that works.
pub const API_VERSION: u32 = 24;

/// Largest library that is read, in bytes. The largest real ones, with debug symbols, have some hundred million.
const SIZE_LIMIT: u64 = 2 << 30;
/// The one function that every ONNX Runtime library exports.
const ENTRY: &[u8] = b"OrtGetApiBase\0";

/// An ONNX Runtime library that works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeInfo {
    /// The library, as an absolute path.
    pub path: PathBuf,
    /// The version that it says it is, such as `1.31.1`.
    pub version: String,
    /// The interface that it was asked for and has: [`API_VERSION`].
    pub api_version: u32,
    /// sha256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Size of the file in bytes.
    pub size: u64,
}

/// The oldest version of ONNX Runtime that works, as text.
pub(super) fn oldest() -> String {
    format!("1.{API_VERSION}")
}

/// Whether a version such as `1.31.1` is new enough; `None` where it is no version.
pub(super) fn new_enough(version: &str) -> Option<bool> {
    let mut parts = version.split('.').map(|p| p.parse::<u32>().ok());
    let (major, minor) = (parts.next()??, parts.next()??);
    Some((major, minor) >= (1, API_VERSION))
}

/// Checks the ONNX Runtime library at `path`: that it is a whole shared library for this platform, that it
/// is ONNX Runtime, and that it is new enough.
///
/// A library that passes stays loaded until the program ends, so that loading it again costs nothing.
///
/// # Errors
/// Every wrong file gives an error that says what it is instead: [`RuntimeError::Format`],
/// [`RuntimeError::WrongPlatform`], [`RuntimeError::Truncated`], [`RuntimeError::NotOnnxRuntime`],
/// [`RuntimeError::TooOld`] and the like.
///
/// # Safety of the machine
/// To load a library is to run its initialisers. Files that do not name ONNX Runtime's entry function are
/// refused before that (not on macOS, where the name may be stored in parts).
pub fn probe(path: &Path) -> Result<RuntimeInfo, RuntimeError> {
    probe_expecting(path, &[])
}

/// As [`probe`], and the file's sha256 must be one of `expected` unless that is empty. The sum is checked
/// before anything of the file runs.
pub(super) fn probe_expecting(
    path: &Path,
    expected: &[String],
) -> Result<RuntimeInfo, RuntimeError> {
    // The loader would look for a plain name in the system's own folders.
    let path = std::path::absolute(path).map_err(|e| RuntimeError::io("find", path, e))?;
    let file = inspect(&path)?;
    if let Some(first) = expected.first()
        && !expected.contains(&file.sha256)
    {
        return Err(RuntimeError::Damaged {
            path,
            found: file.sha256,
            expected: first.clone(),
        });
    }
    if Target::this().kind != Kind::MachO && !file.names_entry {
        return Err(RuntimeError::NotOnnxRuntime {
            path,
            found: "it does not name OrtGetApiBase".to_owned(),
        });
    }
    let version = load(&path)?;
    Ok(RuntimeInfo {
        path,
        version,
        api_version: API_VERSION,
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

fn inspect(path: &Path) -> Result<Inspected, RuntimeError> {
    let io = |e| RuntimeError::io("read", path, e);
    // Before opening: to open a named pipe is to wait for someone to write into it.
    let metadata = fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(RuntimeError::NotAFile {
            path: path.to_path_buf(),
        });
    }
    let size = metadata.len();
    if size > SIZE_LIMIT {
        return Err(RuntimeError::LimitsExceeded {
            path: path.to_path_buf(),
            size,
            limit: SIZE_LIMIT,
        });
    }
    let mut file = File::open(path).map_err(io)?;
    let target = Target::this();
    target.check(&mut file, size).map_err(|refusal| {
        let path = path.to_path_buf();
        match refusal {
            Refusal::Format(found) => RuntimeError::Format { path, found },
            Refusal::Platform(found) => RuntimeError::WrongPlatform {
                path,
                found,
                needed: this_platform(),
            },
            Refusal::Truncated(needed) => RuntimeError::Truncated { path, size, needed },
            Refusal::Io(source) => RuntimeError::io("read", &path, source),
        }
    })?;
    let (sha256, names_entry) = sum_and_search(path, ENTRY)?;
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
pub(super) fn sum(path: &Path) -> Result<String, RuntimeError> {
    Ok(sum_and_search(path, &[])?.0)
}

/// sha256 of a file, and whether the bytes of `name` occur in it (true for an empty `name`).
fn sum_and_search(path: &Path, name: &[u8]) -> Result<(String, bool), RuntimeError> {
    let io = |e| RuntimeError::io("read", path, e);
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

/// The start of the structure that `OrtGetApiBase` returns; its layout never changes.
#[repr(C)]
struct ApiBase {
    get_api: Option<unsafe extern "system" fn(u32) -> *const c_void>,
    get_version_string: Option<unsafe extern "system" fn() -> *const c_char>,
}

/// Loads the library, asks for its version and its interface, and leaves it loaded when both will do.
fn load(path: &Path) -> Result<String, RuntimeError> {
    let not = |found: &str| RuntimeError::NotOnnxRuntime {
        path: path.to_path_buf(),
        found: found.to_owned(),
    };
    // SAFETY: loading runs the file's initialisers, which no check can vouch for. The file is whole and for
    // this platform (`inspect`), and it is one that the user named or installed, or whose sum is pinned.
    let library = unsafe { Library::new(path) }.map_err(|e| RuntimeError::Load {
        path: path.to_path_buf(),
        reason: reason(&e),
    })?;
    // SAFETY: this name is ONNX Runtime's own, and it has had this type since the first version.
    let entry = unsafe { library.get::<unsafe extern "system" fn() -> *const ApiBase>(ENTRY) }
        .map_err(|_| not("it does not export OrtGetApiBase"))?;
    // SAFETY: the function takes nothing and may be called at any time from any thread.
    let base = unsafe { entry() };
    // SAFETY: null, or a pointer to a constant that lives as long as the loaded library does.
    let base = unsafe { base.as_ref() }.ok_or_else(|| not("OrtGetApiBase returns nothing"))?;
    let (Some(get_api), Some(get_version)) = (base.get_api, base.get_version_string) else {
        return Err(not("its table of functions is empty"));
    };
    // SAFETY: the function takes nothing and returns a constant string.
    let text = unsafe { get_version() };
    if text.is_null() {
        return Err(not("it tells no version"));
    }
    // SAFETY: not null, and a string constant of the library that ends with a zero byte.
    let version: String = unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .chars()
        .filter(|c| !c.is_control())
        .take(64)
        .collect();
    // An old library writes a complaint of its own when asked for an interface it lacks: ask only if need be.
    let usable = new_enough(&version) != Some(false) && {
        // SAFETY: any number may be asked for; null is the answer to those it does not know.
        !unsafe { get_api(API_VERSION) }.is_null()
    };
    if !usable {
        return Err(RuntimeError::TooOld {
            path: path.to_path_buf(),
            found: version,
            needed: oldest(),
        });
    }
    // Never unloaded: the session that follows needs it, and unloading runs code of its own.
    std::mem::forget(library);
    Ok(version)
}

/// What the loader said; libloading's own message does not hold it.
fn reason(error: &libloading::Error) -> String {
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
