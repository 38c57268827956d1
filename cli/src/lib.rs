//! The command `ftuseg`: arguments are parsed here, validated into plain options, and handed to the library.
//!
//! It is a library so that the package for Python carries the command too; [`run`] is all there is to call.

/// Prints a line on standard output, as `println!` does, but by [`console::print_line`].
macro_rules! say {
    ($($words:tt)*) => { crate::console::print_line(format_args!($($words)*)) };
}

/// Prints a line on standard error, as `eprintln!` does, but by [`console::tell_line`].
macro_rules! tell {
    ($($words:tt)*) => { crate::console::tell_line(format_args!($($words)*)) };
}

mod advice;
mod before;
mod console;
mod contact_sheet;
mod demo;
mod doctor;
mod engine_args;
mod evaluate;
mod export;
mod failures;
mod inspect;
mod inspect_table;
mod json_log;
mod kaggle_table;
mod merge;
mod models;
mod openvino_trial;
mod organs;
mod progress;
mod remaining;
mod rle;
mod route;
mod samples;
mod segment;
mod shell;
mod signals;
mod table;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

use engine_args::heading;
use ftuseg::slide::{OPENSLIDE, limit_strips, use_search};
use ftuseg_provision::Search;

/// Exit code when some slides failed and the others are done, or the run could not be finished.
const SOME_FAILED: u8 = 1;
/// Exit code when nothing could start.
const NOTHING_STARTED: u8 = 2;

/// What a newcomer types.
const EXAMPLES: &str = "\
Examples:
  ftuseg demo
          Draws sample slides and segments them
  ftuseg segment my_slides/ -o results
          Segments all slides in a folder
  ftuseg inspect my_slides/
          Lists them, with size and um/px";

/// Find functional tissue units in histology slides: glomeruli, glands, crypts, white pulp, alveoli.
///
/// A lightweight classifier decides which organ each piece of tissue is, and that organ's own network segments it.
#[derive(Debug, Parser)]
#[command(name = "ftuseg", version, max_term_width = 100, disable_help_flag = true, disable_version_flag = true, after_help = EXAMPLES)]
struct Cli {
    /// OpenSlide's shared library, or the folder it is in; OpenSlide reads NDPI, MRXS, SCN, BIF, CZI, DICOM and others
    #[arg(long, global = true, value_name = "PATH", help_heading = heading::GENERAL)]
    openslide: Option<PathBuf>,
    /// Largest decoded size of one compressed TIFF strip, in MiB; files that are a single strip may need more
    #[arg(long, global = true, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536), help_heading = heading::GENERAL)]
    max_strip: u32,
    /// Also tell what runs the networks, and why
    #[arg(short, long, global = true, help_heading = heading::GENERAL, display_order = 1000)]
    verbose: bool,
    /// Print help (-h prints a summary)
    #[arg(short, long, global = true, action = ArgAction::Help, help_heading = heading::GENERAL, display_order = 1001)]
    help: Option<bool>,
    /// Print version
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = heading::GENERAL)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Segment slides, and write masks, RLE, GeoJSON and pictures into one folder
    Segment(segment::Args),
    /// Join the results of several runs, such as the shards of one batch, into one report and one submission
    Merge(merge::Args),
    /// Compare one or more runs with the truth, and report per image, per organ and overall
    Evaluate(evaluate::Args),
    /// Write finished runs in the formats of other tools
    Export(export::Args),
    /// Print the organ map alone: organ, share of the tissue, confidence
    Route(route::Args),
    /// Describe slides: size, levels, um/px, compression, share of tissue; or list those in a folder
    Inspect(inspect::Args),
    /// Encode and decode Kaggle's run-length encoding
    Rle(rle::Args),
    /// List, verify and inspect the models of a bundle, and install bundles
    Models(models::Args),
    /// Check what works on this machine: runtime library, devices, OpenSlide, models
    Doctor(doctor::Args),
    /// Draw sample slides and segment them, with nothing to set up
    Demo(demo::Args),
    /// Draw sample slides together with their truth
    Samples(samples::Args),
    /// Print completions for a shell, to be put where it looks for them
    Completions(shell::CompletionArgs),
    /// Print the manual page, or write those of all commands into a folder
    Man(shell::ManArgs),
}

/// Parses the arguments, of which the first is the program's name, runs the command, and returns the exit code: 0 all
/// done, 1 some slides failed, 2 nothing could start, 130 and 143 stopped by SIGINT and SIGTERM. A help, a version and a
/// wrong argument end the process at once.
///
/// To be called once in a process, before it starts any thread: it listens to signals, changes how memory is allocated, and
/// sets how slides are opened.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    ftuseg::memory::share_arenas();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = Cli::parse_from(&arguments);
    signals::outlive_large_files();
    console::be_verbose(cli.verbose);
    let offline = match &cli.command {
        Command::Segment(args) => args.is_offline(),
        Command::Route(args) => args.is_offline(),
        Command::Doctor(args) => args.is_offline(),
        _ => false,
    };
    // Nothing has opened a slide yet, so this is in time.
    let search = Search::from_environment(&OPENSLIDE, cli.openslide.clone(), offline);
    limit_strips(cli.max_strip);
    use_search(search, Box::new(|line| tell!("{line}")));
    let result = match cli.command {
        Command::Segment(args) => segment::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Evaluate(args) => evaluate::run(&args, &arguments[1.min(arguments.len())..]),
        Command::Export(args) => export::run(&args),
        Command::Route(args) => route::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Rle(args) => rle::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Doctor(args) => doctor::run(&args, cli.openslide),
        Command::Demo(args) => demo::run(&args),
        Command::Samples(args) => samples::run(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    result.unwrap_or_else(|error| {
        tell!("error: {}", advice::full(&error));
        NOTHING_STARTED
    })
}
