"""Loads all data of a configuration and separates what is held out."""

from __future__ import annotations

import collections
from dataclasses import dataclass

from ..config import Config
from ..errors import DataError
from . import public_sets, split, target_cores
from .pictures import Picture


@dataclass
class TrainingData:
    """All pictures at one um/px, with the held-out cores apart."""

    training: list[Picture]
    held_out: list[Picture]
    validation: set[str]
    """Ids of the training cores that the router leaves out, for its calibration."""
    weights: dict[str, float]
    """Weight of each set that is not a target."""
    test: list[Picture]
    """Pictures of the other sets that are kept out of all training."""


def load_data(config: Config, mpp: float) -> TrainingData:
    """Read everything the configuration names. Held-out cores never appear in `training`."""
    training: list[Picture] = []
    held_out: list[Picture] = []
    weights: dict[str, float] = {}
    test: list[Picture] = []
    rows = target_cores.target_cores(config)
    apart = split.held_out(rows, config)
    never = split.unseen(rows, config)
    validation = split.choose(rows, config.validation, config.seed, frozenset(never))
    for folder in config.kaggle:
        pictures = public_sets.load_kaggle(config, folder, mpp)
        if not folder.target:
            training += pictures
        else:
            training += [p for p in pictures if p.id not in never]
            held_out += [p for p in pictures if p.id in apart]
        if not folder.target:
            weights[folder.path.name] = folder.weight
    for other in config.sets:
        pictures = public_sets.load_set(config, other, mpp)
        if other.kind == public_sets.CORE_PARTS:
            pictures = [p for p in pictures if p.id.split("_")[0] not in never]
        if not pictures:
            continue
        training += [p for p in pictures if not (other.test and p.id.startswith(other.test))]
        test += [p for p in pictures if other.test and p.id.startswith(other.test)]
        weights[pictures[0].set] = other.weight
    names = collections.Counter(f"{p.set}:{p.id}" for p in (*training, *held_out, *test))
    if twice := [name for name, count in names.items() if count > 1]:
        raise DataError(f"{twice[0]} is there twice: ids must differ, and so must the names of the sets' folders")
    return TrainingData(training, held_out, validation, weights, test)


def apart_for_stopping(config: Config, pictures: list[Picture], organ: str) -> tuple[list[Picture], list[Picture]]:
    """The pictures that an organ's model still trains on when cores are set aside for early stopping, and these cores."""
    rows = target_cores.target_cores(config)
    chosen, left_out = split.apart_for_stopping(rows, organ, config, frozenset(split.unseen(rows, config)))

    def is_left_out(picture: Picture) -> bool:
        # a part of a core is named after it
        return picture.id in left_out or (picture.set == public_sets.CORE_PARTS and picture.id.split("_")[0] in left_out)

    return [p for p in pictures if not is_left_out(p)], [p for p in pictures if p.target and p.id in chosen]
