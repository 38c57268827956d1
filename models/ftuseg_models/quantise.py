"""Makes the int8 variant of a network: QDQ, calibrated on tiles of training cores."""

from __future__ import annotations

import contextlib
import copy
import io
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from torch import nn

from . import ORGANS, evaluate, export, stages
from .config import Config
from .metrics import one_tile

TILES = 24
"""Calibration tiles."""
PERCENTILE = 99.99
"""Share (percent) of a tensor's values that its bytes must cover; the rest is clipped.

With the largest values of all covered instead, a few bright spots decided the step between two bytes: the spleen's
network then lost 0.05 to 0.08 of Dice.
"""


class Tiles(CalibrationDataReader):
    """Hands the calibration its tiles, one at a time."""

    def __init__(self, tiles: list[np.ndarray]) -> None:
        self.tiles = iter(tiles)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next tile (1 x side x side x 3, uint8), or None."""
        tile = next(self.tiles, None)
        return None if tile is None else {"image": tile[None]}


def calibration_tiles(config: Config, name: str) -> list[np.ndarray]:
    """Tiles of training cores for the network `name`; never of cores that are held out.

    An organ's network gets tiles of its own organ only: on tissue that it does not know its values can be hundreds of
    times as large, and would leave next to nothing of the byte to those that matter. Others get the organs in turn.
    """
    pictures = [p for p in stages.load_data(config, config.mpp).training if p.target]
    if name in ORGANS:
        pictures = [p for p in pictures if p.organ == name]
    by_organ: dict[str, list] = {}
    for picture in pictures:
        by_organ.setdefault(picture.organ, []).append(picture)
    tiles = []
    for place in range(max((len(group) for group in by_organ.values()), default=0)):
        for group in by_organ.values():
            if place < len(group):
                tiles.append(one_tile(group[place].image, config.tile))
    return tiles[:TILES]


def to_int8(model: onnx.ModelProto, tiles: list[np.ndarray]) -> onnx.ModelProto:
    """The graph with its plain 3 x 3 convolutions in int8: activations unsigned, weights signed with a scale per channel.

    Those are the decoder of an EfficientNet U-Net, and three quarters of its work. The encoder's pointwise and depthwise
    convolutions stay in floats: in int8 they win little time and lose most of the Dice. So do the first convolution,
    which sees the pixels, and the last one, which makes the logit. Weights take 7 of the 8 bits: on CPUs without VNNI
    the products of an unsigned and a signed byte are added in 16 bits and would overflow.
    """
    shapes = {value.name: value.dims for value in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    kept = {convolutions[0].name, convolutions[-1].name}
    for node in convolutions:
        grouped = any(attribute.name == "group" and attribute.i > 1 for attribute in node.attribute)
        if grouped or max(shapes[node.input[1]][2:]) == 1:
            kept.add(node.name)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, source)
        with contextlib.redirect_stdout(io.StringIO()):  # the histograms are announced line by line
            quantize_static(
                source,
                target,
                Tiles(tiles),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
                op_types_to_quantize=["Conv"],
                nodes_to_exclude=sorted(kept),
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={"ActivationSymmetric": False, "WeightSymmetric": True, "CalibPercentile": PERCENTILE},
            )
        return onnx.load(target)


def session(network: nn.Module, config: Config, name: str) -> onnxruntime.InferenceSession:
    """A session of the int8 variant of the network `name`."""
    # the export moves what it is given to the CPU
    model = to_int8(export.to_onnx(copy.deepcopy(network), config.tile), calibration_tiles(config, name))
    return evaluate.open_session(model.SerializeToString(), config.threads)
