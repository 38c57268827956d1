//! The command from end to end: what it refuses and how, what it does again and what not, and the small subcommands.
//!
//! Exit codes are 0 for all done, 1 for some slides failed and the others done, 2 for nothing could start.

#![cfg(feature = "rten")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod added_outputs;
mod bad_slides;
mod before_a_run;
mod bundles;
mod commands;
mod devices;
mod dicom_seg;
mod docs;
#[cfg(unix)]
mod endless_networks;
mod environment;
mod evaluate;
mod export;
mod field_tables;
mod hostile_names;
mod inputs;
mod inspect;
mod kills;
mod labels_zarr;
mod memory;
mod model_variants;
mod no_space;
mod objects;
mod option_effects;
mod outlines;
mod outputs;
mod probabilities;
mod progress_output;
mod refusals;
mod report_contents;
mod report_figures;
mod report_page;
mod report_schema;
mod reruns;
mod resume;
mod shards;
mod slides_table;
mod snapshots;
#[cfg(target_os = "linux")]
mod stalled_reads;
#[path = "../engine/support/mod.rs"]
mod support;
mod sweeps;
mod unusable_openvino;
mod util;
mod warnings;
mod zarr_slides;

use std::fs;

use serde_json::Value;
use util::Dir;

/// A slide's entry in `run.json`.
fn status(dir: &Dir, out: &str, id: &str) -> Value {
    let run = dir.json(format!("{out}/run.json"));
    let slides = run["slides"].as_array().unwrap();
    let found = slides.iter().find(|slide| slide["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {run}")).clone()
}

/// Checks that a slide failed, why, and that nothing of it is there.
fn assert_failed(dir: &Dir, out: &str, id: &str, kind: &str, words: &[&str]) {
    let slide = status(dir, out, id);
    assert_eq!(slide["status"], "failed");
    assert_eq!(slide["kind"], kind, "{slide}");
    let reason = slide["reason"].as_str().unwrap();
    for word in words {
        assert!(reason.contains(word), "{word:?} is missing: {reason}");
    }
    assert!(!dir.join(format!("{out}/slides/{id}")).exists());
    assert!(dir.submission(out).iter().all(|(row, _)| row != id));
}

/// Names below a folder's `slides`, hidden ones too.
fn slides_of(dir: &Dir, out: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir.join(out).join("slides"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
