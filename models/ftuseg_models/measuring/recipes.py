"""Compares recipes: several configurations, measured on the same held-out cores."""

from __future__ import annotations

from dataclasses import dataclass

from .. import ORGANS
from ..config import Config
from ..errors import DataError
from . import calibration
from .confidence_intervals import of_organs, of_values
from .cross_validation import MeasuredCore
from .tables import NAMES, signed, table
from .thresholds import Chooser


@dataclass(frozen=True)
class Column:
    """One way of segmenting a core, and its Dice."""

    title: str
    dice: dict[str, tuple[str, float]]
    """Organ and Dice by the core's id."""

    def by_organ(self, ids: list[str], less: Column | None = None) -> dict[str, list[float]]:
        """The Dice of the cores in `ids`, or how much it is above that of another column, by organ."""
        values: dict[str, list[float]] = {}
        for core in ids:
            organ, dice = self.dice[core]
            values.setdefault(organ, []).append(dice - (less.dice[core][1] if less else 0.0))
        return values


def columns_of(name: str, config: Config, chooser: Chooser, variant: str = "") -> list[Column]:
    """The Dice of a recipe's network for all organs and, where organs have networks of their own, of these. The organs of a
    `conditioned` network are the same network, told the organ.

    Each core's threshold is the one that the other cores of its organ choose. An organ without its own network counts with
    the baseline.
    """
    cores = [core for core in chooser.cores if core.part == "test"]

    def baseline(core: MeasuredCore) -> float | None:
        return chooser.dice(core, "baseline", variant, organ=core.organ)

    def own(core: MeasuredCore) -> float | None:
        found = chooser.dice(core, core.organ, variant)
        return baseline(core) if found is None else found

    kinds = [("one network", baseline)]
    if any(core.has(core.organ) for core in cores):
        kinds.append(("one network, told the organ" if config.conditioned else "a network for each organ", own))
    columns = []
    for kind, dice in kinds:
        found = {core.id: (core.organ, dice(core)) for core in cores}
        columns.append(Column(f"{name}: {kind}", {core: value for core, value in found.items() if value[1] is not None}))
    return columns


def rows_of(columns: list[Column], seed: int) -> list[list[str]]:
    """A row for each column: the mean of its organs' means and each organ's mean, on the cores that all columns have; for all
    but the first also the paired differences to the first."""
    ids = sorted(set.intersection(*(set(column.dice) for column in columns)))
    if not ids:
        raise DataError("the recipes have no measured core in common: measure the same folds of each")
    rows = []
    for place, column in enumerate(columns):
        values = column.by_organ(ids)
        cells = [of_organs(values, seed), *(of_values(values[organ], seed) if organ in values else "-" for organ in ORGANS)]
        rows.append([column.title, *map(str, cells)])
        if place:
            gain = column.by_organ(ids, columns[0])
            organs = [signed(of_values(gain[organ], seed)) if organ in gain else "-" for organ in ORGANS]
            rows.append(["less the first", signed(of_organs(gain, seed)), *organs])
    return rows


def comparison(recipes: list[tuple[str, Config]]) -> str:
    """A page with a table of `recipes` (names and configurations), and one with the mean over the eight turns (`--tta d4`)."""
    choosers = [calibration.chooser(config) for _, config in recipes]
    parts = []
    for title, variant in (("One look", ""), ("The mean over the eight rotations and reflections", ":d4")):
        columns = [
            column
            for (name, config), chooser in zip(recipes, choosers)
            for column in columns_of(name, config, chooser, variant)
        ]
        head = ["recipe", "mean of the organs' means", *NAMES.values()]
        parts += [f"## {title}\n", table(head, rows_of(columns, recipes[0][1].seed))]
    return "\n".join(parts)
