//! Whole runs of the program, held against what the networks alone would take.
//!
//!     cargo bench --bench whole [-- SECTION...] [-- --write]
//!
//! Each section prints a part of `benches/RESULTS.md`; with `--write` the sections that ran take their place in the file,
//! where the others stay if they were measured on the same machine in as many rounds; else they go. What
//! is compared is measured in turn, one after the other and again, and printed as ratios of medians: absolute seconds
//! belong to the machine and to whatever else it was doing. `FTUSEG_BENCH_ROUNDS` sets the rounds (3),
//! `FTUSEG_BENCH_SIDE` the side of the slides in px (6000).

mod alone;
#[path = "../shared/at_once.rs"]
mod at_once;
mod bare;
#[path = "../shared/blobs.rs"]
mod blobs;
mod child;
mod drawn;
#[path = "../shared/peak.rs"]
mod peak;
mod sections;
#[path = "../shared/stand_in.rs"]
mod stand_in;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

type Outcome = Result<String, Box<dyn std::error::Error>>;
type Section = (&'static str, fn(&sections::Setting) -> Outcome);

const SECTIONS: [Section; 9] = [
    ("overhead", sections::overhead),
    ("faster", sections::faster),
    ("start", sections::start),
    ("tissue", sections::tissue),
    ("memory", sections::memory),
    ("growth", sections::growth),
    ("threads", sections::threads),
    ("engine", alone::engine),
    ("masks", alone::masks),
];

fn main() {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` itself adds this one.
    wanted.retain(|word| word != "--bench");
    let write = wanted.iter().any(|word| word == "--write");
    wanted.retain(|word| word != "--write");
    if let Some(odd) = wanted
        .iter()
        .find(|word| SECTIONS.iter().all(|(name, _)| name != word))
    {
        let names: Vec<_> = SECTIONS.iter().map(|(name, _)| *name).collect();
        eprintln!(
            "there is no section {odd:?}; the sections are {}",
            names.join(", ")
        );
        std::process::exit(2);
    }
    let setting = match sections::Setting::new() {
        Ok(setting) => setting,
        Err(error) => {
            eprintln!("cannot prepare the slides and the bundle: {error}");
            std::process::exit(2);
        }
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md");
    let head = sections::head(&setting);
    let mut kept = kept(&path, &head);
    let mut page = head;
    for (name, section) in SECTIONS {
        let text = if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            match section(&setting) {
                Ok(text) => {
                    println!("{text}");
                    Some(text)
                }
                Err(error) => {
                    eprintln!("{name}: {error}");
                    std::process::exit(1);
                }
            }
        } else {
            kept.remove(name)
        };
        if let Some(text) = text {
            let mark = format!("<!-- {name} -->");
            let _ = write!(page, "\n{mark}\n{text}");
        }
    }
    if write {
        if let Err(error) = std::fs::write(&path, page) {
            eprintln!("cannot write {}: {error}", path.display());
            std::process::exit(1);
        }
        println!("{}", path.display());
    }
}

/// The sections of the file that is there, by name; none if its head is another.
fn kept(path: &Path, head: &str) -> HashMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let sections = text.strip_prefix(head).unwrap_or_default();
    sections
        .split("\n<!-- ")
        .filter_map(|part| part.split_once(" -->\n"))
        .map(|(name, section)| (name.to_owned(), section.to_owned()))
        .collect()
}
