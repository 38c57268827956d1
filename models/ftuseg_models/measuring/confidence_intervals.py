"""Means with their n and reproducible bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import ORGANS

ROUNDS = 10_000


@dataclass(frozen=True)
class Interval:
    """A mean, its 95 % bootstrap interval and the number of values."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}] (n = {self.n})"


def _resampled(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The means of `ROUNDS` samples drawn with replacement."""
    return values[rng.integers(len(values), size=(ROUNDS, len(values)))].mean(axis=1)


def of_values(values: list[float], seed: int) -> Interval:
    """The plain mean."""
    array = np.asarray(values, dtype=np.float64)
    means = _resampled(array, np.random.default_rng(seed))
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(array.mean()), float(low), float(high), len(array))


def of_organs(values: dict[str, list[float]], seed: int) -> Interval:
    """The mean of the organs' means; images are resampled within each organ (Efron 1979, stratified)."""
    rng = np.random.default_rng(seed)
    organs = [organ for organ in ORGANS if values.get(organ)]
    arrays = [np.asarray(values[organ], dtype=np.float64) for organ in organs]
    means = np.mean([_resampled(array, rng) for array in arrays], axis=0)
    low, high = np.percentile(means, [2.5, 97.5])
    mean = float(np.mean([array.mean() for array in arrays]))
    return Interval(mean, float(low), float(high), sum(map(len, arrays)))
