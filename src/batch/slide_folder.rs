//! Writes one slide's folder: all files under a temporary name, then one rename.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use ftuseg_records::Written;

use super::cleanup::{old_of, part_of};
use crate::sink::{
    GeoJson, MaskTiff, Overlay, ProbabilityTiff, RecordSink, Sink, SinkError, SlideFindings,
};

/// Which outputs are written beside `slide.json`, which always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outputs {
    /// The row in `submission.csv`.
    pub rle: bool,
    /// `mask.tif`.
    pub mask: bool,
    /// `objects.geojson`.
    pub geojson: bool,
    /// `overlay.png`.
    pub overlay: bool,
    /// `prob.tif`.
    pub prob: bool,
}

impl From<Outputs> for Written {
    fn from(outputs: Outputs) -> Self {
        Written {
            rle: outputs.rle,
            mask: outputs.mask,
            geojson: outputs.geojson,
            overlay: outputs.overlay,
            prob: outputs.prob,
        }
    }
}

impl Outputs {
    /// All that people look at; the probabilities, which are large, are asked for by name.
    pub const ALL: Outputs = Outputs {
        rle: true,
        mask: true,
        geojson: true,
        overlay: true,
        prob: false,
    };

    fn sinks(self) -> Vec<Box<dyn Sink>> {
        let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
        if self.mask {
            sinks.push(Box::new(MaskTiff));
        }
        if self.geojson {
            sinks.push(Box::new(GeoJson));
        }
        if self.overlay {
            sinks.push(Box::new(Overlay::default()));
        }
        if self.prob {
            sinks.push(Box::new(ProbabilityTiff));
        }
        sinks
    }

    /// The names of the files that a finished slide has.
    pub(super) fn files(self) -> Vec<&'static str> {
        let mut files: Vec<_> = self.sinks().iter().map(|sink| sink.file_name()).collect();
        files.push("slide.json");
        files
    }
}

/// Writes the folder `name` of a slide below `slides`. An older one is replaced.
///
/// # Errors
/// When a file cannot be written; then there is no folder, or the older one is still there.
pub(super) fn write_folder(
    slides: &Path,
    name: &str,
    findings: &SlideFindings<'_>,
    outputs: Outputs,
    record: impl FnOnce() -> RecordSink,
) -> Result<(), SinkError> {
    let temporary = Temporary::new(slides, name)?;
    // Side by side: each is one thread's work for much of its time. Of several errors the first output's is told.
    let written: Vec<Result<(), SinkError>> = outputs
        .sinks()
        .par_iter()
        .map(|sink| sink.write(findings, &temporary.path.join(sink.file_name())))
        .collect();
    written.into_iter().collect::<Result<(), SinkError>>()?;
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
        let io = |source| SinkError::Io {
            path: path.clone(),
            source,
        };
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(io)?;
        }
        std::fs::create_dir_all(&path).map_err(io)?;
        Ok(Temporary { path, old })
    }

    fn become_final(self, target: &Path) -> Result<(), SinkError> {
        let io = |source| SinkError::Io {
            path: target.to_owned(),
            source,
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
