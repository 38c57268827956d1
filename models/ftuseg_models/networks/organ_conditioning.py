"""One network for all organs that is told the organ it sees, and its export as a plain network per organ.

Every normalisation of the decoder has a gain and a shift per organ on its output (FiLM: Perez et al. 2018), and one more
pair for an unknown organ. They start as the identity. For a given organ they only change the normalisation's own two
vectors, so `told` folds them in exactly, and a runtime needs nothing new.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from .. import ORGANS, UNKNOWN_ORGAN

OWN = ("told_gain", "told_shift")
"""Suffixes of the names of the per-organ parameters in a network's state."""


class ToldNorm(nn.BatchNorm2d):
    """A batch normalisation with a gain and a shift for every organ."""

    def __init__(self, channels: int, eps: float, momentum: float | None) -> None:
        super().__init__(channels, eps, momentum)
        self.told_gain = nn.Parameter(torch.zeros(UNKNOWN_ORGAN + 1, channels))
        self.told_shift = nn.Parameter(torch.zeros(UNKNOWN_ORGAN + 1, channels))
        self.organs: torch.Tensor | None = None
        """The row of each image of the batch; None: the organs are unknown."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised, with the organ's gain and shift."""
        x = super().forward(x)
        rows = torch.full((len(x),), UNKNOWN_ORGAN, device=x.device) if self.organs is None else self.organs
        gain, shift = (part[rows][:, :, None, None].to(x.dtype) for part in (self.told_gain, self.told_shift))
        return x + (x * gain + shift)

    def plain(self, organ: str | None) -> nn.BatchNorm2d:
        """The plain normalisation for one organ."""
        row = UNKNOWN_ORGAN if organ is None else ORGANS.index(organ)
        norm = nn.BatchNorm2d(self.num_features, self.eps, self.momentum).to(self.weight.device)
        state = {name: value for name, value in self.state_dict().items() if not name.endswith(OWN)}
        gain = 1.0 + self.told_gain[row].detach()
        state["weight"] = state["weight"] * gain
        state["bias"] = state["bias"] * gain + self.told_shift[row].detach()
        norm.load_state_dict(state)
        return norm.train(self.training)


def _replace(network: nn.Module, kind: type[nn.Module], other) -> nn.Module:
    """Replace every part of a kind by `other(part)`."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is kind:
                setattr(parent, name, other(child))
    return network


def condition(unet: nn.Module) -> nn.Module:
    """Make the decoder of a U-Net conditional on the organ."""

    def with_organs(norm: nn.BatchNorm2d) -> ToldNorm:
        own = ToldNorm(norm.num_features, norm.eps, norm.momentum)
        own.load_state_dict(own.state_dict() | norm.state_dict())
        return own

    _replace(unet.decoder, nn.BatchNorm2d, with_organs)
    return unet


def tell(network: nn.Module, organs: torch.Tensor | None) -> None:
    """Set the organs (rows) that the images of the next batch show. A plain network ignores it."""
    for part in network.modules():
        if isinstance(part, ToldNorm):
            part.organs = organs


def told(network: nn.Module, organ: str | None) -> nn.Module:
    """A copy as the plain network of one organ, or of an unknown one; a plain network stays as it is."""
    return _replace(copy.deepcopy(network), ToldNorm, lambda part: part.plain(organ))


def completed(state: dict[str, torch.Tensor], network: nn.Module) -> dict[str, torch.Tensor]:
    """A state, with the network's own per-organ parameters where it has none."""
    return {name: value for name, value in network.state_dict().items() if name.endswith(OWN)} | state
