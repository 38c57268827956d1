"""Puts cores before the router and calibrates what it says."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

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
def picture_votes(network: nn.Module, picture: Picture, tile: int, cell: int = 96) -> np.ndarray:
    """The router's probabilities (cells x organs) for a picture at the router's um/px."""
    tiles = cell_tiles(picture.image, tile, cell)
    x = torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255.0
    device = next(network.parameters()).device
    return network(normalise(x.to(device))).float().softmax(dim=1).cpu().numpy()
