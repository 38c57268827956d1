//! Decides whether a slide of an earlier run can be kept, and says why not.

use std::io::{self, Read};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::watch::Clock;
use super::{Job, Outputs, SlideStatus, Status};
use crate::bundle::hex;
use crate::pipeline::TileCount;
use crate::sink::Provenance;
use crate::slide::files_beside;
use ftuseg_files::plain;

/// The largest record that is read.
const MAX_RECORD_BYTES: u64 = 256 << 20;

/// What was found under a slide's final name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Earlier {
    /// No folder.
    Nothing,
    /// Something to be done again, for a reason.
    Redo(String),
    /// A result of the same input and settings: its entry, and its RLE where the record holds it.
    Same(Box<SlideStatus>, Option<String>),
    /// A result of other settings: they must not be mixed in one folder unasked.
    OtherSettings(String),
}

/// How an input is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// By size and time of change.
    ByChange,
    /// By the sha256 of its bytes.
    ByContent,
}

/// What of an input decides its result, and how that is called.
const BY_CHANGE: [(&str, &str); 5] = [
    ("bytes", "its file has another size"),
    ("modified", "its file was changed"),
    ("beside", "the files that belong to it were changed"),
    ("organ", "its manifest names another organ"),
    ("mpp", "its manifest names another um/px"),
];
const BY_CONTENT: [(&str, &str); 4] = [
    ("sha256", "its file has other bytes"),
    (
        "beside_sha256",
        "the files that belong to it have other bytes",
    ),
    ("organ", "its manifest names another organ"),
    ("mpp", "its manifest names another um/px"),
];

/// An input, as records hold it. `clock` ends the reading of a large file.
pub(super) fn describe_input(job: &Job, known: Known, clock: &Clock) -> io::Result<Value> {
    let meta = std::fs::metadata(&job.path)?;
    let mut input = json!({
        "path": job.path.display().to_string(),
        "bytes": meta.len(),
        "modified": modified(&meta),
        "organ": job.organ,
        "mpp": job.resolution.map(|resolution| resolution.mpp),
    });
    // Whatever is no regular file may have no end.
    if known == Known::ByContent && meta.is_file() {
        input["sha256"] = json!(sum(&job.path, clock)?);
    }
    let beside = files_beside(&job.path)?;
    if beside.is_empty() {
        return Ok(input);
    }
    let (mut listing, mut content) = (String::new(), String::new());
    for file in &beside {
        clock.check()?;
        let meta = std::fs::metadata(file)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let changed = modified(&meta).unwrap_or_default();
        listing += &format!("{name}\0{}\0{changed}\n", meta.len());
        if known == Known::ByContent {
            content += &format!("{name}\0{}\n", sum(file, clock)?);
        }
    }
    let of = |text: &str| json!(hex(&Sha256::digest(text)));
    input["beside"] = of(&listing);
    if known == Known::ByContent {
        input["beside_sha256"] = of(&content);
    }
    Ok(input)
}

/// A file's time of change, seconds since 1970 with nanoseconds.
fn modified(meta: &std::fs::Metadata) -> Option<String> {
    let since = meta
        .modified()
        .ok()?
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    Some(format!("{}.{:09}", since.as_secs(), since.subsec_nanos()))
}

/// sha256 of a file, as 64 hexadecimal digits.
fn sum(path: &Path, clock: &Clock) -> io::Result<String> {
    let mut file = plain::open(path, u64::MAX)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        clock.check()?;
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => sum.update(&buffer[..got]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hex(&sum.finalize()))
}

/// What a result depends on beside the slide: program, bundle, backend, device, settings. Also of a whole `run.json`.
pub(super) fn difference(made_by: &Value, ours: &Value) -> Option<&'static str> {
    [
        ("another program version", "/version"),
        ("another bundle", "/bundle/sha256"),
        ("another backend", "/runtime/backend"),
        ("another version of the runtime", "/runtime/version"),
        // OpenVINO and bf16 round otherwise, so a px at the threshold can fall to the other side.
        ("another device", "/runtime/device"),
        ("another arithmetic", "/runtime/arithmetic"),
        ("other settings", "/settings"),
    ]
    .into_iter()
    .find(|(_, pointer)| made_by.pointer(pointer) != ours.pointer(pointer))
    .map(|(what, _)| what)
}

/// Reads the record of a slide's folder.
pub(super) fn read_record(folder: &Path) -> Option<Value> {
    let text = plain::read(&folder.join("slide.json"), MAX_RECORD_BYTES).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Looks at the folder of a slide. `input` is the slide as it is now.
pub(super) fn look(
    folder: &Path,
    input: &Value,
    known: Known,
    outputs: Outputs,
    provenance: &Provenance,
) -> Earlier {
    if !folder.exists() {
        return Earlier::Nothing;
    }
    let redo = |reason: &str| Earlier::Redo(reason.to_owned());
    let Some(record) = read_record(folder) else {
        return redo("its slide.json cannot be read");
    };
    let made_by = record.get("made_by").cloned().unwrap_or(Value::Null);
    if let Some(what) = difference(&made_by, &json!(provenance)) {
        return Earlier::OtherSettings(what.to_owned());
    }
    let theirs = record.get("input").cloned().unwrap_or(Value::Null);
    let keys = match known {
        Known::ByChange => &BY_CHANGE[..],
        Known::ByContent => &BY_CONTENT,
    };
    let differs = keys
        .iter()
        .find(|(key, _)| theirs.get(*key) != input.get(*key));
    if let Some((key, reason)) = differs {
        return match (*key, theirs.get("path") == input.get("path")) {
            ("sha256" | "beside_sha256", true) if theirs.get("sha256").is_none() => {
                redo("its record holds no sha256 of its file, as --verify-input needs")
            }
            (_, true) => redo(reason),
            (_, false) => Earlier::OtherSettings("another file of the same name".to_owned()),
        };
    }
    if let Some(file) = outputs
        .files()
        .iter()
        .find(|file| !folder.join(file).is_file())
    {
        return redo(&format!("its {file} is missing"));
    }
    let rle = record.get("rle").and_then(Value::as_str).map(str::to_owned);
    if outputs.rle && !outputs.mask && rle.is_none() {
        return redo("its record holds no RLE");
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut status = status_of(&name, &record);
    status.path = input["path"].as_str().unwrap_or_default().to_owned();
    status.reason = Some("it is there already, made from the same input and settings".to_owned());
    Earlier::Same(Box::new(status), rle)
}

/// The entry of a slide that an earlier run did, from the name of its folder and its record.
pub(super) fn status_of(folder: &str, record: &Value) -> SlideStatus {
    let number = |pointer: &str| record.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let text = |pointer: &str| {
        record
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let organs = record.get("organs").and_then(Value::as_array);
    let mut areas = organs
        .into_iter()
        .flatten()
        .map(|organ| organ.get("area_mm2").and_then(Value::as_f64));
    SlideStatus {
        tiles: TileCount {
            planned: number("/tiles/planned"),
            inferred: number("/tiles/inferred"),
        },
        organ: text("/organ"),
        objects: organs
            .into_iter()
            .flatten()
            .filter_map(|organ| organ.get("objects")?.as_u64())
            .fold(0, u64::saturating_add),
        // A kind of another version is not worth the whole record.
        warnings: record
            .get("warnings")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|warning| serde_json::from_value(warning.clone()).ok())
            .collect(),
        // Unknown if one of them is.
        area_mm2: areas.try_fold(0.0, |sum, area| Some(sum + area?)),
        folder: Some(format!("slides/{folder}")),
        ..SlideStatus::new(
            &text("/id").unwrap_or_else(|| folder.to_owned()),
            text("/input/path").unwrap_or_default(),
            Status::Skipped,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slide_of_several_files_is_known_by_all_of_them() {
        let foreign = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slides/foreign");
        let work = tempfile::tempdir().unwrap();
        std::fs::create_dir(work.path().join("mirax")).unwrap();
        let files = [
            "mirax.mrxs",
            "mirax/Slidedat.ini",
            "mirax/Index.dat",
            "mirax/Data0000.dat",
        ];
        for file in files {
            std::fs::copy(foreign.join(file), work.path().join(file)).unwrap();
        }
        let job = Job::new("mirax".to_owned(), work.path().join("mirax.mrxs"));
        let clock = Clock::start(None, Vec::new());
        let inputs = || {
            [Known::ByChange, Known::ByContent]
                .map(|known| describe_input(&job, known, &clock).unwrap())
        };
        let before = inputs();
        assert_eq!(before, inputs());
        // Other bytes, the same size, and a time of change that is put back: only the content tells.
        let data = work.path().join("mirax/Data0000.dat");
        let time = std::fs::metadata(&data).unwrap().modified().unwrap();
        let mut bytes = std::fs::read(&data).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&data, &bytes).unwrap();
        std::fs::File::options()
            .write(true)
            .open(&data)
            .unwrap()
            .set_modified(time)
            .unwrap();
        let swapped = inputs();
        assert_eq!(swapped[0], before[0]);
        assert_eq!(swapped[1]["sha256"], before[1]["sha256"]);
        assert_ne!(swapped[1]["beside_sha256"], before[1]["beside_sha256"]);
        bytes.push(0);
        std::fs::write(&data, &bytes).unwrap();
        assert_ne!(inputs()[0]["beside"], before[0]["beside"]);
        assert_eq!(inputs()[0]["bytes"], before[0]["bytes"]);
    }
}
