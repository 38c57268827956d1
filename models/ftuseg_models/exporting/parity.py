"""PyTorch's output for one drawn tile, as a reference for every other way of running a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from ..atomic_files import write_json
from ..networks.normalisation import normalise
from ..onnx_graphs.conversion import RawPixels

TILE = Path(__file__).with_name("parity.png")
"""Parts of slides that `ftuseg samples` drew: glomeruli, glands and crypts."""
STEP = 16
"""Every 16th px in both directions is stored."""


def tile(side: int) -> np.ndarray:
    """The tile, side x side x 3 (uint8): the picture's upper left corner, repeated where the picture is smaller."""
    image = np.asarray(Image.open(TILE).convert("RGB"))
    times = -(-side // min(image.shape[:2]))
    return np.ascontiguousarray(np.tile(image, (times, times, 1))[:side, :side])


@torch.no_grad()
def _logits(network: nn.Module, side: int) -> torch.Tensor:
    pixels = torch.from_numpy(tile(side)).permute(2, 0, 1)[None].float() / 255.0
    return network.eval().cpu()(normalise(pixels)).float()


def samples(network: nn.Module, side: int) -> list[float]:
    """The network's probabilities of the tile at every `STEP`-th px, row by row."""
    found = _logits(network, side).sigmoid()[0, 0, ::STEP, ::STEP]
    return [round(float(value), 6) for value in found.flatten()]


@torch.no_grad()
def router_samples(network: nn.Module, side: int, temperature: float, other_tissue: nn.Module | None = None) -> list[float]:
    """The router's probabilities of the tile."""
    pixels = torch.from_numpy(tile(side))[None]
    found = RawPixels(network.eval().cpu(), True, temperature, other_tissue)(pixels)[0]
    return [round(float(value), 6) for value in found]


def write(out: Path, found: dict[str, list[float]]) -> None:
    """Write `out/parity.json` and the tile beside it."""
    write_json(out / "parity.json", {"tile": "parity.png", "step": STEP, "probabilities": found})
    (out / "parity.png").write_bytes(TILE.read_bytes())
