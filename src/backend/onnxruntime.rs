//! ONNX Runtime, loaded from a shared library when the program runs.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::{Environment, GlobalThreadPoolOptions};
use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider, ExecutionProviderDispatch};
use ort::session::Session as OrtSession;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::TensorRef;

use super::device::{Arithmetic, Device};
use super::runtime::Located;
use crate::library::accelerator;

use super::{About, Backend, BackendError, Input, Output, Session};

const NAME: &str = "onnxruntime";

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
    arithmetic: &'static str,
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
                if matches!(device, Device::Cuda(_)) {
                    accelerator::preload(library);
                }
                start(library, threads)?
            }
        };
        let about = About {
            backend: NAME.to_owned(),
            version: located.version.clone(),
            library: Some(library.display().to_string()),
            sha256: Some(located.sha256.clone()),
            device: device.to_string(),
            arithmetic: arithmetic.to_owned(),
            proof: "only the CPU provider is registered".to_owned(),
            threads,
            warning: None,
        };
        let mut runtime = OnnxRuntime {
            environment: running.environment.clone(),
            device,
            arithmetic,
            own_threads: (running.threads != threads).then_some(threads),
            about,
        };
        *started = Some(running);
        drop(started);
        if device != Device::Cpu {
            runtime.about.proof = runtime.prove()?;
        }
        Ok(runtime)
    }

    /// Runs a small network on the device and says what that shows.
    fn prove(&self) -> Result<String, BackendError> {
        let refuse = |reason: String| BackendError::Device {
            device: self.device.to_string(),
            reason: reason.trim_end_matches('.').to_owned(),
        };
        let mut session = self
            .session(PROBE)
            .map_err(|error| refuse(error.to_string()))?;
        let tile = vec![100; 64 * 64 * 3];
        let tile = ndarray::ArrayView4::from_shape((1, 64, 64, 3), tile.as_slice())
            .map_err(|error| refuse(error.to_string()))?;
        let output = session
            .outputs()
            .first()
            .map(|output| output.name().to_owned())
            .unwrap_or_default();
        let answer = run(&mut session, &output, Input::Bytes(tile))
            .map_err(|error| refuse(error.to_string()))?;
        // The probe answers the red channel / 255.
        let expected = 100.0 / 255.0;
        if answer.values.is_empty()
            || answer
                .values
                .iter()
                .any(|value| (value - expected).abs() > 0.01)
        {
            return Err(refuse("a small network answers wrongly on it".to_owned()));
        }
        Ok(format!(
            "all nodes of every network are assigned to {}: the CPU provider is shut out (session.disable_cpu_ep_fallback), \
             and a small network was run so at the start",
            self.device.provider()
        ))
    }

    fn provider(&self) -> Option<ExecutionProviderDispatch> {
        match self.device {
            Device::Cpu => None,
            Device::OpenVino => {
                let precision = if self.arithmetic == "bf16" {
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

    fn session(&self, onnx: &[u8]) -> ort::Result<OrtSession> {
        let mut builder: SessionBuilder = OrtSession::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?;
        if let Some(provider) = self.provider() {
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

    fn load(&self, name: &str, onnx: &[u8]) -> Result<Box<dyn Session>, BackendError> {
        let fail = |reason: String| BackendError::Load {
            name: name.to_owned(),
            backend: NAME,
            reason,
        };
        let session = self
            .session(onnx)
            .map_err(|error| fail(error.to_string()))?;
        let (Some(_), Some(output)) = (session.inputs().first(), session.outputs().first()) else {
            return Err(fail("it has no input or no output".to_owned()));
        };
        if session.inputs().len() != 1 {
            return Err(fail(format!(
                "it has {} inputs; one image is what it can be given",
                session.inputs().len()
            )));
        }
        let output = output.name().to_owned();
        Ok(Box::new(OrtNetwork {
            name: name.to_owned(),
            output,
            session,
        }))
    }
}

/// One network in ONNX Runtime.
struct OrtNetwork {
    name: String,
    output: String,
    session: OrtSession,
}

impl OrtNetwork {
    fn fail(&self, reason: String) -> BackendError {
        BackendError::Run {
            name: self.name.clone(),
            backend: NAME,
            reason,
        }
    }
}

impl Session for OrtNetwork {
    fn run(&mut self, input: Input<'_>) -> Result<Output, BackendError> {
        let answer = run(&mut self.session, &self.output, input);
        answer.map_err(|error| self.fail(error.to_string()))
    }
}

fn run(session: &mut OrtSession, output: &str, input: Input<'_>) -> ort::Result<Output> {
    let outputs = match &input {
        Input::Bytes(bytes) => {
            session.run(ort::inputs![TensorRef::from_array_view(bytes.view())?])?
        }
        Input::Floats(floats) => {
            session.run(ort::inputs![TensorRef::from_array_view(floats.view())?])?
        }
    };
    let (shape, values) = outputs[output].try_extract_tensor::<f32>()?;
    Ok(Output {
        shape: shape
            .iter()
            .map(|&side| usize::try_from(side).unwrap_or(0))
            .collect(),
        values: values.to_vec(),
    })
}
