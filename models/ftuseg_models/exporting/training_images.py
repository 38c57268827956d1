"""Writes down how the images that the networks were trained on look, so that the engine recognises them."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import numpy as np

from ..atomic_files import write_text
from ..config import Config
from ..data.public_sets import READERS
from ..data.target_cores import read_cores

NAME = "training_images.csv"
CELLS = 24
"""Cells across and down."""


def _box(length: int) -> np.ndarray:
    """`[CELLS, length]`: the share that each px has in the mean of each cell."""
    edges = np.arange(CELLS + 1) * length / CELLS
    px = np.arange(length)
    inside = np.minimum(edges[1:, None], px + 1) - np.maximum(edges[:-1, None], px)
    return np.clip(inside, 0, 1) * CELLS / length


def look(image: np.ndarray) -> np.ndarray:
    """The mean brightness of an image's cells, `[CELLS, CELLS]` bytes. `src/bundle/training_images.rs` computes the same."""
    grey = image[:, :, :3].astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return np.floor(_box(grey.shape[0]) @ grey @ _box(grey.shape[1]).T + 0.5).astype(np.uint8)


def _images(config: Config) -> Iterator[tuple[str, np.ndarray]]:
    """The images that the networks see in training, each with a name. Mosaics of unlabelled patches are left out."""
    for folder in config.kaggle:
        for core in read_cores(folder):
            yield f"{folder.path.name} {core.id}", core.image
    for other in config.sets:
        if other.kind == "lung_patches":
            continue
        for picture in READERS[other.kind](other.path):
            if not (other.test and picture.id.startswith(other.test)):
                yield f"{other.kind} {picture.id}", picture.image


def write(config: Config, out: Path) -> None:
    """Write `out/training_images.csv`: `image,look`, the look as hexadecimal bytes, row by row."""
    lines = [f"{name.replace(',', ' ')},{look(image).tobytes().hex()}" for name, image in _images(config)]
    write_text(out / NAME, "\n".join(["image,look", *lines]) + "\n")
