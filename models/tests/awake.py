"""Gives networks statistics of batch normalisation that are not the identity."""

from __future__ import annotations

import torch
from torch import nn


def awake(network: nn.Module) -> nn.Module:
    """Give batch normalisation statistics that are not the identity, so that folding it wrongly would show."""
    torch.manual_seed(1)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 1.5)
            part.weight.data.uniform_(0.7, 1.3)
    return network.eval()
