//! Installs a bundle for the user, from a folder or an archive, so that it is found wherever the program runs.
//!
//! Archives are hostile until their files have the sums that `bundle.toml` states: only plain files that lie beside the
//! one `bundle.toml` are taken, by their last name, and never more bytes than a bundle can have.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use ftuseg_files::plain;

use super::{Bundle, BundleError, InstalledBundle};

/// The most bytes that all files of a bundle may have.
const MOST_BYTES: u64 = 8 << 30;
/// The most files that a bundle may have.
const MOST_FILES: usize = 1000;
/// The most entries of an archive that are looked at: it may hold a whole repository.
const MOST_ENTRIES: usize = 1_000_000;

/// Why a bundle cannot be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The bundle is no good.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The archive is none, is damaged, or holds something else.
    #[error("{}: {reason}", path.display())]
    Archive {
        /// The archive or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A bundle of this name and version is installed, and it is another one.
    #[error("another bundle that calls itself {name} is installed in {}; remove that folder first, or give the new one another version", folder.display())]
    Other {
        /// Name and version.
        name: String,
        /// The installed one.
        folder: PathBuf,
    },
    /// The name or the version cannot be part of a folder's name.
    #[error(
        "the bundle calls itself \"{name}\"; to be installed its name and version may hold letters, digits, '.', '_' and '-' only, and begin with a letter or digit"
    )]
    Name {
        /// Name and version.
        name: String,
    },
    /// Files cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },
}

/// Installs the bundle in `source`, a folder or a `.zip`, `.tar` or `.tar.gz` archive, into a folder of its own in
/// `bundles` (see [`super::bundles_folder`]). All files are checked first; the folder appears whole or not at all. One that is
/// there already and is the same is left as it is.
///
/// # Errors
/// When there is not exactly one bundle in `source`, a file of it is not what its `bundle.toml` states, another one of the
/// same name and version is installed, or files cannot be read or written.
pub fn install_bundle(source: &Path, bundles: &Path) -> Result<InstalledBundle, InstallError> {
    let io_of = |path: &Path| {
        let path = path.to_owned();
        move |cause| InstallError::Io { path, cause }
    };
    fs::create_dir_all(bundles).map_err(io_of(bundles))?;
    // In the same folder, so that renaming it is one step.
    let temporary = tempfile::Builder::new()
        .prefix(".installing-")
        .tempdir_in(bundles)
        .map_err(io_of(bundles))?;
    let whole = temporary.path().join("bundle");
    fs::create_dir(&whole).map_err(io_of(&whole))?;
    if source.is_dir() {
        copy_folder(source, &whole)?;
    } else {
        unpack(source, &whole)?;
    }
    let bundle = Bundle::load(&whole)
        .and_then(|bundle| bundle.verify().map(|()| bundle))
        .map_err(|error| {
            // The copy's path tells nobody anything.
            let copy = format!("{}{}", whole.display(), std::path::MAIN_SEPARATOR);
            bad(source, error.to_string().replace(&copy, ""))
        })?;
    let mut installed = InstalledBundle {
        name: bundle.name.clone(),
        version: bundle.version.clone(),
        folder: PathBuf::new(),
    };
    let name = installed.folder_name();
    if ![&installed.name, &installed.version]
        .into_iter()
        .all(|part| is_safe(part))
    {
        return Err(InstallError::Name { name });
    }
    installed.folder = bundles.join(&name);
    if installed.folder.exists() {
        let same = Bundle::load(&installed.folder)
            .is_ok_and(|there| there.sha256 == bundle.sha256 && there.verify().is_ok());
        return match same {
            true => Ok(installed),
            false => Err(InstallError::Other {
                name,
                folder: installed.folder,
            }),
        };
    }
    fs::rename(&whole, &installed.folder).map_err(io_of(&installed.folder))?;
    Ok(installed)
}

/// Whether a text can be part of a folder's name anywhere.
fn is_safe(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(plain)
}

/// Counts what is taken, so that no archive fills the disk.
#[derive(Default)]
struct Budget {
    files: usize,
    bytes: u64,
}

impl Budget {
    /// Writes one file, and refuses more than a bundle can hold.
    fn take(&mut self, from: &mut dyn Read, to: &Path, source: &Path) -> Result<(), InstallError> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(bad(
                source,
                format!("it has more than {MOST_FILES} files; no bundle has"),
            ));
        }
        let io_error = |cause| InstallError::Io {
            path: to.to_owned(),
            cause,
        };
        let mut file = File::create(to).map_err(io_error)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let got = from
                .read(&mut buffer)
                .map_err(|error| bad(source, format!("cannot be read: {error}")))?;
            if got == 0 {
                return file.sync_all().map_err(io_error);
            }
            self.bytes += got as u64;
            if self.bytes > MOST_BYTES {
                let most = MOST_BYTES >> 30;
                return Err(bad(
                    source,
                    format!("it holds more than {most} GiB; no bundle does"),
                ));
            }
            file.write_all(&buffer[..got]).map_err(io_error)?;
        }
    }
}

/// Copies the plain files of a bundle's folder.
fn copy_folder(source: &Path, to: &Path) -> Result<(), InstallError> {
    // Names a folder without a bundle by its own path, not by the copy's.
    if !source.join("bundle.toml").is_file() {
        return Err(BundleError::Missing {
            folder: source.to_owned(),
        }
        .into());
    }
    let io_of = |path: &Path| {
        let path = path.to_owned();
        move |cause| InstallError::Io { path, cause }
    };
    let mut budget = Budget::default();
    for entry in fs::read_dir(source).map_err(io_of(source))? {
        let entry = entry.map_err(io_of(source))?;
        if entry.path().is_file() {
            let mut file = plain::open(&entry.path(), MOST_BYTES).map_err(io_of(&entry.path()))?;
            budget.take(&mut file, &to.join(entry.file_name()), source)?;
        }
    }
    Ok(())
}

/// What is wrong with an archive.
fn bad(source: &Path, reason: impl Into<String>) -> InstallError {
    InstallError::Archive {
        path: source.to_owned(),
        reason: reason.into(),
    }
}

/// Unpacks the one bundle of an archive.
fn unpack(source: &Path, to: &Path) -> Result<(), InstallError> {
    let open = || {
        plain::open(source, MOST_BYTES).map_err(|cause| InstallError::Io {
            path: source.to_owned(),
            cause,
        })
    };
    let mut start = [0; 4];
    let mut file = open()?;
    let got = file
        .read(&mut start)
        .and_then(|got| file.rewind().map(|()| got));
    got.map_err(|error| bad(source, format!("cannot be read: {error}")))?;
    match start {
        [b'P', b'K', ..] => unpack_zip(source, file, to),
        [0x1f, 0x8b, ..] => unpack_tar(
            source,
            &|| Ok(Box::new(GzDecoder::new(BufReader::new(open()?))) as Box<dyn Read>),
            to,
        ),
        _ => unpack_tar(
            source,
            &|| Ok(Box::new(BufReader::new(open()?)) as Box<dyn Read>),
            to,
        ),
    }
}

/// The folder that the one `bundle.toml` among some paths lies in.
fn one_bundle(
    source: &Path,
    paths: impl Iterator<Item = PathBuf>,
) -> Result<PathBuf, InstallError> {
    let mut folders = paths.filter(|path| path.ends_with("bundle.toml"));
    let first = folders.next().ok_or_else(|| {
        bad(source, "there is no bundle.toml in it; give a bundle's folder, or a .zip, .tar or .tar.gz of one")
    })?;
    match folders.next() {
        None => Ok(first.parent().unwrap_or(Path::new("")).to_owned()),
        Some(second) => Err(bad(
            source,
            format!(
                "it holds several bundles ({} and {}); unpack it and give one folder",
                first.display(),
                second.display()
            ),
        )),
    }
}

/// The name of a file that lies in `folder` itself.
fn name_in<'a>(folder: &Path, path: &'a Path) -> Option<&'a std::ffi::OsStr> {
    (path.parent() == Some(folder)).then(|| path.file_name())?
}

fn unpack_zip(source: &Path, file: File, to: &Path) -> Result<(), InstallError> {
    let damaged =
        |error: zip::result::ZipError| bad(source, format!("cannot be unpacked: {error}"));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let names: Vec<PathBuf> = archive
        .file_names()
        .take(MOST_ENTRIES)
        // A name that is no text is not the manifest's.
        .filter_map(|name| Some(PathBuf::from(name.ok()?.into_owned())))
        .collect();
    let folder = one_bundle(source, names.into_iter())?;
    let mut budget = Budget::default();
    for index in 0..archive.len().min(MOST_ENTRIES) {
        let mut entry = archive.by_index(index).map_err(damaged)?;
        let path = PathBuf::from(entry.name().map_err(damaged)?.into_owned());
        if let Some(name) = name_in(&folder, &path)
            && entry.is_file()
        {
            budget.take(&mut entry, &to.join(name), source)?;
        }
    }
    Ok(())
}

fn unpack_tar(
    source: &Path,
    open: &dyn Fn() -> Result<Box<dyn Read>, InstallError>,
    to: &Path,
) -> Result<(), InstallError> {
    let damaged = |error: io::Error| {
        bad(
            source,
            format!("is no .zip, .tar or .tar.gz archive, or a damaged one: {error}"),
        )
    };
    // Twice: where the bundle lies is known when all has been seen. What it unpacks to is bounded both times.
    let whole = || Ok::<_, InstallError>(tar::Archive::new(open()?.take(4 * MOST_BYTES)));
    let mut paths = Vec::new();
    for entry in whole()?.entries().map_err(damaged)?.take(MOST_ENTRIES) {
        let entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?;
        if path.ends_with("bundle.toml") {
            paths.push(path.into_owned());
        }
    }
    let folder = one_bundle(source, paths.into_iter())?;
    let mut budget = Budget::default();
    for entry in whole()?.entries().map_err(damaged)?.take(MOST_ENTRIES) {
        let mut entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?.into_owned();
        if let Some(name) = name_in(&folder, &path)
            && entry.header().entry_type().is_file()
        {
            budget.take(&mut entry, &to.join(name), source)?;
        }
    }
    Ok(())
}
