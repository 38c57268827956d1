//! The builds of ONNX Runtime that drive something other than the plain processor, and the packages that hold them.

use crate::Accelerator;

/// All that there are.
pub const ACCELERATORS: [Accelerator; 2] = [OPENVINO, CUDA];

/// Intel's OpenVINO, on the processor.
pub const OPENVINO: Accelerator = Accelerator {
    name: "openvino",
    package: "onnxruntime-openvino",
    version: "1.24.1",
    provider: "libonnxruntime_providers_openvino.so",
    requirements: &[(
        "onnxruntime-openvino",
        "1.24.1",
        "d617fac2f59a6ab5ea59a788c3e1592240a129642519aaeaa774761dfe35150e",
    )],
    beside: &[],
    megabytes: 85,
};

/// NVIDIA's CUDA 13, with the libraries that ONNX Runtime links to. The GPU's driver must be there already.
pub const CUDA: Accelerator = Accelerator {
    name: "cuda",
    package: "onnxruntime-gpu",
    version: "1.31.1",
    provider: "libonnxruntime_providers_cuda.so",
    requirements: &[
        (
            "onnxruntime-gpu",
            "1.31.1",
            "05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7",
        ),
        (
            "nvidia-cuda-runtime",
            "13.5.37",
            "df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d",
        ),
        (
            "nvidia-cuda-nvrtc",
            "13.5.37",
            "86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc",
        ),
        (
            "nvidia-nvjitlink",
            "13.5.37",
            "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
        ),
        (
            "nvidia-cublas",
            "13.10.0.20",
            "dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84",
        ),
        (
            "nvidia-cufft",
            "12.5.0.14",
            "b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad",
        ),
        (
            "nvidia-curand",
            "10.4.5.25",
            "22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529",
        ),
        (
            "nvidia-cudnn-cu13",
            "9.28.1.4",
            "a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec",
        ),
    ],
    beside: &[
        "libcudart.",
        "libnvrtc",
        "libnvJitLink.",
        "libcublas",
        "libcufft.",
        "libcurand.",
        "libcudnn",
    ],
    megabytes: 1600,
};
