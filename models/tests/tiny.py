"""A network and data so small that a whole training run takes seconds. A module, so that workers can import it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class Tiny(nn.Module):
    """One convolution with batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class RedIsTrue:
    """Noise images; the truth is where red is above one half."""

    def draw(self, rng: np.random.Generator, count: int, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.from_numpy(rng.random((count, 3, 16, 16), dtype=np.float32))
        return images, (images[:, :1] > 0.5).float()

    def as_run(self, rng: np.random.Generator, count: int) -> torch.Tensor:
        return self.draw(rng, count, 1.0)[0]
