//! Segments on a thread of its own, so that the caller's thread can tell of progress and listen to Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use ftuseg::pipeline::{KeepProbabilities, TileCount};
use ftuseg::slide::Resolution;
use ftuseg::{Engine, Organ, Rect, Request, Segmentation, SlideReader};
use pyo3::prelude::*;

use super::error::Failure;

/// How often Ctrl-C is looked for.
const OFTEN: Duration = Duration::from_millis(100);

/// What is wanted of one slide.
pub(crate) struct Wish {
    pub resolution: Option<Resolution>,
    pub organ: Option<Organ>,
    pub region: Option<Rect>,
    pub progress: Option<Progress>,
    /// Anything with `is_set()`, such as a `threading.Event`.
    pub cancel: Option<Py<PyAny>>,
}

/// Who is told of progress.
pub(crate) enum Progress {
    /// A function of the tiles done and planned. It cancels by returning `False`.
    Function(Py<PyAny>),
    /// A bar of tqdm.
    Bar(Py<PyAny>),
}

impl Progress {
    /// A function, or what has `total` and `update` as bars have.
    pub fn of(progress: &Bound<'_, PyAny>) -> Result<Self, Failure> {
        if progress.hasattr("total")? && progress.hasattr("update")? {
            Ok(Progress::Bar(progress.clone().unbind()))
        } else if progress.is_callable() {
            Ok(Progress::Function(progress.clone().unbind()))
        } else {
            Err(Failure::usage(
                "progress must be a function of the tiles done and planned, or a bar of tqdm",
            ))
        }
    }

    /// Tells of the tiles. Returns whether to go on.
    fn tell(&self, py: Python<'_>, tiles: TileCount) -> PyResult<bool> {
        match self {
            Progress::Function(function) => {
                let answer = function.bind(py).call1((tiles.inferred, tiles.planned))?;
                Ok(!answer.is(pyo3::types::PyBool::new(py, false)))
            }
            Progress::Bar(bar) => {
                let bar = bar.bind(py);
                let shown: u64 = bar.getattr("n")?.extract()?;
                bar.setattr("total", tiles.planned)?;
                bar.call_method1("update", (tiles.inferred.saturating_sub(shown),))?;
                Ok(true)
            }
        }
    }
}

impl Wish {
    /// Opens a slide and segments it, and gives what `finish` makes of both. The interpreter is free meanwhile.
    pub fn run<'s, T: Send>(
        &self,
        py: Python<'_>,
        engine: &Engine,
        open: impl FnOnce() -> Result<Box<dyn SlideReader + 's>, Failure> + Send,
        finish: impl FnOnce(&dyn SlideReader, Segmentation) -> T + Send,
    ) -> Result<T, Failure> {
        let stop = AtomicBool::new(false);
        let (tell, told) = channel();
        let (resolution, organ, region) = (self.resolution, self.organ, self.region);
        let work = |stop: &AtomicBool| {
            let slide = open()?;
            // The channel's end is dropped with this closure: whoever listens then knows that the work is over.
            let progress = move |tiles: TileCount| {
                // Nobody listens any more once the work was given up.
                let _ = tell.send(tiles);
            };
            let segmentation = engine.segment(
                slide.as_ref(),
                &Request {
                    mpp: resolution,
                    organ,
                    region,
                    // As the command keeps them: objects have the mean of theirs.
                    probabilities: KeepProbabilities::FullSize,
                    stop: Some(stop),
                    progress: Some(&progress),
                },
            )?;
            Ok(finish(slide.as_ref(), segmentation))
        };
        // Moved, for the channel's end belongs to one thread.
        let stop = &stop;
        py.detach(move || {
            std::thread::scope(|scope| {
                let worker = scope.spawn(move || work(stop));
                let mut raised = None;
                loop {
                    let mut tiles = match told.recv_timeout(OFTEN) {
                        Ok(tiles) => Some(tiles),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => break,
                    };
                    // Only the latest counts.
                    while let Ok(later) = told.try_recv() {
                        tiles = Some(later);
                    }
                    if raised.is_some() {
                        continue;
                    }
                    match Python::attach(|py| self.look(py, tiles)) {
                        Ok(true) => {}
                        Ok(false) => stop.store(true, Ordering::Relaxed),
                        Err(error) => {
                            stop.store(true, Ordering::Relaxed);
                            raised = Some(error);
                        }
                    }
                }
                let done = worker.join();
                match (raised, done) {
                    (Some(error), _) => Err(Failure::Raised(error)),
                    (None, Ok(done)) => done,
                    (None, Err(_)) => Err(Failure::internal(
                        "a thread of the engine stopped unexpectedly; please report this",
                    )),
                }
            })
        })
    }

    /// Looks for signals, asks whether to cancel, and tells of progress. Returns whether to go on.
    fn look(&self, py: Python<'_>, tiles: Option<TileCount>) -> PyResult<bool> {
        py.check_signals()?;
        if let Some(cancel) = &self.cancel
            && cancel.bind(py).call_method0("is_set")?.is_truthy()?
        {
            return Ok(false);
        }
        match (&self.progress, tiles) {
            (Some(progress), Some(tiles)) => progress.tell(py, tiles),
            _ => Ok(true),
        }
    }
}
