//! `rten`, a runtime written in Rust: slower than ONNX Runtime, but it needs no library.

use std::sync::Arc;

use rten::{Model, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensorView, Tensor};

use super::{About, Backend, BackendError, Input, Loading, Output, Session};

const NAME: &str = "rten";

/// The version of `rten` that the program is built with.
const VERSION: &str = "0.27.0";

/// The pure-Rust runtime.
pub struct Rten {
    pool: Arc<ThreadPool>,
    about: About,
}

impl Rten {
    /// The runtime with a pool of `threads` threads, and the warning to keep in the record, if there is a reason for one.
    pub fn new(threads: usize, warning: Option<String>) -> Self {
        let threads = threads.max(1);
        Rten {
            pool: Arc::new(ThreadPool::with_num_threads(threads)),
            about: About {
                backend: NAME.to_owned(),
                version: VERSION.to_owned(),
                library: None,
                sha256: None,
                device: "cpu".to_owned(),
                arithmetic: "fp32".to_owned(),
                proof: "this runtime knows only the CPU".to_owned(),
                threads,
                warning,
            },
        }
    }
}

impl Backend for Rten {
    fn about(&self) -> &About {
        &self.about
    }

    fn load(&self, name: &str, onnx: &[u8], _: Loading) -> Result<Box<dyn Session>, BackendError> {
        let fail = |reason: String| BackendError::Load {
            name: name.to_owned(),
            backend: NAME,
            reason,
        };
        super::external::refuse(name, NAME, onnx)?;
        let model = Model::load(onnx.to_vec()).map_err(|error| fail(error.to_string()))?;
        if model.input_ids().len() != 1 || model.output_ids().is_empty() {
            return Err(fail(format!(
                "it has {} inputs and {} outputs; one input is what it can be given",
                model.input_ids().len(),
                model.output_ids().len()
            )));
        }
        Ok(Box::new(RtenNetwork {
            name: name.to_owned(),
            model,
            pool: Arc::clone(&self.pool),
        }))
    }
}

/// One network in `rten`.
struct RtenNetwork {
    name: String,
    model: Model,
    pool: Arc<ThreadPool>,
}

impl Session for RtenNetwork {
    fn run(&mut self, input: Input<'_>) -> Result<Output, BackendError> {
        let fail = |reason: String| BackendError::Run {
            name: self.name.clone(),
            backend: NAME,
            reason,
        };
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&self.pool));
        let (bytes, floats);
        let value: ValueOrView<'_> = match &input {
            Input::Bytes(view) => {
                bytes = view.as_standard_layout();
                let data = bytes.as_slice().unwrap_or_default();
                NdTensorView::from_data(shape_of(view.shape()), data).into()
            }
            Input::Floats(view) => {
                floats = view.as_standard_layout();
                let data = floats.as_slice().unwrap_or_default();
                NdTensorView::from_data(shape_of(view.shape()), data).into()
            }
        };
        let wanted = (self.model.input_ids()[0], self.model.output_ids()[0]);
        let [answer]: [Value; 1] = self
            .model
            .run_n(vec![(wanted.0, value)], [wanted.1], Some(options))
            .map_err(|error| fail(error.to_string()))?;
        let tensor: Tensor<f32> = answer
            .try_into()
            .map_err(|_| fail("its output is not 32-bit floats".to_owned()))?;
        Ok(Output {
            shape: tensor.shape().to_vec(),
            values: tensor.to_vec(),
        })
    }
}

fn shape_of(shape: &[usize]) -> [usize; 4] {
    [shape[0], shape[1], shape[2], shape[3]]
}
