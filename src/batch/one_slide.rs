//! What is done with one slide: it is segmented, and then its folder is written.

use std::sync::Arc;
use std::time::Instant;

use ftuseg_records::{Help, InputRecord};
use ftuseg_router::Organ;

use super::deadline::{Deadline, TimedSlide};
use super::failure::{Failure, named};
use super::reuse::{FileIdentity, describe_input};
use super::run_summary::entry;
use super::slide_folder::write_folder;
use super::submission::{spill, text_of};
use super::workers::ActiveRun;
use super::{BatchError, Event, Output, Outputs, SlideStatus, Status};
use crate::pipeline::{KeepProbabilities, Request, Route, Segmentation};
use crate::sink::{RecordSink, SinkError, SlideFindings};
use crate::slide::SlideReader;
use crate::slide::warning::Warning;

/// A slide on its way from the engine to the writer.
pub(super) struct Segmented {
    pub index: usize,
    pub started: Instant,
    pub input: InputRecord,
    pub slide: TimedSlide,
    pub segmentation: Segmentation,
}

impl ActiveRun<'_> {
    /// Opens a slide and segments it.
    pub(super) fn segment(
        &self,
        index: usize,
        deadline: &Arc<Deadline>,
    ) -> Result<(TimedSlide, InputRecord, Segmentation), Failure> {
        let (batch, job) = (self.batch, &self.jobs[index]);
        let describe = |identity: FileIdentity| -> std::io::Result<InputRecord> {
            let (job, inner) = (job.clone(), Arc::clone(deadline));
            deadline.run(move || describe_input(&job, identity, &inner))?
        };
        let input = describe(batch.identity())
            .map_err(|error| Failure::new("io", format!("{}: {error}", job.path.display())))?;
        let organ = match (batch.engine.options().route, &job.organ) {
            (Route::Given, Some(name)) => Some(
                name.parse::<Organ>()
                    .map_err(|error| Failure::new("usage", error))?,
            ),
            _ => None,
        };
        let readers = batch.engine.options().readers;
        let slide =
            TimedSlide::open(&job.path, batch.open, deadline, readers).map_err(|error| {
                let help = Help::for_slide(&error);
                Failure::new(error.kind(), error).with_help(help)
            })?;
        (self.tell)(Event::Opened {
            index,
            width: slide.info().width(),
            height: slide.info().height(),
        });
        let resolution = batch.resolution.or(job.resolution);
        // Outputs are written after the networks ran; what is lacking for them is known before.
        let needs = |output: &Output| output.needs_resolution(batch.sink_options);
        if let Some(output) = batch.outputs.iter().find(needs)
            && resolution.or(slide.info().resolution).is_none()
        {
            let lacking = SinkError::NoResolution {
                path: job.path.clone(),
                output,
            };
            return Err(Failure::new("no-resolution", lacking).with_help(Some(Help::Resolution)));
        }
        let is_given_up = || deadline.check().is_err();
        let progress = |tiles| (self.tell)(Event::Tiles { index, tiles });
        let request = Request {
            mpp: resolution,
            organ,
            probabilities: kept_probabilities(batch.outputs),
            stop: Some(&is_given_up),
            progress: Some(&progress),
            ..Request::default()
        };
        let segmentation =
            batch
                .engine
                .segment(&slide, &request)
                .map_err(|error| match error.kind() {
                    // Whoever tells why it was stopped names the file.
                    "stopped" => Failure::new("stopped", error),
                    kind => Failure::new(kind, named(job, &error)).with_help(error.help()),
                })?;
        let changed = |what: &str| {
            Failure::new(
                "changed",
                format!(
                    "{}: the file {what} while it was being read, so the result was discarded",
                    job.path.display()
                ),
            )
        };
        match describe(FileIdentity::ByChange) {
            Ok(now)
                if (now.bytes, &now.modified, &now.beside)
                    == (input.bytes, &input.modified, &input.beside) =>
            {
                Ok((slide, input, segmentation))
            }
            Ok(_) => Err(changed("was changed")),
            Err(error) => Err(changed(&format!("was lost ({error})"))),
        }
    }

    /// Writes a slide's folder, and enters it in the reports.
    pub(super) fn write(&self, work: &Segmented) -> Result<(), Failure> {
        let (batch, job) = (self.batch, &self.jobs[work.index]);
        let findings = SlideFindings::new(
            &job.id,
            &work.slide,
            &work.segmentation,
            batch.engine.bundle(),
        );
        let mut row = match batch.outputs.contains(Output::Rle) {
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
            Some(row) if !batch.outputs.contains(Output::Mask) => {
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
        let outputs = (batch.outputs, batch.sink_options);
        write_folder(&self.slides, &job.folder, &findings, outputs, || {
            RecordSink {
                folder: job.folder.clone(),
                provenance: batch.provenance(),
                warnings: warnings.clone(),
                input: work.input.clone(),
                seconds: seconds(),
                rle: kept,
            }
        })
        .map_err(|error| Failure::of_output(&error))?;
        let organs = findings
            .organs()
            .map_err(|error| Failure::of_output(&error))?;
        let mut reports = self.reports();
        if let Some(row) = row
            && let Err(error) = reports.put_row(work.index, row)
        {
            // The folder is there, and the next run makes the row from it.
            self.halt.stop_for(BatchError::output(
                &batch.out,
                format!("submission.csv cannot be stored: {error}; check the free space"),
            ));
        }
        if let Err(why) = reports.put_objects(work.index, &self.slides.join(&job.folder)) {
            self.halt.stop_for(BatchError::output(
                &batch.out,
                format!("the tables of objects cannot be made: {why}"),
            ));
        }
        let mut status = SlideStatus {
            done_again: reports.slide(work.index).done_again.clone(),
            seconds: seconds(),
            tiles: work.segmentation.tiles,
            warnings,
            ..entry(job, Status::Done)
        };
        status.put_organs(&organs);
        drop(reports);
        self.note(work.index, status);
        Ok(())
    }
}

/// The probabilities that the outputs need.
fn kept_probabilities(outputs: Outputs) -> KeepProbabilities {
    if outputs.contains(Output::Probabilities) {
        KeepProbabilities::Pyramid
    } else if outputs.iter().any(Output::has_probabilities) {
        KeepProbabilities::FullSize
    } else {
        KeepProbabilities::No
    }
}
