//! Whole runs of the program, held against what the networks alone would take.
//!
//!     cargo bench -p ftuseg --bench whole [-- SECTION...] [-- --write]
//!
//! Each section prints a part of `benches/RESULTS.md`; with `--write` the sections that ran take their place in the file,
//! where the others stay if they were measured on the same machine in as many rounds; else they go. Parts that this bench
//! does not write stay. What
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
#[path = "../shared/page.rs"]
mod page;
#[path = "../shared/peak.rs"]
mod peak;
mod sections;
#[path = "../shared/stand_in.rs"]
mod stand_in;

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
    let path = page::path();
    let (old_head, mut old) = page::read(&path);
    let head = sections::head(&setting);
    let is_own = |part: &page::Part| SECTIONS.iter().any(|(name, _)| *name == part.0);
    old.retain(|part| !is_own(part) || old_head == head);
    let mut parts = Vec::new();
    for (name, section) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            match section(&setting) {
                Ok(text) => {
                    println!("{text}");
                    parts.push((name.to_owned(), text));
                }
                Err(error) => {
                    eprintln!("{name}: {error}");
                    std::process::exit(1);
                }
            }
        } else {
            parts.extend(old.iter().find(|part| part.0 == name).cloned());
        }
    }
    parts.extend(old.into_iter().filter(|part| !is_own(part)));
    if write {
        if let Err(error) = std::fs::write(&path, page::of(&head, &parts)) {
            eprintln!("cannot write {}: {error}", path.display());
            std::process::exit(1);
        }
        println!("{}", path.display());
    }
}
