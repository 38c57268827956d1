//! ONNX Runtime, loaded from a shared library when the program runs.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::{Environment, GlobalThreadPoolOptions};
use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider, ExecutionProviderDispatch};
use ort::session::Session as RawSession;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::device::{Arithmetic, Device};
use super::ort_session::OrtSession;
use ftuseg_provision::onnxruntime::{CUDA, Located};
use ftuseg_provision::preload;

use super::{
    About, Backend, BackendError, FloatFormat, NetworkInput, Session, SessionOptions, gpus, graph,
};

pub(super) const NAME: &str = "onnxruntime";
/// Sessions of one network on a GPU: one computes while the other's bytes are on their way.
const LANES_A_GPU: usize = 2;
/// Tiles at once on a GPU, which a single tile of 320 px does not fill.
const GPU_BATCH: usize = 16;

/// The runtime's environment. A process can have only one, with one library and one global thread pool.
struct Started {
    environment: Environment,
    library: PathBuf,
    threads: usize,
}

static STARTED: Mutex<Option<Started>> = Mutex::new(None);

/// ONNX Runtime on one device.
pub struct OnnxRuntime {
    environment: Environment,
    device: Device,
    /// Where each lane computes. Several may be the same device, which then runs several sessions at once.
    lanes: Vec<Device>,
    arithmetic: FloatFormat,
    /// Whether a network whose file cannot compute in that arithmetic is an error; else it computes in fp32.
    is_strict: bool,
    /// Whether probabilities come back as bytes.
    answers_in_bytes: bool,
    /// Threads for sessions that cannot use the global pool, because another part of the process started the
    /// runtime with another number.
    own_threads: Option<usize>,
    about: About,
}

impl OnnxRuntime {
    /// Starts the runtime on the processor from a library that was found and probed, with one global pool of `threads`
    /// threads that do not spin.
    ///
    /// # Errors
    /// When the library does not start, or the process already runs another one.
    pub fn start(located: &Located, threads: usize) -> Result<Self, BackendError> {
        Self::start_on(located, threads, Device::Cpu, Arithmetic::Fp32)
    }

    /// Starts the runtime on a device, and proves that it is used: a small network must run there with the processor's
    /// own provider shut out. Every network that is loaded later is shut out of it too, so nothing can fall back.
    ///
    /// # Errors
    /// As [`OnnxRuntime::start`]; when the device cannot be used or cannot compute in the wished arithmetic.
    pub fn start_on(
        located: &Located,
        threads: usize,
        device: Device,
        wish: Arithmetic,
    ) -> Result<Self, BackendError> {
        let threads = threads.max(1);
        let arithmetic = device.arithmetic(wish)?;
        let places = match device {
            Device::AllCuda => {
                let count = gpus::count().map_err(|reason| BackendError::Device {
                    device: device.to_string(),
                    reason,
                })?;
                (0..count).map(Device::Cuda).collect()
            }
            device => vec![device],
        };
        let library = located.path.as_path();
        let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
        let running = match started.take() {
            Some(running) if running.library == library => running,
            Some(running) => {
                let reason = format!(
                    "this process already runs {}; it can use only one",
                    running.library.display()
                );
                *started = Some(running);
                return Err(BackendError::Start {
                    library: library.display().to_string(),
                    reason,
                });
            }
            None => {
                if matches!(device, Device::Cuda(_) | Device::AllCuda) {
                    preload(library, &CUDA);
                }
                start(library, threads)?
            }
        };
        let is_gpu = matches!(device, Device::Cuda(_) | Device::AllCuda);
        // Lanes of one GPU lie apart, so that with few batches each GPU has one.
        let lanes = places.repeat(if is_gpu { LANES_A_GPU } else { 1 });
        let mut about = About::new(NAME, located.version.as_str());
        about.library = Some(library.display().to_string());
        about.sha256 = Some(located.sha256.clone());
        about.device = device.to_string();
        about.arithmetic = arithmetic;
        about.proof = "only the CPU provider is registered".to_owned();
        about.threads = threads;
        let mut runtime = OnnxRuntime {
            environment: running.environment.clone(),
            device,
            lanes,
            arithmetic,
            is_strict: wish != Arithmetic::Auto,
            answers_in_bytes: is_gpu,
            own_threads: (running.threads != threads).then_some(threads),
            about,
        };
        *started = Some(running);
        drop(started);
        if device != Device::Cpu {
            for &place in &places {
                runtime.prove(place)?;
            }
            runtime.about.proof = runtime.proof(&places);
        }
        Ok(runtime)
    }

    /// The same, with what the user should know of how it came to be used.
    pub(super) fn with_warning(mut self, warning: Option<String>) -> Self {
        self.about.warning = warning;
        self
    }

    /// For tests: the same runtime, but it goes the way that GPUs go: several lanes, batches, and probabilities that come
    /// back as bytes. So that way can be tried where there is no GPU; on a processor it wins nothing.
    #[doc(hidden)]
    #[must_use]
    pub fn as_gpus_do(mut self, lanes: usize) -> Self {
        self.lanes = vec![self.lanes[0]; lanes.max(1)];
        self.answers_in_bytes = true;
        self
    }

    /// Runs a small network on a device, the way that all networks will go.
    fn prove(&self, place: Device) -> Result<(), BackendError> {
        let refuse = |reason: String| BackendError::Device {
            device: place.to_string(),
            reason: reason.trim_end_matches('.').to_owned(),
        };
        let tile = vec![100; 64 * 64 * 3];
        let tile = ndarray::ArrayView4::from_shape((1, 64, 64, 3), tile.as_slice())
            .map_err(|error| refuse(error.to_string()))?;
        let answer = self
            .open("a small test network", PROBE, place, true)
            .and_then(|mut session| session.run(NetworkInput::Bytes(tile)))
            .map_err(|error| refuse(error.to_string()))?;
        // The probe answers the red channel / 255.
        let expected = 100.0 / 255.0;
        if answer.values.is_empty()
            || answer
                .values
                .iter()
                .any(|value| (value - expected).abs() > 0.01)
        {
            return Err(refuse(
                "it computes a small test network wrongly".to_owned(),
            ));
        }
        Ok(())
    }

    /// What was proven.
    fn proof(&self, places: &[Device]) -> String {
        let each = match places {
            [_] => String::new(),
            _ => format!(" on each of {} devices", places.len()),
        };
        format!(
            "all nodes of every network are assigned to {}: the CPU provider is shut out (session.disable_cpu_ep_fallback), \
             and a small network was run so at the start{each}",
            self.device.provider()
        )
    }

    fn provider(&self, place: Device) -> Option<ExecutionProviderDispatch> {
        match place {
            // Lanes are single devices: this one never is.
            Device::Cpu | Device::AllCuda => None,
            Device::OpenVino => {
                let precision = if self.arithmetic == FloatFormat::Bf16 {
                    "bf16"
                } else {
                    "f32"
                };
                // The option is a JSON text, not a file.
                let settings = serde_json::json!({ "CPU": {
                    "INFERENCE_PRECISION_HINT": precision,
                    "INFERENCE_NUM_THREADS": self.about.threads.to_string(),
                    "PERFORMANCE_HINT": "LATENCY",
                }});
                let provider = ep::OpenVINO::default()
                    .with_device_type("CPU")
                    .with_arbitrary_config("load_config", settings);
                Some(provider.build().error_on_failure())
            }
            Device::Cuda(number) => {
                let provider = ep::CUDA::default()
                    .with_device_id(i32::try_from(number).unwrap_or(i32::MAX))
                    // A search that times the algorithms may choose another one in the next run: other bytes.
                    .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Heuristic)
                    .with_tf32(false);
                Some(provider.build().error_on_failure())
            }
        }
    }

    /// A session on a device. `bytes`: its first output is a probability, and a byte of it will do.
    fn open(
        &self,
        name: &str,
        onnx: &[u8],
        place: Device,
        bytes: bool,
    ) -> Result<OrtSession, BackendError> {
        let fail = |reason: String| BackendError::Load {
            name: name.to_owned(),
            backend: NAME,
            reason,
        };
        if bytes && self.answers_in_bytes {
            let changed = graph::with_byte_answers(onnx).map_err(|e| fail(e.to_string()))?;
            let session = self.session(&changed, place);
            let session = session.map_err(|error| fail(error.to_string()))?;
            return OrtSession::new(name, session, place, Some(graph::BYTES));
        }
        let session = self.session(onnx, place);
        OrtSession::new(
            name,
            session.map_err(|error| fail(error.to_string()))?,
            place,
            None,
        )
    }

    fn session(&self, onnx: &[u8], place: Device) -> ort::Result<RawSession> {
        let mut builder: SessionBuilder = RawSession::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?;
        if let Some(provider) = self.provider(place) {
            builder = builder
                .with_config_entry("session.disable_cpu_ep_fallback", "1")?
                .with_execution_providers([provider])?;
        }
        if let Some(threads) = self.own_threads {
            builder = builder
                .with_independent_thread_pool()?
                .with_intra_threads(threads)?
                .with_intra_op_spinning(false)?;
        }
        builder.commit_from_memory(onnx)
    }
}

/// A network of one convolution, RGB bytes `[n, 64, 64, 3]` in, that answers the red channel / 255
/// (`tests/fixtures/make_fixtures.py` makes it).
const PROBE: &[u8] = include_bytes!("probe.onnx");

fn start(library: &Path, threads: usize) -> Result<Started, BackendError> {
    let fail = |reason: String| BackendError::Start {
        library: library.display().to_string(),
        reason,
    };
    // The library must be loaded before the pool's options can be made.
    let builder = ort::init_from(library).map_err(|error| fail(error.to_string()))?;
    let pool = GlobalThreadPoolOptions::default()
        .with_intra_threads(threads)
        .and_then(|pool| pool.with_inter_threads(1))
        .and_then(|pool| pool.with_spin_control(false))
        .map_err(|error| fail(error.to_string()))?;
    let environment = builder
        .with_name("ftuseg")
        .with_telemetry(false)
        .with_global_thread_pool(pool)
        .build()
        .map_err(|error| fail(error.to_string()))?;
    Ok(Started {
        environment,
        library: library.to_owned(),
        threads,
    })
}

impl Backend for OnnxRuntime {
    fn about(&self) -> &About {
        &self.about
    }

    fn lanes(&self) -> usize {
        self.lanes.len()
    }

    fn usual_batch(&self) -> usize {
        if self.answers_in_bytes { GPU_BATCH } else { 1 }
    }

    fn load(
        &self,
        name: &str,
        onnx: &[u8],
        how: SessionOptions,
    ) -> Result<Box<dyn Session>, BackendError> {
        let fail = |reason: String| BackendError::Load {
            name: name.to_owned(),
            backend: NAME,
            reason,
        };
        super::external_weights::refuse(name, NAME, onnx)?;
        let place = *self
            .lanes
            .get(how.lane)
            .ok_or_else(|| fail(format!("there is no lane {}", how.lane)))?;
        let fp16 = match self.arithmetic {
            FloatFormat::Fp16 if how.fp16 => {
                let fp16 = graph::to_fp16(onnx).map_err(|error| fail(error.to_string()))?;
                if fp16.is_none() && self.is_strict {
                    return Err(BackendError::NoFp16 {
                        name: name.to_owned(),
                    });
                }
                fp16
            }
            _ => None,
        };
        let session = self.open(
            name,
            fp16.as_deref().unwrap_or(onnx),
            place,
            how.byte_answers,
        )?;
        Ok(Box::new(session.with_fp16(fp16.is_some())))
    }
}
