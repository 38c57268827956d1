//! A batch: what is to be done how, and how a run of it begins.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::added_outputs::written;
use super::cleanup;
use super::crash_marker;
use super::deadline::Deadline;
use super::folder_assignment::assign_folders;
use super::lock::FolderLock;
use super::reports::Reports;
use super::resume_plan::plan_resume;
use super::reuse::FileIdentity;
use super::run_summary::Heading;
use super::workers::{ActiveRun, Halt};
use super::{
    BatchError, Event, Job, Locking, Opener, Outputs, Plan, RunState, RunSummary, ShardNote,
};
use crate::pipeline::Engine;
use crate::sink::SinkOptions;
use crate::slide::{self, Resolution};
use ftuseg_records::read_run;

/// Which slides are done, of those that earlier runs into the same folder have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rerun {
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
#[derive(Clone)]
pub struct Batch<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The output folder.
    pub out: PathBuf,
    /// What is written for each slide.
    pub outputs: Outputs,
    /// What is wanted of outputs that can be written in more than one way.
    pub sink_options: SinkOptions,
    /// Which slides are done again.
    pub rerun: Rerun,
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
    /// Which shard of a larger batch the jobs are.
    pub shard: Option<ShardNote>,
    /// Raised by whoever wants the batch to stop: the slide that is being segmented is dropped, the one that is being
    /// written is finished.
    pub stop: Arc<AtomicBool>,
    /// How slides are opened.
    pub open: Opener,
}

impl<'a> Batch<'a> {
    /// A batch that does what is missing and writes everything.
    pub fn new(engine: &'a Engine, out: PathBuf) -> Self {
        Batch {
            engine,
            out,
            outputs: Outputs::all(),
            sink_options: SinkOptions::default(),
            rerun: Rerun::default(),
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

    pub(super) fn identity(&self) -> FileIdentity {
        if self.verify_input {
            FileIdentity::ByContent
        } else {
            FileIdentity::ByChange
        }
    }

    /// The same batch, which also writes what an earlier run with these settings has written into the folder: a folder has
    /// one set of outputs, and what is there is only added to. A run that does everything again writes what it was told.
    fn with_outputs_of_earlier_runs(&self) -> Batch<'a> {
        let mut batch = self.clone();
        if self.rerun != Rerun::All
            && let Ok(before) = read_run(&self.out.join("run.json"))
            && before.made_by().differences(&self.provenance()).is_empty()
        {
            let before = written(&before.made_by());
            batch.outputs = before.iter().fold(self.outputs, Outputs::with);
        }
        batch
    }

    /// Runs the batch. `run.json`, `slides.csv`, `objects.csv` and `submission.csv` are true at every moment of it.
    ///
    /// # Errors
    /// When it cannot start, or its reports cannot be written. What happens to a slide stands in the summary.
    pub fn run(
        &self,
        jobs: &[Job],
        tell: &(dyn Fn(Event<'_>) + Sync),
    ) -> Result<RunSummary, BatchError> {
        let started = Instant::now();
        let slides = self.out.join("slides");
        std::fs::create_dir_all(&slides).map_err(|error| {
            BatchError::output(&slides, format!("the folder cannot be made: {error}"))
        })?;
        // A link would lead what is written, and what is put in order, to somewhere else.
        if !std::fs::symlink_metadata(&slides).is_ok_and(|meta| meta.is_dir()) {
            return Err(BatchError::NotAFolder { path: slides });
        }
        let _lock = FolderLock::take(&self.out, self.locking, &self.stop, &|line| {
            tell(Event::Note(line));
        })?;
        cleanup::clean(&self.out, &slides)?;
        let deadline = Deadline::start(None, vec![Arc::clone(&self.stop)]);
        let mut jobs = jobs.to_vec();
        assign_folders(&mut jobs, &slides, self.rerun, self.identity(), &deadline);
        let jobs = jobs.as_slice();
        let widened = self.with_outputs_of_earlier_runs();
        let batch = &widened;
        let plan = plan_resume(batch, jobs, &slides)?;
        let provenance = batch.provenance();
        tell(Event::Planned(Plan {
            jobs,
            todo: &plan.todo,
            kept: plan.slides[..jobs.len()]
                .iter()
                .filter(|s| s.is_there())
                .count(),
            added_to: &plan.additions.keys().copied().collect::<Vec<_>>(),
            provenance: &provenance,
        }));
        for note in &plan.notes {
            tell(Event::Note(note));
        }
        let heading = Heading::of_run(provenance, batch.shard.clone());
        let mut reports = Reports::new(
            &self.out,
            heading,
            plan.slides,
            (plan.rows, plan.objects),
            started,
        );
        reports.write(RunState::Running)?;
        for index in 0..jobs.len() {
            if reports.slide(index).is_there() {
                // Killed between the slide's last rename and its entry.
                crash_marker::clear(&slides, &jobs[index].folder);
                tell(Event::Ended {
                    index,
                    total: jobs.len(),
                    status: reports.slide(index),
                });
            }
        }
        let run = ActiveRun {
            batch,
            jobs,
            slides,
            reports: Mutex::new(reports),
            halt: Halt::default(),
            tell,
        };
        run.all(&plan.todo, &plan.additions)?;
        run.end(&plan.todo)
    }
}
