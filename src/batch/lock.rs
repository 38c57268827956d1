//! Keeps two programs from writing into one output folder: a lock that the system takes back when its holder dies.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::BatchError;
use ftuseg_files::plain;

/// The lock's file in the output folder. It stays there when the lock is given back: to remove it would let two
/// programs each lock a file of that name.
const NAME: &str = ".ftuseg.lock";
/// How often a waiting program looks again.
const PAUSE: Duration = Duration::from_millis(200);
/// The most that is read of what a holder says of itself.
const MAX_HOLDER_BYTES: u64 = 300;

/// What to do when another program holds the output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locking {
    /// Refuse to start, and say who holds it.
    #[default]
    Refuse,
    /// Wait until it is free.
    Wait,
    /// Take no lock, for file systems that know none. Two programs can then spoil each other's results.
    Off,
}

/// A lock on an output folder, held until it is dropped or the program ends, however it ends.
pub(super) struct FolderLock(Option<File>);

impl FolderLock {
    /// Takes the lock of a folder to write into it. `told` is called once if it has to wait; `stop` ends the waiting.
    pub(super) fn take(
        out: &Path,
        locking: Locking,
        stop: &AtomicBool,
        told: &dyn Fn(&str),
    ) -> Result<Self, BatchError> {
        if locking == Locking::Off {
            return Ok(FolderLock(None));
        }
        let path = out.join(NAME);
        let mut file = plain::open_own(&path).map_err(|error| {
            BatchError::output(out, format!("the folder cannot be written to: {error}"))
        })?;
        let mut is_told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if locking == Locking::Wait => {
                    if !is_told {
                        told(&format!(
                            "waiting for {}, which is writing here",
                            holder(&mut file)
                        ));
                        is_told = true;
                    }
                    if stop.load(Ordering::Relaxed) {
                        return Err(BatchError::Stopped);
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(BatchError::Locked {
                        path: out.to_owned(),
                        holder: holder(&mut file),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(unlockable(out, error)),
            }
        }
        // Only for people who wonder who it is: the lock holds without it, so a full disk does not matter here.
        let _ = file.set_len(0);
        let _ = file.rewind();
        let _ = write!(
            file,
            "process {} on {}",
            std::process::id(),
            gethostname::gethostname().to_string_lossy()
        );
        Ok(FolderLock(Some(file)))
    }

    /// Takes the lock of a folder to read it, as long as nobody writes into it.
    pub(super) fn take_to_read(out: &Path, locking: Locking) -> Result<Self, BatchError> {
        let Ok(mut file) = plain::open(&out.join(NAME), u64::MAX) else {
            // A folder that was never locked, or was copied without its hidden files.
            return Ok(FolderLock(None));
        };
        if locking == Locking::Off {
            return Ok(FolderLock(None));
        }
        match file.try_lock_shared() {
            Ok(()) => Ok(FolderLock(Some(file))),
            Err(TryLockError::WouldBlock) => Err(BatchError::output(
                out,
                format!(
                    "{} is still writing into this folder; wait until it is done",
                    holder(&mut file)
                ),
            )),
            Err(TryLockError::Error(error)) => Err(unlockable(out, error)),
        }
    }
}

fn unlockable(out: &Path, cause: std::io::Error) -> BatchError {
    BatchError::NoLocks {
        path: out.to_owned(),
        cause,
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // Closing gives it back in any case.
            let _ = file.unlock();
        }
    }
}

/// Who holds the lock, as it said itself; where the system lets nobody read a locked file, just that there is one.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.rewind();
    let _ = file.take(MAX_HOLDER_BYTES).read_to_string(&mut text);
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    if text.is_empty() {
        "another program".to_owned()
    } else {
        format!("another program ({text})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_or_many_readers() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let stop = AtomicBool::new(false);
        let take = |locking| FolderLock::take(out, locking, &stop, &|_| {});
        // Nobody has written here yet.
        FolderLock::take_to_read(out, Locking::Refuse).unwrap();
        let held = take(Locking::Refuse).unwrap();
        let id = std::process::id().to_string();
        for error in [
            take(Locking::Refuse).err().unwrap(),
            FolderLock::take_to_read(out, Locking::Refuse)
                .err()
                .unwrap(),
        ] {
            let text = error.to_string();
            assert!(cfg!(windows) || text.contains(&id), "{text}");
        }
        take(Locking::Off).unwrap();
        drop(held);
        let reading = FolderLock::take_to_read(out, Locking::Refuse).unwrap();
        FolderLock::take_to_read(out, Locking::Refuse).unwrap();
        assert!(take(Locking::Refuse).is_err());
        drop(reading);
        take(Locking::Refuse).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (out, other) = (folder.path().join("out"), folder.path().join("other"));
        std::fs::create_dir(&out).unwrap();
        std::fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, out.join(NAME)).unwrap();
        let stop = AtomicBool::new(false);
        let refused = FolderLock::take(&out, Locking::Refuse, &stop, &|_| {});
        let text = refused.err().unwrap().to_string();
        assert!(text.contains("a link"), "{text}");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
    }

    #[test]
    fn who_waits_gets_it_or_can_be_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let stop = AtomicBool::new(false);
        let held = std::sync::Mutex::new(Some(
            FolderLock::take(out, Locking::Refuse, &stop, &|_| {}).unwrap(),
        ));
        // The holder goes once the other one says that it waits.
        FolderLock::take(out, Locking::Wait, &stop, &|line| {
            assert!(line.contains("waiting"), "{line}");
            held.lock().unwrap().take();
        })
        .unwrap();
        let _held = FolderLock::take(out, Locking::Refuse, &stop, &|_| {}).unwrap();
        let stopped = FolderLock::take(out, Locking::Wait, &stop, &|_| {
            stop.store(true, Ordering::Relaxed);
        });
        assert!(stopped.is_err());
    }
}
