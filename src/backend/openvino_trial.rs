//! A timed trial of OpenVINO against the plain runtime on this machine, kept in the cache folder.
//!
//! Which of the two is faster depends on the processor, so nobody decides it without having measured. The trial is run
//! when the user has OpenVINO installed.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The first words of the file; another version of it is not read.
const SCHEMA: &str = "ftuseg/trial/1";
/// A gain under this is noise, and not worth another library.
const WORTH_IT: f64 = 1.15;
/// Masks that differ more than this are not the same masks.
const SAME_MASK: f64 = 0.998;
/// A trial is a few hundred bytes.
const LIMIT: u64 = 1 << 16;

/// What a trial found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trial {
    schema: String,
    /// The processor that it was made on.
    pub processor: String,
    /// sha256 of the runtime library with OpenVINO.
    pub library_sha256: String,
    /// Threads of both.
    pub threads: usize,
    /// What OpenVINO computed in: `fp32` or `bf16`.
    pub arithmetic: String,
    /// Time of the plain runtime over OpenVINO's, the median of `rounds` interleaved rounds.
    pub speed: f64,
    /// Rounds that were measured.
    pub rounds: usize,
    /// Dice of the two masks of a drawn core.
    pub dice: f64,
}

/// The trial's file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the trial cannot be saved in {}: {cause}; check the folder's permissions", path.display())]
pub struct TrialError {
    path: PathBuf,
    cause: std::io::Error,
}

impl Trial {
    /// A trial that was just made on this machine.
    pub fn new(
        library_sha256: &str,
        threads: usize,
        arithmetic: &str,
        speed: f64,
        rounds: usize,
        dice: f64,
    ) -> Self {
        Trial {
            schema: SCHEMA.to_owned(),
            processor: processor(),
            library_sha256: library_sha256.to_owned(),
            threads,
            arithmetic: arithmetic.to_owned(),
            speed,
            rounds,
            dice,
        }
    }

    /// The trial of this machine, if there is one that can be read. A broken file is no trial.
    pub fn read(cache: &Path) -> Option<Self> {
        Self::find(cache).ok().flatten()
    }

    /// As [`Trial::read`], but says what is wrong with a file that is broken. One of another version is no trial.
    pub(super) fn find(cache: &Path) -> Result<Option<Self>, String> {
        let path = place(cache);
        let bad = |error: &dyn fmt::Display| {
            format!("the trial in {} cannot be read: {error}", path.display())
        };
        let text = match ftuseg_files::plain::read(&path, LIMIT) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(bad(&error)),
        };
        let any: serde_json::Value = serde_json::from_slice(&text).map_err(|error| bad(&error))?;
        if any.get("schema").is_none_or(|schema| schema != SCHEMA) {
            return Ok(None);
        }
        serde_json::from_value(any)
            .map(Some)
            .map_err(|error| bad(&error))
    }

    /// Keeps the trial in the cache folder, whole or not at all. Returns its path.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn keep(&self, cache: &Path) -> Result<PathBuf, TrialError> {
        let path = place(cache);
        let failed = |cause| TrialError {
            path: path.clone(),
            cause,
        };
        fs::create_dir_all(cache).map_err(failed)?;
        ftuseg_files::whole::replace(&path, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })
        .map_err(|error| failed(error.cause))?;
        Ok(path)
    }

    /// Whether it shows that OpenVINO is worth it on this processor with so many threads.
    pub fn speaks_for_it(&self, threads: usize) -> bool {
        self.speed >= WORTH_IT
            && self.dice >= SAME_MASK
            && self.threads == threads
            && self.processor == processor()
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.2} times as fast as the plain runtime in {} on this machine (median of {} rounds, Dice of the masks {:.4})",
            self.speed, self.arithmetic, self.rounds, self.dice
        )
    }
}

fn place(cache: &Path) -> PathBuf {
    // One home folder may serve several kinds of machines.
    cache.join(format!("openvino-trial-{}.json", std::env::consts::ARCH))
}

/// What the processor calls itself; the architecture where it does not say.
fn processor() -> String {
    let named = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    named.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(speed: f64, dice: f64) -> Trial {
        Trial::new("00", 4, "bf16", speed, 9, dice)
    }

    #[test]
    fn only_a_clear_gain_with_the_same_mask_speaks_for_it() {
        assert!(trial(1.7, 0.9995).speaks_for_it(4));
        assert!(!trial(1.05, 1.0).speaks_for_it(4));
        assert!(!trial(1.7, 0.99).speaks_for_it(4));
        assert!(!trial(f64::NAN, f64::NAN).speaks_for_it(4));
        assert!(
            !trial(1.7, 1.0).speaks_for_it(2),
            "with other threads it is another question"
        );
        let elsewhere = Trial {
            processor: "another".to_owned(),
            ..trial(1.7, 1.0)
        };
        assert!(!elsewhere.speaks_for_it(4));
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_broken_is_no_trial() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Trial::read(folder.path()), None);
        let kept = trial(1.5, 1.0);
        let path = kept.keep(folder.path()).unwrap();
        assert_eq!(Trial::read(folder.path()), Some(kept));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("trial/1", "trial/9")).unwrap();
        assert_eq!(Trial::read(folder.path()), None);
        assert_eq!(Trial::find(folder.path()), Ok(None));
        for broken in ["{", "{\"schema\": \"ftuseg/trial/1\"}"] {
            fs::write(&path, broken).unwrap();
            assert_eq!(Trial::read(folder.path()), None);
            let reason = Trial::find(folder.path()).unwrap_err();
            assert!(reason.contains("openvino-trial"), "{reason}");
        }
    }
}
