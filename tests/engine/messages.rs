//! The library says what is wrong; which option helps is the command's to say (`cli/src/advice.rs`).

use std::path::{Path, PathBuf};

/// What looks like an option and is none of ours: what pip and vips are told.
const FOREIGN: [&str; 11] = [
    "--hash=sha256:",
    "--quiet",
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    "--platform",
    "--python-version",
    "--implementation",
    "--target",
    "python3 -m ensurepip --upgrade",
    "--tile --pyramid --compression deflate",
];

/// The Rust sources of the library's crates, without their tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The lines of code, without comments and without the tests at a file's end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_code = |line: &str| !line.trim_start().starts_with("//");
    text.lines()
        .enumerate()
        .take_while(|(_, line)| *line != "mod tests {")
        .filter(move |(_, line)| is_code(line))
}

/// Whether a line names an option, or the command that finds out what is wrong.
fn names_an_option(line: &str) -> bool {
    let mut line = line.to_owned();
    for foreign in FOREIGN {
        line = line.replace(foreign, "");
    }
    let after = |start: &str| {
        line.split(start)
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let is_letter = |text: &String| text.starts_with(|letter: char| letter.is_ascii_lowercase());
    after("--").iter().any(is_letter) || line.contains("ftuseg doctor")
}

#[test]
fn the_library_names_no_options() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "router/src"] {
        sources(&root.join(folder), &mut files);
    }
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    assert!(files.len() > 100, "{}", files.len());
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let lines = code(&text).filter(|(_, line)| names_an_option(line));
        wrong.extend(
            lines.map(|(at, line)| format!("{}:{}: {}", file.display(), at + 1, line.trim())),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn options_are_told_from_what_pip_takes() {
    for line in ["use --mpp X", "see `ftuseg doctor`", "\"--max-strip\""] {
        assert!(names_an_option(line), "{line}");
    }
    for line in [
        "a -- b",
        "x--;",
        "vips --tile --pyramid --compression deflate",
    ] {
        assert!(!names_an_option(line), "{line}");
    }
}

/// An error and what it says it comes from, one line each.
fn chain(error: &dyn std::error::Error) -> Vec<String> {
    let mut next = Some(error);
    let mut texts = Vec::new();
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}

#[test]
fn no_text_stands_twice_in_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere/file");
    let bundle = std::fs::read_to_string(
        crate::support::TinyBundle::new().path().to_owned() + "/bundle.toml",
    );
    std::fs::write(folder.path().join("bundle.toml"), bundle.unwrap() + MODEL).unwrap();
    let bundle = ftuseg::bundle::Bundle::load(folder.path()).unwrap();
    let engine = ftuseg::Engine::builder(folder.path())
        .build()
        .err()
        .unwrap();
    let errors: [Box<dyn std::error::Error>; 6] = [
        Box::new(ftuseg::slide::open(&nowhere).err().unwrap()),
        Box::new(
            ftuseg::slide::mask_image::read_mask_image(&nowhere)
                .err()
                .unwrap(),
        ),
        Box::new(bundle.verified_file("m.onnx", &"0".repeat(64)).unwrap_err()),
        Box::new(engine),
        Box::new(ftuseg_evaluate::read_truth(&nowhere).err().unwrap()),
        Box::new(
            ftuseg::batch::discover(std::slice::from_ref(&nowhere), None)
                .err()
                .unwrap(),
        ),
    ];
    for error in errors {
        let texts = chain(error.as_ref());
        assert!(!texts[0].is_empty());
        for pair in texts.windows(2) {
            assert!(!pair[0].contains(&pair[1]), "{texts:#?}");
        }
    }
}

/// A model whose file is not there.
const MODEL: &str = "[[model]]\nname = \"m\"\nfile = \"m.onnx\"\nsha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\nrole = \"baseline\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\ntile = 64\nmpp = 2.0\n";
