import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from ftuseg_models import compact, export, networks


def run(model: onnx.ModelProto, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["probability"], {"image": image})[0]


def awake(network: nn.Module) -> nn.Module:
    """Give batch normalisation statistics that are not the identity, so that folding it wrongly would show."""
    torch.manual_seed(1)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 1.5)
            part.weight.data.uniform_(0.7, 1.3)
    return network.eval()


@pytest.mark.parametrize(("name", "width", "router"), [("unet", 0.125, False), ("baseline", 1.0, False), ("router", 1, True)])
def test_the_file_says_what_torch_says(name, width, router, tmp_path):
    network = awake(networks.build(name, width))
    model = export.to_onnx(network, 64, router, temperature=1.7)
    image = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    with torch.no_grad():
        pixels = torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255
        logits = network(networks.normalise(pixels))
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

    export.write(model, tmp_path / "full.onnx", small=False)
    export.write(model, tmp_path / "small.onnx")
    assert (tmp_path / "small.onnx").stat().st_size < 0.6 * (tmp_path / "full.onnx").stat().st_size
    assert compact.unfolded_weights(tmp_path / "small.onnx") == []
    small = run(onnx.load(tmp_path / "small.onnx"), image)
    assert np.abs(small - found).max() < 2e-3


@pytest.mark.parametrize(("name", "width"), [("unet", 0.125), ("baseline", 1.0), ("router", 1)])
def test_what_is_stored_says_what_torch_says_to_the_last_digits(name, width, tmp_path):
    network = awake(networks.build(name, width))
    stored = export.as_stored(network, 64)
    # the encoder's head comes with the EfficientNet and is never run
    assert sum(isinstance(part, nn.BatchNorm2d) for part in stored.modules()) <= (name == "baseline")
    image = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    pixels = networks.normalise(torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255)
    with torch.no_grad():
        answer = {True: lambda x: x.softmax(dim=1), False: torch.sigmoid}[name == "router"]
        plain, rounded = answer(network(pixels)).numpy(), answer(stored(pixels)).numpy()
    assert np.abs(rounded - plain).max() < 0.02  # the price of fp16 weights
    export.write(export.to_onnx(stored, 64, name == "router"), tmp_path / "small.onnx")
    assert np.abs(run(onnx.load(tmp_path / "small.onnx"), image) - rounded).max() < 1e-4


@pytest.mark.parametrize(("name", "width"), [("unet", 0.125), ("baseline", 1.0)])
def test_a_file_can_be_told_to_compute_in_fp16_and_is_the_same_until_then(name, width, tmp_path):
    network = awake(networks.build(name, width))
    model = export.to_onnx(network, 64)
    export.write(model, tmp_path / "plain.onnx")
    export.write(model, tmp_path / "full.onnx", halves=True)
    image = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    plain, full = onnx.load(tmp_path / "plain.onnx"), onnx.load(tmp_path / "full.onnx")
    expected = run(plain, image)
    assert np.array_equal(run(full, image), expected)
    assert compact.unfolded_weights(tmp_path / "full.onnx") == []
    half = compact.in_halves(full)
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
    model = compact.compact(export.to_onnx(networks.build("unet", 0.0625).eval(), 64))
    with pytest.raises(ValueError, match="leads from nowhere"):
        compact.halvable(model, "nowhere", "probability")
    # what is taken for the logits lies in the middle: others use what comes before it, too
    normalised = next(node.output[0] for node in model.graph.node if "shift" in node.input)
    middle = next(node.output[0] for node in model.graph.node if node.op_type == "MaxPool")
    with pytest.raises(ValueError, match="outside"):
        compact.halvable(model, normalised, middle)


def test_writing_twice_gives_the_same_bytes(tmp_path):
    network = awake(networks.build("unet", 0.0625))
    hashes = {export.write(export.to_onnx(network, 64), tmp_path / f"{n}.onnx") for n in range(2)}
    assert len(hashes) == 1
