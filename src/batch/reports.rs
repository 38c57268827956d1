//! The state of an output folder while a run changes it, and the four reports that tell of it.
//!
//! `run.json`, `slides.csv`, `objects.csv` and `submission.csv` are replaced whole after every slide, so that they are true
//! whenever the program is killed: a slide that they name as done lies on the disk as a whole folder, a row is the RLE of the mask that lies
//! there, and a line of objects is one of the table that lies there. A slide that is to be done again loses its row before its folder is touched. What was finished since the last
//! replacement stands in `run.json` as pending, and the next run finds it.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use super::objects_table::ObjectTables;
use super::run_summary::{Heading, write_report};
use super::slides_table;
use super::submission::SubmissionRows;
use super::{BatchError, Outputs, RunState, RunSummary, SlideStatus};
use ftuseg_files::whole::replace;

/// Below this a submission is replaced after every slide.
const SMALL_SUBMISSION_BYTES: u64 = 4 << 20;
/// A larger one is replaced when it has grown by this share, so that what is written stays in proportion to it.
const GROWTH: u64 = 16;

/// What is on the disk, and what is known of it.
pub(super) struct Reports<'a> {
    out: &'a Path,
    heading: Heading,
    started: Instant,
    slides: Vec<SlideStatus>,
    /// None where no `submission.csv` is wanted.
    rows: Option<SubmissionRows>,
    objects: ObjectTables,
    /// Bytes of rows that the submission on the disk has.
    written: u64,
}

impl<'a> Reports<'a> {
    pub(super) fn new(
        out: &'a Path,
        heading: Heading,
        slides: Vec<SlideStatus>,
        (rows, objects): (Option<SubmissionRows>, ObjectTables),
        started: Instant,
    ) -> Self {
        Reports {
            out,
            heading,
            started,
            slides,
            rows,
            objects,
            written: 0,
        }
    }

    /// Notes what became of a slide.
    pub(super) fn put(&mut self, index: usize, status: SlideStatus) {
        self.slides[index] = status;
    }

    /// Notes the RLE of a slide whose folder lies there.
    pub(super) fn put_row(&mut self, index: usize, text: impl Read) -> std::io::Result<()> {
        match &mut self.rows {
            Some(rows) => rows.put(index, text),
            None => Ok(()),
        }
    }

    /// Notes the tables of objects of a slide whose folder lies there.
    pub(super) fn put_objects(&mut self, index: usize, folder: &Path) -> Result<(), String> {
        self.objects.put(index, folder, Outputs::NONE)
    }

    /// The entry of a slide.
    pub(super) fn slide(&self, index: usize) -> &SlideStatus {
        &self.slides[index]
    }

    /// Replaces the reports by what is known now.
    pub(super) fn write(&mut self, state: RunState) -> Result<RunSummary, BatchError> {
        let path = self.out.join("submission.csv");
        match &mut self.rows {
            Some(rows) => {
                let new = rows.bytes() - self.written;
                let is_due = state != RunState::Running
                    || rows.bytes() < SMALL_SUBMISSION_BYTES
                    || new >= self.written / GROWTH;
                if is_due {
                    self.heading.rows = Some(write_submission(&path, &self.slides, rows)?);
                    self.written = rows.bytes();
                }
            }
            // Rows of an earlier run with other outputs would speak of masks that are no more.
            None => match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(BatchError::output(
                        &path,
                        format!("the table of an earlier run cannot be removed: {error}"),
                    ));
                }
            },
        }
        let goes_on = state == RunState::Running;
        self.objects.write(self.out, &self.slides, goes_on)?;
        let summary = RunSummary {
            state,
            slides: self.slides.clone(),
            seconds: self.started.elapsed().as_secs_f64(),
            warnings: self.heading.warnings.clone(),
        };
        slides_table::write(self.out, &summary.slides)?;
        write_report(self.out, &summary, &self.heading)?;
        Ok(summary)
    }
}

/// Writes the rows of all slides that are there, and says how many.
pub(super) fn write_submission(
    path: &Path,
    slides: &[SlideStatus],
    rows: &mut SubmissionRows,
) -> Result<usize, BatchError> {
    let mut count = 0;
    replace(path, |out| {
        out.write_all(b"id,rle\n")?;
        for (index, slide) in slides.iter().enumerate() {
            if !slide.is_there() {
                continue;
            }
            // A slide that an earlier run made with other settings has none.
            if !rows.has(index) {
                continue;
            }
            // A row is digits and blanks, which no quotes are needed for, and may be too long to hold.
            out.write_all(field(&slide.id).as_bytes())?;
            out.write_all(b",")?;
            rows.copy(index, out)?;
            out.write_all(b"\n")?;
            count += 1;
        }
        Ok(())
    })?;
    Ok(count)
}

/// A text as a field of a CSV table, which keeps all that it holds.
fn field(text: &str) -> Cow<'_, str> {
    let is_plain =
        text.trim() == text && !text.is_empty() && !text.contains([',', '"', '\n', '\r']);
    match is_plain {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("\"{}\"", text.replace('"', "\"\""))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_all_that_it_holds() {
        for text in ["a", "a b", " a", "a,b", "say \"x\"", "a\nb", "#1", "ä;b"] {
            let table = format!("id,rle\n{},1 2\n", field(text));
            let mut reader = csv::Reader::from_reader(table.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!((&row[0], &row[1]), (text, "1 2"));
        }
        assert_eq!(field("a b#(1)"), "a b#(1)");
    }
}
