"""The target cores of a configuration, listed without reading their images, and which of them a run holds out."""

from __future__ import annotations

import collections
from dataclasses import dataclass
from typing import Iterator

import numpy as np

from ..config import Config, KaggleFolder
from ..errors import DataError
from . import kaggle, split
from .pictures import Picture


@dataclass(frozen=True)
class CoreRow:
    """A core whose image has not been read: its row, and what splits need to know."""

    row: kaggle.Row
    copy: bool = False
    """Whether it is an additional picture of a core, named `CORE_SOURCE`."""

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

    @property
    def measurable(self) -> bool:
        """False for a core whose colours were changed or removed, and for additional pictures."""
        return self.row.measurable and not self.copy

    @property
    def core(self) -> str:
        """The id of the core that is shown."""
        return self.id.split("_")[0] if self.copy else self.id

    @property
    def side(self) -> int:
        """Its longer side in px."""
        return max(self.row.width, self.row.height)

    def read(self, set_name: str) -> Picture:
        """The core as it is: own size, untouched pixels."""
        image, mask = kaggle.read_core(self.row)
        return Picture(self.id, set_name, self.organ, image, mask.astype(np.uint8), self.row.mpp, True, True, self.plain)


def core_rows(folder: KaggleFolder) -> list[CoreRow]:
    """The cores of a Kaggle folder, without their images."""
    return [CoreRow(row, folder.copies) for row in kaggle.read_rows(folder.path, folder.suffix)]


def read_cores(folder: KaggleFolder) -> Iterator[Picture]:
    """The cores of a Kaggle folder as they are, one at a time, since 351 of 3000 px would fill the memory."""
    for core in core_rows(folder):
        yield core.read(folder.path.name)


def target_cores(config: Config) -> list[CoreRow]:
    """The cores of all target folders and their additional pictures, without images; duplicate ids are a `DataError`."""
    cores = [core for folder in config.kaggle if folder.target for core in core_rows(folder)]
    names = collections.Counter(core.id for core in cores)
    if twice := [name for name, count in names.items() if count > 1]:
        raise DataError(f"the core {twice[0]} is there twice, in one `train.csv` or in two: leave one of its rows out")
    return cores


def held_out_ids(config: Config) -> dict[str, str]:
    """The ids that the configuration holds out, each with its part: `test`, or `validation` with `shares`."""
    cores = target_cores(config)
    decide = split.validation(cores, config)
    return {i: "validation" if i in decide else "test" for i in sorted(split.held_out(cores, config))}


def held_out_cores(config: Config) -> Iterator[Picture]:
    """The cores that the configuration holds out, as they are, one at a time."""
    parts = held_out_ids(config)
    for folder in config.kaggle:
        if folder.target:
            for core in core_rows(folder):
                if core.id in parts:
                    yield core.read(folder.path.name)
