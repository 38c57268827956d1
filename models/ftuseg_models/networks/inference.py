"""Runs a PyTorch network on a picture: probabilities for every pixel, or the router's answer for every routing cell."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .. import ORGANS
from ..data.pictures import Picture
from ..data.tiles import cell_tiles, pad_white
from .normalisation import normalise


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


@torch.no_grad()
def picture_logits(network: nn.Module, picture: Picture, tile: int, cell: int) -> torch.Tensor:
    """The router's logits (cells x organs) for a picture at the router's um/px."""
    tiles = cell_tiles(picture.image, tile, cell)
    x = torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255.0
    device = next(network.parameters()).device
    return network(normalise(x.to(device))).float().cpu()


@torch.no_grad()
def picture_votes(
    network: nn.Module,
    picture: Picture,
    tile: int,
    cell: int,
    temperature: float = 1.0,
    other_tissue: nn.Module | None = None,
) -> np.ndarray:
    """The router's probabilities (cells x organs) for a picture at the router's um/px.

    With `other_tissue` there is one more column, the probability of none of the organs; theirs share the rest, as in the
    exported file.
    """
    organs = (picture_logits(network, picture, tile, cell) / temperature).softmax(dim=1)
    if other_tissue is None:
        return organs.numpy()
    tiles = torch.from_numpy(cell_tiles(picture.image, tile, cell)).permute(0, 3, 1, 2).float() / 255.0
    features = network.features(normalise(tiles.to(next(network.parameters()).device))).float().cpu()
    other = torch.sigmoid(other_tissue(features))
    return torch.cat([organs * (1.0 - other), other], dim=1).numpy()


def cell_logits(network: nn.Module, pictures: list[Picture], tile: int, cell: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and true organ of every routing cell of some pictures."""
    logits, organs = [], []
    for picture in pictures:
        logits.append(picture_logits(network, picture, tile, cell))
        organs += [ORGANS.index(picture.organ)] * len(logits[-1])
    return torch.cat(logits), torch.tensor(organs)
