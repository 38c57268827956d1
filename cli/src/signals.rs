//! Listens to the user's Ctrl-C and to a scheduler's SIGTERM: the first one asks, the second one ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// What is added to a signal's number for an exit code, as shells do.
const EXIT_BASE: i32 = 128;

/// From now on a file over the limit (`ulimit -f`) is an error of that file, and does not end the program in the middle of
/// its work.
pub(super) fn outlive_large_files() {
    // Where it cannot be had, the program ends as it would without.
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// The signals that came.
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// Listens from now on, for the rest of the program.
    pub(super) fn heed() -> anyhow::Result<Self> {
        let signals = Signals {
            stop: Arc::default(),
            last: Arc::default(),
        };
        for signal in [SIGINT, SIGTERM] {
            let register = || -> std::io::Result<()> {
                // In this order: the second signal finds the flag that the first one raised, and ends the program.
                flag::register_conditional_shutdown(
                    signal,
                    EXIT_BASE + signal,
                    Arc::clone(&signals.stop),
                )?;
                flag::register(signal, Arc::clone(&signals.stop))?;
                flag::register_usize(signal, Arc::clone(&signals.last), signal as usize)?;
                Ok(())
            };
            register().context("cannot listen to signals")?;
        }
        Ok(signals)
    }

    /// Raised when the program is to stop.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// 130 after SIGINT, 143 after SIGTERM.
    pub(super) fn exit_code(&self) -> Option<u8> {
        match self.last.load(Ordering::Relaxed) {
            0 => None,
            signal => u8::try_from(EXIT_BASE as usize + signal).ok(),
        }
    }
}
