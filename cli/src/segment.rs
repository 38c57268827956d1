//! `ftuseg segment`: slides in, masks and RLE out.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;

use super::advice;
use super::console::{printable, unwritten};
use super::engine_args::{EngineArgs, RouteArgs, TileArgs};
use super::progress::{Progress, Shown};
use super::signals::Signals;
use ftuseg::batch::{
    Batch, BatchError, Locking, Outputs, Rerun, RunState, RunSummary, Shard, SlideStatus, Status,
    discover,
};

/// Arguments of `ftuseg segment`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Slides, folders of slides, or CSV manifests (id,path[,organ][,mpp], or Kaggle's with --images)
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder of the images, for Kaggle's train.csv or test.csv
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// What to write besides the records: rle, mask, geojson, overlay, or all (these four); and prob, a map of the
    /// probabilities
    #[arg(long, value_name = "LIST", default_value = "all")]
    write: Outputs,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    route: RouteArgs,
    #[command(flatten)]
    tiles: TileArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

impl Args {
    /// Whether nothing may be fetched.
    pub(super) fn is_offline(&self) -> bool {
        self.engine.offline
    }
}

/// How a batch is run, and how it is taken up again.
#[derive(Debug, clap::Args)]
struct BatchArgs {
    /// Redo all slides, including those that are already done
    #[arg(long, conflicts_with_all = ["redo_changed", "retry_failed"])]
    overwrite: bool,
    /// Redo slides that were made with other settings, with another bundle or program version, or from another file of
    /// the same name
    #[arg(long, conflicts_with = "retry_failed")]
    redo_changed: bool,
    /// Of the slides that are missing, do only those that failed last time
    #[arg(long)]
    retry_failed: bool,
    /// Recognise a slide's file by its sha256 instead of its size and modification time; reads every file once more
    #[arg(long)]
    verify_input: bool,
    /// Do one shard of the batch, to split it among machines: 1/4 to 4/4. A slide's id decides its shard. Each shard
    /// needs its own --out; `ftuseg merge` joins them
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Give up on a slide that takes longer to read and segment, for example because a network drive does not answer
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    slide_timeout: Option<Duration>,
    /// Memory for tiles that wait between the stages, for example 200M or 2G. With this option no finished slide waits to
    /// be written either. Models, decoders and the mask of the current slide come on top
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory_limit: Option<u64>,
    /// If another program is writing into the folder, wait until it is done
    #[arg(long)]
    wait: bool,
    /// Do not lock the folder; for file systems that cannot lock. Make sure that only one program writes there
    #[arg(long, conflicts_with = "wait")]
    no_lock: bool,
    /// Show neither progress nor the table at the end; failures and the last line are still printed
    #[arg(long)]
    quiet: bool,
    /// Print events as JSON, one object per line, on standard output instead of the table
    #[arg(long)]
    json_log: bool,
}

impl BatchArgs {
    fn rerun(&self) -> Rerun {
        match (self.overwrite, self.redo_changed, self.retry_failed) {
            (true, _, _) => Rerun::All,
            (_, true, _) => Rerun::Changed,
            (_, _, true) => Rerun::Failed,
            _ => Rerun::Missing,
        }
    }

    fn locking(&self) -> Locking {
        match (self.wait, self.no_lock) {
            (true, _) => Locking::Wait,
            (_, true) => Locking::Off,
            _ => Locking::Refuse,
        }
    }
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    // Before anything else, so that a signal never finds the program without an answer.
    let signals = Signals::heed()?;
    // Inputs first: a mistyped path should not wait for a runtime to be fetched.
    let jobs = discover(&args.inputs, args.images.as_deref())?;
    let (jobs, shard) = match args.batch.shard {
        Some(shard) => {
            let (jobs, note) = shard.take(jobs);
            (jobs, Some(note))
        }
        None => (jobs, None),
    };
    if args.out.is_file() {
        bail!("--out {} is a file; give a folder", args.out.display());
    }
    let engine = args
        .engine
        .engine(&args.route, &args.tiles)?
        .with_queue_bytes(args.batch.memory_limit);
    let batch = Batch {
        outputs: args.write,
        rerun: args.batch.rerun(),
        verify_input: args.batch.verify_input,
        resolution: args.route.mpp,
        slide_timeout: args.batch.slide_timeout,
        spare_memory: args.batch.memory_limit.is_some(),
        locking: args.batch.locking(),
        shard,
        stop: signals.stop(),
        ..Batch::new(&engine, args.out.clone())
    };
    let progress = Progress::new(match (args.batch.json_log, args.batch.quiet) {
        (true, quiet) => Shown::Json { quiet },
        (false, true) => Shown::Failures,
        (false, false) => Shown::Progress,
    });
    let summary = batch.run(&jobs, &|event| progress.show(&event));
    progress.end();
    let summary = match summary {
        Ok(summary) => summary,
        Err(error @ (BatchError::Report(_) | BatchError::Stopped)) => {
            tell!("error: {error}");
            return Ok(signals.exit_code().unwrap_or(super::SOME_FAILED));
        }
        Err(error) => return Err(error.into()),
    };
    let told = tell(&summary, args);
    let code = match progress.unwritten().map_or(told, Err) {
        Ok(()) => exit_code(&summary),
        Err(error) => {
            tell!(
                "error: {}; the slides are as the last line says, but standard output is incomplete",
                unwritten(&error)
            );
            super::SOME_FAILED
        }
    };
    Ok(signals.exit_code().unwrap_or(code))
}

/// 0 when all slides are there, 1 when some failed or had no turn.
pub(super) fn exit_code(summary: &RunSummary) -> u8 {
    if summary.count(Status::Failed) > 0 || summary.state == RunState::DiskFull {
        super::SOME_FAILED
    } else {
        0
    }
}

/// What came of the run: on standard output a table or JSON, on standard error what went wrong. The error is that of
/// standard output.
fn tell(summary: &RunSummary, args: &Args) -> std::io::Result<()> {
    let mut told = Ok(());
    if args.batch.json_log {
        told = super::console::put_line(&serde_json::json!({
            "event": "finished",
            "state": summary.state,
            "done": summary.count(Status::Done),
            "skipped": summary.count(Status::Skipped),
            "failed": summary.count(Status::Failed),
            "pending": summary.count(Status::Pending),
            "warnings": summary.warning_count(),
            "seconds": summary.seconds,
        }));
    } else if !args.batch.quiet {
        told = super::table::print(summary);
    }
    let redone: Vec<&SlideStatus> = summary
        .ours()
        .filter(|slide| slide.done_again.is_some())
        .collect();
    if !redone.is_empty() && !args.batch.quiet && !args.batch.overwrite {
        tell!("not reused from an earlier run:");
        for slide in redone {
            let reason = slide.done_again.as_deref().unwrap_or_default();
            tell!("  {}: {reason}", printable(&slide.id));
        }
    }
    let counts = [
        (Status::Done, "done"),
        (Status::Skipped, "already done"),
        (Status::Failed, "failed"),
        (Status::Pending, "not done yet"),
    ]
    .map(|(status, word)| (summary.count(status), word));
    let mut line = counts
        .iter()
        .filter(|(count, word)| *count > 0 || *word != "not done yet")
        .map(|(count, word)| format!("{count} {word}"))
        .collect::<Vec<_>>()
        .join(", ");
    let earlier = summary.slides.len() - summary.ours().count();
    if earlier > 0 {
        line += &format!("; {earlier} more from earlier runs");
    }
    tell!(
        "{line} in {:.1} s; {}; results in {}",
        summary.seconds,
        counted(summary.warning_count(), "warning"),
        printable(&args.out.display().to_string())
    );
    for slide in summary.ours().filter(|s| s.status == Status::Failed) {
        let reason = advice::reason(slide);
        tell!("  {}: {}", printable(&slide.id), printable(&reason));
    }
    match summary.state {
        RunState::Interrupted => tell!("stopped; run the same command again to continue"),
        RunState::DiskFull => {
            tell!("stopped: the disk is full; free some space and run the same command again")
        }
        _ => {}
    }
    told
}

/// A count with its word.
pub(super) fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// A number of bytes, with K, M, G or T for powers of 1024.
fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a number of bytes, such as 500M or 2G".to_owned();
    let upper = text.trim().to_ascii_uppercase();
    let plain = upper.trim_end_matches('B').trim_end_matches('I');
    let (digits, shift) = match plain.chars().next_back() {
        Some('K') => (&plain[..plain.len() - 1], 10),
        Some('M') => (&plain[..plain.len() - 1], 20),
        Some('G') => (&plain[..plain.len() - 1], 30),
        Some('T') => (&plain[..plain.len() - 1], 40),
        _ => (plain, 0),
    };
    let number: u64 = digits.trim().parse().map_err(|_| wrong())?;
    number
        .checked_mul(1 << shift)
        .filter(|&bytes| bytes > 0)
        .ok_or_else(wrong)
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|&seconds| seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1", 1),
            ("10K", 10 << 10),
            ("200m", 200 << 20),
            ("2GiB", 2 << 30),
            ("1 TB", 1 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "0", "M", "-1", "1.5G", "2X", "99999999999T"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
