"""Puts cores before the router and calibrates what it says."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from . import ORGANS, networks, stages, train, trunk
from .config import Config
from .metrics import temperature
from .networks import normalise
from .pictures import Picture


def cell_tiles(image: np.ndarray, tile: int, cell: int) -> np.ndarray:
    """The tiles (n x tile x tile x 3, uint8) around all routing cells of an image that hold tissue.

    Cells lie on a grid of `cell` px from the image's corner; a tile has its cell in the middle and white beyond the
    image. A cell counts as tissue when at least a tenth of it is not empty glass.
    """
    height, width = image.shape[:2]
    border = tile
    padded = np.full((height + 2 * border, width + 2 * border, 3), 255, dtype=np.uint8)
    padded[border : border + height, border : border + width] = image
    tiles = []
    for top in range(0, height, cell):
        for left in range(0, width, cell):
            part = image[top : top + cell, left : left + cell]
            if (part.min(axis=2) < 225).sum() < 0.1 * cell * cell:
                continue
            y, x = top + cell // 2 - tile // 2 + border, left + cell // 2 - tile // 2 + border
            tiles.append(padded[y : y + tile, x : x + tile])
    if not tiles:
        y, x = height // 2 - tile // 2 + border, width // 2 - tile // 2 + border
        tiles.append(padded[y : y + tile, x : x + tile])
    return np.stack(tiles)


@torch.no_grad()
def picture_logits(network: nn.Module, picture: Picture, tile: int, cell: int) -> torch.Tensor:
    """The router's logits (cells x organs) for a picture at the router's um/px."""
    tiles = cell_tiles(picture.image, tile, cell)
    x = torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255.0
    device = next(network.parameters()).device
    return network(normalise(x.to(device))).float().cpu()


def picture_votes(network: nn.Module, picture: Picture, tile: int, cell: int, temperature: float = 1.0) -> np.ndarray:
    """The router's probabilities (cells x organs) for a picture at the router's um/px."""
    return (picture_logits(network, picture, tile, cell) / temperature).softmax(dim=1).numpy()


def cell_logits(network: nn.Module, pictures: list[Picture], tile: int, cell: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and true organ of every routing cell of some pictures."""
    logits, organs = [], []
    for picture in pictures:
        logits.append(picture_logits(network, picture, tile, cell))
        organs += [ORGANS.index(picture.organ)] * len(logits[-1])
    return torch.cat(logits), torch.tensor(organs)


def router_temperature(config: Config) -> dict:
    """The temperature of the run's router and on what it was found; empty where there is no router."""
    checkpoint = config.runs / "router.pt"
    if not checkpoint.exists():
        return {}
    if config.router_network == "trunk":
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        features, organ, picture = state["features"], state["organ"], state["picture"]
        logits = trunk.out_of_fold(features, organ, picture, len(ORGANS), state["decay"])
        asked = state["target"]
        return trunk.vote_calibration(logits[asked], organ[asked], picture[asked])
    data = stages.load_data(config, config.router_mpp)
    pictures = [p for p in data.training if p.target and p.id in data.validation]
    if not pictures:
        return {}
    network = train.load_average(checkpoint, networks.build("router"))
    logits, organ = cell_logits(network, pictures, config.router_tile, config.router_cell)
    return {
        "temperature": temperature(logits, organ),
        "validation": sorted(p.id for p in pictures),
        "cells": len(organ),
        "cells_right": int((logits.argmax(dim=1) == organ).sum()),
    }
