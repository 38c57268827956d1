//! What the tests of the command share: a scratch folder, the command itself, small slides and bundles, snapshots.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use ftuseg::slide::tiled_tiff::{Compression, Samples, TiffOptions, TileSource, write_file};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// um/px of the slides and the models.
pub const MPP: f64 = 2.0;
/// A command that takes longer hangs: a test fails then instead of never ending.
const LIMIT: Duration = Duration::from_secs(300);

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

/// A command to be run, with its arguments so far.
pub struct TestCommand {
    command: Command,
    input: Option<String>,
}

/// What a command did.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub code: Option<i32>,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl TestCommand {
    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes away whatever could lead to an ONNX Runtime: `empty` must be an empty folder.
    pub fn without_runtime(mut self, empty: &Path) -> Self {
        for name in ["ORT_DYLIB_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"] {
            self.command.env_remove(name);
        }
        self.env("FTUSEG_OFFLINE", "1")
            .env("FTUSEG_CACHE", empty)
            .env("PATH", empty)
    }

    /// The same command behind a line of shell, which sets a limit say.
    pub fn after(self, shell: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{shell}; exec \"$@\""), "sh"])
            .arg(self.command.get_program())
            .args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        TestCommand { command, ..self }
    }

    /// Gives it something on standard input.
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Runs it. Panics when it does not end.
    pub fn run(self) -> Outcome {
        self.start().end()
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        // Files instead of pipes: a pipe that nobody reads would stop the command.
        let scratch = || tempfile::tempfile().unwrap();
        let (stdout, stderr) = (scratch(), scratch());
        let stdin = self.input.as_ref().map_or_else(Stdio::null, |text| {
            let mut file = scratch();
            file.write_all(text.as_bytes()).unwrap();
            file.rewind().unwrap();
            file.into()
        });
        let child = self
            .command
            .stdin(stdin)
            .stdout(stdout.try_clone().unwrap())
            .stderr(stderr.try_clone().unwrap())
            .spawn()
            .unwrap();
        Running {
            child,
            shown: format!("{:?}", self.command),
            stdout,
            stderr,
        }
    }

    /// Runs it and checks its exit code.
    pub fn ends_with(self, code: i32) -> Outcome {
        let shown = format!("{:?}", self.command);
        let outcome = self.run();
        assert_eq!(outcome.code, Some(code), "{shown}\n{outcome:#?}");
        outcome
    }
}

/// A command that runs. It is killed if the test ends before it.
pub struct Running {
    /// The process.
    pub child: std::process::Child,
    shown: String,
    stdout: File,
    stderr: File,
}

impl Running {
    /// Waits until something holds. Panics when the command ends or takes too long before that.
    pub fn wait_until(&mut self, holds: impl Fn(&str) -> bool) {
        let started = Instant::now();
        while !holds(&text(&self.stdout)) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!(
                    "{} ended too early: {status}\n{}",
                    self.shown,
                    text(&self.stderr)
                );
            }
            assert!(started.elapsed() < LIMIT, "{} takes too long", self.shown);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for at most this long; whether it ended.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let started = Instant::now();
        loop {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            if started.elapsed() >= limit {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1).min(limit));
        }
    }

    /// Sends a signal by its name.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> Outcome {
        if !self.ends_within(LIMIT) {
            panic!("{} does not end", self.shown);
        }
        Outcome {
            code: self.child.wait().unwrap().code(),
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is in a file so far. The file's place is shared with the process that writes it, so it is left alone.
fn text(file: &File) -> String {
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    #[cfg(unix)]
    std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, 0).unwrap();
    #[cfg(windows)]
    std::os::windows::fs::FileExt::seek_read(file, &mut bytes, 0).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Holds a report (`run`) or a record (`slide`) against its schema.
pub fn assert_valid(value: &Value, kind: &str) {
    static SCHEMAS: OnceLock<BTreeMap<&str, jsonschema::Validator>> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| {
        ["run", "slide"]
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

impl Outcome {
    /// Checks that standard error says all of this.
    pub fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{word:?} is missing:\n{}",
                self.stderr
            );
        }
        self
    }
}

/// A slide's px, level by level.
struct Pixels<F>(F);

impl<F: Fn(u32, u32) -> [u8; 3] + Sync> TileSource for Pixels<F> {
    fn tile(&self, level: usize, column: u32, row: u32, out: &mut [u8]) {
        for (index, px) in out.chunks_exact_mut(3).enumerate() {
            let (x, y) = (
                column * 64 + index as u32 % 64,
                row * 64 + index as u32 / 64,
            );
            px.copy_from_slice(&(self.0)(x << level, y << level));
        }
    }
}

// None of them is as strong as a pen's ink, which would be no tissue.
pub const KIDNEY: [u8; 3] = [110, 20, 20];
pub const KIDNEY_FTU: [u8; 3] = [220, 75, 75];
pub const PROSTATE: [u8; 3] = [75, 110, 75];
pub const PROSTATE_FTU: [u8; 3] = [100, 135, 100];
pub const VOID: [u8; 3] = [0; 3];

/// A drawing of 300 x 200 px, times `scale`: kidney on the left, prostate on the right, nothing between. Kidney's
/// model finds exactly [`KIDNEY_FTU`], prostate's exactly [`PROSTATE_FTU`].
pub fn two_organs(x: u32, y: u32, scale: u32) -> [u8; 3] {
    let (x, y) = (
        f64::from(x) / f64::from(scale),
        f64::from(y) / f64::from(scale),
    );
    let inside = (20.0..180.0).contains(&y);
    if inside && (10.0..130.0).contains(&x) {
        if is_ftu(x, y) { KIDNEY_FTU } else { KIDNEY }
    } else if inside && (170.0..290.0).contains(&x) {
        if is_ftu(x - 160.0, 200.0 - y) {
            PROSTATE_FTU
        } else {
            PROSTATE
        }
    } else {
        VOID
    }
}

/// A ring with a speck in its hole, a disk, and two squares that touch at a corner.
fn is_ftu(x: f64, y: f64) -> bool {
    let ring = (x - 70.0).hypot(y - 70.0);
    let disk = (x - 95.0).hypot(y - 150.0);
    let square =
        |left: f64, top: f64| (left..left + 8.0).contains(&x) && (top..top + 8.0).contains(&y);
    ring < 4.0
        || (18.0..36.0).contains(&ring)
        || disk < 15.0
        || square(30.0, 140.0)
        || square(38.0, 148.0)
}

/// What `mask.tif` must hold for a colour of [`two_organs`].
pub fn label_of(colour: [u8; 3]) -> u8 {
    match colour {
        KIDNEY_FTU => 1,
        PROSTATE_FTU => 2,
        _ => 0,
    }
}

/// A manifest with a router, kidney, prostate, lung and the baseline; no spleen, no large intestine, no U-Net.
pub fn full_bundle() -> String {
    let mut text = String::from(
        r#"name = "tiny"
version = "1"
licence = "none"
[router]
file = "router.onnx"
sha256 = "SUM(router.onnx)"
input = "uint8-nhwc"
output = "probability"
tile = 32
cell = 16
mpp = 2.0
organs = ["kidney", "prostate", "largeintestine", "spleen", "lung"]
limit = 0.4
fallback = "baseline"
"#,
    );
    for (organ, file) in [
        ("kidney", "red.onnx"),
        ("prostate", "green.onnx"),
        ("lung", "red.onnx"),
    ] {
        text += &organ_model(organ, file);
    }
    text + r#"[[model]]
name = "baseline"
file = "red-float.onnx"
sha256 = "SUM(red-float.onnx)"
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
output = "logit"
tile = 64
mpp = 2.0
"#
}

/// The part of a manifest for one organ's model.
pub fn organ_model(organ: &str, file: &str) -> String {
    format!(
        r#"[[model]]
name = "{organ}"
organ = "{organ}"
file = "{file}"
sha256 = "SUM({file})"
input = "uint8-nhwc"
output = "probability"
tile = 64
mpp = 2.0
"#
    )
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
