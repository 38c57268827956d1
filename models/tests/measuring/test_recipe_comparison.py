"""Recipes are compared core by core, on the cores that all of them have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ftuseg_models.config import Config
from ftuseg_models.data import kaggle
from ftuseg_models.errors import DataError
from ftuseg_models.measuring import recipes
from ftuseg_models.measuring.cross_validation import MeasuredCore
from ftuseg_models.measuring.thresholds import Chooser

CONFIG = Config(work=Path("work"), bundle=Path("bundle"))


def core(number: int, organ: str, own: bool, found: int) -> MeasuredCore:
    """A core with an object of 30 rows, of which the baseline finds `found` and the organ's network all."""
    truth = np.zeros((60, 60), dtype=bool)
    truth[10:40, 10:40] = True
    part = np.zeros((60, 60), dtype=np.float16)
    part[10 : 10 + found, 10:40] = 0.9
    maps = {"baseline": part} | ({organ: truth.astype(np.float16)} if own else {})
    return MeasuredCore(
        id=f"{organ}-{number}", organ=organ, plain=True, fold="fold-0", part="test", mpp=1.0, width=60, height=60,
        rle=kaggle.rle_encode(truth), maps=maps,
    )  # fmt: skip


def columns(name: str, cores: list[MeasuredCore], **settings) -> list[recipes.Column]:
    return recipes.columns_of(name, Config(**{**CONFIG.__dict__, **settings}), Chooser(cores))


def test_differences_are_paired_and_only_on_cores_of_all():
    first = columns("first", [core(n, "kidney", False, 30) for n in range(4)])
    other = columns("other", [core(n, "kidney", False, 15) for n in range(2, 6)])
    rows = recipes.rows_of([*first, *other], 1)
    assert [row[0] for row in rows] == ["first: one network", "other: one network", "less the first"]
    # half of the object: 2 * 15 / (15 + 30)
    assert rows[1][1].startswith("0.667") and rows[1][2].endswith("(n = 2)") and rows[1][3] == "-"
    assert rows[2][1].startswith("-0.333 [-0.333, -0.333]") and rows[2][2].endswith("(n = 2)")


def test_an_organ_without_its_own_network_counts_with_the_baseline():
    cores = [core(0, "kidney", True, 15), core(0, "lung", False, 15)]
    one, own = columns("five", cores)
    assert own.title == "five: a network for each organ"
    assert one.dice["kidney-0"][1] == pytest.approx(2 / 3) and own.dice["kidney-0"][1] == pytest.approx(1)
    assert one.dice["lung-0"] == own.dice["lung-0"]
    assert columns("told", cores, conditioned=True)[1].title == "told: one network, told the organ"


def test_recipes_without_a_common_core_are_an_error():
    one, other = columns("a", [core(0, "kidney", False, 9)]), columns("b", [core(1, "kidney", False, 9)])
    with pytest.raises(DataError, match="no measured core in common"):
        recipes.rows_of([*one, *other], 1)
