"""Stores the weights of an ONNX file as fp16, half their size, without a cost when it runs.

The graph turns them back to fp32 with a Cast on constants, which a runtime computes once, when it loads the file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FP16_FROM = 64
"""Tensors with at least this many numbers become fp16; smaller ones are not worth it."""


def compact(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of `model` with small weights. Its inputs, outputs and fp32 arithmetic stay as they are."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    # the scales of an int8 graph must stay constants, or a runtime does not see that it may compute in int8
    scales = {name for node in graph.node if node.op_type.endswith("antizeLinear") for name in node.input}
    kept, added = [], []
    for tensor in graph.initializer:
        is_float = tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims)) >= FP16_FROM
        values = numpy_helper.to_array(tensor) if is_float else None
        if values is None or tensor.name in scales or np.abs(values).max() >= 60000:
            kept.append(tensor)
            continue
        small = f"{tensor.name}.small"
        kept.append(numpy_helper.from_array(values.astype(np.float16), small))
        added.append(helper.make_node("Cast", [small], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*added, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def unfolded_weights(path: Path) -> list[str]:
    """Names of Cast nodes on constants that ONNX Runtime's optimised graph of a file still holds.

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
        if node.op_type == "Cast" and all(name in constants for name in node.input):
            left.append(node.name or node.output[0])
    return left
