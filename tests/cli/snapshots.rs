//! What people are shown, word for word: helps, tables, what `inspect` says.
//!
//! A change of words is a change of these files: `INSTA_UPDATE=always cargo test --test cli snapshots` writes them anew, to
//! be read in the commit.

use super::util::*;

/// Compares a text with its snapshot; what changes from run to run or machine to machine is taken out.
fn shown(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/cli/snapshots"
    ));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r" *\b\d+\.\d( +| s\b)", " #.#$1");
    settings.add_filter(r"(/[^\s/]+)*/\.tmp\w+", "DIR");
    settings.add_filter(env!("CARGO_PKG_VERSION"), "VERSION");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn helps() {
    let dir = Dir::new();
    for words in [
        "segment",
        "merge",
        "route",
        "inspect",
        "evaluate",
        "export",
        "export coco",
        "export epic",
        "export spatialdata",
        "rle encode",
        "rle decode",
        "models",
        "samples",
        "demo",
        "doctor",
        "completions",
        "man",
    ] {
        let mut words = words.split(' ');
        let name = words.clone().collect::<Vec<_>>().join("-");
        let outcome = dir
            .ftuseg(words.next().unwrap())
            .args(words.chain(["--help"]))
            .env("COLUMNS", "100");
        shown(&format!("help-{name}"), &outcome.ends_with(0).stdout);
    }
    let outcome = dir.ftuseg("help").env("COLUMNS", "100").ends_with(0);
    shown("help", &outcome.stdout);
}

#[test]
fn what_inspect_says() {
    let dir = Dir::with_slide();
    dir.write("words.txt", "no slide");
    let outcome = dir.ftuseg("inspect").args(["one.tif"]).ends_with(0);
    shown("inspect", &outcome.stdout);
    let outcome = dir.ftuseg("inspect").args(["words.txt"]).run();
    shown("inspect-refused", &outcome.stderr);
}

#[test]
fn what_a_run_says() {
    let dir = Dir::with_slide();
    dir.write("words.tif", "no slide");
    let outcome = dir.segment(["one.tif", "words.tif"], "out").ends_with(1);
    shown("segment-table", &outcome.stdout);
    // Slides are done side by side, so their lines come in any order.
    let mut lines: Vec<&str> = outcome.stderr.lines().collect();
    lines.sort_unstable();
    shown("segment-lines", &lines.join("\n"));
    let outcome = dir
        .ftuseg("models")
        .args(["list", "--bundle", "bundle"])
        .ends_with(0);
    shown("models-list", &outcome.stdout);
}
