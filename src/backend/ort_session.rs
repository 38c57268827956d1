//! One network in ONNX Runtime, with its input and its answer in buffers that are made once.
//!
//! On a GPU the buffers lie in page-locked memory of the machine, which the GPU reads and writes itself; what it computes
//! in comes from the arena of ONNX Runtime's CUDA provider, which keeps its memory from run to run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, RunOptions, Session as RawSession};
use ort::value::{PrimitiveTensorElementType, Tensor};

use super::device::Device;
use super::onnxruntime::NAME;
use super::{BackendError, Brake, NetworkInput, NetworkOutput, Session, graph};

/// A session and its buffers.
pub(super) struct OrtSession {
    name: String,
    session: RawSession,
    place: Device,
    input: String,
    output: String,
    /// Whether the answer is one of [`graph::with_byte_answers`].
    is_bytes: bool,
    is_fp16: bool,
    brake: Arc<Terminated>,
    /// Made by the first run, and made anew when a run brings another shape.
    buffers: Option<Buffers>,
}

/// ONNX Runtime looks at a flag in a run's options before each node and each round of a loop.
struct Terminated {
    options: RunOptions,
    is_pulled: AtomicBool,
}

impl Brake for Terminated {
    fn pull(&self) {
        self.is_pulled.store(true, Ordering::Relaxed);
        // It only sets a flag, and fails for no reason that is known.
        let _ = self.options.terminate();
    }

    fn release(&self) {
        let _ = self.options.unterminate();
        self.is_pulled.store(false, Ordering::Relaxed);
    }
}

/// Where the input lies, and what binds it to the session.
struct Buffers {
    shape: [usize; 4],
    image: Image,
    binding: IoBinding,
    /// The answer's shape is known only after the first run.
    is_answer_bound: bool,
}

enum Image {
    Bytes(Tensor<u8>),
    Floats(Tensor<f32>),
}

impl OrtSession {
    /// Binds a session. `bytes` is the name of the output that answers in bytes; without it the first one is asked for,
    /// which must answer 32-bit floats.
    ///
    /// # Errors
    /// When the network does not take exactly one input.
    pub(super) fn new(
        name: &str,
        session: RawSession,
        place: Device,
        bytes: Option<&str>,
    ) -> Result<Self, BackendError> {
        let fail = |reason: String| BackendError::Load {
            name: name.to_owned(),
            backend: NAME,
            reason,
        };
        let (Some(input), Some(output)) = (session.inputs().first(), session.outputs().first())
        else {
            return Err(fail("it has no input or no output".to_owned()));
        };
        if session.inputs().len() != 1 {
            return Err(fail(format!(
                "it has {} inputs; only networks with one input, the image, can be run",
                session.inputs().len()
            )));
        }
        let options = RunOptions::new().map_err(|error| fail(error.to_string()))?;
        Ok(OrtSession {
            name: name.to_owned(),
            brake: Arc::new(Terminated {
                options,
                is_pulled: AtomicBool::new(false),
            }),
            input: input.name().to_owned(),
            output: bytes.unwrap_or(output.name()).to_owned(),
            is_bytes: bytes.is_some(),
            is_fp16: false,
            place,
            session,
            buffers: None,
        })
    }

    /// The same, with a note of whether it computes in 16-bit floats.
    pub(super) fn with_fp16(self, is_fp16: bool) -> Self {
        OrtSession { is_fp16, ..self }
    }

    /// Memory that the device reads and writes.
    fn memory(&self, kind: MemoryType) -> ort::Result<MemoryInfo<'static>> {
        let (device, number) = match self.place {
            Device::Cuda(number) => (
                AllocationDevice::CUDA_PINNED,
                i32::try_from(number).unwrap_or(i32::MAX),
            ),
            Device::Cpu | Device::OpenVino | Device::AllCuda => (AllocationDevice::CPU, 0),
        };
        MemoryInfo::new(device, number, AllocatorType::Device, kind)
    }

    fn buffer<T>(&self, shape: &[usize]) -> ort::Result<Tensor<T>>
    where
        T: PrimitiveTensorElementType + std::fmt::Debug,
    {
        let allocator = match self.place {
            Device::Cuda(_) => Allocator::new(&self.session, self.memory(MemoryType::CPUInput)?)?,
            Device::Cpu | Device::OpenVino | Device::AllCuda => Allocator::default(),
        };
        Tensor::new(&allocator, shape.to_vec())
    }

    fn prepare(&self, input: &NetworkInput<'_>) -> ort::Result<Buffers> {
        let (image, (n, a, b, c)) = match input {
            NetworkInput::Bytes(bytes) => (Image::Bytes(self.buffer(bytes.shape())?), bytes.dim()),
            NetworkInput::Floats(floats) => {
                (Image::Floats(self.buffer(floats.shape())?), floats.dim())
            }
        };
        let mut binding = self.session.create_binding()?;
        binding.bind_output_to_device(&self.output, &self.memory(MemoryType::CPUOutput)?)?;
        Ok(Buffers {
            shape: [n, a, b, c],
            image,
            binding,
            is_answer_bound: false,
        })
    }

    fn answer(&mut self, input: &NetworkInput<'_>) -> ort::Result<NetworkOutput> {
        let fits = |buffers: &Buffers| match (input, &buffers.image) {
            (NetworkInput::Bytes(bytes), Image::Bytes(_)) => bytes.shape() == buffers.shape,
            (NetworkInput::Floats(floats), Image::Floats(_)) => floats.shape() == buffers.shape,
            _ => false,
        };
        let mut buffers = match self.buffers.take() {
            Some(buffers) if fits(&buffers) => buffers,
            _ => self.prepare(input)?,
        };
        match (input, &mut buffers.image) {
            (NetworkInput::Bytes(bytes), Image::Bytes(image)) => {
                fill(image.extract_tensor_mut().1, bytes.iter(), bytes.as_slice());
                buffers.binding.bind_input(&self.input, image)?;
            }
            (NetworkInput::Floats(floats), Image::Floats(image)) => {
                fill(
                    image.extract_tensor_mut().1,
                    floats.iter(),
                    floats.as_slice(),
                );
                buffers.binding.bind_input(&self.input, image)?;
            }
            // `fits` and `prepare` see to it that they are of one kind.
            _ => {}
        }
        let output = {
            let outputs = self
                .session
                .run_binding_with_options(&buffers.binding, &self.brake.options)?;
            let answer = &outputs[self.output.as_str()];
            if self.is_bytes {
                let (shape, values) = answer.try_extract_tensor::<u8>()?;
                NetworkOutput {
                    shape: sides(shape),
                    values: values
                        .iter()
                        .map(|&byte| graph::probability(byte))
                        .collect(),
                }
            } else {
                let (shape, values) = answer.try_extract_tensor::<f32>()?;
                NetworkOutput {
                    shape: sides(shape),
                    values: values.to_vec(),
                }
            }
        };
        if !buffers.is_answer_bound {
            if self.is_bytes {
                let answer: Tensor<u8> = self.buffer(&output.shape)?;
                buffers.binding.bind_output(&self.output, answer)?;
            } else {
                let answer: Tensor<f32> = self.buffer(&output.shape)?;
                buffers.binding.bind_output(&self.output, answer)?;
            }
            buffers.is_answer_bound = true;
        }
        // After an error there are none, and the next run makes new ones.
        self.buffers = Some(buffers);
        Ok(output)
    }
}

impl Session for OrtSession {
    fn run(&mut self, input: NetworkInput<'_>) -> Result<NetworkOutput, BackendError> {
        let answer = self.answer(&input);
        answer.map_err(|error| match self.brake.is_pulled.load(Ordering::Relaxed) {
            true => BackendError::Stopped {
                name: self.name.clone(),
            },
            false => BackendError::Run {
                name: self.name.clone(),
                backend: NAME,
                reason: error.to_string(),
            },
        })
    }

    fn brake(&self) -> Option<Arc<dyn Brake>> {
        Some(Arc::clone(&self.brake) as Arc<dyn Brake>)
    }

    fn is_fp16(&self) -> bool {
        self.is_fp16
    }
}

fn fill<'a, T: Copy + 'a>(
    target: &mut [T],
    values: impl Iterator<Item = &'a T>,
    whole: Option<&[T]>,
) {
    match whole {
        Some(whole) if whole.len() == target.len() => target.copy_from_slice(whole),
        _ => {
            for (target, value) in target.iter_mut().zip(values) {
                *target = *value;
            }
        }
    }
}

fn sides(shape: &[i64]) -> Vec<usize> {
    shape
        .iter()
        .map(|&side| usize::try_from(side).unwrap_or(0))
        .collect()
}
