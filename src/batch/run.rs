//! The batch itself: one slide after another through the engine, while the one before is being written.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crossbeam_channel::{Receiver, bounded};
use ftuseg_router::Organ;
use serde_json::Value;

use super::kept::{Earlier, describe_input, look};
use super::report::replace;
use super::write::write_folder;
use super::{BatchError, Job, Outputs, SlideStatus, Status, Summary};
use crate::mask::rle;
use crate::pipeline::{Engine, Request, Route, Segmentation, TileCount};
use crate::sink::{Finding, Provenance, Record, SinkError, read_mask};
use crate::slide::{self, Resolution, SlideReader};

/// A batch that is ready to run.
pub struct Batch<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The output folder.
    pub out: PathBuf,
    /// What is written for each slide.
    pub outputs: Outputs,
    /// Do all slides again, whatever is there.
    pub overwrite: bool,
    /// um/px for all slides, over what manifests and files say.
    pub resolution: Option<Resolution>,
    /// Who makes the results.
    pub provenance: Provenance,
}

/// What happens while a batch runs, for whoever shows it.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// A slide begins.
    Started {
        /// Its place in the batch, from 0.
        index: usize,
        /// Slides in the batch.
        total: usize,
        /// The slide.
        job: &'a Job,
    },
    /// A slide goes on.
    Tiles(TileCount),
    /// A slide has ended. Its writing may end after the next slide began.
    Ended {
        /// Its place in the batch, from 0.
        index: usize,
        /// Slides in the batch.
        total: usize,
        /// What became of it.
        status: &'a SlideStatus,
    },
}

/// A slide on its way from the engine to the writer.
struct Segmented {
    index: usize,
    started: Instant,
    input: Value,
    slide: Box<dyn SlideReader>,
    segmentation: Segmentation,
}

/// Why a slide failed: kind and reason.
struct Failure {
    kind: String,
    reason: String,
}

impl Failure {
    fn new(kind: &str, reason: impl std::fmt::Display) -> Self {
        Failure {
            kind: kind.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl Batch<'_> {
    /// Runs the batch and writes `run.json` and `submission.csv`.
    ///
    /// # Errors
    /// When it cannot start, or its reports cannot be written. What happens to a slide stands in the summary.
    pub fn run(
        &self,
        jobs: &[Job],
        tell: &(dyn Fn(Event<'_>) + Sync),
    ) -> Result<Summary, BatchError> {
        let started = Instant::now();
        let slides = self.out.join("slides");
        std::fs::create_dir_all(&slides).map_err(|error| {
            BatchError::output(&slides, format!("the folder cannot be made: {error}"))
        })?;
        let mut earlier = self.survey(jobs, &slides)?;
        let mut rles = Rles::new(&self.out)?;
        if self.outputs.rle {
            for (index, (job, earlier)) in jobs.iter().zip(&mut earlier).enumerate() {
                // A kept slide whose mask is damaged is not kept.
                if matches!(earlier, Earlier::Same(_))
                    && rles.take_from(index, &slides.join(&job.id)).is_err()
                {
                    *earlier = Earlier::Redo;
                }
            }
        }
        let total = jobs.len();
        let (to_writer, segmented) = bounded::<Segmented>(1);
        let mut statuses: Vec<Option<SlideStatus>> = vec![None; total];
        let written = std::thread::scope(|scope| {
            let rles = &mut rles;
            let slides = slides.as_path();
            let writer = scope.spawn(move || self.write_all(jobs, slides, &segmented, rles, tell));
            for (index, (job, earlier)) in jobs.iter().zip(&earlier).enumerate() {
                if let Earlier::Same(record) = earlier {
                    let status = kept_status(job, record);
                    tell(Event::Ended {
                        index,
                        total,
                        status: &status,
                    });
                    statuses[index] = Some(status);
                    continue;
                }
                tell(Event::Started { index, total, job });
                let begun = Instant::now();
                let outcome = caught(|| self.segment(job, tell));
                let failure = match outcome {
                    Ok((slide, input, segmentation)) => to_writer
                        .send(Segmented {
                            index,
                            started: begun,
                            input,
                            slide,
                            segmentation,
                        })
                        .err()
                        .map(|_| Failure::new("internal", "the writing thread has stopped")),
                    Err(failure) => Some(failure),
                };
                if let Some(failure) = failure {
                    let status = failed_status(job, failure, begun.elapsed().as_secs_f64());
                    tell(Event::Ended {
                        index,
                        total,
                        status: &status,
                    });
                    statuses[index] = Some(status);
                }
            }
            drop(to_writer);
            writer.join()
        });
        let written = written.map_err(|_| {
            BatchError::output(&self.out, "the writing thread stopped unexpectedly")
        })?;
        for (index, status) in written {
            statuses[index] = Some(status);
        }
        let summary = Summary {
            slides: statuses.into_iter().flatten().collect(),
            seconds: started.elapsed().as_secs_f64(),
        };
        let report = summary.to_json(&self.provenance);
        replace(&self.out.join("run.json"), |out| {
            serde_json::to_writer_pretty(&mut *out, &report)?;
            out.write_all(b"\n")
        })?;
        if self.outputs.rle {
            self.write_submission(&summary, &mut rles)?;
        }
        Ok(summary)
    }

    /// Looks at what earlier runs left, before anything is done.
    fn survey(&self, jobs: &[Job], slides: &Path) -> Result<Vec<Earlier>, BatchError> {
        let mut all = Vec::with_capacity(jobs.len());
        for job in jobs {
            let folder = slides.join(&job.id);
            if self.overwrite || !folder.exists() {
                all.push(Earlier::Redo);
                continue;
            }
            let Ok(input) = describe_input(job) else {
                // It fails when its turn comes, with its reason.
                all.push(Earlier::Redo);
                continue;
            };
            let found = look(&folder, &input, self.outputs, &self.provenance);
            if let Earlier::OtherSettings(what) = &found {
                return Err(BatchError::output(
                    &folder,
                    format!(
                        "an earlier run made this with {what}; choose another --out, or --overwrite to do all slides again"
                    ),
                ));
            }
            all.push(found);
        }
        Ok(all)
    }

    fn segment(
        &self,
        job: &Job,
        tell: &(dyn Fn(Event<'_>) + Sync),
    ) -> Result<(Box<dyn SlideReader>, Value, Segmentation), Failure> {
        let input = describe_input(job)
            .map_err(|error| Failure::new("io", format!("{}: {error}", job.path.display())))?;
        let organ = match (self.engine.options().route, &job.organ) {
            (Route::Given, Some(name)) => Some(
                name.parse::<Organ>()
                    .map_err(|error| Failure::new("usage", error))?,
            ),
            _ => None,
        };
        let slide = slide::open(&job.path).map_err(|error| Failure::new(error.kind(), error))?;
        let request = Request {
            resolution: self.resolution.or(job.resolution),
            organ,
            probabilities: self.outputs.prob,
        };
        let segmentation = self
            .engine
            .segment(slide.as_ref(), &request, &|tiles| tell(Event::Tiles(tiles)))
            .map_err(|error| {
                // Most errors name the file; those that do not are given it.
                let name = job.path.display().to_string();
                let text = error.to_string();
                let text = if text.contains(&name) {
                    text
                } else {
                    format!("{name}: {text}")
                };
                Failure::new(error.kind(), text)
            })?;
        Ok((slide, input, segmentation))
    }

    /// The writing thread: takes segmented slides and writes their folders.
    fn write_all(
        &self,
        jobs: &[Job],
        slides: &Path,
        segmented: &Receiver<Segmented>,
        rles: &mut Rles,
        tell: &(dyn Fn(Event<'_>) + Sync),
    ) -> Vec<(usize, SlideStatus)> {
        let mut statuses = Vec::new();
        for work in segmented {
            let job = &jobs[work.index];
            let status = match caught(|| self.write(job, slides, &work, rles)) {
                Ok(status) => status,
                Err(failure) => failed_status(job, failure, work.started.elapsed().as_secs_f64()),
            };
            tell(Event::Ended {
                index: work.index,
                total: jobs.len(),
                status: &status,
            });
            statuses.push((work.index, status));
        }
        statuses
    }

    fn write(
        &self,
        job: &Job,
        slides: &Path,
        work: &Segmented,
        rles: &mut Rles,
    ) -> Result<SlideStatus, Failure> {
        let finding = Finding::new(
            &job.id,
            work.slide.as_ref(),
            &work.segmentation,
            self.engine.bundle(),
        );
        let failed = |error: &dyn std::fmt::Display| Failure::new("output", error);
        if self.outputs.rle {
            let mask = work.segmentation.union().map_err(|e| failed(&e))?;
            rles.put(work.index, &rle::encode(&mask))
                .map_err(|e| failed(&e))?;
        }
        let seconds = || work.started.elapsed().as_secs_f64();
        write_folder(slides, &finding, self.outputs, || Record {
            provenance: self.provenance.clone(),
            input: work.input.clone(),
            seconds: seconds(),
        })
        .map_err(|e| failed(&e))?;
        let largest = work.segmentation.map.shares().into_iter().next();
        Ok(SlideStatus {
            id: job.id.clone(),
            path: job.path.display().to_string(),
            status: Status::Done,
            reason: None,
            kind: None,
            seconds: seconds(),
            tiles: work.segmentation.tiles,
            organ: largest.map(|share| share.target.name().to_owned()),
            objects: finding
                .objects
                .iter()
                .map(|o| o.polygons.len() as u64)
                .sum(),
        })
    }

    fn write_submission(&self, summary: &Summary, rles: &mut Rles) -> Result<(), BatchError> {
        let path = self.out.join("submission.csv");
        replace(&path, |out| {
            let mut table = csv::Writer::from_writer(out);
            table.write_record(["id", "rle"])?;
            for (index, done) in summary.slides.iter().enumerate() {
                if done.status == Status::Failed {
                    continue;
                }
                let text = rles.get(index)?;
                table.write_record([done.id.as_str(), text.as_str()])?;
            }
            table.flush()
        })
    }
}

/// The RLE of each slide of this run, kept in an unnamed file so that memory does not grow with the batch.
struct Rles {
    file: File,
    end: u64,
    places: std::collections::BTreeMap<usize, (u64, u64)>,
}

impl Rles {
    fn new(out: &Path) -> Result<Self, BatchError> {
        let file = tempfile::tempfile_in(out).map_err(|error| {
            BatchError::output(out, format!("the folder cannot be written to: {error}"))
        })?;
        Ok(Rles {
            file,
            end: 0,
            places: std::collections::BTreeMap::new(),
        })
    }

    fn put(&mut self, index: usize, text: &str) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(text.as_bytes())?;
        let length = text.len() as u64;
        self.places.insert(index, (self.end, length));
        self.end += length;
        Ok(())
    }

    /// Takes the RLE of a slide that is kept from its mask.
    fn take_from(&mut self, index: usize, folder: &Path) -> Result<(), SinkError> {
        let path = folder.join("mask.tif");
        let image = slide::open(&path)?;
        let text = rle::encode(&read_mask(image.as_ref())?);
        self.put(index, &text)
            .map_err(|source| SinkError::Io { path, source })
    }

    fn get(&mut self, index: usize) -> std::io::Result<String> {
        let &(start, length) = self
            .places
            .get(&index)
            .ok_or_else(|| std::io::Error::other("a finished slide has no RLE"))?;
        self.file.seek(SeekFrom::Start(start))?;
        let mut text = String::new();
        BufReader::new(&self.file)
            .take(length)
            .read_to_string(&mut text)?;
        Ok(text)
    }
}

/// Runs one slide's work; a panic, in a decoder say, becomes that slide's failure.
fn caught<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // Nothing of the slide is used after a panic; what is shared is behind locks that survive one.
    match std::panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(Failure::new(
                "internal",
                format!("the program panicked on this slide ({text}); please report it"),
            ))
        }
    }
}

fn failed_status(job: &Job, failure: Failure, seconds: f64) -> SlideStatus {
    SlideStatus {
        id: job.id.clone(),
        path: job.path.display().to_string(),
        status: Status::Failed,
        reason: Some(failure.reason),
        kind: Some(failure.kind),
        seconds,
        tiles: TileCount::default(),
        organ: None,
        objects: 0,
    }
}

fn kept_status(job: &Job, record: &Value) -> SlideStatus {
    let number = |pointer: &str| record.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let objects = record.get("organs").and_then(Value::as_array);
    SlideStatus {
        id: job.id.clone(),
        path: job.path.display().to_string(),
        status: Status::Skipped,
        reason: Some("it is there already, made from the same input and settings".to_owned()),
        kind: None,
        seconds: 0.0,
        tiles: TileCount {
            planned: number("/tiles/planned"),
            inferred: number("/tiles/inferred"),
        },
        organ: record
            .get("organ")
            .and_then(Value::as_str)
            .map(str::to_owned),
        objects: objects.map_or(0, |organs| {
            organs
                .iter()
                .filter_map(|organ| organ.get("objects")?.as_u64())
                .sum()
        }),
    }
}
