"""The tiles that an int8 network is calibrated on: training cores of the network's organs."""

from __future__ import annotations

import numpy as np

from .. import ORGANS
from ..config import Config
from ..data import training_data
from ..data.tiles import one_tile

TILES = 24
"""Calibration tiles."""


def calibration_tiles(config: Config, name: str) -> list[np.ndarray]:
    """Tiles of training cores for the network `name`; never of cores that are held out.

    An organ's network gets tiles of its own organ only: on unknown tissue its values can be hundreds of times as large,
    which would leave hardly any of the byte's steps to those that matter. Others get the organs in turn.
    """
    pictures = [p for p in training_data.load_data(config, config.mpp).training if p.target]
    if name in ORGANS:
        pictures = [p for p in pictures if p.organ == name]
    by_organ: dict[str, list] = {}
    for picture in pictures:
        by_organ.setdefault(picture.organ, []).append(picture)
    tiles = []
    for place in range(max((len(group) for group in by_organ.values()), default=0)):
        for group in by_organ.values():
            if place < len(group):
                tiles.append(one_tile(group[place].image, config.tile))
    return tiles[:TILES]
