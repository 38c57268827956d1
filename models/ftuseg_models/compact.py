"""Stores the weights of an ONNX file in a quarter of their size, without a cost when it runs.

Large convolution weights become int8 with one scale per output channel, other weights fp16. The graph turns them
back to fp32 with Cast and Mul on constants, which a runtime computes once, when it loads the file. (ONNX Runtime
does not do this for DequantizeLinear: it keeps the int8 weights and dequantises at every run.)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INT8_FROM = 4096
"""Convolution weights with at least this many numbers become int8. Smaller ones are cheap and more delicate."""
FP16_FROM = 64
"""Other tensors with at least this many numbers become fp16."""


def _output_axis(node: onnx.NodeProto) -> int | None:
    """The axis of a weight that counts the output channels, or None where int8 does not suit the node."""
    groups = next((a.i for a in node.attribute if a.name == "group"), 1)
    if groups != 1:
        return None
    return {"Conv": 0, "ConvTranspose": 1}.get(node.op_type)


def quantise(weight: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """int8 values and the fp32 scale per channel of `axis`, shaped so that they multiply back."""
    others = tuple(i for i in range(weight.ndim) if i != axis)
    scale = np.maximum(np.abs(weight).max(axis=others, keepdims=True), 1e-12) / 127.0
    return np.clip(np.rint(weight / scale), -127, 127).astype(np.int8), scale.astype(np.float32)


def compact(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of `model` with small weights. Its inputs, outputs and fp32 arithmetic stay as they are."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    axes: dict[str, set[int | None]] = {}
    for node in graph.node:
        for place, name in enumerate(node.input):
            axes.setdefault(name, set()).add(_output_axis(node) if place == 1 else None)
    kept, added = [], []
    for tensor in graph.initializer:
        size = int(np.prod(tensor.dims))
        uses = axes.get(tensor.name, set())
        axis = next(iter(uses)) if len(uses) == 1 else None
        if tensor.data_type != TensorProto.FLOAT or size < FP16_FROM:
            kept.append(tensor)
            continue
        values = numpy_helper.to_array(tensor)
        small = f"{tensor.name}.small"
        if axis is not None and size >= INT8_FROM:
            numbers, scale = quantise(values, axis)
            kept.append(numpy_helper.from_array(numbers, small))
            kept.append(numpy_helper.from_array(scale, f"{tensor.name}.scale"))
            added.append(helper.make_node("Cast", [small], [f"{tensor.name}.float"], to=TensorProto.FLOAT))
            added.append(helper.make_node("Mul", [f"{tensor.name}.float", f"{tensor.name}.scale"], [tensor.name]))
        elif np.abs(values).max() < 60000:
            kept.append(numpy_helper.from_array(values.astype(np.float16), small))
            added.append(helper.make_node("Cast", [small], [tensor.name], to=TensorProto.FLOAT))
        else:
            kept.append(tensor)
    nodes = [*added, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def unfolded_weights(path: Path) -> list[str]:
    """Names of Cast and Mul nodes on constants that ONNX Runtime's optimised graph of a file still holds.

    An empty list means that the file runs exactly as fast as one with fp32 weights.
    """
    import tempfile

    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(Path(folder) / "optimised.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        graph = onnx.load(options.optimized_model_filepath).graph
    constants = {tensor.name for tensor in graph.initializer}
    left = []
    for node in graph.node:
        if node.op_type in ("Cast", "Mul", "DequantizeLinear") and all(name in constants for name in node.input):
            left.append(node.name or node.output[0])
    return left
