//! `rten`, a runtime written in Rust: slower than ONNX Runtime, but it needs no library.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};
use rten::{Model, ModelOptions, RunOptions, ThreadPool, Value};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use super::{
    About, Backend, BackendError, Brake, NetworkInput, NetworkOutput, Session, SessionOptions,
};

const NAME: &str = "rten";

/// The version of `rten` that the program is built with.
const VERSION: &str = "0.27.0";

/// How often a run looks whether it was stopped.
const PAUSE: Duration = Duration::from_millis(50);

/// The pure-Rust runtime.
///
/// It has no way to end a run. So every run has a thread of its own, which is left behind with its pool when the run is
/// stopped: it computes on until it is done or the program ends, and what comes after it has a new pool.
pub struct Rten {
    pool: Arc<Pool>,
    about: About,
}

impl Rten {
    /// The runtime with a pool of `threads` threads, and the warning to keep in the record, if there is a reason for one.
    pub fn new(threads: usize, warning: Option<String>) -> Self {
        let threads = threads.max(1);
        let mut about = About::new(NAME, VERSION);
        about.proof = "this runtime knows only the CPU".to_owned();
        about.threads = threads;
        about.warning = warning;
        Rten {
            pool: Arc::new(Pool::new(threads)),
            about,
        }
    }
}

impl Backend for Rten {
    fn about(&self) -> &About {
        &self.about
    }

    fn load(
        &self,
        name: &str,
        onnx: &[u8],
        _: SessionOptions,
    ) -> Result<Box<dyn Session>, BackendError> {
        let fail = |reason: String| BackendError::Load {
            name: name.to_owned(),
            backend: NAME,
            reason,
        };
        super::external_weights::refuse(name, NAME, onnx)?;
        let mut options = ModelOptions::with_all_ops();
        // What depends on no input is computed while a network is made ready, where no brake ends it.
        let has_loop = super::loops::has_loop(onnx).map_err(|error| fail(error.to_string()))?;
        options.enable_optimization(!has_loop);
        let model = options
            .load(onnx.to_vec())
            .map_err(|error| fail(error.to_string()))?;
        if model.input_ids().len() != 1 || model.output_ids().is_empty() {
            return Err(fail(format!(
                "it has {} inputs and {} outputs; only networks with one input can be run",
                model.input_ids().len(),
                model.output_ids().len()
            )));
        }
        Ok(Box::new(RtenNetwork {
            name: name.to_owned(),
            model: Arc::new(model),
            pool: Arc::clone(&self.pool),
            brake: Arc::default(),
        }))
    }
}

/// The threads that all sessions share.
struct Pool {
    threads: usize,
    now: Mutex<Arc<ThreadPool>>,
}

impl Pool {
    fn new(threads: usize) -> Self {
        Pool {
            threads,
            now: Mutex::new(Arc::new(ThreadPool::with_num_threads(threads))),
        }
    }

    fn get(&self) -> Arc<ThreadPool> {
        Arc::clone(&self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leaves a pool to the run that cannot be ended. Runs of other sessions that were in it end there.
    fn leave(&self, left: &Arc<ThreadPool>) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&now, left) {
            *now = Arc::new(ThreadPool::with_num_threads(self.threads));
        }
    }
}

#[derive(Default)]
struct Pulled(AtomicBool);

impl Brake for Pulled {
    fn pull(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn release(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// One network in `rten`.
struct RtenNetwork {
    name: String,
    model: Arc<Model>,
    pool: Arc<Pool>,
    brake: Arc<Pulled>,
}

impl Session for RtenNetwork {
    fn run(&mut self, input: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
        let fail = |reason: String| BackendError::Run {
            name: self.name.clone(),
            backend: NAME,
            reason,
        };
        let stopped = || BackendError::Stopped {
            name: self.name.clone(),
        };
        if self.brake.0.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        let value: Value = match &input {
            NetworkInput::Bytes(view) => owned(view.shape(), view.iter().copied()).into(),
            NetworkInput::Floats(view) => owned(view.shape(), view.iter().copied()).into(),
        };
        let pool = self.pool.get();
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&pool));
        let model = Arc::clone(&self.model);
        let (answer, answered) = bounded(1);
        let run = move || {
            let wanted = (model.input_ids()[0], model.output_ids()[0]);
            let run = || model.run_n(vec![(wanted.0, value.into())], [wanted.1], Some(options));
            // Nobody may be waiting any more.
            let _ = answer.send(catch_unwind(AssertUnwindSafe(run)));
        };
        thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(run)
            .map_err(|error| fail(error.to_string()))?;
        let [answer]: [Value; 1] = loop {
            match answered.recv_timeout(PAUSE) {
                Ok(Ok(answer)) => break answer.map_err(|error| fail(error.to_string()))?,
                Ok(Err(panic)) => resume_unwind(panic),
                Err(RecvTimeoutError::Timeout) if self.brake.0.load(Ordering::Relaxed) => {
                    self.pool.leave(&pool);
                    return Err(stopped());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(fail("its thread stopped unexpectedly".to_owned()));
                }
            }
        };
        let tensor: Tensor<f32> = answer
            .try_into()
            .map_err(|_| fail("its output is not 32-bit floats".to_owned()))?;
        Ok(NetworkOutput {
            shape: tensor.shape().to_vec(),
            values: tensor.to_vec(),
        })
    }

    fn brake(&self) -> Option<Arc<dyn Brake>> {
        Some(Arc::clone(&self.brake) as Arc<dyn Brake>)
    }
}

/// A copy that outlives whoever asked.
fn owned<T>(shape: &[usize], values: impl Iterator<Item = T>) -> NdTensor<T, 4> {
    NdTensor::from_data(
        [shape[0], shape[1], shape[2], shape[3]],
        values.collect::<Vec<T>>(),
    )
}
