//! Writes one slide's folder: all files under a temporary name, then one rename.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::cleanup::{old_of, part_of};
use crate::sink::{Outputs, RecordSink, Sink, SinkError, SinkOptions, SlideFindings, write_record};
use ftuseg_records::SlideRecord;

/// Replaces the folder `name` of a finished slide by one that has more: the files that are there are taken over, those of
/// `made` are written from the findings, and the record is the one that is given.
///
/// # Errors
/// When a file cannot be written; then the older folder is still there.
pub(super) fn add_to_folder(
    slides: &Path,
    name: &str,
    findings: Option<&SlideFindings<'_>>,
    (kept, made, options): (Outputs, Outputs, SinkOptions),
    record: &SlideRecord,
) -> Result<(), SinkError> {
    let temporary = Temporary::new(slides, name)?;
    for output in kept.iter() {
        let Some(file) = output.file_name() else {
            continue;
        };
        let (from, to) = (slides.join(name).join(file), temporary.path.join(file));
        match output.is_folder() {
            true => take_over_folder(&from, &to)?,
            false => take_over(&from, &to)?,
        }
    }
    if let Some(findings) = findings {
        for sink in made.iter().filter_map(|output| output.sink(options)) {
            sink.write(findings, &temporary.path.join(sink.file_name()))?;
        }
    }
    write_record(record, &temporary.path.join("slide.json"))?;
    temporary.become_final(&slides.join(name))
}

/// Gives a finished file a second name, or a copy where the file system knows no second names. A link is not followed.
fn take_over(from: &Path, to: &Path) -> Result<(), SinkError> {
    let io = |cause| SinkError::Io {
        path: from.to_owned(),
        cause,
    };
    if !std::fs::symlink_metadata(from).map_err(io)?.is_file() {
        return Err(io(std::io::Error::other("it is no plain file")));
    }
    if std::fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    std::fs::copy(from, to).map_err(io)?;
    std::fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(io)
}

/// The same for a folder and all below it.
fn take_over_folder(from: &Path, to: &Path) -> Result<(), SinkError> {
    let io = |cause| SinkError::Io {
        path: from.to_owned(),
        cause,
    };
    let is_folder = std::fs::symlink_metadata(from).map_err(io)?.is_dir();
    if !is_folder {
        return Err(io(std::io::Error::other("it is no folder")));
    }
    std::fs::create_dir(to).map_err(io)?;
    for entry in std::fs::read_dir(from).map_err(io)? {
        let entry = entry.map_err(io)?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().map_err(io)?.is_dir() {
            true => take_over_folder(&from, &to)?,
            false => take_over(&from, &to)?,
        }
    }
    Ok(())
}

/// Writes the folder `name` of a slide below `slides`. An older one is replaced.
///
/// # Errors
/// When a file cannot be written; then there is no folder, or the older one is still there.
pub(super) fn write_folder(
    slides: &Path,
    name: &str,
    findings: &SlideFindings<'_>,
    (outputs, options): (Outputs, SinkOptions),
    record: impl FnOnce() -> RecordSink,
) -> Result<(), SinkError> {
    let temporary = Temporary::new(slides, name)?;
    // Side by side: each is one thread's work for much of its time. Of several errors that of the first output is told, and
    // of outputs without objects before all others, since they are written while the objects are found.
    let write = |sinks: &[Box<dyn Sink>]| -> Result<(), SinkError> {
        let write_one = |sink: &dyn Sink| {
            let path = temporary.path.join(sink.file_name());
            sink.write(findings, &path)
        };
        let written: Vec<_> = sinks.par_iter().map(|sink| write_one(&**sink)).collect();
        written.into_iter().collect()
    };
    let sinks = outputs.iter().filter_map(|output| output.sink(options));
    let (later, at_once): (Vec<_>, Vec<_>) = sinks.partition(|sink| sink.needs_objects());
    let (found, written) = rayon::join(|| findings.objects().map(drop), || write(&at_once));
    written.and(found)?;
    write(&later)?;
    // The record comes last, so that it knows how long the others took.
    let record = record();
    record.write(findings, &temporary.path.join(record.file_name()))?;
    temporary.become_final(&slides.join(name))
}

/// A folder that is removed unless it gets its final name.
struct Temporary {
    path: PathBuf,
    old: PathBuf,
}

impl Temporary {
    fn new(slides: &Path, id: &str) -> Result<Self, SinkError> {
        let (path, old) = (part_of(slides, id), old_of(slides, id));
        let io = |cause| SinkError::Io {
            path: path.clone(),
            cause,
        };
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(io)?;
        }
        std::fs::create_dir_all(&path).map_err(io)?;
        Ok(Temporary { path, old })
    }

    fn become_final(self, target: &Path) -> Result<(), SinkError> {
        let io = |cause| SinkError::Io {
            path: target.to_owned(),
            cause,
        };
        sync_folder(&self.path);
        if target.exists() {
            // A folder cannot be renamed over a full one: the old one steps aside first. A run that is killed between
            // the two renames leaves it to the next one, which gives it its name back.
            std::fs::rename(target, &self.old).map_err(io)?;
            if let Err(error) = std::fs::rename(&self.path, target) {
                let _ = std::fs::rename(&self.old, target);
                return Err(io(error));
            }
            // What is left of the old one is hidden and harmless.
            let _ = std::fs::remove_dir_all(&self.old);
        } else {
            std::fs::rename(&self.path, target).map_err(io)?;
        }
        if let Some(slides) = target.parent() {
            sync_folder(slides);
        }
        Ok(())
    }
}

/// Waits until a folder's names are on the disk, so that they outlast a loss of power.
fn sync_folder(folder: &Path) {
    // Not every file system can, and a result that is there without it is no failure.
    if cfg!(unix)
        && let Ok(folder) = std::fs::File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing under this name any more.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
