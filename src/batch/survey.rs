//! Looks at the headers of all slides before the first one is done: how large each is, and whether it states its um/px.
//!
//! Only our own readers look, so that a vendor's format that ends the program does not end every run before it began. What
//! a network drive does not answer in time is left unknown: the slide says what is wrong with it when its turn comes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, unbounded};

use super::Job;
use crate::slide::{Resolution, header};

/// Headers that are read side by side: nearly all of their time they wait for the disk.
const AT_ONCE: usize = 8;
/// How often it is looked whether the run is to stop.
const PAUSE: Duration = Duration::from_millis(100);

/// What the header of a slide says.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SurveyedSlide {
    /// Full-size width, px.
    pub width: u32,
    /// Full-size height, px.
    pub height: u32,
    /// What the file states.
    pub resolution: Option<Resolution>,
}

/// Reads the headers of all slides for at most so long; `None` for those that could not be read by then, or that our own
/// readers do not read.
pub fn survey(jobs: &[Job], limit: Duration, stop: &AtomicBool) -> Vec<Option<SurveyedSlide>> {
    let paths: Arc<Vec<PathBuf>> = Arc::new(jobs.iter().map(|job| job.path.clone()).collect());
    let mut found = vec![None; paths.len()];
    let (next, is_over) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let (answer, answers) = unbounded();
    for _ in 0..AT_ONCE.min(paths.len()) {
        let (paths, next, answer) = (Arc::clone(&paths), Arc::clone(&next), answer.clone());
        let is_over = Arc::clone(&is_over);
        // Nothing can wake a thread that waits for a network drive, so it is one that can be left behind.
        let started = std::thread::Builder::new()
            .name("survey".to_owned())
            .spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = paths.get(index) else {
                        break;
                    };
                    // A decoder that panics on a file does so again when the slide's turn comes, and is told of then.
                    let seen = std::panic::catch_unwind(|| header(path).ok().flatten());
                    let seen = seen.unwrap_or_default().map(|info| SurveyedSlide {
                        width: info.width(),
                        height: info.height(),
                        resolution: info.resolution,
                    });
                    if answer.send((index, seen)).is_err() {
                        break;
                    }
                }
            });
        if started.is_err() {
            break;
        }
    }
    drop(answer);
    let end = Instant::now() + limit;
    while !stop.load(Ordering::Relaxed) {
        let left = end.saturating_duration_since(Instant::now());
        match answers.recv_timeout(left.min(PAUSE)) {
            Ok((index, seen)) => found[index] = seen,
            Err(RecvTimeoutError::Timeout) if left.is_zero() => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    is_over.store(true, Ordering::Relaxed);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_what_has_none_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slides");
        let picture = folder.path().join("p.png");
        image::RgbImage::new(30, 20).save(&picture).unwrap();
        std::fs::write(folder.path().join("words.tif"), "no slide").unwrap();
        let jobs: Vec<Job> = [
            picture,
            folder.path().join("words.tif"),
            folder.path().join("none.tif"),
            fixtures.join("foreign/mirax.mrxs"),
        ]
        .map(|path| Job::new("a".to_owned(), path))
        .into();
        let never = AtomicBool::new(false);
        let found = survey(&jobs, Duration::from_secs(60), &never);
        let seen = found[0].unwrap();
        assert_eq!((seen.width, seen.height, seen.resolution), (30, 20, None));
        assert_eq!(found[1..], [None, None, None]);
        // Stopped or out of time, it is over at once.
        let stopped = survey(&jobs, Duration::from_secs(60), &AtomicBool::new(true));
        assert_eq!(stopped.len(), jobs.len());
        assert_eq!(survey(&[], Duration::from_secs(60), &never), []);
    }
}
