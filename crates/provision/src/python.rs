//! Finds a package with the library in the Pythons of this machine, without importing it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::folder;
use super::library_spec::LibrarySpec;
use super::subprocess::{self, ChildError};

/// A Python to ask: a program and the arguments that always come first (`-3` for Windows' `py`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// The program, as an absolute path or a name.
    pub program: PathBuf,
    /// Its first arguments.
    pub arguments: Vec<OsString>,
    /// Whether packages are looked for in it. `false` for a Python that is neither active nor the default:
    /// its pip may serve where the default one has none, but its packages are none of our business.
    pub has_packages: bool,
}

impl Python {
    /// A Python that is active or the default.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            has_packages: true,
        }
    }

    /// A command of this Python, to be run in any folder.
    pub(super) fn command(&self) -> Command {
        // A plain name is for the system to find; a relative path must not change with the folder.
        let plain = self.program.components().count() == 1;
        let mut command = match std::path::absolute(&self.program) {
            Ok(path) if !plain => Command::new(path),
            _ => Command::new(&self.program),
        };
        command.args(&self.arguments);
        command
    }
}

/// Where this process finds its Pythons: the values of the environment, so that tests can give others.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) virtual_env: Option<PathBuf>,
    pub(super) conda_prefix: Option<PathBuf>,
    pub(super) path: Option<OsString>,
}

/// At most so many Pythons are kept: each costs a child process.
const MOST: usize = 6;

impl Places {
    /// The active Python first, then the default `python3` and `python`, then further ones for their pip.
    pub(super) fn pythons(&self) -> Vec<Python> {
        let mut found: Vec<Python> = Vec::new();
        let mut add = |program: PathBuf, arguments: &[&str], has_packages: bool| {
            let file = identity(&program);
            if program.is_file()
                && found.len() < MOST
                && !found.iter().any(|p| identity(&p.program) == file)
            {
                found.push(Python {
                    program,
                    arguments: arguments.iter().map(OsString::from).collect(),
                    has_packages,
                });
            }
        };
        for prefix in [&self.virtual_env, &self.conda_prefix]
            .into_iter()
            .flatten()
        {
            if cfg!(windows) {
                add(prefix.join("Scripts").join("python.exe"), &[], true);
                add(prefix.join("python.exe"), &[], true);
            } else {
                add(prefix.join("bin").join("python"), &[], true);
            }
        }
        let folders: Vec<PathBuf> = match &self.path {
            // Only absolute folders: `.` on the path must not turn a slide folder's file into a program.
            Some(path) => std::env::split_paths(path)
                .filter(|p| p.is_absolute())
                .collect(),
            None => Vec::new(),
        };
        let all = |name: &str| -> Vec<PathBuf> {
            let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
            folders
                .iter()
                .map(|f| f.join(&name))
                .filter(|p| p.is_file())
                .collect()
        };
        let (threes, plain) = (all("python3"), all("python"));
        for program in threes.iter().take(1).chain(plain.iter().take(1)) {
            add(program.clone(), &[], true);
        }
        if cfg!(windows) {
            for program in all("py").into_iter().take(1) {
                add(program, &["-3"], true);
            }
        }
        for program in threes.into_iter().chain(plain) {
            add(program, &[], false);
        }
        found
    }
}

/// What makes two paths the same Python: the folder and the file, both resolved. The file alone is not
/// enough: the `python` of a virtual environment is a link to the one it was made from.
fn identity(program: &Path) -> (PathBuf, PathBuf) {
    let resolved = |p: &Path| p.canonicalize().unwrap_or_else(|_| p.to_path_buf());
    let folder = program.parent().unwrap_or(Path::new(""));
    (resolved(folder), resolved(program))
}

/// An installed package with the library.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// The versions of the distributions that provide it; several where they overwrite each other.
    pub(super) versions: Vec<String>,
    /// The library.
    pub(super) library: PathBuf,
    /// The sums that the library may have by the installation's own record; empty where there is none.
    pub(super) sums: Vec<String>,
}

/// Why a Python holds no library.
#[derive(Debug)]
pub(super) enum NoPackage {
    /// It has no such package.
    NotInstalled,
    /// It has the package, but no library lies in this folder.
    NoLibrary(PathBuf),
    /// It gave no sensible answer.
    NoAnswer(String),
}

/// Run by the Python that is asked. It imports nothing from the current folder, which may hold anything,
/// and prints paths as hexadecimal digits, because they need not be text. Its arguments are the module, the folder in
/// it, the library's name up to its ending, and the packages.
const QUESTION: &str = r#"
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import base64, importlib.util, os
module, folder, stem, names = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
try:
    from importlib import metadata
except ImportError:
    metadata = None
spec = importlib.util.find_spec(module)
roots = list(spec.submodule_search_locations or []) if spec else []
for root in roots:
    print("ftuseg-folder " + os.fsencode(os.path.abspath(os.path.join(root, folder))).hex())
for name in names if metadata and roots else []:
    try:
        found = metadata.distribution(name)
        print("ftuseg-version " + os.fsencode(found.version).hex())
        for file in found.files or []:
            if file.parent.name == (folder or module) and file.name.startswith(stem) and file.hash:
                if file.hash.mode == "sha256":
                    text = file.hash.value + "=" * (-len(file.hash.value) % 4)
                    value = base64.urlsafe_b64decode(text).hex()
                    print("ftuseg-sum " + os.fsencode(file.name).hex() + " " + value)
    except Exception:
        pass
print("ftuseg-end")
"#;

/// Asks `python` for its package with the library, waiting for `limit` at most.
pub(super) fn package_of(
    product: &LibrarySpec,
    python: &Python,
    limit: Duration,
) -> Result<Package, NoPackage> {
    let mut command = python.command();
    let stem = if cfg!(windows) {
        product.dll
    } else {
        product.stem
    };
    command.args(["-c", QUESTION, product.module, product.folder, stem]);
    command.args(product.packages);
    let output = subprocess::run(&mut command, limit).map_err(|e| match e {
        ChildError::Start(_) | ChildError::TimedOut(_) => {
            NoPackage::NoAnswer(format!("Python {e}"))
        }
    })?;
    if !output.status.success() {
        return Err(NoPackage::NoAnswer(format!(
            "Python ended with {}: {}",
            output.status,
            subprocess::tail(&output.stderr, 200)
        )));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = Answer::read(&text).ok_or_else(|| {
        NoPackage::NoAnswer(format!(
            "Python gave no sensible answer: {}",
            subprocess::tail(&output.stdout, 200)
        ))
    })?;
    let Some(first) = answer.folders.first() else {
        return Err(NoPackage::NotInstalled);
    };
    let library = answer
        .folders
        .iter()
        .find_map(|f| folder::directly_in(product, f))
        .ok_or_else(|| NoPackage::NoLibrary(first.clone()))?;
    let name = library.file_name().map(OsStr::to_os_string);
    Ok(Package {
        versions: answer.versions,
        sums: answer
            .sums
            .into_iter()
            .filter(|(file, _)| Some(file) == name.as_ref())
            .map(|(_, sum)| sum)
            .collect(),
        library,
    })
}

/// The lines of an answer that have a meaning; any others are passed over.
#[derive(Debug, Default)]
struct Answer {
    folders: Vec<PathBuf>,
    versions: Vec<String>,
    sums: Vec<(OsString, String)>,
}

impl Answer {
    /// `None` where the closing line is missing: then this was no answer at all.
    fn read(text: &str) -> Option<Self> {
        let mut answer = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some("ftuseg-end"), None, None) => return Some(answer),
                (Some("ftuseg-folder"), Some(path), None) => {
                    let path = PathBuf::from(from_hex(path)?);
                    if path.is_absolute() {
                        answer.folders.push(path);
                    }
                }
                (Some("ftuseg-version"), Some(version), None) => {
                    answer.versions.push(from_hex(version)?.into_string().ok()?);
                }
                (Some("ftuseg-sum"), Some(name), Some(sum)) if sum.len() == 64 => {
                    answer.sums.push((from_hex(name)?, sum.to_owned()));
                }
                _ => {}
            }
        }
        None
    }
}

/// Bytes from hexadecimal digits, as the system's own kind of string.
fn from_hex(digits: &str) -> Option<OsString> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes = digits
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    #[cfg(unix)]
    return Some(std::os::unix::ffi::OsStringExt::from_vec(bytes));
    #[cfg(not(unix))]
    return String::from_utf8(bytes).ok().map(OsString::from);
}
