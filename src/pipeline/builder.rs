//! Makes an engine: loads and checks the bundle, finds and starts the runtime, proves the device.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::backend::{Arithmetic, Backend, BackendChoice, BackendError, DeviceChoice};
use crate::bundle::Bundle;
use crate::slide::TissueMode;

use super::preflight::{check_settings, check_sums};
use super::{Blend, Engine, EngineOptions, PipelineError, Precision, Route, Split, Tta};

/// Where an engine's bundle comes from: a folder, or one that is loaded already.
#[derive(Debug, Clone)]
pub enum BundleSource {
    /// The folder that holds its `bundle.toml`.
    Folder(PathBuf),
    /// A bundle that is loaded.
    Loaded(Box<Bundle>),
}

impl From<&str> for BundleSource {
    fn from(folder: &str) -> Self {
        BundleSource::Folder(folder.into())
    }
}

impl From<&Path> for BundleSource {
    fn from(folder: &Path) -> Self {
        BundleSource::Folder(folder.to_owned())
    }
}

impl From<PathBuf> for BundleSource {
    fn from(folder: PathBuf) -> Self {
        BundleSource::Folder(folder)
    }
}

impl From<Bundle> for BundleSource {
    fn from(bundle: Bundle) -> Self {
        BundleSource::Loaded(Box::new(bundle))
    }
}

/// What an engine is to be. See [`Engine::builder`].
#[must_use]
pub struct EngineBuilder<'a> {
    bundle: BundleSource,
    options: EngineOptions,
    /// Tiles that a network is given at once, if the caller says.
    batch: Option<usize>,
    queue_bytes: Option<u64>,
    runtime: Runtime,
    say: Box<dyn FnMut(&str) + 'a>,
}

/// What runs the networks.
struct Runtime {
    own: Option<Box<dyn Backend>>,
    choice: BackendChoice,
    device: DeviceChoice,
    threads: usize,
    library: Option<PathBuf>,
    python: Option<PathBuf>,
    is_offline: bool,
}

impl Engine {
    /// Begins an engine that runs the networks of a bundle: a folder, or one that is loaded.
    ///
    /// Unless told otherwise, the router decides for each piece of tissue, ONNX Runtime is looked for as the environment
    /// says (and brought, in builds with the feature `provision`), and all cores are used.
    ///
    /// ```no_run
    /// use ftuseg::{Engine, Request, RgbSlide};
    ///
    /// let engine = Engine::builder("models/bundle").threads(4).build()?;
    /// let pixels = vec![255; 3000 * 3000 * 3];
    /// let slide = RgbSlide::new(3000, 3000, &pixels[..], 0.4)?;
    /// let found = engine.segment(&slide, &Request::default())?;
    /// for object in found.objects() {
    ///     println!("{}: {} px", object.target, object.polygon.area);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder<'a>(bundle: impl Into<BundleSource>) -> EngineBuilder<'a> {
        let options = EngineOptions::default();
        EngineBuilder {
            bundle: bundle.into(),
            runtime: Runtime {
                own: None,
                choice: BackendChoice::Auto,
                device: DeviceChoice::Auto,
                threads: options.readers,
                library: None,
                python: None,
                is_offline: false,
            },
            options,
            batch: None,
            queue_bytes: None,
            say: Box::new(|_| {}),
        }
    }
}

impl<'a> EngineBuilder<'a> {
    /// How slides are sent to models; the router decides for each cell if nothing is said.
    pub fn route(mut self, route: Route) -> Self {
        self.options.route = route;
        self
    }

    /// Whether tissue is looked for, or the whole slide counts as tissue.
    pub fn tissue(mut self, tissue: TissueMode) -> Self {
        self.options.tissue = tissue;
        self
    }

    /// px that neighbouring tiles share, at the model's um/px, instead of the bundle's.
    pub fn overlap(mut self, overlap: impl Into<Option<u32>>) -> Self {
        self.options.overlap = overlap.into();
        self
    }

    /// How overlapping tiles are joined.
    pub fn blend(mut self, blend: Blend) -> Self {
        self.options.blend = blend;
        self
    }

    /// The ways each tile is shown to its network; the answers are averaged.
    pub fn tta(mut self, tta: Tta) -> Self {
        self.options.tta = tta;
        self
    }

    /// Whether objects that touch are split.
    pub fn split(mut self, split: Split) -> Self {
        self.options.split = split;
        self
    }

    /// What the networks are computed in.
    pub fn precision(mut self, precision: Precision) -> Self {
        self.options.precision = precision;
        self
    }

    /// Threads that read tiles, and that a network may use. It changes no result.
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.readers = threads.max(1);
        self.runtime.threads = threads.max(1);
        self
    }

    /// Tiles that a network is given at once, instead of what suits the device.
    pub fn batch(mut self, batch: impl Into<Option<usize>>) -> Self {
        self.batch = batch.into();
        self
    }

    /// The most segmentation networks in memory at once; the least recently used is evicted. It changes no result.
    pub fn max_models(mut self, most: impl Into<Option<NonZeroUsize>>) -> Self {
        self.options.max_models = most.into();
        self
    }

    /// The most that tiles waiting between the stages may take, bytes. It changes no result.
    pub fn queue_bytes(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.queue_bytes = bytes.into();
        self
    }

    /// Where networks run. A device that is named is proven and used, or [`EngineBuilder::build`] fails.
    pub fn device(mut self, device: impl Into<DeviceChoice>) -> Self {
        self.runtime.device = device.into();
        self
    }

    /// Which runtime runs the networks.
    pub fn runtime(mut self, choice: BackendChoice) -> Self {
        self.runtime.choice = choice;
        self
    }

    /// ONNX Runtime's shared library, or a folder that holds it; looked for if nothing is said.
    pub fn library(mut self, path: impl Into<Option<PathBuf>>) -> Self {
        self.runtime.library = path.into();
        self
    }

    /// A Python whose packages are looked at before those of others, for a program that runs within one.
    pub fn python(mut self, program: impl Into<Option<PathBuf>>) -> Self {
        self.runtime.python = program.into();
        self
    }

    /// Brings nothing over the network.
    pub fn offline(mut self, is_offline: bool) -> Self {
        self.runtime.is_offline = is_offline;
        self
    }

    /// A backend of the caller's own, instead of a runtime that is looked for.
    pub fn backend(mut self, backend: Box<dyn Backend>) -> Self {
        self.runtime.own = Some(backend);
        self
    }

    /// Gets a line for people about whatever is brought, passed over, or goes another way than usual while the engine is
    /// made.
    pub fn on_message(mut self, say: impl FnMut(&str) + 'a) -> Self {
        self.say = Box::new(say);
        self
    }

    /// Makes the engine: checks the bundle against the settings, checks the sums of all files that can be needed, finds and
    /// starts the runtime, and proves the device. Networks are loaded when they are first needed.
    ///
    /// # Errors
    /// When the bundle cannot be read, lacks what the settings ask for, or was damaged; when there is no usable runtime;
    /// when the device cannot be used. Nothing else is used instead.
    pub fn build(mut self) -> Result<Engine, PipelineError> {
        let bundle = match self.bundle {
            BundleSource::Folder(folder) => Bundle::load(&folder)?,
            BundleSource::Loaded(bundle) => *bundle,
        };
        check_settings(&bundle, &self.options)?;
        check_sums(&bundle, &self.options, &mut self.say)?;
        let backend = match self.runtime.own.take() {
            Some(backend) => backend,
            None => start(&self.runtime, self.options.precision.into(), &mut self.say)?,
        };
        self.options.batch = self.batch.unwrap_or_else(|| backend.usual_batch()).max(1);
        Ok(Engine::new(bundle, backend, self.options).with_queue_bytes(self.queue_bytes))
    }
}

impl From<Precision> for Arithmetic {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::Auto => Arithmetic::Auto,
            Precision::Bf16 => Arithmetic::Bf16,
            Precision::Fp16 => Arithmetic::Fp16,
            // What an int8 file leaves in floats stays in 32 bits.
            Precision::Fp32 | Precision::Int8 => Arithmetic::Fp32,
        }
    }
}

#[cfg(feature = "onnxruntime")]
fn start(
    runtime: &Runtime,
    wish: Arithmetic,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Backend>, BackendError> {
    let library = runtime.library.clone();
    let mut search = ftuseg_provision::onnxruntime::search(library, runtime.is_offline);
    if let Some(python) = &runtime.python {
        search = search.with_python(python);
    }
    crate::backend::choose_on(
        runtime.choice,
        runtime.device,
        wish,
        &search,
        runtime.threads,
        say,
    )
}

#[cfg(not(feature = "onnxruntime"))]
fn start(
    runtime: &Runtime,
    wish: Arithmetic,
    _say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Backend>, BackendError> {
    use crate::backend::Device;
    let refused = |what: &str| {
        Err(BackendError::Usage(format!(
            "this build was made without ONNX Runtime (its feature `onnxruntime` is off), which {what} needs"
        )))
    };
    match (runtime.choice, runtime.device, wish) {
        (BackendChoice::OnnxRuntime, _, _) => refused("the choice of it"),
        (_, DeviceChoice::Exactly(device), _) if device != Device::Cpu => refused("that device"),
        (_, _, Arithmetic::Bf16 | Arithmetic::Fp16) => refused("that precision"),
        _ => pure_rust(runtime),
    }
}

#[cfg(all(not(feature = "onnxruntime"), feature = "rten"))]
fn pure_rust(runtime: &Runtime) -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(crate::backend::Rten::new(runtime.threads, None)))
}

#[cfg(not(any(feature = "onnxruntime", feature = "rten")))]
fn pure_rust(_runtime: &Runtime) -> Result<Box<dyn Backend>, BackendError> {
    Err(BackendError::Usage(
        "this build has no runtime (its features `onnxruntime` and `rten` are off): hand in a backend".to_owned(),
    ))
}
