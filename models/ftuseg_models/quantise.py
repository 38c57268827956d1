"""Makes the int8 variant of a network: QDQ, calibrated on tiles of training cores."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import nn

from . import export, stages
from .config import Config
from .metrics import pad_white

TILES = 24
"""Calibration tiles."""


class Tiles(CalibrationDataReader):
    """Hands the calibration its tiles, one at a time."""

    def __init__(self, tiles: list[np.ndarray]) -> None:
        self.tiles = iter(tiles)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next tile (1 x side x side x 3, uint8), or None."""
        tile = next(self.tiles, None)
        return None if tile is None else {"image": tile[None]}


def calibration_tiles(config: Config) -> list[np.ndarray]:
    """Tiles of training cores, organs in turn; never of cores that are held out."""
    pictures = [p for p in stages.load_data(config, config.mpp).training if p.target]
    by_organ: dict[str, list] = {}
    for picture in pictures:
        by_organ.setdefault(picture.organ, []).append(picture)
    tiles = []
    for place in range(max((len(group) for group in by_organ.values()), default=0)):
        for group in by_organ.values():
            if place < len(group):
                tiles.append(pad_white(group[place].image, config.tile)[0][: config.tile, : config.tile])
    return tiles[:TILES]


def to_int8(model: onnx.ModelProto, tiles: list[np.ndarray]) -> onnx.ModelProto:
    """The graph with its convolutions in int8: activations unsigned, weights signed with a scale per channel.

    Weights take 7 of the 8 bits: on CPUs without VNNI the products of an unsigned and a signed byte are added in
    16 bits and would overflow. The first convolution, which sees the pixels, and the last one, which makes the
    logit, stay in floats: they are cheap, and what they lose nothing later can mend.
    """
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, source)
        quantize_static(
            source,
            target,
            Tiles(tiles),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["Conv", "Concat", "Resize"],
            nodes_to_exclude=[convolutions[0], convolutions[-1]],
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True, "ForceQuantizeNoInputCheck": False},
        )
        return onnx.load(target)


def session(network: nn.Module, config: Config) -> onnxruntime.InferenceSession:
    """A session of a network's int8 variant."""
    model = to_int8(export.to_onnx(network, config.tile), calibration_tiles(config))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = config.threads
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
