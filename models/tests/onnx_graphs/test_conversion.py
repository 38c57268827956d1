"""Files say what torch says, are small, can be told to compute in fp16, and are the same every time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from awake import awake
from torch import nn

from ftuseg_models.networks import architectures, normalisation
from ftuseg_models.onnx_graphs import conversion, fp16_storage


def run(model: onnx.ModelProto, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["probability"], {"image": image})[0]


def in_halves(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a graph of `fp16_switchable` that computes in fp16, as `ftuseg` makes it for a GPU."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for node in model.graph.node:
        if node.op_type == "Cast" and node.name.startswith(fp16_storage.HALF):
            node.attribute[0].i = onnx.TensorProto.FLOAT16
    return model


def unfolded_weights(path: Path) -> list[str]:
    """Names of Cast nodes on constants that ONNX Runtime's optimised graph of a file still holds.

    An empty list means that the file runs exactly as fast as one with fp32 weights.
    """
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


@pytest.mark.parametrize(
    ("name", "width", "router", "encoder"),
    [("unet", 0.125, False, "b0"), ("baseline", 1.0, False, "b0"), ("baseline", 1.0, False, "lite0"), ("router", 1, True, "b0")],
)
def test_the_file_says_what_torch_says(name, width, router, encoder, tmp_path):
    network = awake(architectures.build(name, width, encoder=encoder))
    model = conversion.to_onnx(network, 64, router, temperature=1.7)
    image = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    with torch.no_grad():
        pixels = torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255
        logits = network(normalisation.normalise(pixels))
        expected = torch.softmax(logits / 1.7, dim=1) if router else logits.sigmoid()
    found = run(model, image)
    assert found.shape == ((3, 5) if router else (3, 1, 64, 64))
    assert np.abs(found - expected.numpy()).max() < 1e-4
    operators = {node.op_type for node in model.graph.node}
    assert not operators & {"BatchNormalization", "Shape", "Slice", "Pad", "ConstantOfShape", "DequantizeLinear"}
    assert model.opset_import[0].version == 17
    constants = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Resize":
            assert len(node.input) == 3 and node.input[2] in constants

    conversion.write(model, tmp_path / "full.onnx", small=False)
    conversion.write(model, tmp_path / "small.onnx")
    assert (tmp_path / "small.onnx").stat().st_size < 0.6 * (tmp_path / "full.onnx").stat().st_size
    assert unfolded_weights(tmp_path / "small.onnx") == []
    small = run(onnx.load(tmp_path / "small.onnx"), image)
    # without gates that hold channels back, random weights of a Lite lose more by fp16
    assert np.abs(small - found).max() < (0.02 if encoder == "lite0" else 2e-3)


@pytest.mark.parametrize(
    ("name", "width", "encoder"), [("unet", 0.125, "b0"), ("baseline", 1.0, "b0"), ("baseline", 1.0, "lite0"), ("router", 1, "b0")]
)
def test_what_is_stored_says_what_torch_says_to_the_last_digits(name, width, encoder, tmp_path):
    network = awake(architectures.build(name, width, encoder=encoder))
    stored = conversion.as_stored(network, 64)
    # the encoder's head comes with the EfficientNet and is never run
    assert sum(isinstance(part, nn.BatchNorm2d) for part in stored.modules()) <= (name == "baseline")
    image = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    pixels = normalisation.normalise(torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255)
    with torch.no_grad():
        answer = {True: lambda x: x.softmax(dim=1), False: torch.sigmoid}[name == "router"]
        plain, rounded = answer(network(pixels)).numpy(), answer(stored(pixels)).numpy()
    assert np.abs(rounded - plain).max() < 0.02  # the price of fp16 weights
    conversion.write(conversion.to_onnx(stored, 64, name == "router"), tmp_path / "small.onnx")
    assert np.abs(run(onnx.load(tmp_path / "small.onnx"), image) - rounded).max() < 1e-4


@pytest.mark.parametrize(("name", "width", "encoder"), [("unet", 0.125, "b0"), ("baseline", 1.0, "b0"), ("baseline", 1.0, "lite0")])
def test_a_file_can_be_told_to_compute_in_fp16_and_is_the_same_until_then(name, width, encoder, tmp_path):
    network = awake(architectures.build(name, width, encoder=encoder))
    model = conversion.to_onnx(network, 64)
    conversion.write(model, tmp_path / "plain.onnx")
    conversion.write(model, tmp_path / "full.onnx", halves=True)
    image = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    plain, full = onnx.load(tmp_path / "plain.onnx"), onnx.load(tmp_path / "full.onnx")
    expected = run(plain, image)
    assert np.array_equal(run(full, image), expected)
    assert unfolded_weights(tmp_path / "full.onnx") == []
    half = in_halves(full)
    # one byte for each Cast, as a program changes them in place
    before, after = full.SerializeToString(deterministic=True), half.SerializeToString(deterministic=True)
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert set(changed) == {(onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)}
    kinds = {value.name: value.type.tensor_type.elem_type for value in onnx.shape_inference.infer_shapes(half).graph.value_info}
    convolutions = [node for node in half.graph.node if node.op_type in ("Conv", "ConvTranspose", "Resize", "Concat")]
    assert {kinds[node.output[0]] for node in convolutions} == {onnx.TensorProto.FLOAT16}
    found = run(half, image)
    assert 0 < np.abs(found - expected).max() < 0.02


def test_a_graph_without_the_way_that_is_named_is_refused():
    model = fp16_storage.with_fp16_weights(conversion.to_onnx(architectures.build("unet", 0.0625).eval(), 64))
    with pytest.raises(ValueError, match="leads from nowhere"):
        fp16_storage.fp16_switchable(model, "nowhere", "probability")
    # what is taken for the logits lies in the middle: others use what comes before it, too
    normalised = next(node.output[0] for node in model.graph.node if "shift" in node.input)
    middle = next(node.output[0] for node in model.graph.node if node.op_type == "MaxPool")
    with pytest.raises(ValueError, match="outside"):
        fp16_storage.fp16_switchable(model, normalised, middle)


def test_writing_twice_gives_the_same_bytes(tmp_path):
    network = awake(architectures.build("unet", 0.0625))
    hashes = {conversion.write(conversion.to_onnx(network, 64), tmp_path / f"{n}.onnx") for n in range(2)}
    assert len(hashes) == 1
