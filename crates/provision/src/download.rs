//! Downloads a library with pip and puts it into the cache folder, whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::LibraryError;
use super::library_spec::LibrarySpec;
use super::probe;
use super::python::Python;
use super::subprocess::{self, ChildError};
use super::wheel::Wheel;

/// Temporary folders start with this, so that ones left by a killed program can be cleared away.
const TEMPORARY: &str = ".bringing-";
/// A temporary folder of this age belongs to no running program.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// Downloads the wheel with the first Python that has pip, checks it, and puts its library into the cache.
/// Returns the library's path. Several programs may do this at once: each works in a folder of its own, and
/// the last step is one rename to the same bytes.
pub(super) fn fetch_library(
    product: &LibrarySpec,
    cache: &Path,
    wheel: &Wheel,
    pythons: &[Python],
    limit: Duration,
) -> Result<PathBuf, LibraryError> {
    let folder = wheel.folder(product, cache);
    let full = |what: &'static str, path: &Path, e: io::Error| disk(what, path, e, wheel);
    fs::create_dir_all(&folder).map_err(|e| full("create the folder", &folder, e))?;
    clear_stale(&folder);
    // On the same disk as the cache, so that the rename at the end is one step.
    let work = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempdir_in(&folder)
        .map_err(|e| full("write to the folder", &folder, e))?;
    let downloads = work.path().join("wheel");
    fs::create_dir(&downloads).map_err(|e| full("create the folder", &downloads, e))?;

    download(product, wheel, pythons, work.path(), &downloads, limit)?;
    let archive = only_wheel(product, &downloads, wheel)?;
    check_sum(product, &archive, wheel)?;
    let library = work.path().join(wheel.library);
    unpack(product, &archive, wheel, &library)?;

    let found = probe::sum(&library)?;
    if found != wheel.library_sha256 {
        return Err(LibraryError::BadWheel {
            found: format!(
                "the sha256 of {} is {found}, expected {}",
                wheel.member, wheel.library_sha256
            ),
            remedy: product.by_hand(wheel),
        });
    }
    // For people: `sha256sum -c` in the folder says whether the library is whole.
    let note = work.path().join("sum");
    fs::write(
        &note,
        format!("{}  {}\n", wheel.library_sha256, wheel.library),
    )
    .map_err(|e| full("write", &note, e))?;
    let target = wheel.place(product, cache);
    let mut target_note = target.clone().into_os_string();
    target_note.push(".sha256");
    fs::rename(&note, &target_note).map_err(|e| full("write", &target, e))?;
    match fs::rename(&library, &target) {
        Ok(()) => Ok(target),
        // Windows refuses to replace a library that another program has loaded; it is then the same one.
        Err(_) if probe::sum(&target).is_ok_and(|sum| sum == wheel.library_sha256) => Ok(target),
        Err(e) => Err(full("write", &target, e)),
    }
}

/// Runs pip in each Python until one has it.
fn download(
    product: &LibrarySpec,
    wheel: &Wheel,
    pythons: &[Python],
    work: &Path,
    downloads: &Path,
    limit: Duration,
) -> Result<(), LibraryError> {
    let mut tried = Vec::new();
    for python in pythons {
        let mut command = python.command();
        command
            .args(["-m", "pip"])
            .args(product.pip_arguments(wheel))
            .arg("-d")
            .arg(downloads);
        // `python -m` looks for pip in the current folder first, and that may be a folder of slides.
        command.current_dir(work);
        // pip unpacks in the temporary folder; one place to fill, one place to clear.
        for name in ["TMPDIR", "TEMP", "TMP"] {
            command.env(name, work);
        }
        command
            .env("PIP_NO_INPUT", "1")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        command.env("PIP_REQUIRE_VIRTUALENV", "0");
        let shown = format!("{command:?}");
        let failed = |said: String| LibraryError::PipFailed {
            command: shown.clone(),
            said,
            remedy: product.by_hand(wheel),
        };
        let output = match subprocess::run(&mut command, limit) {
            Ok(output) => output,
            Err(e @ ChildError::Start(_)) => {
                tried.push(format!("{} {e}", python.program.display()));
                continue;
            }
            Err(e) => return Err(failed(format!("pip {e}"))),
        };
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let said = subprocess::tail(&output.stderr, 400);
        if text.contains("No module named pip") || text.contains("No module named 'pip'") {
            tried.push(format!("{} has no pip", python.program.display()));
        } else if text.contains("No space left on device") || text.contains("Errno 28]") {
            return Err(disk_full(downloads, wheel));
        } else if is_network(&text) {
            return Err(LibraryError::Unreachable {
                said,
                remedy: product.by_hand(wheel),
            });
        } else {
            return Err(failed(format!("{}: {said}", output.status)));
        }
    }
    if tried.is_empty() {
        tried.push("no python3 or python was found on the PATH".to_owned());
    }
    Err(LibraryError::PipMissing {
        tried: tried.join("; "),
        remedy: product.by_hand(wheel),
    })
}

/// Whether pip's words speak of the network. It ends with "No matching distribution" then, too.
fn is_network(text: &str) -> bool {
    [
        "connection broken",
        "NewConnectionError",
        "ConnectTimeout",
        "Connection refused",
        "ConnectionError",
        "ReadTimeout",
        "name resolution",
        "getaddrinfo failed",
        "ProxyError",
        "SSLError",
        "Network is unreachable",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}

/// The one wheel that pip left in the folder.
fn only_wheel(
    product: &LibrarySpec,
    downloads: &Path,
    wheel: &Wheel,
) -> Result<PathBuf, LibraryError> {
    let io = |e| LibraryError::io("read the folder", downloads, e);
    let mut wheels = Vec::new();
    for entry in fs::read_dir(downloads).map_err(io)? {
        let path = entry.map_err(io)?.path();
        // A link or a pipe is not what pip writes, and not to be opened.
        let plain = fs::symlink_metadata(&path).is_ok_and(|m| m.is_file());
        if plain && path.extension().is_some_and(|e| e == "whl") {
            wheels.push(path);
        }
    }
    match (wheels.pop(), wheels.is_empty()) {
        (Some(path), true) => Ok(path),
        (found, _) => Err(LibraryError::BadWheel {
            found: match found {
                Some(_) => "pip left several wheels".to_owned(),
                None => "pip reported success but left no wheel".to_owned(),
            },
            remedy: product.by_hand(wheel),
        }),
    }
}

fn check_sum(product: &LibrarySpec, archive: &Path, wheel: &Wheel) -> Result<(), LibraryError> {
    let found = probe::sum(archive)?;
    if found == wheel.sha256 {
        return Ok(());
    }
    Err(LibraryError::WrongSum {
        name: archive
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        found,
        expected: wheel.sha256.to_owned(),
        remedy: product.by_hand(wheel),
    })
}

/// Writes the one wanted member of the archive to `target`. No name from the archive becomes a path.
pub(super) fn unpack(
    product: &LibrarySpec,
    archive: &Path,
    wheel: &Wheel,
    target: &Path,
) -> Result<(), LibraryError> {
    let bad = |found: String| LibraryError::BadWheel {
        found,
        remedy: product.by_hand(wheel),
    };
    let file = File::open(archive).map_err(|e| LibraryError::io("read", archive, e))?;
    let mut zip =
        zip::ZipArchive::new(file).map_err(|e| bad(format!("it is no zip archive ({e})")))?;
    let member = zip
        .by_name(wheel.member)
        .map_err(|e| bad(format!("{} cannot be read from it ({e})", wheel.member)))?;
    let write = |e| disk("write", target, e, wheel);
    let mut out = File::create_new(target).map_err(write)?;
    // One byte more than wanted is enough to see that it is too long.
    let mut member = member.take(wheel.library_size.saturating_add(1));
    let mut part = vec![0; 1 << 18];
    let mut size = 0_u64;
    loop {
        // Apart from writing: a bad archive and a full disk are mended differently.
        let count = member
            .read(&mut part)
            .map_err(|e| bad(format!("{} is damaged in it ({e})", wheel.member)))?;
        if count == 0 {
            break;
        }
        size += count as u64;
        out.write_all(part.get(..count).unwrap_or_default())
            .map_err(write)?;
    }
    if size != wheel.library_size {
        return Err(bad(format!(
            "{} has {} bytes than the {} expected",
            wheel.member,
            if size > wheel.library_size {
                "more"
            } else {
                "fewer"
            },
            wheel.library_size
        )));
    }
    // A rename that reaches the disk before the bytes do would leave an empty library after a power cut.
    out.sync_all().map_err(write)
}

/// Clears away what a killed program left. Best effort: a folder that stays does no harm.
fn clear_stale(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let ours = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        let age = entry
            .metadata()
            .and_then(|m| m.modified())
            .ok()
            .and_then(|time| SystemTime::now().duration_since(time).ok());
        if ours && age.is_some_and(|age| age > STALE) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn disk(what: &'static str, path: &Path, e: io::Error, wheel: &Wheel) -> LibraryError {
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => disk_full(path, wheel),
        _ => LibraryError::io(what, path, e),
    }
}

fn disk_full(path: &Path, wheel: &Wheel) -> LibraryError {
    LibraryError::DiskFull {
        path: path.to_path_buf(),
        // pip's own temporary copy, the wheel, and the library.
        megabytes: (2 * wheel.size + wheel.library_size).div_ceil(1_000_000),
    }
}
