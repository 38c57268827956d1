"""Compares folds by figure with folds by core: how much Dice a split gains when both sides share figures."""

from __future__ import annotations

from ..config import Config
from ..errors import DataError
from . import calibration
from .comparisons import Way, grouped, ways
from .confidence_intervals import of_organs, of_values
from .cross_validation import MeasuredCore
from .model_choice import ModelChoice
from .tables import NAMES, signed, table

WORDS = {"core": "by core", "figure": "by figure"}


def comparison(config: Config, cores: list[MeasuredCore], way: Way) -> str:
    """The Dice in the folds of the other kind next to that of `cores`, and the difference core by core; empty if the
    other kind was not measured."""
    other = config.with_other_folds()
    try:
        chooser = calibration.chooser(other)
    except DataError:
        return ""
    others = [core for core in chooser.cores if core.part == "test"]
    other_way = next(one for one in ways(ModelChoice(chooser), other) if one.title == way.title)
    found = {core.id: other_way.dice(core) for core in others}
    here, there = grouped(cores, way.dice), grouped(others, other_way.dice)

    def less(core: MeasuredCore) -> float | None:
        one, two = way.dice(core), found.get(core.id)
        return None if one is None or two is None else one - two

    difference = grouped(cores, less)
    seed = config.seed
    rows = []
    for organ, name in NAMES.items():
        parts = [values.get(organ) for values in (here, there)]
        cells = [str(of_values(part, seed)) if part else "-" for part in parts]
        rows.append([name, *cells, signed(of_values(difference[organ], seed)) if organ in difference else "-"])
    means = [str(of_organs(values, seed)) if values else "-" for values in (here, there)]
    rows.append(["**mean of the organs' means**", *means, signed(of_organs(difference, seed)) if difference else "-"])
    own, beside = WORDS[config.fold_by], WORDS[other.fold_by]
    return table(["organ", f"folds {own}", f"folds {beside}", f"{own} less {beside}, the same cores"], rows)
