//! `ftuseg merge`: several runs' reports and submissions into one.

use std::path::PathBuf;

use super::console::printable;
use ftuseg::batch::{Locking, Merged, Status, merge};

/// Arguments of `ftuseg merge`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Results folders of `ftuseg segment`, one a share
    #[arg(required = true, value_name = "OUT")]
    outs: Vec<PathBuf>,
    /// Folder for the joined run.json and submission.csv; the slides' folders stay where they are
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Do not lock the folders, on a file system that cannot
    #[arg(long)]
    no_lock: bool,
}

/// Runs the command and returns its exit code: 0 when all slides are there, 1 when some are missing or differ.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    let locking = match args.no_lock {
        true => Locking::Off,
        false => Locking::Refuse,
    };
    let merged = merge(&args.outs, &args.out, locking)?;
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
        "{there} of {} slides are there, from {} folders; report in {}",
        merged.summary.slides.len(),
        args.outs.len(),
        printable(&args.out.display().to_string())
    );
    for share in &merged.missing_shares {
        tell!("  no folder holds the share {share}");
    }
    for slide in merged.missing() {
        let word = match slide.status {
            Status::Failed => "failed",
            _ => "missing",
        };
        let reason = slide.reason.as_deref().unwrap_or("no reason known");
        tell!("  {word}: {}: {}", printable(&slide.id), printable(reason));
    }
    for (id, folders) in &merged.alike {
        tell!(
            "  double, alike: {} in {}",
            printable(id),
            printable(&folders.join(", "))
        );
    }
    for (id, folders) in &merged.different {
        tell!(
            "  double, DIFFERENT: {} in {}; the first is taken",
            printable(id),
            printable(&folders.join(", "))
        );
    }
}
