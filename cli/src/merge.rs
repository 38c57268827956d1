//! `ftuseg merge`: several runs' reports and submissions into one.

use std::path::PathBuf;

use super::console::{counted, printable};
use super::failures;
use ftuseg::batch::{BatchError, Locking, Merged, SlideStatus, Status, merge};

/// Arguments of `ftuseg merge`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Results folders of `ftuseg segment`, one per shard
    #[arg(required = true, value_name = "OUT")]
    outs: Vec<PathBuf>,
    /// Folder for the joined run.json, slides.csv, objects.csv and submission.csv; the slides' own folders stay where they are
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Do not lock the folders; for file systems that cannot lock
    #[arg(long)]
    no_lock: bool,
}

/// Runs the command and returns its exit code: 0 when all slides are there, 1 when some are missing or differ.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let locking = match args.no_lock {
        true => Locking::Off,
        false => Locking::Refuse,
    };
    let merged = merge(&args.outs, &args.out, locking).map_err(|error| match error {
        // There is no option to wait for it here.
        BatchError::Locked { .. } => anyhow::anyhow!("{error}; wait until it is done"),
        error => error.into(),
    })?;
    tell(&merged, args);
    Ok(match merged.is_whole() {
        true => 0,
        false => super::SOME_FAILED,
    })
}

fn tell(merged: &Merged, args: &Args) {
    if let Err(error) = super::table::print(&merged.summary) {
        tell!("error: {}", super::console::unwritten(&error));
    }
    let there = merged
        .summary
        .slides
        .iter()
        .filter(|s| s.is_there())
        .count();
    tell!(
        "{there} of {} {} done, in {}; report in {}",
        counted(merged.summary.slides.len() as u64, "slide"),
        if there == 1 { "is" } else { "are" },
        counted(args.outs.len() as u64, "folder"),
        printable(&args.out.display().to_string())
    );
    for shard in &merged.missing_shards {
        tell!("  no folder holds shard {shard}");
    }
    for (word, is_failed) in [("failed", true), ("missing", false)] {
        let of_kind = |slide: &&SlideStatus| (slide.status == Status::Failed) == is_failed;
        for line in failures::lines(merged.missing().filter(of_kind)) {
            tell!("  {word}: {line}");
        }
    }
    for (id, folders) in &merged.alike {
        tell!(
            "  duplicate, identical: {} in {}",
            printable(id),
            printable(&folders.join(", "))
        );
    }
    for (id, folders) in &merged.different {
        tell!(
            "  duplicate, DIFFERENT: {} in {}; the first one is used",
            printable(id),
            printable(&folders.join(", "))
        );
    }
}
