//! Tells on standard error how a batch goes: one plain line a slide.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::batch::{Event, Status};

/// Shows a batch's events.
pub(super) struct Progress {
    terminal: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: String,
    shown: Option<Instant>,
}

impl Progress {
    pub fn new() -> Self {
        Progress {
            terminal: std::io::stderr().is_terminal(),
            state: Mutex::default(),
        }
    }

    /// Shows one event.
    pub fn show(&self, event: &Event<'_>) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut err = std::io::stderr().lock();
        // A closed standard error is no reason to stop segmenting.
        let _ = self.write(&mut state, &mut err, event);
    }

    fn write(
        &self,
        state: &mut State,
        err: &mut impl Write,
        event: &Event<'_>,
    ) -> std::io::Result<()> {
        match event {
            Event::Started { index, total, job } => {
                state.current = format!("[{}/{total}] {}", index + 1, job.id);
                state.shown = None;
                self.passing(err, &state.current)
            }
            Event::Tiles(tiles) => {
                let due = state
                    .shown
                    .is_none_or(|shown| shown.elapsed() > Duration::from_millis(200));
                if !due {
                    return Ok(());
                }
                state.shown = Some(Instant::now());
                let line = format!(
                    "{}: {} of {} tiles",
                    state.current, tiles.inferred, tiles.planned
                );
                self.passing(err, &line)
            }
            Event::Ended {
                index,
                total,
                status,
            } => {
                let place = format!("[{}/{total}] {}", index + 1, status.id);
                let line = match status.status {
                    Status::Done => format!(
                        "{place}: {}, {} objects, {:.1} s",
                        status.organ.as_deref().unwrap_or("no tissue"),
                        status.objects,
                        status.seconds
                    ),
                    Status::Skipped => format!("{place}: there already"),
                    Status::Failed => format!(
                        "{place}: FAILED: {}",
                        status.reason.as_deref().unwrap_or("no reason known")
                    ),
                };
                if self.terminal {
                    write!(err, "\r\x1b[K")?;
                }
                writeln!(err, "{line}")
            }
        }
    }

    /// A line that the next one replaces; only where somebody watches.
    fn passing(&self, err: &mut impl Write, line: &str) -> std::io::Result<()> {
        if self.terminal {
            write!(err, "\r\x1b[K{line}")?;
            err.flush()?;
        }
        Ok(())
    }
}
