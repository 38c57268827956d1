//! Looks at what earlier runs left in the output folder, before anything is changed there.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use ftuseg_records::{SettingDifference, SlideStatus, Status, read_run};

use super::added_outputs::{Addition, ONLY_THE_NETWORKS};
use super::crash_marker;
use super::deadline::Deadline;
use super::objects_table::ObjectTables;
use super::reuse::{Earlier, describe_input, differences, look, record_of, status_of};
use super::run_summary::entry;
use super::submission::{SubmissionRows, mask_of, spill};
use super::{Batch, BatchError, Job, Output, Outputs, Rerun};
use crate::sink::SinkError;

/// The reason of a slide that [`Rerun::Failed`] passes over.
const NOT_TRIED: &str = "not tried: only slides that had failed before were";

/// What is there, and what is to be done.
pub(super) struct ResumePlan {
    /// An entry for each job, then one for each slide that an earlier run left and that is no job.
    pub slides: Vec<SlideStatus>,
    /// Places of the jobs to be done.
    pub todo: Vec<usize>,
    /// Those of them that need no network, since what they lack can be made from what lies there.
    pub additions: BTreeMap<usize, Addition>,
    /// RLE of the slides that are kept, if a `submission.csv` is wanted.
    pub rows: Option<SubmissionRows>,
    /// Tables of objects of the slides that are kept.
    pub objects: ObjectTables,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Looks at the folder of every job, and at all others.
pub(super) fn plan_resume(
    batch: &Batch<'_>,
    jobs: &[Job],
    slides: &Path,
) -> Result<ResumePlan, BatchError> {
    let report = read_report(&batch.out);
    let mut plan = ResumePlan {
        slides: Vec::with_capacity(jobs.len()),
        todo: Vec::new(),
        additions: BTreeMap::new(),
        rows: batch
            .outputs
            .contains(Output::Rle)
            .then(|| SubmissionRows::new(&batch.out))
            .transpose()?,
        objects: ObjectTables::new(batch.outputs),
        notes: Vec::new(),
    };
    let has_failed: HashSet<(&str, &str)> = report
        .iter()
        .filter(|slide| slide.status == Status::Failed)
        .flat_map(|slide| {
            let id = slide.id.as_str();
            [(id, slide.folder_name()), (id, slide.path.as_str())]
        })
        .collect();
    let deadline = Deadline::start(None, vec![Arc::clone(&batch.stop)]);
    let mut last = HashSet::new();
    for (index, job) in jobs.iter().enumerate() {
        // Hashing and reading masks takes a while; until it is done nothing has changed on the disk.
        if deadline.is_stopped() {
            return Err(BatchError::Stopped);
        }
        let mut status = plan.look_at(batch, index, job, slides, &deadline)?;
        if status.status == Status::Pending {
            let times = crash_marker::count(slides, &job.folder);
            if times > 0 {
                status.reason = Some(crash_marker::reason(times));
                last.insert(index);
            }
            let path = status.path.as_str();
            let failed = [job.folder.as_str(), path]
                .iter()
                .any(|by| has_failed.contains(&(job.id.as_str(), *by)));
            if batch.rerun == Rerun::Failed && !failed {
                status.reason = Some(NOT_TRIED.to_owned());
            } else {
                plan.todo.push(index);
            }
        }
        plan.slides.push(status);
    }
    plan.todo.sort_by_key(|index| last.contains(index));
    plan.note_additions();
    plan.look_at_others(batch, jobs, slides, report)?;
    if deadline.is_stopped() {
        // Also where it was stopped half-way through a file.
        return Err(BatchError::Stopped);
    }
    Ok(plan)
}

impl ResumePlan {
    /// Says which finished slides get more outputs, and which have to be segmented again for one.
    fn note_additions(&mut self) {
        let slides = |count: usize| match count {
            1 => "1 finished slide".to_owned(),
            count => format!("{count} finished slides"),
        };
        let mut names: Vec<&str> = Vec::new();
        for addition in self.additions.values() {
            names.extend(addition.made.iter().map(Output::name));
        }
        names.sort_unstable();
        names.dedup();
        if !names.is_empty() {
            self.notes.push(format!(
                "{} will get {} made from what is there, without running the models again",
                slides(self.additions.len()),
                names.join(" and ")
            ));
        }
        let again = self.slides.iter().filter(|slide| {
            let reason = slide.done_again.as_deref();
            reason.is_some_and(|reason| reason.contains(ONLY_THE_NETWORKS))
        });
        let again = again.count();
        if again > 0 {
            self.notes.push(format!(
                "{} will be segmented again, since prob.tif cannot be made from masks",
                slides(again)
            ));
        }
    }

    fn look_at(
        &mut self,
        batch: &Batch<'_>,
        index: usize,
        job: &Job,
        slides: &Path,
        deadline: &Deadline,
    ) -> Result<SlideStatus, BatchError> {
        let folder = slides.join(&job.folder);
        let pending = |done_again: Option<String>| SlideStatus {
            done_again,
            ..entry(job, Status::Pending)
        };
        if !folder.exists() {
            return Ok(pending(None));
        }
        if batch.rerun == Rerun::All {
            return Ok(pending(Some("all slides are redone".to_owned())));
        }
        let Ok(input) = describe_input(job, batch.identity(), deadline) else {
            // It fails when its turn comes, with its reason.
            return Ok(pending(Some("its file cannot be read".to_owned())));
        };
        match look(
            &folder,
            &input,
            batch.identity(),
            (batch.outputs, batch.sink_options),
            &batch.provenance(),
        ) {
            Earlier::Nothing => Ok(pending(None)),
            Earlier::Redo(why) => Ok(pending(Some(why))),
            Earlier::OtherSettings(how) if batch.rerun == Rerun::Changed => Ok(pending(Some(
                format!("it was made by an earlier run {how}"),
            ))),
            Earlier::OtherSettings(how) => Err(BatchError::OtherSettings { path: folder, how }),
            Earlier::Same(status, rle, addition) => {
                // What is still to be made is taken once it is there.
                let missing = addition.as_ref().map_or(Outputs::NONE, |a| a.made);
                let kept = self
                    .keep_row(batch, index, &folder, rle)
                    .map_err(|why| format!("its mask cannot be read: {why}"))
                    .and_then(|()| self.objects.put(index, &folder, missing));
                match kept {
                    Ok(()) => {
                        let mut status = *status;
                        // What its record does not know yet: another slide of its id that came later, say.
                        for warning in &job.warnings {
                            if !status.warnings.contains(warning) {
                                status.warnings.push(warning.clone());
                            }
                        }
                        if let Some(addition) = addition {
                            self.additions.insert(index, addition);
                            status.status = Status::Pending;
                            status.reason = None;
                        }
                        Ok(status)
                    }
                    // A kept slide whose mask or table is damaged is not kept.
                    Err(why) => Ok(pending(Some(why))),
                }
            }
        }
    }

    /// Takes the row of a slide that is kept: from its record, which holds it where there is no mask, or from its mask.
    fn keep_row(
        &mut self,
        batch: &Batch<'_>,
        index: usize,
        folder: &Path,
        rle: Option<String>,
    ) -> Result<(), String> {
        let Some(rows) = &mut self.rows else {
            return Ok(());
        };
        let put = match rle {
            Some(text) => rows.put(index, text.as_bytes()),
            None => {
                let row = mask_of(folder)
                    .map_err(SinkError::from)
                    .and_then(|mask| spill(&batch.out, &mask));
                rows.put(index, row.map_err(|error| error.to_string())?)
            }
        };
        put.map_err(|error| error.to_string())
    }

    /// Enters what lies in the folder and is no job, so that a run over some of the slides loses none of the others.
    fn look_at_others(
        &mut self,
        batch: &Batch<'_>,
        jobs: &[Job],
        slides: &Path,
        report: Vec<SlideStatus>,
    ) -> Result<(), BatchError> {
        let mut known: HashSet<String> = jobs.iter().map(|job| job.folder.clone()).collect();
        let ours = batch.provenance();
        let (mut changed, mut total) = (Vec::new(), 0);
        for name in folders(slides)? {
            if known.contains(&name) {
                continue;
            }
            let folder = slides.join(&name);
            // Not of this program's making.
            let Some(record) = record_of(&folder) else {
                continue;
            };
            total += 1;
            let mut status = status_of(&name, &record);
            status.earlier = true;
            let differences = differences(&record, &ours);
            if !differences.is_empty() {
                let list = SettingDifference::list(&differences);
                changed.push(format!("{}: {list}", status.id));
                status.reason = Some(format!(
                    "it was made by an earlier run with other settings ({list}); it is not among the inputs and not in submission.csv"
                ));
            } else {
                let index = self.slides.len();
                let mut reason =
                    "it was made by an earlier run; it is not among the inputs".to_owned();
                if let Err(why) = self.keep_row(batch, index, &folder, record.rle) {
                    reason += &format!(", and not in submission.csv: {why}");
                }
                if let Err(why) = self.objects.put(index, &folder, Outputs::NONE) {
                    reason += &format!(", and its objects are in no table of all slides: {why}");
                }
                status.reason = Some(reason);
            }
            self.slides.push(status);
            known.insert(name);
        }
        if !changed.is_empty() {
            let (differing, first) = (changed.len(), changed.swap_remove(0));
            let differ = BatchError::OthersDiffer {
                path: slides.to_owned(),
                differing,
                total,
                first,
            };
            if !matches!(batch.rerun, Rerun::All | Rerun::Changed) {
                return Err(differ);
            }
            self.notes
                .push(format!("{differ}; submission.csv leaves them out"));
        }
        // What failed or had no turn before is not forgotten either.
        for mut slide in report {
            let is_job = jobs
                .iter()
                .any(|job| job.id == slide.id && job.path.display().to_string() == slide.path);
            if !slide.is_there() && !is_job && !known.contains(slide.folder_name()) {
                slide.earlier = true;
                known.insert(slide.folder_name().to_owned());
                self.slides.push(slide);
            }
        }
        Ok(())
    }
}

/// Names of the folders of finished slides, sorted.
fn folders(slides: &Path) -> Result<Vec<String>, BatchError> {
    let unreadable =
        |error| BatchError::output(slides, format!("the folder cannot be read: {error}"));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(slides).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
        if let Ok(name) = entry.file_name().into_string()
            && is_folder
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The entries of the `run.json` that is there; none where there is none that can be read.
fn read_report(out: &Path) -> Vec<SlideStatus> {
    read_run(&out.join("run.json")).map_or_else(|_| Vec::new(), |run| run.slides)
}
