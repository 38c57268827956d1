//! Runs the program as a child and says how long it took and how much memory it held.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::peak::peak_mib;

/// One run of `ftuseg segment`.
pub(crate) struct Ran {
    /// From the start of the process to its end.
    pub(crate) wall: f64,
    /// The largest resident memory, MiB; `None` where the system does not tell.
    pub(crate) peak: Option<f64>,
    /// The slide's record.
    pub(crate) record: Value,
}

impl Ran {
    /// A number of the record.
    pub(crate) fn number(&self, pointer: &str) -> f64 {
        self.record
            .pointer(pointer)
            .and_then(Value::as_f64)
            .unwrap_or(f64::NAN)
    }
}

/// Segments one slide into a fresh folder; on the plain processor unless `more` names another device, whatever a trial
/// on this machine has found.
pub(crate) fn segment(
    slide: &Path,
    bundle: &Path,
    more: &[&str],
) -> Result<Ran, Box<dyn std::error::Error>> {
    let out = tempfile::tempdir()?;
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftuseg"))
        .arg("segment")
        .arg(slide)
        .arg("--out")
        .arg(out.path())
        .arg("--bundle")
        .arg(bundle)
        .args(more)
        .args(match more.contains(&"--device") {
            true => &[][..],
            false => &["--device", "cpu"],
        })
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut peak = None;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // The high-water mark only rises, so the last look before the end is the one that counts.
        peak = peak_mib(&child.id().to_string()).or(peak);
        std::thread::sleep(Duration::from_millis(2));
    };
    let wall = started.elapsed().as_secs_f64();
    if !status.success() {
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            std::io::Read::read_to_string(&mut stderr, &mut said)?;
        }
        return Err(format!("ftuseg ended with {status}: {said}").into());
    }
    let mut records = std::fs::read_dir(out.path().join("slides"))?;
    let folder = records.next().ok_or("no slide was written")??;
    let record = serde_json::from_slice(&std::fs::read(folder.path().join("slide.json"))?)?;
    Ok(Ran { wall, peak, record })
}
