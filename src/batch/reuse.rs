//! Decides whether a slide of an earlier run can be kept, and says why not.

use std::io::{self, Read};
use std::path::Path;

use ftuseg_records::{
    InputRecord, Provenance, SettingDifference, SlideRecord, SlideStatus, Status, read_slide,
};
use sha2::{Digest, Sha256};

use super::added_outputs::{Addition, lacking};
use super::deadline::Deadline;
use super::{Job, Outputs, SinkOptions};
use crate::bundle::hex;
use crate::mask::rle;
use crate::slide::{files_beside, files_of_slide};
use ftuseg_files::plain;

/// What was found under a slide's final name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Earlier {
    /// No folder.
    Nothing,
    /// Something to be done again, for a reason.
    Redo(String),
    /// A result of the same input and settings: its entry, its RLE where the record holds it, and what is to be made of
    /// it where it lacks outputs.
    Same(Box<SlideStatus>, Option<String>, Option<Addition>),
    /// A result of other settings or another file: how it was made. They must not be mixed in one folder unasked.
    OtherSettings(String),
}

/// How an input is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileIdentity {
    /// By size and time of change.
    ByChange,
    /// By the sha256 of its bytes.
    ByContent,
}

/// An input, as records hold it. `deadline` ends the reading of a large file.
pub(super) fn describe_input(
    job: &Job,
    identity: FileIdentity,
    deadline: &Deadline,
) -> io::Result<InputRecord> {
    let meta = std::fs::metadata(&job.path)?;
    let by_content = identity == FileIdentity::ByContent;
    if meta.is_dir() {
        return describe_folder(job, by_content, deadline);
    }
    let mut input = InputRecord {
        path: job.path.display().to_string(),
        bytes: meta.len(),
        modified: modified(&meta),
        organ: job.organ.clone(),
        mpp: job.resolution.map(|resolution| resolution.mpp),
        // Whatever is no regular file may have no end.
        sha256: (by_content && meta.is_file())
            .then(|| sum(&job.path, deadline))
            .transpose()?,
        beside: None,
        beside_sha256: None,
    };
    let beside = files_beside(&job.path)?;
    if beside.is_empty() {
        return Ok(input);
    }
    let (mut listing, mut content) = (String::new(), String::new());
    for file in &beside {
        deadline.check()?;
        let meta = std::fs::metadata(file)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let changed = modified(&meta).unwrap_or_default();
        listing += &format!("{name}\0{}\0{changed}\n", meta.len());
        if by_content {
            content += &format!("{name}\0{}\n", sum(file, deadline)?);
        }
    }
    let of = |text: &str| hex(&Sha256::digest(text));
    input.beside = Some(of(&listing));
    input.beside_sha256 = by_content.then(|| of(&content));
    Ok(input)
}

/// A slide that is a folder: its files together. Its bytes are theirs, its time of change that of the newest.
fn describe_folder(job: &Job, by_content: bool, deadline: &Deadline) -> io::Result<InputRecord> {
    let mut newest = None;
    let mut bytes = 0;
    let (mut listing, mut content) = (Sha256::new(), Sha256::new());
    for file in files_of_slide(&job.path)? {
        deadline.check()?;
        let meta = std::fs::metadata(&file)?;
        let name = file.strip_prefix(&job.path).unwrap_or(&file).display();
        let changed = modified(&meta).unwrap_or_default();
        listing.update(format!("{name}\0{}\0{changed}\n", meta.len()));
        if by_content {
            content.update(format!("{name}\0{}\n", sum(&file, deadline)?));
        }
        bytes += meta.len();
        newest = newest.max(meta.modified().ok());
    }
    Ok(InputRecord {
        path: job.path.display().to_string(),
        bytes,
        modified: newest.and_then(since_1970),
        organ: job.organ.clone(),
        mpp: job.resolution.map(|resolution| resolution.mpp),
        sha256: by_content.then(|| hex(&content.finalize())),
        beside: Some(hex(&listing.finalize())),
        beside_sha256: None,
    })
}

/// Why an input is not the one that a record is of; `None` where it is.
fn changed(
    theirs: &InputRecord,
    ours: &InputRecord,
    identity: FileIdentity,
) -> Option<&'static str> {
    let of_file = match identity {
        FileIdentity::ByChange => [
            (theirs.bytes != ours.bytes, "its file has another size"),
            (theirs.modified != ours.modified, "its file has changed"),
            (
                theirs.beside != ours.beside,
                "the files that belong to it have changed",
            ),
        ],
        FileIdentity::ByContent => [
            (theirs.sha256 != ours.sha256, "its file has other bytes"),
            (
                theirs.beside_sha256 != ours.beside_sha256,
                "the files that belong to it have other bytes",
            ),
            (false, ""),
        ],
    };
    let of_table = [
        (
            theirs.organ != ours.organ,
            "its manifest names another organ",
        ),
        (theirs.mpp != ours.mpp, "its manifest names another um/px"),
    ];
    let mut all = of_file.into_iter().chain(of_table);
    all.find(|(is_so, _)| *is_so).map(|(_, reason)| reason)
}

/// A file's time of change, seconds since 1970 with nanoseconds.
fn modified(meta: &std::fs::Metadata) -> Option<String> {
    since_1970(meta.modified().ok()?)
}

fn since_1970(time: std::time::SystemTime) -> Option<String> {
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{}.{:09}", since.as_secs(), since.subsec_nanos()))
}

/// sha256 of a file, as 64 hexadecimal digits.
fn sum(path: &Path, deadline: &Deadline) -> io::Result<String> {
    let mut file = plain::open(path, u64::MAX)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        deadline.check()?;
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => sum.update(&buffer[..got]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hex(&sum.finalize()))
}

/// The record of a slide's folder, if there is one that this version can read.
pub(super) fn record_of(folder: &Path) -> Option<SlideRecord> {
    let record = read_slide(&folder.join("slide.json")).ok()?;
    let pixels = u64::from(record.width) * u64::from(record.height);
    let is_whole = |row: &String| rle::check(row, pixels).is_ok();
    record.rle.as_ref().is_none_or(is_whole).then_some(record)
}

/// Everything in which the run that made a record differs from ours and that can change a result.
pub(super) fn differences(record: &SlideRecord, ours: &Provenance) -> Vec<SettingDifference> {
    let mut all = record.made_by.differences(ours);
    all.extend(of_reader(&record.reader));
    all
}

/// The version of OpenSlide, if that is not the one that read a slide before.
#[cfg(feature = "openslide")]
fn of_reader(reader: &str) -> Option<SettingDifference> {
    let old = reader.strip_prefix("OpenSlide ")?;
    // If there is none, the slide fails when its turn comes.
    let new = crate::slide::openslide_version().ok()?;
    (old != new).then(|| SettingDifference {
        what: "OpenSlide version".to_owned(),
        old: old.to_owned(),
        new: new.to_owned(),
    })
}

#[cfg(not(feature = "openslide"))]
fn of_reader(_reader: &str) -> Option<SettingDifference> {
    None
}

/// Looks at the folder of a slide. `input` is the slide as it is now.
pub(super) fn look(
    folder: &Path,
    input: &InputRecord,
    identity: FileIdentity,
    (outputs, options): (Outputs, SinkOptions),
    provenance: &Provenance,
) -> Earlier {
    if !folder.exists() {
        return Earlier::Nothing;
    }
    let redo = |reason: &str| Earlier::Redo(reason.to_owned());
    let Some(record) = record_of(folder) else {
        return redo("its slide.json cannot be read");
    };
    let differences = differences(&record, provenance);
    if !differences.is_empty() {
        return Earlier::OtherSettings(format!(
            "with other settings ({})",
            SettingDifference::list(&differences)
        ));
    }
    if let Some(reason) = changed(&record.input, input, identity) {
        let is_same_file = record.input.path == input.path;
        let lacks_sum = identity == FileIdentity::ByContent && record.input.sha256.is_none();
        return match (lacks_sum, is_same_file) {
            (true, true) => redo("its record has no sha256 of its file to compare with"),
            (false, true) => redo(reason),
            (_, false) => Earlier::OtherSettings("from another file of the same name".to_owned()),
        };
    }
    let addition = match lacking(folder, &record, outputs, options) {
        Ok(addition) => addition,
        Err(reason) => return redo(&reason),
    };
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut status = status_of(&name, &record);
    status.path.clone_from(&input.path);
    status.reason =
        Some("it was already done, from the same input with the same settings".to_owned());
    Earlier::Same(Box::new(status), record.rle, addition)
}

/// The entry of a slide that an earlier run did, from the name of its folder and its record.
pub(super) fn status_of(folder: &str, record: &SlideRecord) -> SlideStatus {
    let mut status = SlideStatus {
        tiles: record.tiles,
        warnings: record.warnings.clone(),
        folder: Some(format!("slides/{folder}")),
        ..SlideStatus::new(&record.id, record.input.path.clone(), Status::Skipped)
    };
    status.put_organs(&record.organs);
    status
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
        let deadline = Deadline::start(None, Vec::new());
        let inputs = || {
            [FileIdentity::ByChange, FileIdentity::ByContent]
                .map(|identity| describe_input(&job, identity, &deadline).unwrap())
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
        assert_eq!(swapped[1].sha256, before[1].sha256);
        assert_ne!(swapped[1].beside_sha256, before[1].beside_sha256);
        bytes.push(0);
        std::fs::write(&data, &bytes).unwrap();
        assert_ne!(inputs()[0].beside, before[0].beside);
        assert_eq!(inputs()[0].bytes, before[0].bytes);
    }
}
