"""Makes the int8 variant of a network: QDQ nodes, weights with a scale per channel, calibrated on tiles of training cores."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorData, TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.quant_utils import load_model_with_shape_infer
from torch import nn

from ..config import Config
from . import conversion, sessions
from .activations import Activations, look
from .calibration_tiles import calibration_tiles

WHOLE = {"Conv", "Clip", "Relu", "Add", "Concat", "Resize"}
"""The operators that have int8 kernels; a network of only these can be int8 throughout."""
AROUND = {"Transpose", "Cast", "Mul", "Sigmoid"}
"""What else such a network's file has: the normalisation in front and the sigmoid at the end."""


def whole(model: onnx.ModelProto) -> bool:
    """Whether all of a network can be int8: ReLU or ReLU6, no squeeze-and-excitation, no transposed convolutions.

    That is true of the U-Nets on EfficientNet-Lite. The other EfficientNets multiply tensors in swish and gates; in int8 they
    save little time and lose most of the Dice.
    """
    operators = [node.op_type for node in model.graph.node]
    return set(operators) <= WHOLE | AROUND and operators.count("Sigmoid") == operators.count("Mul") == 1


def to_quantise(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The nodes that become int8.

    All between the normalisation and the probability where `whole` says so. Elsewhere the plain 3 x 3 convolutions: the
    decoder of an EfficientNet U-Net, three quarters of its work. The first convolution, which sees the pixels, and the last
    one, which makes the logit, then stay in floats, too.
    """
    nodes = model.graph.node
    if whole(model):
        return [node for node in nodes if node.op_type in WHOLE and "shift" not in node.input]
    shapes = {value.name: value.dims for value in model.graph.initializer}
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    chosen = []
    for node in convolutions[1:-1]:
        grouped = any(attribute.name == "group" and attribute.i > 1 for attribute in node.attribute)
        if not grouped and max(shapes[node.input[1]][2:]) > 1:
            chosen.append(node)
    made = {name for node in chosen for name in node.output}
    return chosen + [node for node in nodes if node.op_type in ("Relu", "Clip") and node.input[0] in made]


def quantised(model: onnx.ModelProto, nodes: list[onnx.NodeProto], seen: Activations) -> onnx.ModelProto:
    """The graph with these nodes in int8: activations unsigned, weights signed and symmetric with a scale per channel.

    Weights take 7 of the 8 bits: on CPUs without VNNI the products of an unsigned and a signed byte are added in 16 bits
    and would overflow.
    """
    ranges = {
        name: TensorData(lowest=np.float32(low), highest=np.float32(high)) for name, (low, high) in seen.ranges.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        onnx.save(model, path)
        quantiser = QDQQuantizer(
            load_model_with_shape_infer(path),
            per_channel=True,
            reduce_range=True,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=TensorsData(CalibrationMethod.MinMax, ranges),
            nodes_to_quantize=[node.name for node in nodes],
            nodes_to_exclude=[],
            op_types_to_quantize=sorted({node.op_type for node in nodes}),
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )
        quantiser.quantize_model()
    quantiser.model.topological_sort()
    return quantiser.model.model


def with_corrected_biases(model: onnx.ModelProto, small: onnx.ModelProto, seen: Activations) -> onnx.ModelProto:
    """The graph `model` with biases that compensate the shift of each channel's mean by the rounded weights in `small`.

    Rounded weights shift the mean of a convolution's output, and the shifts accumulate over the layers. Each is known: the
    error of the weights times the mean of the input (Nagel et al. 2019, Data-free quantization). Measured on fold 0 with
    Lite2, 24 held-out cores: the mean difference of probabilities is 0.004, without the correction 0.010.
    """
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in small.graph.initializer}
    rounded = {}
    for node in small.graph.node:
        if node.op_type == "DequantizeLinear" and stored.get(node.input[0], np.float32()).dtype == np.int8:
            weight, scale = stored[node.input[0]].astype(np.float32), stored[node.input[1]]
            rounded[node.output[0]] = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
    convolutions = [node for node in small.graph.node if node.op_type == "Conv" and node.input[1] in rounded]
    weight_of = {node.name: rounded[node.input[1]] for node in convolutions}
    model = onnx.ModelProto.FromString(model.SerializeToString())
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.name not in weight_of or len(node.input) < 3:
            continue
        error = (weight_of[node.name] - numpy_helper.to_array(tensors[node.input[1]])).sum(axis=(2, 3))
        mean = seen.means[node.input[0]]
        depthwise = error.shape[1] == 1 and len(mean) > 1
        shift = error[:, 0] * mean if depthwise else error @ mean
        values = (numpy_helper.to_array(tensors[node.input[2]]) - shift).astype(np.float32)
        # a name of its own: another convolution may have the same bias
        node.input[2] = f"{node.input[1]}.corrected_bias"
        model.graph.initializer.append(numpy_helper.from_array(values, node.input[2]))
    return model


def to_int8(model: onnx.ModelProto, tiles: list[np.ndarray]) -> onnx.ModelProto:
    """The int8 variant of a network's graph: all of it where it can be, else its decoder (see `to_quantise`)."""
    nodes = to_quantise(model)
    stored = {tensor.name for tensor in model.graph.initializer}
    names = {name for node in nodes for name in (*node.input, *node.output) if name and name not in stored}
    seen = look(model, names, tiles)
    small = quantised(model, nodes, seen)
    return quantised(with_corrected_biases(model, small, seen), nodes, seen)


def session(network: nn.Module, config: Config, name: str) -> onnxruntime.InferenceSession:
    """A session of the int8 variant of the network `name`."""
    # the export moves what it is given to the CPU
    model = to_int8(conversion.to_onnx(copy.deepcopy(network), config.tile), calibration_tiles(config, name))
    return sessions.open_session(model.SerializeToString(), config.threads)
