//! Tells how a batch goes: bars on a terminal, one plain line a slide elsewhere, or JSON for programs.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::console::{counted, duration, painted, printable, put_line};
use super::remaining::Remaining;
use super::{advice, failures, json_log, organs};
use ftuseg::batch::{Event, Plan, SlideStatus, Status};
use ftuseg::slide::warning::{Warning, WarningKind};

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
/// The parts of the bar of all slides.
const PARTS: u64 = 1000;

/// Shows a batch's events.
pub(super) struct Progress {
    shown: Shown,
    out: PathBuf,
    bars: Option<Bars>,
    state: Mutex<State>,
}

struct Bars {
    all: MultiProgress,
    /// None where there is only one slide.
    batch: Option<ProgressBar>,
    slide: ProgressBar,
}

struct State {
    left: Remaining,
    /// Id of the slide at hand.
    current: String,
    begun: Option<Instant>,
    /// Mpx of the slide at hand.
    mpx: f64,
    told: Option<Instant>,
    /// Slides that have ended, of so many.
    ended: usize,
    total: usize,
    /// Failures that were told already: kind and reason.
    failures: HashSet<(String, String)>,
    /// Whether slides without um/px were told of before the run.
    knows_no_resolution: bool,
    /// The first reason why an event could not be written.
    unwritten: Option<std::io::Error>,
}

impl Progress {
    /// Shows a batch that is written into `out`. `areas` are those of its slides, where they are known.
    pub fn new(shown: Shown, out: PathBuf, areas: Vec<Option<f64>>) -> Self {
        let is_watched = std::io::stderr().is_terminal();
        let bars = (shown == Shown::Progress && is_watched).then(|| Bars::new(areas.len() > 1));
        Progress {
            shown,
            out,
            bars,
            state: Mutex::new(State {
                left: Remaining::new(areas),
                current: String::new(),
                begun: None,
                mpx: 0.0,
                told: None,
                ended: 0,
                total: 0,
                failures: HashSet::new(),
                knows_no_resolution: false,
                unwritten: None,
            }),
        }
    }

    /// Slides without um/px were told of already, all at once.
    pub fn knows_of_missing_resolutions(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.knows_no_resolution = true;
    }

    /// Shows one event.
    pub fn show(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        if let Shown::Json { .. } = self.shown {
            self.show_json(state, event);
        }
        match event {
            Event::Note(note) => self.line(&format!("note: {}", printable(note))),
            Event::Planned(plan) => self.planned(state, plan),
            Event::Started { index, job, .. } => {
                state.current.clone_from(&job.id);
                state.begun = Some(Instant::now());
                state.mpx = 0.0;
                state.told = None;
                state.left.begin(*index);
                if let Some(bars) = &self.bars {
                    bars.begin(&printable(&job.id));
                    bars.go_on(state);
                }
            }
            Event::Opened { width, height, .. } => {
                state.mpx = f64::from(*width) * f64::from(*height) * 1e-6;
                if let Some(bars) = &self.bars {
                    bars.slide.set_message("finding tissue and organs");
                }
            }
            Event::Tiles { index, tiles } => {
                state.left.tiles(*index, tiles.planned, tiles.inferred);
                if let Some(bars) = &self.bars {
                    bars.tiles(state, tiles.planned, tiles.inferred);
                }
            }
            Event::Ended {
                index,
                total,
                status,
            } => {
                state.ended += 1;
                if let Some(bars) = &self.bars {
                    bars.go_on(state);
                }
                if self.is_wanted(state, status) {
                    self.line(&format!("[{}/{total}] {}", index + 1, sentence(status)));
                    for warning in &status.warnings {
                        if status.status == Status::Done {
                            let text = advice::warning(warning);
                            self.line(&printable(&format!("  warning: {text}")));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn planned(&self, state: &mut State, plan: &Plan<'_>) {
        state.total = plan.jobs.len();
        state.left.plan(plan.todo);
        let is_quiet = matches!(self.shown, Shown::Failures | Shown::Json { quiet: true });
        if plan.kept > 0 && !is_quiet {
            let verb = if plan.kept == 1 { "is" } else { "are" };
            self.line(&format!(
                "{} of {} {verb} already done",
                plan.kept,
                counted(plan.jobs.len() as u64, "slide")
            ));
        }
    }

    /// Whether what became of a slide is worth a line: what is kept was told of at once, what had no turn is counted at the
    /// end, and one reason is told once.
    fn is_wanted(&self, state: &mut State, status: &SlideStatus) -> bool {
        match status.status {
            Status::Done => matches!(self.shown, Shown::Progress | Shown::Json { quiet: false }),
            Status::Skipped | Status::Pending => false,
            Status::Failed => {
                let is_told =
                    state.knows_no_resolution && status.kind.as_deref() == Some("no-resolution");
                state.failures.insert(failures::key_of(status)) && !is_told
            }
        }
    }

    /// Takes the bars away, once nothing more comes.
    pub fn end(&self) {
        if let Some(bars) = &self.bars {
            bars.slide.finish_and_clear();
            if let Some(batch) = &bars.batch {
                batch.finish_and_clear();
            }
        }
    }

    /// A line that stays, above the bars.
    fn line(&self, line: &str) {
        // A closed standard error is no reason to stop segmenting.
        let _ = match &self.bars {
            Some(bars) => bars.all.println(painted(line)),
            None => {
                tell!("{line}");
                Ok(())
            }
        };
    }

    fn show_json(&self, state: &mut State, event: &Event<'_>) {
        match event {
            Event::Tiles { index, tiles } => {
                let is_due = state.told.is_none_or(|told| told.elapsed() > TILES_EVERY);
                if is_due {
                    state.told = Some(Instant::now());
                    let rate = Rate::of(state, tiles.inferred, tiles.planned);
                    let counts = (tiles.planned, tiles.inferred);
                    let rate = [rate.tiles, rate.mpx];
                    let value = json_log::tiles(*index, &state.current, counts, rate);
                    state.put(&value);
                }
                return;
            }
            event => {
                if let Some(value) = json_log::event(event, &state.current, &self.out) {
                    state.put(&value);
                }
            }
        }
        match event {
            Event::Planned(plan) => {
                let slower = plan.provenance.runtime.warning.as_deref();
                if let Some(text) = slower {
                    let warning = Warning::new(WarningKind::Slower, text);
                    state.put(&json_log::warning(None, &warning));
                }
            }
            Event::Ended { index, status, .. } => {
                for warning in &status.warnings {
                    let slide = Some((*index, status.id.as_str()));
                    state.put(&json_log::warning(slide, warning));
                }
            }
            _ => {}
        }
    }

    /// Why an event could not be written, if one could not.
    pub fn unwritten(&self) -> Option<std::io::Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unwritten.take()
    }
}

impl State {
    fn put(&mut self, value: &Value) {
        if let Err(error) = put_line(value) {
            // Segmenting goes on; the end of the run tells of it.
            self.unwritten.get_or_insert(error);
        }
    }
}

impl Bars {
    fn new(has_several: bool) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWN_HZ));
        let batch = has_several.then(|| {
            let batch = all.add(ProgressBar::new(PARTS));
            batch.set_style(style("{prefix:24!} {wide_bar} {elapsed}{msg}"));
            batch.enable_steady_tick(TILES_EVERY);
            batch
        });
        let slide = all.add(ProgressBar::new(1));
        slide.enable_steady_tick(TILES_EVERY);
        Bars { all, batch, slide }
    }

    /// A slide begins, of which nothing is known yet: no bar, for none of it would be true.
    fn begin(&self, id: &str) {
        self.slide.set_style(style("{prefix:24!} {msg}"));
        self.slide.reset();
        self.slide.set_prefix(id.to_owned());
        self.slide.set_message("opening");
    }

    fn tiles(&self, state: &State, planned: u64, inferred: u64) {
        if planned == 0 {
            self.slide.set_message("nothing to segment");
            return;
        }
        if inferred == 0 {
            self.slide.set_style(style("{prefix:24!} {wide_bar} {msg}"));
        }
        self.slide.set_length(planned);
        self.slide.set_position(inferred);
        let rate = Rate::of(state, inferred, planned);
        let mut text = format!("{inferred}/{planned} tiles, {rate}");
        if self.batch.is_none() {
            text += &left_of(state);
        }
        self.slide.set_message(text);
        self.go_on(state);
    }

    /// Moves the bar of all slides.
    fn go_on(&self, state: &State) {
        let Some(batch) = &self.batch else {
            return;
        };
        batch.set_prefix(format!("{} of {} slides", state.ended, state.total));
        let (done, all) = state.left.so_far().unwrap_or((0, 1));
        batch.set_position(PARTS * done.min(all) / all.max(1));
        batch.set_message(left_of(state));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("invariant: the templates here are well-formed")
        .progress_chars("=> ")
}

/// The time that is left, where it can be told.
fn left_of(state: &State) -> String {
    let seconds = state.left.seconds();
    seconds.map_or_else(String::new, |left| format!(", {} left", duration(left)))
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
        write!(f, "{:.1} Mpx/s", self.mpx)
    }
}

/// What became of a slide, in words.
fn sentence(status: &SlideStatus) -> String {
    let id = printable(&status.id);
    match status.status {
        Status::Done => {
            let unsure = if organs::is_unsure(status) {
                ", unsure"
            } else {
                ""
            };
            let made = status
                .reason
                .as_deref()
                .map_or_else(String::new, |reason| format!(" ({})", printable(reason)));
            format!(
                "{id}: {}{unsure}, {}, {:.1} s{made}",
                printable(&organs::of(status)),
                counted(status.objects, "object"),
                status.seconds
            )
        }
        Status::Failed => format!("{id}: FAILED: {}", printable(&advice::reason(status))),
        Status::Skipped | Status::Pending => {
            format!("{id}: {}", printable(&advice::reason(status)))
        }
    }
}
