//! Checks the libraries of installed Python packages against the lists that pip keeps of their files, before any of them is
//! loaded: a library brings others that the system's loader takes from beside it without a question.
//!
//! The list is `RECORD` in the package's folder `*.dist-info`: rows of path, sum and size
//! (<https://packaging.python.org/en/latest/specifications/recording-installed-packages/>).

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::error::LibraryError;
use super::probe;
use ftuseg_files::plain;

/// The largest list that is read, bytes; one of 3,000 files has 300 KB.
const MAX_RECORD: u64 = 16 << 20;

/// A library as a list has it.
struct Listed {
    path: PathBuf,
    sha256: String,
    size: Option<u64>,
}

/// Checks all shared libraries of those of the packages that are installed in a folder of packages. Returns how many of the
/// packages have a list, and the libraries.
///
/// # Errors
/// When a library is not there, or not what was installed, or a list cannot be understood.
pub(super) fn check<'a>(
    site: &Path,
    packages: impl Iterator<Item = &'a str>,
) -> Result<(usize, Vec<PathBuf>), LibraryError> {
    let packages: Vec<String> = packages.map(normal).collect();
    let (mut lists, mut listed) = (0, Vec::new());
    let mut infos: Vec<PathBuf> = fs::read_dir(site)
        .map_err(|error| LibraryError::io("read the folder", site, error))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.strip_suffix(".dist-info")
                .and_then(|name| name.rsplit_once('-'))
                .is_some_and(|(package, _)| packages.contains(&normal(package)))
        })
        .collect();
    infos.sort();
    for info in infos {
        let record = info.join("RECORD");
        if record.exists() {
            listed.extend(read(site, &record)?);
            lists += 1;
        }
    }
    all_whole(&listed)?;
    Ok((lists, listed.into_iter().map(|one| one.path).collect()))
}

/// Whether a file is one that may be loaded. Extension modules of Python (`name.cpython-312.so`) are not.
fn is_library(name: &str) -> bool {
    name.starts_with("lib") && name.contains(".so")
}

/// Checks that a folder holds no library beside those that were checked.
///
/// # Errors
/// When there is one: nobody knows what it should be.
pub(super) fn no_others(site: &Path, checked: &[PathBuf]) -> Result<(), LibraryError> {
    let entries = walkdir::WalkDir::new(site).sort_by_file_name();
    for entry in entries.into_iter().filter_map(Result::ok) {
        let is_known = || checked.iter().any(|path| path == entry.path());
        if is_library(&entry.file_name().to_string_lossy())
            && !entry.file_type().is_dir()
            && !is_known()
        {
            return Err(LibraryError::BadRecord {
                path: site.join("*.dist-info").join("RECORD"),
                found: format!("{} is in none of the lists", entry.path().display()),
            });
        }
    }
    Ok(())
}

/// A package's name as all its spellings have it: `onnxruntime-openvino` is `onnxruntime_openvino` in file names.
fn normal(package: &str) -> String {
    package.to_lowercase().replace(['-', '.'], "_")
}

/// The shared libraries in a list.
fn read(site: &Path, record: &Path) -> Result<Vec<Listed>, LibraryError> {
    let bad = |found: &str| LibraryError::BadRecord {
        path: record.to_owned(),
        found: found.to_owned(),
    };
    let text =
        plain::read(record, MAX_RECORD).map_err(|error| LibraryError::io("read", record, error))?;
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_slice());
    let mut listed = Vec::new();
    for row in rows.records() {
        let row = row.map_err(|error| bad(&error.to_string()))?;
        let path = Path::new(row.get(0).unwrap_or_default());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_inside = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !is_library(&name) || !is_inside {
            continue;
        }
        let sha256 = row
            .get(1)
            .and_then(|sum| sum.strip_prefix("sha256="))
            .and_then(hex_of)
            .ok_or_else(|| bad(&format!("{name} is listed without a sha256")))?;
        listed.push(Listed {
            path: site.join(path),
            sha256,
            size: row.get(2).and_then(|size| size.parse().ok()),
        });
    }
    match text.is_empty() {
        true => Err(bad("it is empty")),
        false => Ok(listed),
    }
}

/// The 64 hexadecimal digits of a sha256 in URL-safe Base64 without padding.
fn hex_of(text: &str) -> Option<String> {
    let (mut bits, mut count, mut hex) = (0_u32, 0, String::with_capacity(64));
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            hex.push_str(&format!("{:02x}", bits >> count & 0xff));
        }
    }
    (hex.len() == 64).then_some(hex)
}

/// Checks libraries, several at a time: CUDA's have gigabytes. Of several errors, the first one in the list.
fn all_whole(listed: &[Listed]) -> Result<(), LibraryError> {
    let next = AtomicUsize::new(0);
    let first: Mutex<Option<(usize, LibraryError)>> = Mutex::new(None);
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = listed.get(place) else {
                return;
            };
            if let Err(error) = whole(one) {
                let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                if first.as_ref().is_none_or(|(other, _)| place < *other) {
                    *first = Some((place, error));
                }
                return;
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..threads.min(listed.len()) {
            scope.spawn(work);
        }
        work();
    });
    let first = first.into_inner().unwrap_or_else(PoisonError::into_inner);
    first.map_or(Ok(()), |(_, error)| Err(error))
}

fn whole(one: &Listed) -> Result<(), LibraryError> {
    let path = &one.path;
    let meta = fs::metadata(path).map_err(|error| LibraryError::io("read", path, error))?;
    if !meta.is_file() {
        return Err(LibraryError::NotAFile { path: path.clone() });
    }
    if let Some(expected) = one.size.filter(|&size| size != meta.len()) {
        return Err(LibraryError::WrongSize {
            path: path.clone(),
            size: meta.len(),
            expected,
        });
    }
    let found = probe::sum(path)?;
    match found == one.sha256 {
        true => Ok(()),
        false => Err(LibraryError::Damaged {
            path: path.clone(),
            found,
            expected: one.sha256.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sha256 of "whole", and the same in a list.
    const HEX: &str = "5d5766cf2d78701614200418ee1450690d9af12c84d52545e4802f001ad53099";
    const LISTED: &str = "XVdmzy14cBYUIAQY7hRQaQ2a8SyE1SVF5IAvABrVMJk";

    fn installed(record: &str) -> tempfile::TempDir {
        let site = tempfile::tempdir().unwrap();
        let info = site.path().join("some_package-1.0.dist-info");
        fs::create_dir_all(&info).unwrap();
        fs::create_dir_all(site.path().join("some/lib")).unwrap();
        fs::write(info.join("RECORD"), record).unwrap();
        for name in ["liba.so", "libb.so.2"] {
            fs::write(site.path().join("some/lib").join(name), "whole").unwrap();
        }
        site
    }

    fn record() -> String {
        format!(
            "some/__init__.py,,\nsome/lib/liba.so,sha256={LISTED},5\nsome/lib/libb.so.2,sha256={LISTED},\n\
             ../bin/libc.so,sha256={LISTED},5\nsome/lib/native.cpython-312.so,sha256={LISTED},5\n"
        )
    }

    #[test]
    fn sums_are_read_as_pip_writes_them() {
        assert_eq!(hex_of(LISTED).as_deref(), Some(HEX));
        for wrong in ["", "AAAA", "!", &format!("{LISTED}AA")] {
            assert_eq!(hex_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_package_is_whole_or_the_error_names_what_is_not() {
        let site = installed(&record());
        let check = |packages: &[&str]| {
            check(site.path(), packages.iter().copied())
                .map(|(lists, libraries)| (lists, libraries.len()))
                .map_err(|error| error.one_line())
        };
        assert_eq!(check(&["some-package"]), Ok((1, 2)));
        let second = site.path().join("some/lib/libb.so.2");
        fs::write(&second, "whOle").unwrap();
        let error = check(&["Some.Package"]).unwrap_err();
        assert!(
            error.contains("libb.so.2") && error.contains(HEX),
            "{error}"
        );
        // Another package is nobody's business.
        assert_eq!(check(&["other"]), Ok((0, 0)));
        fs::remove_file(&second).unwrap();
        assert!(check(&["some-package"]).unwrap_err().contains("libb.so.2"));
        // Where two are wrong, the first is told of.
        let first = site.path().join("some/lib/liba.so");
        fs::write(&first, "cut").unwrap();
        let error = check(&["some-package"]).unwrap_err();
        assert!(
            error.contains("liba.so") && error.contains("3 bytes"),
            "{error}"
        );
    }

    #[test]
    fn a_library_that_is_in_no_list_is_seen() {
        let site = installed(&record());
        let (_, checked) = check(site.path(), ["some-package"].into_iter()).unwrap();
        fs::write(site.path().join("some/lib/native.cpython-312.so"), "").unwrap();
        no_others(site.path(), &checked).unwrap();
        fs::write(site.path().join("some/lib/libmore.so"), "").unwrap();
        let error = no_others(site.path(), &checked).unwrap_err();
        assert!(error.one_line().contains("libmore.so"), "{error}");
    }

    #[test]
    fn a_list_that_says_nothing_is_refused() {
        for text in ["", "some/lib/liba.so,,\n", "some/lib/liba.so,md5=x,5\n"] {
            let site = installed(text);
            assert!(
                check(site.path(), ["some-package"].into_iter()).is_err(),
                "{text:?}"
            );
        }
    }
}
