"""int8: which networks can be int8 throughout, and how close they stay."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from awake import awake
from onnx import numpy_helper

from ftuseg_models.networks import architectures
from ftuseg_models.onnx_graphs import conversion, quantisation, sessions
from ftuseg_models.onnx_graphs.activations import covered, look

SIDE = 64
HALF = (64, 32, 16, 8, 4)


def tiles(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    # coarse blocks: noise of single px would average out in the first layers
    blocks = [rng.integers(0, 256, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8) for _ in range(count)]
    return [block.repeat(8, axis=0).repeat(8, axis=1) for block in blocks]


@pytest.fixture(scope="module")
def lite() -> onnx.ModelProto:
    torch.manual_seed(0)
    return conversion.to_onnx(awake(architectures.build("baseline", encoder="lite0", decoder=HALF)), SIDE)


def answers(model: onnx.ModelProto, shown: list[np.ndarray]) -> np.ndarray:
    session = sessions.open_session(model.SerializeToString(), threads=1)
    return np.concatenate([session.run(None, {"image": tile[None]})[0] for tile in shown])


def test_a_lite_network_is_int8_throughout(lite):
    assert quantisation.whole(lite)
    small = quantisation.to_int8(lite, tiles(4))
    onnx.checker.check_model(small)
    convolutions = [node for node in small.graph.node if node.op_type == "Conv"]
    weights = [tensor for tensor in small.graph.initializer if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4]
    assert len(weights) == len(convolutions) == sum(node.op_type == "Conv" for node in lite.graph.node)
    # ReLU and ReLU6 need no operator of their own: the bytes end where they do
    assert not {"Relu", "Clip"} & {node.op_type for node in small.graph.node}
    # seven bits: products of two pairs of bytes fit into 16 bits on every CPU
    assert max(np.abs(numpy_helper.to_array(tensor).astype(int)).max() for tensor in weights) <= 64
    shown = tiles(8)
    # a network of random weights forgives less than a trained one
    found, truth = answers(small, shown), answers(lite, shown)
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.95 and np.abs(found - truth).mean() < 0.1


def test_swish_and_gates_stay_in_floats():
    torch.manual_seed(0)
    model = conversion.to_onnx(awake(architectures.build("baseline", decoder=HALF)), SIDE)
    assert not quantisation.whole(model)
    chosen = quantisation.to_quantise(model)
    assert chosen and all("decoder" in node.name for node in chosen)
    small = quantisation.to_int8(model, tiles(2))
    assert sum(tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4 for tensor in small.graph.initializer) == sum(
        node.op_type == "Conv" for node in chosen
    )


def test_corrected_biases_bring_the_answer_closer(lite):
    shown = tiles(6)
    nodes = quantisation.to_quantise(lite)
    stored = {tensor.name for tensor in lite.graph.initializer}
    seen = look(lite, {name for node in nodes for name in (*node.input, *node.output) if name and name not in stored}, shown)
    plain = quantisation.quantised(lite, nodes, seen)
    corrected = quantisation.with_corrected_biases(lite, plain, seen)
    # rounding what is not rounded changes nothing
    assert np.abs(answers(corrected, shown) - answers(lite, shown)).max() > 0
    truth = answers(lite, shown)
    before = np.abs(answers(plain, shown) - truth).mean()
    after = np.abs(answers(quantisation.quantised(corrected, nodes, seen), shown) - truth).mean()
    assert after < before


def test_the_covered_range_leaves_a_few_outliers_out():
    values = np.concatenate([np.linspace(0, 1, 100_000), [500.0]])
    low, high = covered(values)
    assert low == 0.0 and high == pytest.approx(1.0, abs=1e-3)
    low, high = covered(np.concatenate([values - 0.5, [-500.0]]))
    assert low == pytest.approx(-0.5, abs=1e-3) and high == pytest.approx(0.5, abs=1e-3)
    assert covered(np.full(10, 3.0)) == (0.0, 3.0)
