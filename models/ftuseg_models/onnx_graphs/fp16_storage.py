"""Stores the weights of an ONNX file as fp16, at half the size and no cost at run time.

The graph turns them back to fp32 with a Cast on constants, which a runtime computes once, when it loads the file.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FP16_FROM = 64
"""Tensors with at least this many values become fp16; smaller ones are not worth it."""

SMALL = ".small"
"""Suffix of the names of stored weights; without it they are the names of the weights in use."""


HALF = "half:"
"""Prefix of the names of the Casts that decide which type a network computes in; `ftuseg` sets them to fp16 on a GPU."""


def with_fp16_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of `model` with weights in fp16. Its inputs, outputs and fp32 arithmetic stay as they are."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    # the scales of an int8 graph must stay constants, or a runtime does not recognise int8 kernels
    scales = {name for node in graph.node if node.op_type.endswith("antizeLinear") for name in node.input}
    kept, added = [], []
    for tensor in graph.initializer:
        is_float = tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims)) >= FP16_FROM
        values = numpy_helper.to_array(tensor) if is_float else None
        if values is None or tensor.name in scales or np.abs(values).max() >= 60000:
            kept.append(tensor)
            continue
        small = f"{tensor.name}{SMALL}"
        kept.append(numpy_helper.from_array(values.astype(np.float16), small))
        added.append(helper.make_node("Cast", [small], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*added, *graph.node]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def fp16_switchable(model: onnx.ModelProto, first: str, last: str) -> onnx.ModelProto:
    """A copy of a `model` with weights in fp16 that can be switched to compute in fp16 by changing one byte in some Casts.

    Everything between the tensors `first` (the normalised image) and `last` (the logits) takes its weights and its image
    from Casts named `half:...`. They give fp32, so that nothing changes; a program that sets all of them to fp16 changes
    the arithmetic in between and nothing else: normalisation and sigmoid stay in fp32.
    """
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    nodes = list(graph.node)
    inside, between = {first}, []
    for node in nodes:  # sorted topologically, as ONNX demands
        if any(name in inside for name in node.input):
            between.append(node)
            if last in node.output:
                break
            inside |= set(node.output)
    else:
        raise ValueError(f"the graph leads from {first} to no {last}")
    # a Resize's other inputs are sizes in fp32, whatever it resizes
    inputs = (node.input[:1] if node.op_type == "Resize" else node.input for node in between)
    wanted = {name for names in inputs for name in names if name and name not in inside}
    outside = {name for node in nodes if not any(node is other for other in between) for name in node.input}
    outside |= {output.name for output in graph.output}
    if shared := sorted((wanted | inside - {first, last}) & outside):
        raise ValueError(f"{shared} are also used outside of what computes in fp16")
    stored = {tensor.name for tensor in graph.initializer}
    for node in nodes:
        if node.op_type == "Cast" and node.output[0] in wanted and node.input[0] in stored:
            node.name = f"{HALF}{node.output[0]}"
            wanted.discard(node.output[0])
    ordered = []
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name in wanted:
            # too small to be stored as fp16
            if np.abs(numpy_helper.to_array(tensor)).max(initial=0.0) >= 60000:
                raise ValueError(f"{tensor.name} is too large for fp16")
            name, tensor.name = tensor.name, f"{tensor.name}{SMALL}"
            ordered.append(helper.make_node("Cast", [tensor.name], [name], f"{HALF}{name}", to=TensorProto.FLOAT))
            wanted.discard(name)
    if wanted:
        raise ValueError(f"{sorted(wanted)} come from neither weights nor {first}")
    for node in between:
        node.input[:] = [f"{first}.half" if name == first else name for name in node.input]
        node.output[:] = [f"{last}.half" if name == last else name for name in node.output]
    for node in nodes:
        ordered.append(node)
        if first in node.output:
            ordered.append(helper.make_node("Cast", [first], [f"{first}.half"], f"{HALF}{first}", to=TensorProto.FLOAT))
        if f"{last}.half" in node.output:
            ordered.append(helper.make_node("Cast", [f"{last}.half"], [last], to=TensorProto.FLOAT))
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered]
    del graph.node[:]
    graph.node.extend(copies)
    onnx.checker.check_model(model)
    return model
