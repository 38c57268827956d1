"""Measures masks: Dice, and how a core is put before a network."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import ORGANS, conditioning
from .networks import normalise
from .pictures import Picture


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    """Dice of two masks (non-zero counts); 1 when both are empty."""
    found, truth = found != 0, truth != 0
    total = int(found.sum()) + int(truth.sum())
    return 1.0 if total == 0 else 2.0 * int((found & truth).sum()) / total


def temperature(logits: torch.Tensor, organ: torch.Tensor) -> float:
    """The temperature (0.3 to 5) whose softmax has the least cross-entropy."""
    grid = torch.logspace(np.log10(0.3), np.log10(5.0), 200)
    losses = torch.stack([F.cross_entropy(logits / t, organ) for t in grid])
    return float(grid[int(losses.argmin())])


def pad_white(image: np.ndarray, tile: int) -> tuple[np.ndarray, int, int]:
    """`image` (height x width x 3) centred in a white square of at least `tile` px (a multiple of 32); left and top."""
    height, width = image.shape[:2]
    side = max(tile, -(-max(height, width) // 32) * 32)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    square[top : top + height, left : left + width] = image
    return square, left, top


def one_tile(image: np.ndarray, tile: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """`image` in the middle of one white tile, tile x tile x 3; of a larger one the middle, or any part with `rng`."""
    square = pad_white(image, tile)[0]
    spare = len(square) - tile
    top, left = (spare // 2, spare // 2) if rng is None else rng.integers(spare + 1, size=2)
    return square[top : top + tile, left : left + tile]


@torch.no_grad()
def torch_probability(network: nn.Module, picture: Picture, tile: int = 512) -> np.ndarray:
    """The network's probability for every pixel of a picture that is at the network's um/px."""
    square, left, top = pad_white(picture.image, tile)
    height, width = picture.image.shape[:2]
    x = torch.from_numpy(square).permute(2, 0, 1)[None].float() / 255.0
    device = next(network.parameters()).device
    out = network(normalise(x.to(device)).contiguous(memory_format=torch.channels_last)).float().sigmoid()[0, 0]
    return out[top : top + height, left : left + width].cpu().numpy()


def resize_map(probability: np.ndarray, width: int, height: int) -> np.ndarray:
    """A map of probabilities at another size: bilinear, as the engine interpolates it."""
    if probability.shape == (height, width):
        return probability
    t = torch.from_numpy(np.ascontiguousarray(probability))[None, None]
    return F.interpolate(t, size=(height, width), mode="bilinear", align_corners=False)[0, 0].numpy()


class DiceMonitor:
    """Says the Dice of a network on some pictures, per organ. For a log; nothing is chosen by it."""

    def __init__(self, pictures: list[Picture], tile: int) -> None:
        self.pictures = pictures
        self.tile = tile

    def __call__(self, network: nn.Module) -> str:
        values: dict[str, list[float]] = {}
        device = next(network.parameters()).device
        for p in self.pictures:
            conditioning.tell(network, torch.tensor([ORGANS.index(p.organ)], device=device))
            values.setdefault(p.organ, []).append(dice(torch_probability(network, p, self.tile) > 0.5, p.mask))
        conditioning.tell(network, None)
        means = {organ: float(np.mean(v)) for organ, v in values.items()}
        text = ", ".join(f"{organ} {means[organ]:.3f} (n={len(values[organ])})" for organ in means)
        return f"Dice {text}; mean {np.mean(list(means.values())):.3f}"
