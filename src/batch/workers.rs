//! The two threads of a run: one segments slide after slide, the other writes the folder of the one before. What becomes of
//! each slide goes into the reports.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, bounded};
use ftuseg_records::Help;

use super::added_outputs::{Addition, NOT_RESTORED};
use super::crash_marker;
use super::deadline::Deadline;
use super::failure::{Failure, caught, named};
use super::one_slide::Segmented;
use super::reports::Reports;
use super::run_summary::entry;
use super::{Batch, BatchError, Event, Job, RunState, RunSummary, SlideStatus, Status};

/// Ends a run before its last slide, since the disk takes nothing more.
#[derive(Default)]
pub(super) struct Halt {
    flag: Arc<AtomicBool>,
    /// The first report that could not be written.
    report: Mutex<Option<BatchError>>,
}

/// A run as its threads see it.
pub(super) struct ActiveRun<'a> {
    pub batch: &'a Batch<'a>,
    pub jobs: &'a [Job],
    pub slides: PathBuf,
    pub reports: Mutex<Reports<'a>>,
    pub halt: Halt,
    pub tell: &'a (dyn Fn(Event<'_>) + Sync),
}

impl<'a> ActiveRun<'a> {
    /// Segments slides in this thread and writes them in another.
    pub(super) fn all(
        &self,
        todo: &[usize],
        additions: &BTreeMap<usize, Addition>,
    ) -> Result<(), BatchError> {
        let (to_writer, segmented) = bounded::<Segmented>(usize::from(!self.batch.spare_memory));
        let written = std::thread::scope(|scope| {
            let writer = scope.spawn(move || self.write_all(&segmented));
            for &index in todo {
                if self.is_stopping() {
                    break;
                }
                let started_at = Instant::now();
                let job = &self.jobs[index];
                (self.tell)(Event::Started {
                    index,
                    total: self.jobs.len(),
                    job,
                });
                crash_marker::set(&self.slides, &job.folder);
                let stops = vec![Arc::clone(&self.batch.stop), Arc::clone(&self.halt.flag)];
                let deadline = Deadline::start(self.batch.slide_timeout, stops);
                if let Some(addition) = additions.get(&index) {
                    match caught(|| self.add(index, addition, &deadline)) {
                        Ok(()) => continue,
                        Err(_) if deadline.is_stopped() => {
                            self.drop_slide(index);
                            continue;
                        }
                        Err(failure) if failure.kind == NOT_RESTORED => {
                            self.do_again(index, failure.reason);
                        }
                        Err(failure) => {
                            if failure.is_of_the_disk {
                                self.halt.flag.store(true, Ordering::Relaxed);
                            }
                            self.fail(index, self.late(&deadline, job, failure), started_at);
                            continue;
                        }
                    }
                }
                match caught(|| self.segment(index, &deadline)) {
                    Ok((slide, input, segmentation)) => {
                        let work = Segmented {
                            index,
                            started: started_at,
                            input,
                            slide,
                            segmentation,
                        };
                        if to_writer.send(work).is_err() {
                            // The writer has ended, and says why when it is joined.
                            break;
                        }
                    }
                    Err(_) if deadline.is_stopped() => self.drop_slide(index),
                    Err(failure) => {
                        self.fail(index, self.late(&deadline, job, failure), started_at)
                    }
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
    pub(super) fn end(&self, todo: &[usize]) -> Result<RunSummary, BatchError> {
        let is_full = self.halt.flag.load(Ordering::Relaxed);
        let (state, reason) = if is_full {
            (
                RunState::DiskFull,
                "not started: the disk is full; free some space and run the same command again",
            )
        } else if self.batch.stop.load(Ordering::Relaxed) {
            (
                RunState::Interrupted,
                "not started before the run was stopped",
            )
        } else {
            (RunState::Finished, "not started")
        };
        let mut reports = self.reports();
        for &index in todo {
            let mut status = reports.slide(index).clone();
            if status.status == Status::Pending && status.reason.is_none() {
                status.reason = Some(reason.to_owned());
                reports.put(index, status);
            }
        }
        reports.write(state).map_err(|last| {
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

    pub(super) fn reports(&self) -> MutexGuard<'_, Reports<'a>> {
        // A panic leaves it whole: every change of an entry is one assignment.
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writing thread: takes segmented slides and writes their folders.
    fn write_all(&self, segmented: &Receiver<Segmented>) {
        for work in segmented {
            work.slide.deadline().finish();
            if let Err(failure) = caught(|| self.write(&work)) {
                if failure.is_of_the_disk {
                    self.halt.flag.store(true, Ordering::Relaxed);
                }
                let job = &self.jobs[work.index];
                let failure = self.late(work.slide.deadline(), job, failure);
                self.fail(work.index, failure, work.started);
            }
        }
    }

    /// Notes a failure, with what still lies in the slide's folder.
    fn fail(&self, index: usize, failure: Failure, started_at: Instant) {
        let mut status = self.reports().slide(index).clone();
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
        status.help = failure.help;
        status.seconds = started_at.elapsed().as_secs_f64();
        self.note(index, status);
    }

    /// Notes that a slide whose outputs could not be made from what is there is segmented again.
    fn do_again(&self, index: usize, reason: String) {
        let mut reports = self.reports();
        let mut status = entry(&self.jobs[index], Status::Pending);
        status.done_again = Some(reason);
        reports.put(index, status);
    }

    /// Notes that a slide was dropped because the run was told to stop.
    fn drop_slide(&self, index: usize) {
        let mut status = self.reports().slide(index).clone();
        status.reason = Some("dropped when the run was stopped".to_owned());
        self.note(index, status);
    }

    /// Enters what became of a slide, in the reports and for whoever watches.
    pub(super) fn note(&self, index: usize, status: SlideStatus) {
        let written = {
            let mut reports = self.reports();
            reports.put(index, status.clone());
            reports.write(RunState::Running)
        };
        if let Err(error) = written {
            self.halt.stop_for(error);
        }
        crash_marker::clear(&self.slides, &self.jobs[index].folder);
        (self.tell)(Event::Ended {
            index,
            total: self.jobs.len(),
            status: &status,
        });
    }

    /// What a failure is called when the slide's time was up.
    fn late(&self, deadline: &Deadline, job: &Job, failure: Failure) -> Failure {
        match self.batch.slide_timeout {
            Some(limit) if deadline.is_late() => Failure::new(
                "timeout",
                format!(
                    "{}: it took longer than the {} s that a slide may take{}",
                    job.path.display(),
                    limit.as_secs_f64(),
                    match failure.kind.as_str() {
                        "stopped" => format!("; {}", failure.reason),
                        _ => String::new(),
                    }
                ),
            )
            .with_help(Some(Help::Time)),
            _ => failure,
        }
    }
}

impl Halt {
    /// Ends the run since a report cannot be written: slides that nobody could know of are of no use.
    pub(super) fn stop_for(&self, error: BatchError) {
        let mut first = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
        self.flag.store(true, Ordering::Relaxed);
    }
}
