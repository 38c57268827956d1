//! What the engine's tests share: slides in memory, bundles of the tiny networks, the backends that there are.

#![allow(dead_code)] // Each test file uses its own part.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ftuseg::backend::{Backend, BackendChoice, BackendError, choose};
use ftuseg::bundle::Bundle;
use ftuseg::slide::{Resolution, ResolutionSource, SlideError, SlideInfo, SlideReader};
use ftuseg_provision::onnxruntime::{self, LibraryError};
use sha2::{Digest, Sha256};

/// um/px of the slides and of the models, unless a test says otherwise.
pub const MPP: f64 = 2.0;

/// A slide in memory.
pub struct MemorySlide {
    info: SlideInfo,
    rgb: Vec<u8>,
}

impl MemorySlide {
    /// A slide whose px are given by a function.
    pub fn new(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Self {
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        for y in 0..height {
            for x in 0..width {
                rgb.extend(colour(x, y));
            }
        }
        let mut info = SlideInfo::new("memory", width, height);
        info.resolution = Resolution::believable(MPP, ResolutionSource::TiffTags);
        MemorySlide { info, rgb }
    }

    /// The colour of a px.
    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let at = (y as usize * self.info.width() as usize + x as usize) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }
}

impl SlideReader for MemorySlide {
    fn info(&self) -> &SlideInfo {
        &self.info
    }

    fn read(
        &self,
        level: usize,
        x: i64,
        y: i64,
        width: u32,
        height: u32,
        out: &mut [u8],
    ) -> Result<(), SlideError> {
        assert_eq!(level, 0);
        let size = self.info.levels[0];
        for (row, line) in out.chunks_exact_mut(width as usize * 3).enumerate() {
            for (column, px) in line.chunks_exact_mut(3).enumerate() {
                let (px_x, px_y) = (x + column as i64, y + row as i64);
                let inside = (0..i64::from(size.width)).contains(&px_x)
                    && (0..i64::from(size.height)).contains(&px_y);
                px.copy_from_slice(&if inside {
                    self.at(px_x as u32, px_y as u32)
                } else {
                    [255; 3]
                });
            }
        }
        assert_eq!(out.len(), width as usize * height as usize * 3);
        Ok(())
    }
}

/// A folder with a bundle of tiny networks, removed at the end.
pub struct TinyBundle {
    folder: tempfile::TempDir,
    toml: String,
}

impl TinyBundle {
    pub fn new() -> Self {
        TinyBundle {
            folder: tempfile::tempdir().unwrap(),
            toml: "name = \"tiny\"\nversion = \"1\"\nlicence = \"none\"\n".into(),
        }
    }

    /// Adds `[router]`: 32 px tiles and 16 px cells at `MPP`.
    pub fn router(self, limit: f32) -> Self {
        self.router_of("router.onnx", limit)
    }

    /// Adds a `[router]` that says "none of these" where blue stands out.
    pub fn router_with_other(mut self, limit: f32) -> Self {
        self = self.router_of("router-other.onnx", limit);
        self.toml += "other = true\n";
        self
    }

    fn router_of(mut self, file: &str, limit: f32) -> Self {
        let sum = self.copy(file);
        write!(
            self.toml,
            "[router]\nfile = \"{file}\"\nsha256 = \"{sum}\"\ninput = \"uint8-nhwc\"\noutput = \"probability\"\ntile = 32\ncell = 16\nmpp = {MPP:?}\norgans = [\"kidney\", \"prostate\", \"largeintestine\", \"spleen\", \"lung\"]\nlimit = {limit}\nfallback = \"baseline\"\n"
        )
        .unwrap();
        self
    }

    /// Adds a model; `lines` hold its role, scale and the like.
    pub fn model(mut self, name: &str, file: &str, lines: &str) -> Self {
        let sum = self.copy(file);
        write!(
            self.toml,
            "[[model]]\nname = \"{name}\"\nfile = \"{file}\"\nsha256 = \"{sum}\"\ntile = 64\n{lines}\n"
        )
        .unwrap();
        self
    }

    /// Writes its `bundle.toml`, and returns its folder.
    pub fn path(&self) -> &str {
        std::fs::write(self.folder.path().join("bundle.toml"), &self.toml).unwrap();
        self.folder.path().to_str().unwrap()
    }

    /// Loads the bundle.
    pub fn load(&self) -> Bundle {
        Bundle::load(Path::new(self.path())).unwrap()
    }

    fn copy(&self, file: &str) -> String {
        let bytes = std::fs::read(fixture(file)).unwrap();
        std::fs::write(self.folder.path().join(file), &bytes).unwrap();
        Sha256::digest(&bytes)
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    // The command's tests are of another crate, one folder deeper.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.join(if here.ends_with("cli") { ".." } else { "" });
    root.join("tests/fixtures").join(name)
}

/// ONNX Runtime, if it can be had here; says so where it cannot.
pub fn onnxruntime(threads: usize) -> Option<Box<dyn Backend>> {
    let search = onnxruntime::search(None, false);
    match choose(BackendChoice::OnnxRuntime, &search, threads, &mut |line| {
        println!("{line}");
    }) {
        Ok(backend) => Some(backend),
        Err(BackendError::Runtime(error @ LibraryError::NotFound { .. })) => {
            println!("skipped for ONNX Runtime: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The pure-Rust runtime.
pub fn rten(threads: usize) -> Box<dyn Backend> {
    let search = onnxruntime::search(None, true);
    choose(BackendChoice::Rten, &search, threads, &mut |_| {}).unwrap()
}

/// All backends that there are here.
pub fn backends(threads: usize) -> Vec<Box<dyn Backend>> {
    onnxruntime(threads)
        .into_iter()
        .chain(std::iter::once(rten(threads)))
        .collect()
}

/// Numbers that look random and are the same everywhere.
pub fn hash(x: u32, y: u32) -> u32 {
    let mut h = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^ (h >> 13)
}
