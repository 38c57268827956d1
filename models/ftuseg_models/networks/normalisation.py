"""ImageNet's mean and spread, by which the input of every network is normalised."""

from __future__ import annotations

import torch

MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's channels (0..1), the usual centre."""


STD = (0.229, 0.224, 0.225)


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Images 0..1 (n x 3 x height x width) to what the networks expect."""
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    return (images - mean) / std
