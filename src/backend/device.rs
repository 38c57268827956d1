//! Where networks run: the processor, the processor by OpenVINO, or an NVIDIA GPU.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "onnxruntime")]
use super::{BackendError, FloatFormat};

/// A place to run networks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor, by the runtime's own code.
    Cpu,
    /// The processor, by Intel's OpenVINO.
    OpenVino,
    /// An NVIDIA GPU, by its number from 0.
    Cuda(u32),
    /// All NVIDIA GPUs that the driver shows; a slide's tiles are shared among them.
    AllCuda,
}

/// Which backend the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackendChoice {
    /// ONNX Runtime; `rten`, with a loud warning, where no library can be had.
    #[default]
    Auto,
    /// ONNX Runtime or an error.
    OnnxRuntime,
    /// The pure-Rust runtime.
    Rten,
}

impl std::str::FromStr for BackendChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => BackendChoice::Auto,
            "onnxruntime" => BackendChoice::OnnxRuntime,
            "rten" => BackendChoice::Rten,
            _ => return Err("expected auto, onnxruntime or rten".to_owned()),
        })
    }
}

/// Which device the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The processor; by OpenVINO where a trial on this machine has shown that to be faster.
    #[default]
    Auto,
    /// This device or an error.
    Exactly(Device),
}

/// The arithmetic that a network's weights and activations are computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// The fastest that keeps masks the same to the eye: fp16 on GPUs, for networks whose files can; bf16 where OpenVINO
    /// computes in it; else fp32.
    Auto,
    /// 32-bit floats.
    Fp32,
    /// 16-bit brain floats; an error where the device does not compute in them.
    Bf16,
    /// 16-bit floats; an error for a network whose file cannot. A processor computes them by way of 32 bits, slowly.
    Fp16,
}

#[cfg(feature = "onnxruntime")]
impl Device {
    /// The name of ONNX Runtime's provider for it.
    pub(super) fn provider(self) -> &'static str {
        match self {
            Device::Cpu => "CPUExecutionProvider",
            Device::OpenVino => "OpenVINOExecutionProvider",
            Device::Cuda(_) | Device::AllCuda => "CUDAExecutionProvider",
        }
    }

    /// The arithmetic that is used for a wish.
    ///
    /// # Errors
    /// When bf16 or fp16 is wished for where it cannot be had.
    pub(super) fn arithmetic(self, wish: Arithmetic) -> Result<FloatFormat, BackendError> {
        let has_bf16 = self == Device::OpenVino && processor_has_bf16();
        let is_gpu = matches!(self, Device::Cuda(_) | Device::AllCuda);
        match wish {
            Arithmetic::Auto if is_gpu => Ok(FloatFormat::Fp16),
            Arithmetic::Fp16 if self == Device::OpenVino => Err(BackendError::Precision {
                who: "OpenVINO on a CPU".to_owned(),
                wanted: FloatFormat::Fp16,
                why: None,
                instead: FloatFormat::Bf16,
            }),
            Arithmetic::Fp16 => Ok(FloatFormat::Fp16),
            Arithmetic::Fp32 => Ok(FloatFormat::Fp32),
            Arithmetic::Auto | Arithmetic::Bf16 if has_bf16 => Ok(FloatFormat::Bf16),
            Arithmetic::Auto => Ok(FloatFormat::Fp32),
            Arithmetic::Bf16 => Err(BackendError::Precision {
                who: match self {
                    Device::OpenVino => "this CPU".to_owned(),
                    other => format!("the device {other}"),
                },
                wanted: FloatFormat::Bf16,
                why: Some(match self {
                    Device::OpenVino => "it lacks AVX512-BF16",
                    _ => "only OpenVINO does",
                }),
                instead: FloatFormat::Fp32,
            }),
        }
    }
}

/// Whether the processor multiplies in bf16 itself. Without that, bf16 is slower than fp32.
#[cfg(feature = "onnxruntime")]
fn processor_has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

impl fmt::Display for Device {
    /// As it is typed: `cpu`, `openvino`, `cuda:0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::OpenVino => f.write_str("openvino"),
            Device::Cuda(number) => write!(f, "cuda:{number}"),
            Device::AllCuda => f.write_str("cuda:all"),
        }
    }
}

impl From<Device> for DeviceChoice {
    fn from(device: Device) -> Self {
        DeviceChoice::Exactly(device)
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(DeviceChoice::Exactly(match text {
            "auto" => return Ok(DeviceChoice::Auto),
            "cpu" => Device::Cpu,
            "openvino" => Device::OpenVino,
            "cuda" => Device::Cuda(0),
            "cuda:all" => Device::AllCuda,
            other => {
                let number = other
                    .strip_prefix("cuda:")
                    .and_then(|n| n.parse::<u16>().ok());
                Device::Cuda(u32::from(number.ok_or(
                    "expected auto, cpu, openvino, cuda, cuda:N (N counts GPUs from 0), or cuda:all",
                )?))
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_typed() {
        for (text, device) in [
            ("cpu", Device::Cpu),
            ("openvino", Device::OpenVino),
            ("cuda:3", Device::Cuda(3)),
            ("cuda:all", Device::AllCuda),
        ] {
            assert_eq!(text.parse(), Ok(DeviceChoice::Exactly(device)));
            assert_eq!(device.to_string(), text);
        }
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Exactly(Device::Cuda(0))));
        assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
        for text in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:99999", "CPU"] {
            assert!(text.parse::<DeviceChoice>().is_err(), "{text}");
        }
    }

    #[cfg(feature = "onnxruntime")]
    #[test]
    fn bf16_is_refused_where_there_is_none() {
        for (device, usual) in [
            (Device::Cpu, FloatFormat::Fp32),
            (Device::Cuda(0), FloatFormat::Fp16),
        ] {
            assert_eq!(device.arithmetic(Arithmetic::Auto).ok(), Some(usual));
            assert_eq!(
                device.arithmetic(Arithmetic::Fp16).ok(),
                Some(FloatFormat::Fp16)
            );
            let error = device.arithmetic(Arithmetic::Bf16).unwrap_err().to_string();
            assert!(error.contains("does not compute in bf16"), "{error}");
        }
        assert!(Device::OpenVino.arithmetic(Arithmetic::Fp16).is_err());
        let found = Device::OpenVino.arithmetic(Arithmetic::Bf16).is_ok();
        assert_eq!(found, processor_has_bf16());
    }
}
