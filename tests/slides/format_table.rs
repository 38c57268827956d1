//! The table in docs/formats.md is what the suite finds, no more and no less.
//!
//! `FTUSEG_UPDATE_FORMATS=1 cargo test -p ftuseg --test slides page` writes it anew.

use std::collections::BTreeMap;
use std::path::Path;

use crate::conformance::check;
use crate::fixtures::{Expected, folder, foreign, native};
use crate::openslide_library::open;

const START: &str =
    "<!-- The table of formats is written by the tests in tests/slides/format_table.rs. -->\n";
const END: &str = "<!-- End of the table of formats. -->\n";
const UPDATE: &str = "FTUSEG_UPDATE_FORMATS";

/// Slides of one format, compression and reader.
#[derive(Default)]
struct Group {
    names: Vec<String>,
    lossless: bool,
    worst: u8,
}

/// The table's lines, one for each format and compression, of slides that just passed the suite.
fn lines(rows: &[Expected]) -> Vec<String> {
    let mut groups: BTreeMap<(String, String, String), Group> = BTreeMap::new();
    for row in rows {
        let path = row.folder.join(&row.file);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        check(&name, &|| open(&path).unwrap_or_else(|e| panic!("{e}")));
        let reader = open(&path).unwrap().info().reader.clone();
        let reader = reader.split(' ').next().unwrap().to_owned();
        let reader_is_ours = reader == "ftuseg";
        let key = (reader, row.format.clone(), row.compression.clone());
        let group = groups.entry(key).or_default();
        group.names.push(if reader_is_ours {
            name.rsplit_once('.').unwrap().0.to_owned()
        } else {
            row.file.clone()
        });
        group.lossless = row.worst == 0 && (group.lossless || group.names.len() == 1);
        group.worst = group.worst.max(row.worst);
    }
    groups
        .into_iter()
        .map(|((reader, format, compression), group)| {
            let pixels = if group.lossless {
                "equal".to_owned()
            } else {
                format!("within {} of 255", group.worst)
            };
            let compression = if reader == "OpenSlide" {
                ""
            } else {
                compression.as_str()
            };
            format!(
                "| {format} | {compression} | {reader} | {pixels} | {} | {} |\n",
                group.names.len(),
                group.names.join(", ")
            )
        })
        .collect()
}

#[test]
fn the_page_of_formats_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let start = readme.find(START).expect("the mark before the table") + START.len();
    let end = readme.find(END).expect("the mark behind the table");
    let found = &readme[start..end];
    let head = "| format | compression | read by | pixels, compared with another reader's | n | drawn slides |\n|---|---|---|---|---|---|\n";
    let by_openslide = foreign();
    let mut wanted = head.to_owned() + &lines(&native()).concat();
    if by_openslide.is_empty() {
        // Its lines cannot be found here; what stands there is left as it is.
        let old = found.lines().filter(|line| line.contains("| OpenSlide |"));
        wanted.extend(old.map(|line| format!("{line}\n")));
    } else {
        wanted += &lines(&by_openslide).concat();
    }
    if found == wanted {
        return;
    }
    if std::env::var_os(UPDATE).is_some() {
        let new = [&readme[..start], &wanted, &readme[end..]].concat();
        std::fs::write(&path, new).unwrap();
        return;
    }
    panic!(
        "docs/formats.md is out of date. Type: {UPDATE}=1 cargo test -p ftuseg --test slides page\n{wanted}"
    );
}

#[test]
fn every_drawn_slide_is_in_the_table() {
    // A slide without a line in expected.csv would be drawn for nothing.
    let listed: Vec<String> = native().into_iter().map(|row| row.file).collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".tif") {
            assert!(listed.contains(&name), "{name}");
        }
    }
    for entry in std::fs::read_dir(folder().join("zarr")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".zarr") {
            assert!(listed.contains(&name), "{name}");
        }
    }
}
