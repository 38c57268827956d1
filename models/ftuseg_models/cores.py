"""Knows the cores of Kaggle folders before they are read, and which of them a run holds out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

import numpy as np

from . import kaggle, split
from .config import Config, KaggleFolder
from .pictures import Picture


@dataclass(frozen=True)
class CoreRow:
    """A core that is not read yet: what splits need to know of it, and its row."""

    row: kaggle.Row

    @property
    def id(self) -> str:
        """Its id."""
        return self.row.id

    @property
    def organ(self) -> str:
        """Its organ."""
        return self.row.organ

    @property
    def plain(self) -> bool:
        """False for a core that was un-blended from a figure."""
        return not self.row.overlay

    def read(self, set_name: str) -> Picture:
        """The core as it is: own size, untouched pixels."""
        image, mask = kaggle.read_core(self.row)
        return Picture(self.id, set_name, self.organ, image, mask.astype(np.uint8), self.row.mpp, True, True, self.plain)


def core_rows(folder: KaggleFolder) -> list[CoreRow]:
    """The cores of a Kaggle folder, unread."""
    return [CoreRow(row) for row in kaggle.read_rows(folder.path)]


def read_cores(folder: KaggleFolder) -> Iterator[Picture]:
    """The cores of a Kaggle folder as they are, one at a time: 351 of 3000 px would fill the memory."""
    for core in core_rows(folder):
        yield core.read(folder.path.name)


def held_out_ids(config: Config) -> dict[str, str]:
    """The ids that the configuration holds out, each with its part: `test`, or `validation` where cores of their own decide."""
    parts: dict[str, str] = {}
    for folder in config.kaggle:
        if folder.target:
            cores = core_rows(folder)
            decide = split.validation(cores, config)
            parts |= {i: "validation" if i in decide else "test" for i in sorted(split.held_out(cores, config))}
    return parts


def held_out_cores(config: Config) -> Iterator[Picture]:
    """The cores that the configuration holds out, as they are, one at a time."""
    parts = held_out_ids(config)
    for folder in config.kaggle:
        if folder.target:
            for core in core_rows(folder):
                if core.id in parts:
                    yield core.read(folder.path.name)
