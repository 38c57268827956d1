//! The batch itself: one slide after another through the engine, while the one before is being written.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use ftuseg_router::Organ;
use serde_json::Value;

use super::begun;
use super::failure::{Failure, caught, named};
use super::kept::{Known, describe_input};
use super::ledger::Ledger;
use super::leftovers;
use super::lock::FolderLock;
use super::report::Heading;
use super::rows::{spill, text_of};
use super::settle::settle;
use super::survey::survey;
use super::watch::{Clock, Watched};
use super::write::write_folder;
use super::{
    BatchError, Event, Job, Locking, Opener, Outputs, ShardNote, SlideStatus, State, Status,
    Summary,
};
use crate::pipeline::{Engine, Request, Route, Segmentation};
use crate::sink::{Finding, Provenance, Record};
use crate::slide::warning::Warning;
use crate::slide::{self, Resolution, SlideReader};

/// Which slides are done, of those that earlier runs into the same folder have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Again {
    /// Those that are not there, or whose file was changed. Results of other settings are refused.
    #[default]
    Missing,
    /// Of those, only the ones that failed before.
    Failed,
    /// Also those that were made with other settings.
    Changed,
    /// All.
    All,
}

/// A batch that is ready to run.
pub struct Batch<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The output folder.
    pub out: PathBuf,
    /// Who makes the results.
    pub provenance: Provenance,
    /// What is written for each slide.
    pub outputs: Outputs,
    /// Which slides are done again.
    pub again: Again,
    /// Know files again by the sha256 of their bytes, not by size and time of change.
    pub verify_input: bool,
    /// um/px for all slides, over what manifests and files say.
    pub resolution: Option<Resolution>,
    /// The longest that a slide may take to be read and segmented, and again to be written.
    pub slide_timeout: Option<Duration>,
    /// Let no segmented slide wait for the writer beside the one that is being written.
    pub spare_memory: bool,
    /// What to do when another program writes into the output folder.
    pub locking: Locking,
    /// Which share of a larger batch the jobs are.
    pub shard: Option<ShardNote>,
    /// Raised by whoever wants the batch to stop: the slide that is being segmented is dropped, the one that is being
    /// written is finished.
    pub stop: Arc<AtomicBool>,
    /// How slides are opened.
    pub open: Opener,
}

/// A slide on its way from the engine to the writer.
struct Segmented {
    index: usize,
    started: Instant,
    input: Value,
    slide: Watched,
    segmentation: Segmentation,
}

/// Ends a run before its last slide, since the disk takes nothing more.
#[derive(Default)]
struct Halt {
    flag: Arc<AtomicBool>,
    /// The first report that could not be written.
    report: Mutex<Option<BatchError>>,
}

/// A run as its threads see it.
struct Run<'a> {
    batch: &'a Batch<'a>,
    jobs: &'a [Job],
    slides: PathBuf,
    ledger: Mutex<Ledger<'a>>,
    halt: Halt,
    tell: &'a (dyn Fn(Event<'_>) + Sync),
}

impl<'a> Batch<'a> {
    /// A batch that does what is missing and writes everything.
    pub fn new(engine: &'a Engine, out: PathBuf, provenance: Provenance) -> Self {
        Batch {
            engine,
            out,
            provenance,
            outputs: Outputs::ALL,
            again: Again::default(),
            verify_input: false,
            resolution: None,
            slide_timeout: None,
            spare_memory: false,
            locking: Locking::default(),
            shard: None,
            stop: Arc::default(),
            open: slide::open,
        }
    }

    pub(super) fn known(&self) -> Known {
        if self.verify_input {
            Known::ByContent
        } else {
            Known::ByChange
        }
    }

    /// Runs the batch. `run.json` and `submission.csv` are true at every moment of it.
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
        // A link would lead what is written, and what is put in order, to somewhere else.
        if !std::fs::symlink_metadata(&slides).is_ok_and(|meta| meta.is_dir()) {
            return Err(BatchError::output(
                &slides,
                "it is a link or no folder; results are not written through it: remove it, or choose another --out",
            ));
        }
        let _lock = FolderLock::take(&self.out, self.locking, &self.stop, &|line| {
            tell(Event::Note(line));
        })?;
        leftovers::clean(&self.out, &slides)?;
        let clock = Clock::start(None, vec![Arc::clone(&self.stop)]);
        let mut jobs = jobs.to_vec();
        settle(&mut jobs, &slides, self.again, self.known(), &clock);
        let jobs = jobs.as_slice();
        let survey = survey(self, jobs, &slides)?;
        for note in &survey.notes {
            tell(Event::Note(note));
        }
        let heading = Heading::of_run(&self.provenance, self.shard.as_ref());
        let mut ledger = Ledger::new(&self.out, heading, survey.slides, survey.rows, started);
        ledger.write(State::Running)?;
        for index in 0..jobs.len() {
            if ledger.slide(index).is_there() {
                // Killed between the slide's last rename and its entry.
                begun::end(&slides, &jobs[index].folder);
                tell(Event::Ended {
                    index,
                    total: jobs.len(),
                    status: ledger.slide(index),
                });
            }
        }
        let run = Run {
            batch: self,
            jobs,
            slides,
            ledger: Mutex::new(ledger),
            halt: Halt::default(),
            tell,
        };
        run.all(&survey.todo)?;
        run.end(&survey.todo)
    }
}

impl<'a> Run<'a> {
    /// Segments slides in this thread and writes them in another.
    fn all(&self, todo: &[usize]) -> Result<(), BatchError> {
        let (to_writer, segmented) = bounded::<Segmented>(usize::from(!self.batch.spare_memory));
        let written = std::thread::scope(|scope| {
            let writer = scope.spawn(move || self.write_all(&segmented));
            for &index in todo {
                if self.is_stopping() {
                    break;
                }
                let begun = Instant::now();
                let job = &self.jobs[index];
                (self.tell)(Event::Started {
                    index,
                    total: self.jobs.len(),
                    job,
                });
                begun::begin(&self.slides, &job.folder);
                let stops = vec![Arc::clone(&self.batch.stop), Arc::clone(&self.halt.flag)];
                let clock = Clock::start(self.batch.slide_timeout, stops);
                match caught(|| self.segment(job, &clock)) {
                    Ok((slide, input, segmentation)) => {
                        let work = Segmented {
                            index,
                            started: begun,
                            input,
                            slide,
                            segmentation,
                        };
                        if to_writer.send(work).is_err() {
                            // The writer has ended, and says why when it is joined.
                            break;
                        }
                    }
                    Err(_) if clock.is_stopped() => self.drop_slide(index),
                    Err(failure) => self.fail(index, self.late(&clock, job, failure), begun),
                }
            }
            drop(to_writer);
            writer.join()
        });
        written.map_err(|_| {
            BatchError::output(&self.batch.out, "the writing thread stopped unexpectedly")
        })
    }

    /// Writes the last reports, and says how the run ended.
    fn end(&self, todo: &[usize]) -> Result<Summary, BatchError> {
        let is_full = self.halt.flag.load(Ordering::Relaxed);
        let (state, reason) = if is_full {
            (
                State::DiskFull,
                "not begun: the disk took nothing more; free some space and run the same command again",
            )
        } else if self.batch.stop.load(Ordering::Relaxed) {
            (State::Interrupted, "not begun when the run was stopped")
        } else {
            (State::Finished, "not begun")
        };
        let mut ledger = self.ledger();
        for &index in todo {
            let mut status = ledger.slide(index).clone();
            if status.status == Status::Pending && status.reason.is_none() {
                status.reason = Some(reason.to_owned());
                ledger.put(index, status);
            }
        }
        ledger.write(state).map_err(|last| {
            let mut first = self
                .halt
                .report
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            BatchError::Report(Box::new(first.take().unwrap_or(last)))
        })
    }

    fn is_stopping(&self) -> bool {
        let raised = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        raised(&self.batch.stop) || raised(&self.halt.flag)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger<'a>> {
        // A panic leaves it whole: every change of an entry is one assignment.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn segment(
        &self,
        job: &Job,
        clock: &Arc<Clock>,
    ) -> Result<(Watched, Value, Segmentation), Failure> {
        let batch = self.batch;
        let describe = |known: Known| -> std::io::Result<Value> {
            let (job, inner) = (job.clone(), Arc::clone(clock));
            clock.run(move || describe_input(&job, known, &inner))?
        };
        let input = describe(batch.known())
            .map_err(|error| Failure::new("io", format!("{}: {error}", job.path.display())))?;
        let organ = match (batch.engine.options().route, &job.organ) {
            (Route::Given, Some(name)) => Some(
                name.parse::<Organ>()
                    .map_err(|error| Failure::new("usage", error))?,
            ),
            _ => None,
        };
        let readers = batch.engine.options().readers;
        let slide = Watched::open(&job.path, batch.open, clock, readers)
            .map_err(|error| Failure::new(error.kind(), error))?;
        (self.tell)(Event::Opened {
            width: slide.info().width(),
            height: slide.info().height(),
        });
        let request = Request {
            resolution: batch.resolution.or(job.resolution),
            organ,
            probabilities: batch.outputs.prob,
        };
        let segmentation = batch
            .engine
            .segment_until(
                &slide,
                &request,
                &|tiles| (self.tell)(Event::Tiles(tiles)),
                &|| clock.check().is_err(),
            )
            .map_err(|error| match error.kind() {
                // Whoever tells why it was stopped names the file.
                "stopped" => Failure::new("stopped", error),
                kind => Failure::new(kind, named(job, &error)),
            })?;
        let changed = |what: &str| {
            Failure::new(
                "changed",
                format!(
                    "{}: the file {what} while it was read; what was found is of no use",
                    job.path.display()
                ),
            )
        };
        match describe(Known::ByChange) {
            Ok(now)
                if ["bytes", "modified", "beside"]
                    .iter()
                    .all(|key| now.get(key) == input.get(key)) =>
            {
                Ok((slide, input, segmentation))
            }
            Ok(_) => Err(changed("was changed")),
            Err(error) => Err(changed(&format!("was lost ({error})"))),
        }
    }

    /// The writing thread: takes segmented slides and writes their folders.
    fn write_all(&self, segmented: &Receiver<Segmented>) {
        for work in segmented {
            work.slide.clock().finish();
            if let Err(failure) = caught(|| self.write(&work)) {
                if failure.is_of_the_disk {
                    self.halt.flag.store(true, Ordering::Relaxed);
                }
                let job = &self.jobs[work.index];
                let failure = self.late(work.slide.clock(), job, failure);
                self.fail(work.index, failure, work.started);
            }
        }
    }

    fn write(&self, work: &Segmented) -> Result<(), Failure> {
        let (batch, job) = (self.batch, &self.jobs[work.index]);
        let finding = Finding::new(
            &job.id,
            &work.slide,
            &work.segmentation,
            batch.engine.bundle(),
        );
        let mut row = match batch.outputs.rle {
            true => {
                let mask = work
                    .segmentation
                    .union()
                    .map_err(|error| Failure::of_output(&error))?;
                Some(spill(&batch.out, &mask).map_err(|error| Failure::of_output(&error))?)
            }
            false => None,
        };
        // What a rerun takes the row from, if there is no mask.
        let kept = match &mut row {
            Some(row) if !batch.outputs.mask => {
                Some(text_of(row).map_err(|error| Failure::of_output(&error))?)
            }
            _ => None,
        };
        let seconds = || work.started.elapsed().as_secs_f64();
        let warnings: Vec<Warning> = [
            &job.warnings,
            work.slide.warnings(),
            &work.segmentation.warnings,
        ]
        .concat();
        write_folder(&self.slides, &job.folder, &finding, batch.outputs, || {
            Record {
                folder: job.folder.clone(),
                provenance: batch.provenance.clone(),
                warnings: warnings.clone(),
                input: work.input.clone(),
                seconds: seconds(),
                rle: kept,
            }
        })
        .map_err(|error| Failure::of_output(&error))?;
        let largest = work.segmentation.map.shares().into_iter().next();
        let mut ledger = self.ledger();
        if let Some(row) = row
            && let Err(error) = ledger.put_row(work.index, row)
        {
            // The folder is there, and the next run makes the row from it.
            self.halt.stop_for(BatchError::output(
                &batch.out,
                format!("submission.csv cannot be kept: {error}; check the free space"),
            ));
        }
        let status = SlideStatus {
            done_again: ledger.slide(work.index).done_again.clone(),
            seconds: seconds(),
            tiles: work.segmentation.tiles,
            organ: largest.map(|share| share.target.name().to_owned()),
            objects: finding
                .objects
                .iter()
                .map(|o| o.polygons.len() as u64)
                .sum(),
            area_mm2: area_mm2(&finding),
            warnings,
            ..SlideStatus::of(job, Status::Done)
        };
        drop(ledger);
        self.note(work.index, status);
        Ok(())
    }

    /// Notes a failure, with what still lies in the slide's folder.
    fn fail(&self, index: usize, failure: Failure, begun: Instant) {
        let mut status = self.ledger().slide(index).clone();
        // A panic knows no file.
        let mut reason = match failure.kind.as_str() {
            "internal" => named(&self.jobs[index], &failure.reason),
            _ => failure.reason,
        };
        if reason.contains("(os error 24)") && cfg!(unix) {
            reason.push_str("; let the program open more files (ulimit -n)");
        }
        if status.done_again.is_some() {
            reason.push_str("; its folder still holds the result of an earlier run");
        }
        status.status = Status::Failed;
        status.reason = Some(reason);
        status.kind = Some(failure.kind);
        status.seconds = begun.elapsed().as_secs_f64();
        self.note(index, status);
    }

    /// Notes that a slide was dropped because the run was told to stop.
    fn drop_slide(&self, index: usize) {
        let mut status = self.ledger().slide(index).clone();
        status.reason = Some("dropped when the run was stopped".to_owned());
        self.note(index, status);
    }

    /// Enters what became of a slide, in the reports and for whoever watches.
    fn note(&self, index: usize, status: SlideStatus) {
        let written = {
            let mut ledger = self.ledger();
            ledger.put(index, status.clone());
            ledger.write(State::Running)
        };
        if let Err(error) = written {
            self.halt.stop_for(error);
        }
        begun::end(&self.slides, &self.jobs[index].folder);
        (self.tell)(Event::Ended {
            index,
            total: self.jobs.len(),
            status: &status,
        });
    }

    /// What a failure is called when the slide's time was up.
    fn late(&self, clock: &Clock, job: &Job, failure: Failure) -> Failure {
        match self.batch.slide_timeout {
            Some(limit) if clock.is_late() => Failure::new(
                "timeout",
                format!(
                    "{}: it took longer than --slide-timeout allows ({} s){}",
                    job.path.display(),
                    limit.as_secs_f64(),
                    match failure.kind.as_str() {
                        "stopped" => format!("; {}", failure.reason),
                        _ => String::new(),
                    }
                ),
            ),
            _ => failure,
        }
    }
}

impl Halt {
    /// Ends the run since a report cannot be written: slides that nobody could know of are of no use.
    fn stop_for(&self, error: BatchError) {
        let mut first = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
        self.flag.store(true, Ordering::Relaxed);
    }
}

/// Area of all objects. Summed as a rerun sums it from the record, so that the last digit is the same.
fn area_mm2(finding: &Finding<'_>) -> Option<f64> {
    let resolution = finding.resolution()?;
    let shares = finding.segmentation.map.shares();
    let areas = shares.iter().map(|share| {
        let objects = finding.objects.iter().find(|o| o.target == share.target);
        resolution.area(objects.map_or(0, |o| o.area())) * 1e-6
    });
    Some(areas.fold(0.0, |sum, area| sum + area))
}
