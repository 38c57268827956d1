//! `ftuseg segment`: slides in, masks and RLE out.

use std::path::PathBuf;
use std::time::Duration;

use super::console::{counted, duration, printable, some_of, unwritten};
use super::engine_args::{EngineArgs, RouteArgs, TileArgs, heading};
use super::progress::{Progress, Shown};
use super::signals::Signals;
use super::{before, failures, json_log};
use ftuseg::batch::{
    Batch, BatchError, Locking, ObjectsAs, Outputs, Rerun, RunState, RunSummary, Shard,
    SinkOptions, Status, discover,
};

/// What a newcomer types.
const EXAMPLES: &str = "\
Examples:
  ftuseg segment my_slides/ -o results
          All slides in a folder; the router finds their organs
  ftuseg segment train.csv --images train_images -o results
          Kaggle's table, which names each slide's um/px
  ftuseg segment biopsy.svs -o results --route organ=kidney --tta flips
          One slide of a known organ, looked at in four ways";

/// Arguments of `ftuseg segment`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Slides, folders of slides, or CSV manifests (id,path[,organ][,mpp], or Kaggle's with --images)
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Folder of the images, for Kaggle's train.csv or test.csv
    #[arg(long, value_name = "DIR", help_heading = heading::INPUT)]
    images: Option<PathBuf>,
    #[command(flatten)]
    route: RouteArgs,
    /// Folder for the results
    #[arg(short, long, value_name = "DIR", help_heading = heading::OUTPUT)]
    out: PathBuf,
    /// What to write besides the records: rle, mask, objects (a table of all objects), geojson, overlay, or all (these
    /// five); and parquet (the table for programs), geojson.gz, instances (a mask of the objects' numbers), zarr (the same as
    /// OME-Zarr labels), dicom-seg (a DICOM Segmentation), prob (a map of the probabilities). What an earlier run into the folder has written stays, and is written for new slides too
    #[arg(long, value_name = "LIST", default_value = "all", help_heading = heading::OUTPUT)]
    write: Outputs,
    /// What objects in GeoJSON are to QuPath: detections, of which it handles a million, or annotations, which can be
    /// edited [possible values: detection, annotation]
    #[arg(long, value_name = "KIND", default_value = "detection", help_heading = heading::OUTPUT)]
    objects_as: ObjectsAs,
    /// Write outlines in GeoJSON with fewer corners: no corner of the exact outline lies further than UM from them, and they
    /// stay valid polygons [default: exact outlines]
    #[arg(long, value_name = "UM", value_parser = parse_tolerance, help_heading = heading::OUTPUT)]
    simplify: Option<f64>,
    #[command(flatten)]
    tiles: TileArgs,
    #[command(flatten)]
    batch: BatchArgs,
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
    #[arg(long, conflicts_with_all = ["redo_changed", "retry_failed"], help_heading = heading::LONG_RUNS)]
    overwrite: bool,
    /// Redo slides that were made with other settings, with another bundle or program version, or from another file of
    /// the same name
    #[arg(long, conflicts_with = "retry_failed", help_heading = heading::LONG_RUNS)]
    redo_changed: bool,
    /// Of the slides that are missing, do only those that failed last time
    #[arg(long, help_heading = heading::LONG_RUNS)]
    retry_failed: bool,
    /// Recognise a slide's file by its sha256 instead of its size and modification time; reads every file once more
    #[arg(long, help_heading = heading::LONG_RUNS)]
    verify_input: bool,
    /// Do one shard of the batch, to split it among machines: 1/4 to 4/4. A slide's id decides its shard. Each shard
    /// needs its own --out; `ftuseg merge` joins them
    #[arg(long, value_name = "I/N", help_heading = heading::LONG_RUNS)]
    shard: Option<Shard>,
    /// Give up on a slide that takes longer to read and segment, for example because a network drive does not answer
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, help_heading = heading::LONG_RUNS)]
    slide_timeout: Option<Duration>,
    /// Memory for tiles that wait between the stages, for example 200M or 2G. With this option no finished slide waits to
    /// be written either. Models, decoders and the mask of the current slide come on top
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = heading::SPEED)]
    memory_limit: Option<u64>,
    /// If another program is writing into the folder, wait until it is done
    #[arg(long, help_heading = heading::LONG_RUNS)]
    wait: bool,
    /// Do not lock the folder; for file systems that cannot lock. Make sure that only one program writes there
    #[arg(long, conflicts_with = "wait", help_heading = heading::LONG_RUNS)]
    no_lock: bool,
    /// Show neither progress nor the table at the end; failures and the last line are still printed
    #[arg(short, long, help_heading = heading::OUTPUT)]
    quiet: bool,
    /// Print events as JSON, one object per line, on standard output instead of the table
    #[arg(long, help_heading = heading::OUTPUT)]
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
    before::check_images(args.images.as_deref())?;
    before::check_out(&args.out)?;
    let jobs = discover(&args.inputs, args.images.as_deref())?;
    let (jobs, shard) = match args.batch.shard {
        Some(shard) => {
            let (jobs, note) = shard.take(jobs);
            (jobs, Some(note))
        }
        None => (jobs, None),
    };
    let sink_options = SinkOptions {
        objects_as: args.objects_as,
        simplify_um: args.simplify,
    };
    let wanted = before::Wanted {
        jobs: &jobs,
        bundle: &args.engine.load_bundle()?,
        route: args.route.route,
        mpp: args.route.mpp.map(|resolution| resolution.mpp),
        out: &args.out,
        outputs: args.write,
        sink_options,
    };
    let known = before::check(&wanted, &signals.stop())?;
    let engine = args
        .engine
        .engine(&args.route, &args.tiles)?
        .with_queue_bytes(args.batch.memory_limit);
    let batch = Batch {
        outputs: args.write,
        sink_options,
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
    let shown = match (args.batch.json_log, args.batch.quiet) {
        (true, quiet) => Shown::Json { quiet },
        (false, true) => Shown::Failures,
        (false, false) => Shown::Progress,
    };
    let progress = Progress::new(shown, args.out.clone(), known.areas);
    if known.told_of_resolutions {
        progress.knows_of_missing_resolutions();
    }
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
        told = super::console::put_line(&json_log::finished(summary));
    } else if !args.batch.quiet {
        told = super::table::print(summary);
    }
    if !args.batch.quiet && !args.batch.overwrite {
        tell_redone(summary);
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
        "{line} in {}; {}; results in {}",
        match summary.seconds < 60.0 {
            true => format!("{:.1} s", summary.seconds),
            false => duration(summary.seconds),
        },
        counted(summary.warning_count() as u64, "warning"),
        printable(&args.out.display().to_string())
    );
    for line in failures::lines(summary.ours().filter(|s| s.status == Status::Failed)) {
        tell!("  {line}");
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

/// Says which slides were done again and why, each reason once.
fn tell_redone(summary: &RunSummary) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for slide in summary.ours() {
        let Some(reason) = slide.done_again.as_deref() else {
            continue;
        };
        match reasons.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, ids)) => ids.push(&slide.id),
            None => reasons.push((reason, vec![&slide.id])),
        }
    }
    if reasons.is_empty() {
        return;
    }
    tell!("not reused from an earlier run:");
    for (reason, ids) in reasons {
        let who = match ids.as_slice() {
            [id] => printable(id),
            ids => format!("{} slides ({})", ids.len(), some_of(ids)),
        };
        tell!("  {who}: {}", printable(reason));
    }
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

fn parse_tolerance(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|um: &f64| um.is_finite() && *um > 0.0)
        .ok_or_else(|| "expected a number of um above 0".to_owned())
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
