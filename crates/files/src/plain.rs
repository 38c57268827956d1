//! Opens files that others made: nothing but a plain file of a sane size, so that no pipe is waited for and no device is
//! read without end.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Opens a plain file of at most `most` bytes. Links are followed.
pub fn open(path: &Path, most: u64) -> Result<File> {
    // Before it is opened: opening a pipe waits for its writer, and opening a device may do something.
    check(&std::fs::metadata(path)?, most)?;
    let mut options = OpenOptions::new();
    options.read(true);
    // What came in its place since then is not waited for either.
    flags(&mut options, false);
    let file = match options.open(path) {
        // Another program has the file for itself, and gives it up when it is asked: only a plain file can be such a one,
        // and that is worth waiting for.
        Err(error) if error.kind() == ErrorKind::WouldBlock => File::open(path)?,
        opened => opened?,
    };
    check(&file.metadata()?, most)?;
    Ok(file)
}

/// Reads a plain file of at most `most` bytes.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // It may grow while it is read.
    open(path, most)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(too_large(most)),
        false => Ok(bytes),
    }
}

/// Reads a plain text file of at most `most` bytes.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// Opens a file of our own to be written to, which is made if it is not there; never through a link.
pub fn open_own(path: &Path) -> Result<File> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if !meta.is_file() => {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "{} is {}, not a plain file; remove it",
                    path.display(),
                    if meta.is_symlink() {
                        "a link"
                    } else {
                        "something else"
                    }
                ),
            ));
        }
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    flags(&mut options, true);
    options.open(path)
}

fn check(meta: &std::fs::Metadata, most: u64) -> Result<()> {
    if !meta.is_file() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "it is not a plain file, but a folder, pipe or device",
        ));
    }
    match meta.len() > most {
        true => Err(too_large(most)),
        false => Ok(()),
    }
}

fn too_large(most: u64) -> Error {
    Error::new(
        ErrorKind::FileTooLarge,
        format!(
            "it is larger than {} MiB, the limit for such files",
            most >> 20
        ),
    )
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn flags(options: &mut OpenOptions, is_own: bool) {
    use std::os::unix::fs::OpenOptionsExt;
    let own = if is_own { libc::O_NOFOLLOW } else { 0 };
    options.custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC | own);
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn flags(_options: &mut OpenOptions, _is_own: bool) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_of_a_sane_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read_text(&path, 4).unwrap(), "four");
        assert_eq!(read(&path, 3).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert!(read(folder.path(), 9).is_err());
        assert!(read(&folder.path().join("none"), 9).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn neither_pipes_nor_devices_are_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(read(&pipe, 9).is_err());
            assert!(open_own(&pipe).is_err());
        }
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        assert!(read(&link, 9).is_err());
        // What a link points to is not written to.
        let other = folder.path().join("other");
        std::fs::write(&other, "mine").unwrap();
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&other, &link).unwrap();
        assert!(open_own(&link).is_err());
        assert_eq!(read_text(&link, 9).unwrap(), "mine");
    }
}
