//! The engine: a bundle of networks on a runtime.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Instant, UNIX_EPOCH};

use ftuseg::backend::DeviceChoice;
use ftuseg::bundle::{Bundle, default_bundle, named_bundle};
use ftuseg::provision::Search;
use ftuseg::records::InputRecord;
use ftuseg::sink::{Outputs, SinkOptions, provenance};
use ftuseg::slide::{
    ClosedSlide, OPENSLIDE, Resolution, ResolutionSource, files_of_slide, id_of_file, use_search,
};
use ftuseg::{Organ, Rect, Segmentation, SlideReader};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::error::Failure;
use super::pixels::{Input, slide_of};
use super::result::{Seen, SlideResult, Source};
use super::run::{Progress, Wish};

/// The most threads that can be asked for.
const MAX_THREADS: usize = 1024;
/// The most tiles that a network can be given at once.
const MAX_BATCH: usize = 256;

/// A bundle of networks on a runtime. Many threads may use one engine at once, each for a slide of its own.
#[pyclass(frozen, module = "ftuseg")]
pub(crate) struct Engine {
    engine: ftuseg::Engine,
    /// What results need to know of the bundle; they outlive the engine.
    bundle: Arc<Bundle>,
}

/// A word of an option as what it means.
fn word<T: std::str::FromStr<Err = String>>(name: &str, word: &str) -> Result<T, Failure> {
    word.parse()
        .map_err(|why| Failure::usage(format!("{name} cannot be {word:?}: {why}")))
}

/// A number of an option that lies where it may.
fn within(name: &str, number: Option<usize>, most: usize) -> Result<Option<usize>, Failure> {
    match number {
        Some(number) if !(1..=most).contains(&number) => Err(Failure::usage(format!(
            "{name} cannot be {number}: expected 1 to {most}"
        ))),
        fitting => Ok(fitting),
    }
}

/// Tells people a line, through the logger `ftuseg`.
fn log(line: &str) {
    Python::attach(|py| {
        let told = py.import("logging").and_then(|logging| {
            let logger = logging.call_method1("getLogger", ("ftuseg",))?;
            logger.call_method1("warning", ("%s", line))
        });
        if let Err(error) = told {
            error.write_unraisable(py, None);
        }
    });
}

/// This interpreter, whose packages are looked at first for ONNX Runtime and OpenSlide.
fn interpreter(py: Python<'_>) -> PyResult<Option<PathBuf>> {
    // Empty or None where Python is embedded.
    let program: Option<PathBuf> = py.import("sys")?.getattr("executable")?.extract()?;
    Ok(program.filter(|program| program.is_file()))
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (bundle=None, device="auto", *, threads=None, route="tile", tissue="auto", overlap=None, blend="gaussian", tta="none", split="none", precision="auto", backend="auto", runtime=None, offline=false, batch=None, max_models=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords to the caller")]
    fn new(
        py: Python<'_>,
        bundle: Option<PathBuf>,
        device: &str,
        threads: Option<usize>,
        route: &str,
        tissue: &str,
        overlap: Option<u32>,
        blend: &str,
        tta: &str,
        split: &str,
        precision: &str,
        backend: &str,
        runtime: Option<PathBuf>,
        offline: bool,
        batch: Option<usize>,
        max_models: Option<usize>,
    ) -> Result<Self, Failure> {
        let folder = match &bundle {
            Some(named) => named_bundle(named)?,
            None => default_bundle()?,
        };
        let python = interpreter(py)?;
        let device = word::<DeviceChoice>("device", device)?;
        let route = word("route", route)?;
        let tissue = word("tissue", tissue)?;
        let blend = word("blend", blend)?;
        let tta = word("tta", tta)?;
        let split = word("split", split)?;
        let precision = word("precision", precision)?;
        let backend = word("backend", backend)?;
        let threads = within("threads", threads, MAX_THREADS)?;
        let batch = within("batch", batch, MAX_BATCH)?;
        let max_models = within("max_models", max_models, u32::MAX as usize)?;
        let mut search = Search::from_environment(&OPENSLIDE, None, offline);
        if let Some(python) = &python {
            search = search.with_python(python);
        }
        // A process has one OpenSlide; once it was looked for, that stands.
        use_search(search, Box::new(log));
        let made = py.detach(|| {
            let mut builder = ftuseg::Engine::builder(Bundle::load(&folder)?)
                .device(device)
                .route(route)
                .tissue(tissue)
                .overlap(overlap)
                .blend(blend)
                .tta(tta)
                .split(split)
                .precision(precision)
                .runtime(backend)
                .library(runtime)
                .python(python)
                .offline(offline)
                .batch(batch)
                .max_models(max_models.and_then(NonZeroUsize::new))
                .on_message(log);
            if let Some(threads) = threads {
                builder = builder.threads(threads);
            }
            builder.build()
        });
        // Ctrl-C meanwhile ended what was being fetched.
        py.check_signals()?;
        let engine = made?;
        let bundle = Arc::new(engine.bundle().clone());
        Ok(Engine { engine, bundle })
    }

    /// What runs the networks, for people: "onnxruntime 1.31.1, cpu in fp32, 8 threads".
    #[getter]
    fn runtime(&self) -> String {
        let about = self.engine.backend().about();
        format!(
            "{} {}, {} in {}, {} threads",
            about.backend, about.version, about.device, about.arithmetic, about.threads
        )
    }

    /// The bundle's name and version: "ftuseg-cores 0.6.0".
    #[getter]
    fn bundle(&self) -> String {
        format!("{} {}", self.bundle.name, self.bundle.version)
    }

    /// The bundle's folder.
    #[getter]
    fn bundle_folder(&self) -> PathBuf {
        self.bundle.folder.clone()
    }

    fn __repr__(&self) -> String {
        format!("<ftuseg.Engine: {} on {}>", self.bundle(), self.runtime())
    }

    /// Segments a slide in a file, or px in memory.
    #[pyo3(signature = (slide, *, mpp=None, organ=None, region=None, id=None, progress=None, cancel=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords to the caller")]
    fn segment(
        &self,
        py: Python<'_>,
        slide: &Bound<'_, PyAny>,
        mpp: Option<f64>,
        organ: Option<&str>,
        region: Option<(u32, u32, u32, u32)>,
        id: Option<String>,
        progress: Option<&Bound<'_, PyAny>>,
        cancel: Option<Py<PyAny>>,
    ) -> Result<SlideResult, Failure> {
        let input = Input::of(slide)?;
        let organ = organ.map(|name| {
            let known = name.parse::<Organ>();
            known.map_err(|error| Failure::usage(error.to_string()))
        });
        let resolution = mpp.map(|mpp| {
            let known = Resolution::believable(mpp, ResolutionSource::Caller);
            known.ok_or_else(|| {
                Failure::usage(format!(
                    "{mpp} um is no size that a px can have; it is from 0.02 to 40"
                ))
            })
        });
        let wish = Wish {
            resolution: resolution.transpose()?,
            organ: organ.transpose()?,
            region: region.map(|(x, y, width, height)| Rect {
                x,
                y,
                width,
                height,
            }),
            progress: progress.map(Progress::of).transpose()?,
            cancel,
        };
        let started = Instant::now();
        let engine = &self.engine;
        let close = |slide: &dyn SlideReader, found: Segmentation| (ClosedSlide::of(slide), found);
        let ((slide, segmentation), id, input, source) = match input {
            Input::File(path) => {
                let open = || Ok(ftuseg::slide::open(&path)?);
                let done = wish.run(py, engine, open, close)?;
                let id = id.unwrap_or_else(|| id_of_file(&path));
                (done, id, of_file(&path)?, Source::File(path))
            }
            Input::Array(array) => {
                let px = slide_of(&array, None)?;
                let done = wish.run(py, engine, || Ok(Box::new(px)), close)?;
                let id = id.unwrap_or_else(|| "pixels".to_owned());
                let bytes = array.as_array().len() as u64;
                let kept = array.as_any().clone().unbind();
                (done, id, in_memory(bytes), Source::Array(kept))
            }
        };
        let sinks = SinkOptions::default();
        Ok(SlideResult {
            seen: Seen {
                id,
                slide,
                segmentation,
                bundle: Arc::clone(&self.bundle),
                provenance: provenance(engine, wish.resolution, sinks, Outputs::NONE),
                input,
                seconds: started.elapsed().as_secs_f64(),
                found: Mutex::default(),
            },
            source,
            mask: PyOnceLock::new(),
            instances: PyOnceLock::new(),
            objects: PyOnceLock::new(),
        })
    }
}

/// A slide's file, as records hold it.
fn of_file(path: &Path) -> Result<InputRecord, Failure> {
    let lost = |cause| {
        let path = path.display();
        Failure::Kind(
            "io",
            format!("{path}: it was lost while it was read: {cause}"),
        )
    };
    let meta = std::fs::metadata(path).map_err(lost)?;
    // A folder's own bytes say nothing of the slide in it.
    let files = match meta.is_dir() {
        true => files_of_slide(path).map_err(lost)?,
        false => vec![path.to_owned()],
    };
    let bytes = files.iter().map(|file| Ok(std::fs::metadata(file)?.len()));
    let bytes: std::io::Result<u64> = bytes.sum();
    let modified = meta.modified().ok();
    let since = modified.and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
    Ok(InputRecord {
        path: path.display().to_string(),
        modified: since.map(|since| format!("{}.{:09}", since.as_secs(), since.subsec_nanos())),
        ..in_memory(bytes.map_err(lost)?)
    })
}

/// Px in memory, as records hold them.
fn in_memory(bytes: u64) -> InputRecord {
    InputRecord {
        path: "pixels in memory".to_owned(),
        bytes,
        modified: None,
        organ: None,
        mpp: None,
        sha256: None,
        beside: None,
        beside_sha256: None,
    }
}
