//! Options that several commands have in common, and how they become an engine.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

use ftuseg::backend::{Arithmetic, Backend, BackendChoice, DeviceChoice, choose_on};
use ftuseg::bundle::{Bundle, default_bundle, named_bundle};
use ftuseg::pipeline::{Blend, Engine, Precision, Route, Split, Tta};
use ftuseg::slide::{Resolution, ResolutionSource, TissueMode};
use ftuseg_provision::onnxruntime::{self, Search};

use super::advice;
use super::console::{self, counted};

/// The groups of options in a help, in the order in which they stand there.
pub(super) mod heading {
    /// What is read.
    pub(in super::super) const INPUT: &str = "Input";
    /// What decides about a px.
    pub(in super::super) const MODELS: &str = "Models";
    /// What is written and shown.
    pub(in super::super) const OUTPUT: &str = "Output";
    /// What changes the time and the memory, and hardly a result.
    pub(in super::super) const SPEED: &str = "Speed";
    /// What matters to a run over many slides.
    pub(in super::super) const LONG_RUNS: &str = "Long runs";
    /// What every command has.
    pub(in super::super) const GENERAL: &str = "General options";
}

/// Where the models come from and what runs them.
#[derive(Debug, Clone, Args)]
pub(super) struct EngineArgs {
    /// The model bundle: its folder, or the name of one that `ftuseg models install` has installed [default: the one that
    /// came with the program, or the installed one]
    #[arg(long, value_name = "DIR|NAME", help_heading = heading::MODELS)]
    pub bundle: Option<PathBuf>,
    /// What runs the networks; auto falls back to rten only if ONNX Runtime cannot be found or fetched, and says so
    #[arg(long, value_enum, default_value = "auto", help_heading = heading::SPEED)]
    pub backend: BackendName,
    /// Where the networks run: auto, cpu, openvino, cuda, cuda:N, cuda:all (every GPU). auto is the CPU, through OpenVINO
    /// if `ftuseg doctor --install openvino` has found that to be faster on this machine. A device that you name is used;
    /// if it cannot be, that is an error
    #[arg(long, value_name = "DEVICE", default_value = "auto", help_heading = heading::SPEED)]
    pub device: DeviceChoice,
    /// ONNX Runtime's shared library, or the folder it is in
    #[arg(long, value_name = "PATH", help_heading = heading::SPEED)]
    pub runtime: Option<PathBuf>,
    /// Download nothing, not even the runtime library
    #[arg(long, help_heading = heading::GENERAL)]
    pub offline: bool,
    /// Keep at most N models in memory; the least recently used is evicted [default: keep all that are needed]
    #[arg(long, value_name = "N", help_heading = heading::SPEED)]
    pub max_models: Option<NonZeroUsize>,
    /// Number of threads [default: all cores]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = heading::SPEED)]
    pub threads: Option<u16>,
}

/// Names of the backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum BackendName {
    Auto,
    Onnxruntime,
    Rten,
}

/// How slides are sent to models.
#[derive(Debug, Clone, Args)]
pub(super) struct RouteArgs {
    /// How each piece of tissue is matched to a model: tile, slide, given, baseline, unet, organ=NAME (kidney, prostate,
    /// large intestine, spleen or lung)
    #[arg(long, default_value = "tile", help_heading = heading::MODELS)]
    pub route: Route,
    /// um per full-size px, for all slides, overriding what their files state
    #[arg(long, value_name = "X", value_parser = parse_mpp, help_heading = heading::INPUT)]
    pub mpp: Option<Resolution>,
    /// Whether to detect tissue; off treats the whole slide as tissue
    #[arg(long, value_enum, default_value = "auto", help_heading = heading::INPUT)]
    pub tissue: TissueArg,
}

/// Whether tissue is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TissueArg {
    Auto,
    Off,
}

/// How tiles are cut and joined.
#[derive(Debug, Clone, Args)]
pub(super) struct TileArgs {
    /// Tiles per inference batch [default: 1, or 16 on GPUs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = heading::SPEED)]
    pub batch: Option<u16>,
    /// Overlap of neighbouring tiles in px, at the model's um/px [default: as the bundle states]
    #[arg(long, value_name = "PX", help_heading = heading::MODELS)]
    pub overlap: Option<u32>,
    /// How overlapping tiles are merged
    #[arg(long, value_enum, default_value = "gaussian", help_heading = heading::MODELS)]
    pub blend: BlendArg,
    /// Test-time augmentation: show each tile to its network in several ways and average the answers. More accurate, and
    /// slower by the number of ways
    #[arg(long, value_enum, default_value = "none", help_heading = heading::MODELS)]
    pub tta: TtaArg,
    /// Whether objects that touch are split
    #[arg(long, value_enum, default_value = "none", help_heading = heading::MODELS)]
    pub split: SplitArg,
    /// Arithmetic that the models are computed in
    #[arg(long, value_enum, default_value = "auto", help_heading = heading::SPEED)]
    pub precision: PrecisionArg,
}

impl Default for TileArgs {
    fn default() -> Self {
        TileArgs {
            batch: None,
            overlap: None,
            blend: BlendArg::Gaussian,
            tta: TtaArg::None,
            split: SplitArg::None,
            precision: PrecisionArg::Auto,
        }
    }
}

/// Ways in which tiles are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TtaArg {
    /// Each tile once, as it is
    None,
    /// Mirrored both ways too: 4 runs
    Flips,
    /// All eight rotations and reflections: 8 runs
    D4,
    /// At three scales: 3 runs
    Scales,
}

impl From<TtaArg> for Tta {
    fn from(arg: TtaArg) -> Self {
        match arg {
            TtaArg::None => Tta::None,
            TtaArg::Flips => Tta::Flips,
            TtaArg::D4 => Tta::D4,
            TtaArg::Scales => Tta::Scales,
        }
    }
}

/// Variants of the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PrecisionArg {
    /// fp16 on GPUs for models that support it, bf16 with OpenVINO on CPUs that support it, otherwise fp32
    Auto,
    /// 32-bit floats
    Fp32,
    /// 16-bit brain floats, with --device openvino on CPUs that support them
    Bf16,
    /// 16-bit floats, for GPUs; slow on a CPU. An error for models that do not support it
    Fp16,
    /// The bundle's int8 files; models without one run in fp32, which is reported and recorded
    Int8,
}

impl From<PrecisionArg> for Precision {
    fn from(arg: PrecisionArg) -> Self {
        match arg {
            PrecisionArg::Auto => Precision::Auto,
            PrecisionArg::Fp32 => Precision::Fp32,
            PrecisionArg::Bf16 => Precision::Bf16,
            PrecisionArg::Fp16 => Precision::Fp16,
            PrecisionArg::Int8 => Precision::Int8,
        }
    }
}

/// How overlapping tiles are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum BlendArg {
    /// Each px comes from the tile whose centre is nearest
    Crop,
    /// Each px is a weighted mean of all tiles that cover it
    Gaussian,
}

/// Whether objects that touch are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SplitArg {
    /// What touches is one object
    None,
    /// Objects are cut at their necks: where they are narrower than 0.7 of the smaller part, by the distance from the edge
    Touching,
}

impl From<SplitArg> for Split {
    fn from(arg: SplitArg) -> Self {
        match arg {
            SplitArg::None => Split::None,
            SplitArg::Touching => Split::Touching,
        }
    }
}

impl EngineArgs {
    /// How many threads to use.
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        )
    }

    /// Loads the bundle's manifest.
    pub fn load_bundle(&self) -> anyhow::Result<Bundle> {
        let folder = match &self.bundle {
            Some(named) => named_bundle(named)?,
            None => default_bundle()?,
        };
        Ok(Bundle::load(&folder)?)
    }

    /// The search for the runtime library.
    pub fn search(&self) -> Search {
        onnxruntime::search(self.runtime.clone(), self.offline)
    }

    /// Starts the backend; lines for the user go to standard error.
    pub fn start_backend(&self, wish: Arithmetic) -> anyhow::Result<Box<dyn Backend>> {
        let backend = choose_on(
            self.backend.into(),
            self.device,
            wish,
            &self.search(),
            self.threads(),
            &mut |line| {
                tell!("{line}");
            },
        )?;
        self.tell_start(backend.as_ref());
        Ok(backend)
    }

    /// An engine with these settings. Also sets the size of the pool for data-parallel work.
    pub fn engine(&self, route: &RouteArgs, tiles: &TileArgs) -> anyhow::Result<Engine> {
        // Fails only if the pool exists already, in a test of the library say; then its size stays.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads())
            .build_global();
        Engine::builder(self.load_bundle()?)
            .route(route.route)
            .tissue(match route.tissue {
                TissueArg::Auto => TissueMode::Auto,
                TissueArg::Off => TissueMode::Off,
            })
            .overlap(tiles.overlap)
            .blend(match tiles.blend {
                BlendArg::Crop => Blend::Crop,
                BlendArg::Gaussian => Blend::Gaussian,
            })
            .tta(tiles.tta.into())
            .split(tiles.split.into())
            .precision(tiles.precision.into())
            .batch(tiles.batch.map(usize::from))
            .max_models(self.max_models)
            .threads(self.threads())
            .device(self.device)
            .runtime(self.backend.into())
            .library(self.runtime.clone())
            .offline(self.offline)
            .on_message(|line| tell!("{line}"))
            .build()
            .inspect(|engine| self.tell_start(engine.backend()))
            .map_err(anyhow::Error::from)
    }

    /// With `--verbose`, tells what runs the networks. Where something else was asked for, tells which option leads there.
    fn tell_start(&self, backend: &dyn Backend) {
        let about = backend.about();
        if console::is_verbose() {
            tell!(
                "running on {} {}, {} in {}, {} ({})",
                about.backend,
                about.version,
                about.device,
                about.arithmetic,
                counted(about.threads as u64, "thread"),
                about.proof
            );
        }
        if let Some(advice) = advice::of_start(backend.about(), self.device) {
            tell!("{advice}");
        }
    }
}

impl From<BackendName> for BackendChoice {
    fn from(name: BackendName) -> Self {
        match name {
            BackendName::Auto => BackendChoice::Auto,
            BackendName::Onnxruntime => BackendChoice::OnnxRuntime,
            BackendName::Rten => BackendChoice::Rten,
        }
    }
}

fn parse_mpp(text: &str) -> Result<Resolution, String> {
    text.parse()
        .ok()
        .and_then(|mpp| Resolution::believable(mpp, ResolutionSource::Option))
        .ok_or_else(|| "expected a number of um/px from 0.02 to 40".to_owned())
}

/// Makes a folder, with an error that names it.
pub(super) fn make_folder(folder: &std::path::Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))
}
