//! Decides whether a slide of an earlier run can be kept.

use std::path::Path;

use serde_json::{Value, json};

use super::{Job, Outputs};
use crate::sink::Provenance;

/// The largest record that is read.
const MAX_RECORD_BYTES: u64 = 256 << 20;

/// What was found under a slide's final name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Earlier {
    /// Nothing, or something to be done again for the given reason.
    Redo,
    /// A result of the same input and settings, with its record.
    Same(Value),
    /// A result of other settings: they must not be mixed in one folder unasked.
    OtherSettings(String),
}

/// What of an input decides its result: size and time of change of the file, and what its manifest says of it.
const INPUT_KEYS: [&str; 4] = ["bytes", "modified", "organ", "mpp"];

/// An input, as records hold it.
pub(super) fn describe_input(job: &Job) -> std::io::Result<Value> {
    let meta = std::fs::metadata(&job.path)?;
    let modified = meta
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .map(|since| format!("{}.{:09}", since.as_secs(), since.subsec_nanos()));
    Ok(json!({
        "path": job.path.display().to_string(),
        "bytes": meta.len(),
        "modified": modified,
        "organ": job.organ,
        "mpp": job.resolution.map(|resolution| resolution.mpp),
    }))
}

/// What a result depends on beside the slide: program, bundle, backend, settings.
fn fingerprint(made_by: &Value) -> [(&'static str, Option<&Value>); 6] {
    [
        ("another program version", made_by.get("version")),
        ("another bundle", made_by.pointer("/bundle/sha256")),
        ("another backend", made_by.pointer("/runtime/backend")),
        // OpenVINO and bf16 round otherwise, so a px at the threshold can fall to the other side.
        ("another device", made_by.pointer("/runtime/device")),
        ("another arithmetic", made_by.pointer("/runtime/arithmetic")),
        ("other settings", made_by.get("settings")),
    ]
}

/// Looks at the folder of a slide.
pub(super) fn look(
    folder: &Path,
    input: &Value,
    outputs: Outputs,
    provenance: &Provenance,
) -> Earlier {
    let record = folder.join("slide.json");
    let small = std::fs::metadata(&record).is_ok_and(|meta| meta.len() <= MAX_RECORD_BYTES);
    let read = || -> Option<Value> { serde_json::from_slice(&std::fs::read(&record).ok()?).ok() };
    let Some(earlier) = small.then(read).flatten() else {
        return Earlier::Redo;
    };
    let ours = json!(provenance);
    let theirs = earlier.get("made_by").cloned().unwrap_or(Value::Null);
    for ((what, ours), (_, theirs)) in fingerprint(&ours).into_iter().zip(fingerprint(&theirs)) {
        if ours != theirs {
            return Earlier::OtherSettings(what.to_owned());
        }
    }
    let complete = outputs
        .files()
        .iter()
        .all(|file| folder.join(file).is_file());
    let same_input = INPUT_KEYS
        .iter()
        .all(|key| earlier.pointer(&format!("/input/{key}")) == input.get(*key));
    let path = |value: &Value| value.pointer("/path").cloned();
    if !same_input && earlier.get("input").and_then(path) != path(input) {
        return Earlier::OtherSettings("another file of the same name".to_owned());
    }
    // The row of submission.csv is made again from the mask.
    if complete && same_input && (outputs.mask || !outputs.rle) {
        Earlier::Same(earlier)
    } else {
        Earlier::Redo
    }
}
