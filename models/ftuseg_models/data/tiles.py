"""Cuts an image into the tiles that networks see: one in the centre, or one around every routing cell."""

from __future__ import annotations

import numpy as np


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


def cell_tiles(image: np.ndarray, tile: int, cell: int) -> np.ndarray:
    """The tiles (n x tile x tile x 3, uint8) around all routing cells of an image that hold tissue.

    Cells lie on a grid of `cell` px from the image's corner; a tile has its cell in the centre and is white beyond
    the image. A cell counts as tissue when at least a tenth of it is not empty glass.
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
