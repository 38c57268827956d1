//! Watches over the reading of a slide: ends it when the batch is stopped or the slide's time is up, even if a network
//! drive does not answer at all.

use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use crate::slide::dicom::{DicomHeader, DicomTag};
use crate::slide::warning::Warning;
use crate::slide::{SlideError, SlideInfo, SlideReader};

/// How slides are opened: [`slide::open`](crate::slide::open), or what a caller has in its place.
pub type Opener = fn(&Path) -> Result<Box<dyn SlideReader>, SlideError>;

/// How often a waiting thread looks whether it was stopped.
const PAUSE: Duration = Duration::from_millis(100);

/// The time of one slide.
pub(super) struct Deadline {
    stops: Vec<Arc<AtomicBool>>,
    is_deaf: AtomicBool,
    limit: Option<Duration>,
    end: Mutex<Option<Instant>>,
    is_late: AtomicBool,
}

impl Deadline {
    /// A clock that starts now. It ends with the limit, or when one of the flags is raised.
    pub(super) fn start(limit: Option<Duration>, stops: Vec<Arc<AtomicBool>>) -> Arc<Self> {
        let deadline = Deadline {
            stops,
            is_deaf: AtomicBool::new(false),
            limit,
            end: Mutex::new(None),
            is_late: AtomicBool::new(false),
        };
        deadline.restart();
        Arc::new(deadline)
    }

    /// For the last stage: the slide has its whole time again, and is finished even if the batch is stopped.
    pub(super) fn finish(&self) {
        self.is_deaf.store(true, Ordering::Relaxed);
        self.restart();
    }

    fn restart(&self) {
        // A limit beyond what the system's clock can count is none.
        let end = self
            .limit
            .and_then(|limit| Instant::now().checked_add(limit));
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    /// Whether the slide's time was up.
    pub(super) fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    /// Whether the batch is to stop.
    pub(super) fn is_stopped(&self) -> bool {
        !self.is_deaf.load(Ordering::Relaxed)
            && self.stops.iter().any(|stop| stop.load(Ordering::Relaxed))
    }

    /// An error once the batch is stopped or the slide's time is up.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.is_stopped() {
            return Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the batch was stopped",
            ));
        }
        let end = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.is_some_and(|end| Instant::now() >= end) {
            self.is_late.store(true, Ordering::Relaxed);
            return Err(io::Error::new(io::ErrorKind::TimedOut, "its time was up"));
        }
        Ok(())
    }

    /// Does something that may never come back. With a limit it is done in a thread of its own, which is left behind
    /// when the time is up: nothing can wake a thread that waits for a network drive.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        self.check()?;
        if self.limit.is_none() {
            return Ok(work());
        }
        let (answer, answered) = bounded(1);
        thread::Builder::new()
            .name("slide".to_owned())
            .spawn(move || {
                // Nobody may be waiting any more.
                let _ = answer.send(std::panic::catch_unwind(AssertUnwindSafe(work)));
            })?;
        self.wait(&answered)
    }

    /// Waits for the answer of a thread. A panic there goes on here.
    fn wait<T>(&self, answered: &Receiver<thread::Result<T>>) -> io::Result<T> {
        loop {
            self.check()?;
            match answered.recv_timeout(PAUSE.min(self.limit.unwrap_or(PAUSE))) {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("a reading thread stopped unexpectedly"));
                }
            }
        }
    }
}

/// A region that somebody waits for.
struct ReadRequest {
    level: usize,
    at: (i64, i64),
    size: (u32, u32),
    out: Vec<u8>,
    answer: Sender<thread::Result<Result<Vec<u8>, SlideError>>>,
}

/// A slide that can be read until its clock says no.
pub(super) struct TimedSlide {
    path: PathBuf,
    slide: Arc<dyn SlideReader>,
    deadline: Arc<Deadline>,
    /// To the threads that read, where there is a limit.
    wanted: Option<Sender<ReadRequest>>,
}

impl TimedSlide {
    /// Opens a slide under a clock. With a limit, `readers` threads of its own read it.
    pub(super) fn open(
        path: &Path,
        open: Opener,
        deadline: &Arc<Deadline>,
        readers: usize,
    ) -> Result<Self, SlideError> {
        let io = |source| SlideError::io(path, source);
        let theirs = path.to_owned();
        let slide: Arc<dyn SlideReader> = deadline.run(move || open(&theirs)).map_err(io)??.into();
        let wanted = match deadline.limit {
            None => None,
            Some(_) => Some(start_readers(&slide, readers).map_err(io)?),
        };
        Ok(TimedSlide {
            path: path.to_owned(),
            slide,
            deadline: Arc::clone(deadline),
            wanted,
        })
    }

    /// The clock.
    pub(super) fn deadline(&self) -> &Deadline {
        &self.deadline
    }
}

/// Threads that end when the sender is dropped, or when the system lets go of them.
fn start_readers(slide: &Arc<dyn SlideReader>, readers: usize) -> io::Result<Sender<ReadRequest>> {
    let (wanted, requests) = unbounded::<ReadRequest>();
    for _ in 0..readers.max(1) {
        let (slide, requests) = (Arc::clone(slide), requests.clone());
        thread::Builder::new()
            .name("slide".to_owned())
            .spawn(move || {
                for mut region in requests {
                    let done = std::panic::catch_unwind(AssertUnwindSafe(|| {
                        let ((x, y), (width, height)) = (region.at, region.size);
                        slide
                            .read(region.level, x, y, width, height, &mut region.out)
                            .map(|()| std::mem::take(&mut region.out))
                    }));
                    let _ = region.answer.send(done);
                }
            })?;
    }
    Ok(wanted)
}

impl SlideReader for TimedSlide {
    fn info(&self) -> &SlideInfo {
        self.slide.info()
    }

    fn warnings(&self) -> &[Warning] {
        self.slide.warnings()
    }

    fn read(
        &self,
        level: usize,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), SlideError> {
        let io = |source| SlideError::io(&self.path, source);
        self.deadline.check().map_err(io)?;
        let Some(wanted) = &self.wanted else {
            return self.slide.read(level, x, y, width, height, out);
        };
        let (answer, answered) = bounded(1);
        let region = ReadRequest {
            level,
            at: (x, y),
            size: (width, height),
            out: out.to_vec(),
            answer,
        };
        wanted
            .send(region)
            .map_err(|_| io(io::Error::other("the reading threads have stopped")))?;
        let read = self.deadline.wait(&answered).map_err(io)??;
        out.copy_from_slice(&read);
        Ok(())
    }

    fn dicom_headers(
        &self,
        is_wanted: fn(DicomTag) -> bool,
    ) -> Result<Option<Vec<DicomHeader>>, SlideError> {
        let slide = Arc::clone(&self.slide);
        let read = self.deadline.run(move || slide.dicom_headers(is_wanted));
        read.map_err(|source| SlideError::io(&self.path, source))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slide::Level;
    use std::sync::Condvar;

    /// While this is true, slides do not answer.
    static STALLS: (Mutex<bool>, Condvar) = (Mutex::new(true), Condvar::new());

    struct Stalling(SlideInfo);

    fn wait_for_the_share() {
        let mut stalls = STALLS.0.lock().unwrap();
        while *stalls {
            stalls = STALLS.1.wait(stalls).unwrap();
        }
    }

    impl SlideReader for Stalling {
        fn info(&self) -> &SlideInfo {
            &self.0
        }

        fn read(
            &self,
            level: usize,
            _x: i64,
            _y: i64,
            _width: u32,
            _height: u32,
            out: &mut [u8],
        ) -> Result<(), SlideError> {
            match level {
                0 => out.fill(7),
                1 => wait_for_the_share(),
                _ => panic!("the decoder fell over"),
            }
            Ok(())
        }
    }

    fn stalling(path: &Path) -> Result<Box<dyn SlideReader>, SlideError> {
        if path.ends_with("stalls") {
            wait_for_the_share();
        }
        let mut info = SlideInfo::new("test", 9, 9);
        info.levels = vec![
            Level {
                width: 9,
                height: 9
            };
            3
        ];
        Ok(Box::new(Stalling(info)))
    }

    #[test]
    fn a_share_that_stalls_holds_up_nobody() {
        let limit = Some(Duration::from_millis(300));
        // Opening stalls.
        let deadline = Deadline::start(limit, Vec::new());
        let late = TimedSlide::open(Path::new("stalls"), stalling, &deadline, 2);
        assert!(matches!(late, Err(SlideError::Io { .. })) && deadline.is_late());

        // Reading stalls, in both threads; the others then wait in vain, but not for ever.
        let deadline = Deadline::start(Some(Duration::from_secs(3600)), Vec::new());
        let slide = TimedSlide::open(Path::new("x"), stalling, &deadline, 2).unwrap();
        let mut out = [0; 12];
        slide.read(0, 0, 0, 2, 2, &mut out).unwrap();
        assert_eq!(out, [7; 12]);
        *deadline.end.lock().unwrap() = Some(Instant::now() + Duration::from_millis(300));
        thread::scope(|scope| {
            for level in [1, 1, 1, 0] {
                let slide = &slide;
                scope.spawn(move || {
                    // The last one may find a thread free before it is late.
                    let read = slide.read(level, 0, 0, 2, 2, &mut [0; 12]);
                    assert!(read.is_err() || level == 0);
                });
            }
        });
        assert!(deadline.is_late());
        *STALLS.0.lock().unwrap() = false;
        STALLS.1.notify_all();
        // The next stage has its time anew, and the threads are there again.
        deadline.restart();
        slide.read(1, 0, 0, 2, 2, &mut out).unwrap();
    }

    #[test]
    fn a_raised_flag_ends_the_reading() {
        for limit in [None, Some(Duration::from_secs(3600))] {
            let stop = Arc::new(AtomicBool::new(false));
            let deadline = Deadline::start(limit, vec![Arc::clone(&stop)]);
            let slide = TimedSlide::open(Path::new("x"), stalling, &deadline, 1).unwrap();
            slide.read(0, 0, 0, 1, 1, &mut [0; 3]).unwrap();
            stop.store(true, Ordering::Relaxed);
            assert!(slide.read(0, 0, 0, 1, 1, &mut [0; 3]).is_err());
            assert!(deadline.is_stopped() && !deadline.is_late());
            // What has come as far as its last stage is finished.
            deadline.finish();
            slide.read(0, 0, 0, 1, 1, &mut [0; 3]).unwrap();
        }
    }

    #[test]
    fn a_panic_comes_back_to_who_asked() {
        let deadline = Deadline::start(Some(Duration::from_secs(3600)), Vec::new());
        let slide = TimedSlide::open(Path::new("x"), stalling, &deadline, 1).unwrap();
        let read =
            std::panic::catch_unwind(AssertUnwindSafe(|| slide.read(2, 0, 0, 1, 1, &mut [0; 3])));
        assert!(read.is_err());
        // The thread that panicked goes on with the next region.
        slide.read(0, 0, 0, 1, 1, &mut [0; 3]).unwrap();
    }
}
