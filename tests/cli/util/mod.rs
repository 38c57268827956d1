//! What the tests of the command have in common: a scratch folder, snapshots, schemas.

#![allow(dead_code, reason = "each test file uses its own part")]

mod command;
mod drawn;
mod tiff_levels;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use ftuseg::slide::tiled_tiff::{Compression, Samples, TiffOptions, write_file};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use command::TestCommand;
pub use drawn::*;
pub use tiff_levels::{Level, as_grey, levels};

/// um/px of the slides and the models.
pub const MPP: f64 = 2.0;

/// A scratch folder, removed at the end. Commands run in it, so tests name files by short relative paths.
pub struct Dir(tempfile::TempDir);

impl Dir {
    /// An empty folder.
    pub fn new() -> Self {
        Dir(tempfile::tempdir().unwrap())
    }

    /// A folder with the bundle `bundle` and the slide `one.tif` of two organs.
    pub fn with_slide() -> Self {
        let dir = Dir::new();
        dir.bundle("bundle", &full_bundle());
        dir.two_organs("one.tif");
        dir
    }

    /// The path of something in the folder.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The bytes of a file.
    pub fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A JSON file. A report or record is held against its schema.
    pub fn json(&self, name: impl AsRef<Path>) -> Value {
        let name = name.as_ref();
        let value = serde_json::from_slice(&self.read(name)).unwrap();
        match name.file_name().and_then(OsStr::to_str) {
            Some("run.json") => assert_valid(&value, "run"),
            Some("slide.json") => assert_valid(&value, "slide"),
            _ => {}
        }
        value
    }

    /// The rows of a `submission.csv`: ids and RLE.
    pub fn submission(&self, out: &str) -> Vec<(String, String)> {
        let mut table = csv::Reader::from_path(self.join(out).join("submission.csv")).unwrap();
        assert_eq!(table.headers().unwrap(), vec!["id", "rle"]);
        table.deserialize().map(Result::unwrap).collect()
    }

    /// Writes a slide of [`two_organs`] at [`MPP`].
    pub fn two_organs(&self, name: &str) {
        self.slide(name, (300, 200), Some(MPP), |x, y| two_organs(x, y, 1));
    }

    /// Writes a tiled pyramidal TIFF whose px are given by a function.
    pub fn slide(
        &self,
        name: &str,
        (width, height): (u32, u32),
        mpp: Option<f64>,
        colour: impl Fn(u32, u32) -> [u8; 3] + Sync,
    ) {
        let options = TiffOptions {
            width,
            height,
            samples: Samples::Rgb8,
            compression: Compression::Deflate,
            tile: 64,
            mpp,
            description: None,
            palette: None,
        };
        let path = self.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_file(&path, &options, &Pixels(colour)).unwrap();
    }

    /// Writes a bundle's folder: the networks it names, and the manifest with their sums in place of `SUM(file)`.
    pub fn bundle(&self, name: &str, manifest: &str) {
        let mut text = manifest.to_owned();
        for file in [
            "red.onnx",
            "green.onnx",
            "red-float.onnx",
            "router.onnx",
            "router-other.onnx",
            "endless.onnx",
            "endless-always.onnx",
        ] {
            let bytes = fs::read(fixture(file)).unwrap();
            text = text.replace(&format!("SUM({file})"), &sha256(&bytes));
            self.write(&format!("{name}/{file}"), bytes);
        }
        self.write(&format!("{name}/bundle.toml"), text);
    }

    /// The command `ftuseg` with a subcommand, to be run in this folder.
    pub fn ftuseg(&self, subcommand: &str) -> TestCommand {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ftuseg"));
        command.current_dir(self.0.path()).arg(subcommand);
        // What a developer's machine sets must not decide what a test finds.
        command.env_remove("FTUSEG_BUNDLE");
        // Nor which bundles are installed, and no test installs one for its user.
        command.env("FTUSEG_DATA", self.0.path().join("data"));
        TestCommand {
            command,
            input: None,
        }
    }

    /// `ftuseg segment INPUTS --out OUT` with the folder's bundle on the runtime that is always there.
    pub fn segment<I: AsRef<OsStr>>(
        &self,
        inputs: impl IntoIterator<Item = I>,
        out: &str,
    ) -> TestCommand {
        self.ftuseg("segment").args(inputs).args([
            "--out",
            out,
            "--bundle",
            "bundle",
            "--backend",
            "rten",
        ])
    }

    /// Every file and folder below `name`, with its bytes and the time of its last change.
    pub fn snapshot(&self, name: impl AsRef<Path>) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let root = self.join(name);
        walkdir::WalkDir::new(&root)
            .into_iter()
            .map(|entry| {
                let entry = entry.unwrap();
                let meta = entry.metadata().unwrap();
                let bytes = if meta.is_file() {
                    fs::read(entry.path()).unwrap()
                } else {
                    Vec::new()
                };
                let path = entry.path().strip_prefix(&root).unwrap().to_owned();
                (path, (bytes, meta.modified().unwrap()))
            })
            .collect()
    }
}

/// Holds a report (`run`), a record (`slide`) or a line of `--json-log` (`event`) against its schema.
pub fn assert_valid(value: &Value, kind: &str) {
    static SCHEMAS: OnceLock<BTreeMap<&str, jsonschema::Validator>> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| {
        ["run", "slide", "event"]
            .map(|kind| {
                let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
                let file = root.join(format!("schemas/{kind}.schema.json"));
                let schema = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
                (kind, jsonschema::validator_for(&schema).unwrap())
            })
            .into()
    });
    let errors: Vec<String> = schemas[kind]
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures")
        .join(name)
}

/// sha256 as 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Decodes Kaggle's RLE the naive way: `[height, width]`, row-major.
pub fn decode_rle(text: &str, width: usize, height: usize) -> Vec<bool> {
    let mut mask = vec![false; width * height];
    let numbers: Vec<usize> = text
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    assert_eq!(numbers.len() % 2, 0);
    for run in numbers.chunks_exact(2) {
        for place in run[0] - 1..run[0] - 1 + run[1] {
            mask[place % height * width + place / height] = true;
        }
    }
    mask
}
