"""How good a network is during its run: texts for the log, and the score for early stopping."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .. import ORGANS
from ..data.pictures import Picture
from ..networks import organ_conditioning
from ..networks.inference import picture_votes, torch_probability
from .metrics import dice


class DiceMonitor:
    """The Dice of a network on some pictures, per organ. For the log only; nothing is chosen by it."""

    def __init__(self, pictures: list[Picture], tile: int) -> None:
        self.pictures = pictures
        self.tile = tile

    def __call__(self, network: nn.Module) -> str:
        values: dict[str, list[float]] = {}
        device = next(network.parameters()).device
        for p in self.pictures:
            organ_conditioning.tell(network, torch.tensor([ORGANS.index(p.organ)], device=device))
            values.setdefault(p.organ, []).append(dice(torch_probability(network, p, self.tile) > 0.5, p.mask))
        organ_conditioning.tell(network, None)
        means = {organ: float(np.mean(v)) for organ, v in values.items()}
        text = ", ".join(f"{organ} {means[organ]:.3f} (n={len(values[organ])})" for organ in means)
        return f"Dice {text}; mean {np.mean(list(means.values())):.3f}"


class Score:
    """The score of a network on some pictures of one organ, 0..1: the mean Dice over many thresholds.

    At a single threshold a network that is right but unsure, as those of lung are, would seem to find nothing.
    """

    def __init__(self, pictures: list[Picture], tile: int) -> None:
        self.pictures = pictures
        self.tile = tile

    def __call__(self, network: nn.Module) -> float:
        values = []
        device = next(network.parameters()).device
        for p in self.pictures:
            organ_conditioning.tell(network, torch.tensor([ORGANS.index(p.organ)], device=device))
            found = torch_probability(network, p, self.tile)
            values += [dice(found > threshold, p.mask) for threshold in np.arange(0.05, 0.8, 0.05)]
        organ_conditioning.tell(network, None)
        return float(np.mean(values))


class OrganMonitor:
    """How many pictures' organs the router recognises, by the mean over their routing cells. For the log only."""

    def __init__(self, pictures: list[Picture], size: int, cell: int) -> None:
        self.pictures = pictures
        self.size = size
        self.cell = cell

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> str:
        right = 0
        for p in self.pictures:
            probability = picture_votes(network, p, self.size, self.cell)
            right += ORGANS[int(np.argmax(probability.mean(axis=0)))] == p.organ
        return f"{right} of {len(self.pictures)} held-out cores right"
