//! Tells how a batch goes: bars on a terminal, one plain line a slide elsewhere, or JSON for programs.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::advice;
use super::console::{printable, put_line};
use ftuseg::batch::{Event, SlideStatus, Status};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Bars on a terminal, and a line a slide.
    Progress,
    /// Only what fails.
    Failures,
    /// JSON lines on standard output, and what fails on standard error.
    Json {
        /// No lines of progress on standard error either.
        quiet: bool,
    },
}

/// How often bars are drawn, a second.
const DRAWN_HZ: u8 = 8;
/// How often JSON tells of tiles.
const TILES_EVERY: Duration = Duration::from_secs(1);

/// Shows a batch's events.
pub(super) struct Progress {
    shown: Shown,
    bars: Option<Bars>,
    state: Mutex<State>,
}

struct Bars {
    all: MultiProgress,
    batch: ProgressBar,
    slide: ProgressBar,
}

#[derive(Default)]
struct State {
    current: String,
    begun: Option<Instant>,
    /// Mpx of the slide at hand.
    mpx: f64,
    told: Option<Instant>,
    /// The first reason why an event could not be written.
    unwritten: Option<std::io::Error>,
}

impl Progress {
    pub fn new(shown: Shown) -> Self {
        let is_watched = std::io::stderr().is_terminal();
        let bars = (shown == Shown::Progress && is_watched).then(Bars::new);
        Progress {
            shown,
            bars,
            state: Mutex::default(),
        }
    }

    /// Shows one event.
    pub fn show(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Shown::Json { .. } = self.shown {
            self.show_json(&mut state, event);
        }
        match event {
            Event::Note(note) => self.line(&printable(note)),
            Event::Started { index, total, job } => {
                state.current = format!("[{}/{total}] {}", index + 1, printable(&job.id));
                state.begun = Some(Instant::now());
                state.mpx = 0.0;
                state.told = None;
                if let Some(bars) = &self.bars {
                    bars.batch.set_length(*total as u64);
                    bars.slide.set_length(0);
                    bars.slide.set_position(0);
                    bars.slide.reset();
                    bars.slide.set_message(printable(&job.id));
                    bars.batch.tick();
                }
            }
            Event::Opened { width, height } => {
                state.mpx = f64::from(*width) * f64::from(*height) * 1e-6;
            }
            Event::Tiles(tiles) => {
                if let Some(bars) = &self.bars {
                    bars.slide.set_length(tiles.planned);
                    bars.slide.set_position(tiles.inferred);
                    let rate = Rate::of(&state, tiles.inferred, tiles.planned);
                    bars.slide.set_prefix(rate.to_string());
                }
            }
            Event::Ended {
                index,
                total,
                status,
            } => {
                if let Some(bars) = &self.bars {
                    bars.batch.set_length(*total as u64);
                    bars.batch.inc(1);
                }
                let is_wanted = match self.shown {
                    Shown::Progress | Shown::Json { quiet: false } => true,
                    Shown::Failures | Shown::Json { quiet: true } => {
                        status.status == Status::Failed
                    }
                };
                if is_wanted {
                    self.line(&format!("[{}/{total}] {}", index + 1, sentence(status)));
                    // Those of a slide that is kept stood there when it was done.
                    if status.status == Status::Done {
                        for warning in &status.warnings {
                            self.line(&printable(&format!(
                                "  warning: {}",
                                advice::warning(warning)
                            )));
                        }
                    }
                }
            }
        }
    }

    /// Takes the bars away, once nothing more comes.
    pub fn end(&self) {
        if let Some(bars) = &self.bars {
            bars.slide.finish_and_clear();
            bars.batch.finish_and_clear();
        }
    }

    /// A line that stays, above the bars.
    fn line(&self, line: &str) {
        // A closed standard error is no reason to stop segmenting.
        let _ = match &self.bars {
            Some(bars) => bars.all.println(line),
            None => {
                tell!("{line}");
                Ok(())
            }
        };
    }

    fn show_json(&self, state: &mut State, event: &Event<'_>) {
        let value = match event {
            Event::Note(note) => json!({ "event": "note", "text": note }),
            Event::Started { index, total, job } => json!({
                "event": "started",
                "index": index,
                "total": total,
                "id": job.id,
                "path": job.path.display().to_string(),
            }),
            Event::Opened { width, height } => {
                json!({ "event": "opened", "width": width, "height": height })
            }
            Event::Tiles(tiles) => {
                let is_due = state.told.is_none_or(|told| told.elapsed() > TILES_EVERY);
                if !is_due {
                    return;
                }
                state.told = Some(Instant::now());
                let rate = Rate::of(state, tiles.inferred, tiles.planned);
                json!({
                    "event": "tiles",
                    "planned": tiles.planned,
                    "inferred": tiles.inferred,
                    "tiles_per_second": rate.tiles,
                    "mpx_per_second": rate.mpx,
                })
            }
            Event::Ended {
                index,
                total,
                status,
            } => json!({
                "event": "ended",
                "index": index,
                "total": total,
                "slide": status,
            }),
        };
        if let Err(error) = put_line(&value) {
            // Segmenting goes on; the end of the run tells of it.
            state.unwritten.get_or_insert(error);
        }
    }

    /// Why an event could not be written, if one could not.
    pub fn unwritten(&self) -> Option<std::io::Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unwritten.take()
    }
}

impl Bars {
    fn new() -> Self {
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .expect("invariant: the templates below are well-formed")
                .progress_chars("=> ")
        };
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWN_HZ));
        let batch = all.add(ProgressBar::new(0));
        batch.set_style(style(
            "slides {wide_bar} {pos}/{len}, {elapsed} elapsed, {eta} left",
        ));
        let slide = all.add(ProgressBar::new(0));
        slide.set_style(style(
            "{msg:24!} {wide_bar} {pos}/{len} tiles{prefix}, {eta} left",
        ));
        batch.enable_steady_tick(TILES_EVERY);
        Bars { all, batch, slide }
    }
}

/// How fast the slide at hand goes.
struct Rate {
    tiles: f64,
    /// Full-size px of the slide, in proportion to its tiles.
    mpx: f64,
}

impl Rate {
    fn of(state: &State, inferred: u64, planned: u64) -> Self {
        let seconds = state
            .begun
            .map_or(0.0, |begun| begun.elapsed().as_secs_f64());
        if seconds <= 0.0 || planned == 0 {
            return Rate {
                tiles: 0.0,
                mpx: 0.0,
            };
        }
        let share = inferred as f64 / planned as f64;
        Rate {
            tiles: inferred as f64 / seconds,
            mpx: state.mpx * share / seconds,
        }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, ", {:.1} tiles/s, {:.1} Mpx/s", self.tiles, self.mpx)
    }
}

/// What became of a slide, in words.
fn sentence(status: &SlideStatus) -> String {
    let reason = printable(&advice::reason(status));
    let id = printable(&status.id);
    match status.status {
        Status::Done => format!(
            "{id}: {}, {} objects, {:.1} s",
            status.organ.as_deref().unwrap_or("no tissue"),
            status.objects,
            status.seconds
        ),
        Status::Skipped => format!("{id}: already done"),
        Status::Failed => format!("{id}: FAILED: {reason}"),
        Status::Pending => format!("{id}: {reason}"),
    }
}
