//! Watches over the networks while they run, and stops them once nobody waits for their answers any more.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

use super::Request;
use crate::backend::Brake;

/// How often a request is asked whether it was cancelled.
const PAUSE: Duration = Duration::from_millis(100);

/// Does something with networks; once the request is cancelled, their runs are stopped by their brakes. When this
/// returns, the networks can run again.
pub(super) fn watched<T>(
    brakes: &[Arc<dyn Brake>],
    request: &Request<'_>,
    work: impl FnOnce() -> T,
) -> T {
    if brakes.is_empty() || request.stop.is_none() {
        return work();
    }
    let (done, ended) = bounded::<()>(0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(PAUSE) {
                if request.is_cancelled() {
                    brakes.iter().for_each(|brake| brake.pull());
                    // Until the work is over, however it ends: no lane may begin another run.
                    let _ = ended.recv();
                    brakes.iter().for_each(|brake| brake.release());
                    break;
                }
            }
        });
        // Dropped in here, so that a panic of the work ends the thread, too.
        let _done = done;
        work()
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn cancelled(is_cancelled: &AtomicBool) -> Request<'_> {
        Request {
            stop: Some(is_cancelled),
            ..Request::default()
        }
    }

    #[derive(Default)]
    struct Flag {
        is_pulled: AtomicBool,
        was_pulled: AtomicBool,
    }

    impl Brake for Flag {
        fn pull(&self) {
            self.is_pulled.store(true, Ordering::Relaxed);
            self.was_pulled.store(true, Ordering::Relaxed);
        }

        fn release(&self) {
            self.is_pulled.store(false, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_brake_is_pulled_until_the_work_is_over() {
        let flag = Arc::new(Flag::default());
        let brakes = [Arc::clone(&flag) as Arc<dyn Brake>];
        let endless = || {
            while !flag.is_pulled.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            7
        };
        assert_eq!(
            watched(&brakes, &cancelled(&AtomicBool::new(true)), endless),
            7
        );
        assert!(!flag.is_pulled.load(Ordering::Relaxed));
        let fallen = catch_unwind(AssertUnwindSafe(|| {
            watched(&brakes, &cancelled(&AtomicBool::new(true)), || {
                endless();
                panic!("it fell over")
            })
        }));
        assert!(fallen.is_err() && !flag.is_pulled.load(Ordering::Relaxed));
    }

    #[test]
    fn nothing_is_stopped_that_somebody_waits_for() {
        let flag = Arc::new(Flag::default());
        let brakes = [Arc::clone(&flag) as Arc<dyn Brake>];
        watched(&brakes, &cancelled(&AtomicBool::new(false)), || {
            std::thread::sleep(2 * PAUSE)
        });
        watched(&brakes, &cancelled(&AtomicBool::new(true)), || ());
        assert!(!flag.was_pulled.load(Ordering::Relaxed));
    }
}
