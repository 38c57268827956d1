//! The header is the one that the sources say.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};

/// The sources in the order in which a reader of the header wants them.
const ORDER: [&str; 13] = [
    "version", "error", "options", "engine", "cancel", "request", "pixels", "result", "organs",
    "objects", "mask", "outputs", "strings",
];

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn generated() -> String {
    let config = cbindgen::Config::from_file(here().join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in ORDER {
        builder = builder.with_src(here().join(format!("src/{source}.rs")));
    }
    let mut bytes = Vec::new();
    builder.generate().unwrap().write(&mut bytes);
    // Headings that only Rust's documentation wants.
    let text = String::from_utf8(bytes).unwrap();
    text.replace(" * # Safety", " * What the caller sees to:")
        .replace(" * # Errors", " * Errors:")
}

#[test]
fn the_header_is_made_from_the_sources() {
    let path = here().join("include/ftuseg.h");
    let made = generated();
    if std::env::var_os("FTUSEG_UPDATE_HEADER").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == there,
        "include/ftuseg.h is not what the sources say: FTUSEG_UPDATE_HEADER=1 cargo test -p ftuseg-c --test header"
    );
}

#[test]
fn every_function_is_in_the_header_with_words_about_it() {
    let header = generated();
    // Without the example at its top.
    let header = header.split_once("#define FTUSEG_H\n").unwrap().1;
    let mut count = 0;
    for entry in std::fs::read_dir(here().join("src")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for (before, rest) in text
            .match_indices("extern \"C\" fn ftuseg_")
            .map(|(at, _)| text.split_at(at))
        {
            let name = rest.split('(').next().unwrap().rsplit(' ').next().unwrap();
            let declared = header
                .find(&format!("{name}("))
                .unwrap_or_else(|| panic!("{name} is not in the header"));
            assert!(
                before.trim_end().ends_with("pub") || before.trim_end().ends_with("unsafe"),
                "{name} is private"
            );
            let line = header[..declared].rfind('\n').unwrap();
            let above = header[..line].trim_end();
            assert!(above.ends_with("*/"), "nothing is said of {name}");
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}
