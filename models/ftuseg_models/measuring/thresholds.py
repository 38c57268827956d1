"""Chooses each network's threshold and smallest object on cores that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import ndimage

from .. import ORGANS
from ..training.metrics import dice
from .cross_validation import SINGLE, MeasuredCore

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 17))
"""0.05 to 0.8. Lung needs low ones: only a few of its many alveoli are outlined, so even a right answer is uncertain."""
AREAS_UM2 = (100.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""Smallest objects that are tried, um2. 100 is a disc as large as one cell: no unit is smaller. A crypt of the large intestine has some 4000."""
LEAST = 6
"""Least number of cores that choose a threshold or a smallest object. Five chose 0.15 for prostate once; others chose 0.5."""
TIE = 0.02
"""Gain of mean Dice that is too small to move away from the default: with 5 to 12 cores of an organ it is noise.

With 0.003, the 41 cores chose anything from 0.2 to 0.65, and gained nothing on cores left out (0.639 instead of 0.635).
"""

KEPT_BYTES = 2 * 1024**3
"""Memory for cached maps."""


@dataclass(frozen=True)
class Choice:
    """What is done with a network's probabilities."""

    threshold: float = 0.5
    min_area_um2: float = 0.0
    fill_holes: bool = False


EIGHT = np.ones((3, 3), dtype=bool)
"""Holes touch at corners too, as in the engine, whose objects touch at sides."""


def filled(mask: np.ndarray) -> np.ndarray:
    """A mask with its holes filled: parts of the background that do not reach the edge.

    `ndimage.binary_fill_holes` gives the same, dozens of times slower: it grows the outside px by px.
    """
    parts, count = ndimage.label(~mask, EIGHT)
    outside = np.zeros(count + 1, dtype=bool)
    for edge in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
        outside[edge] = True
    outside[0] = False
    return ~outside[parts]


def clean(mask: np.ndarray, mpp: float, choice: Choice) -> np.ndarray:
    """A mask with its holes filled, if asked, and without small objects (touching at sides), as the engine does it."""
    if choice.fill_holes:
        mask = filled(mask)
    least = choice.min_area_um2 / mpp**2
    if least <= 1:
        return mask
    labels, _ = ndimage.label(mask)
    keep = np.bincount(labels.ravel()) >= round(least)
    keep[0] = False
    return keep[labels]


def holes_of(truth: np.ndarray) -> tuple[int, int]:
    """px of holes in the true objects, and px of the objects with them."""
    whole = int(filled(truth).sum())
    return whole - int(truth.sum()), whole


class Table:
    """Dice of every core for every choice, computed once."""

    def __init__(self, cores: list[MeasuredCore]) -> None:
        self.cores = cores
        self._values: dict[tuple[str, str, Choice], float] = {}
        # a map of a core of 3000 px takes 36 MB
        largest = max((core.width * core.height * 4 for core in cores), default=1)
        room = max(4, KEPT_BYTES // largest)
        self._found = lru_cache(maxsize=room)(lambda core_id, key: self._by_id[core_id].probability(key))
        self._truth = lru_cache(maxsize=room)(lambda core_id: self._by_id[core_id].truth())
        self._by_id = {core.id: core for core in cores}

    def dice(self, core: MeasuredCore, key: str, choice: Choice) -> float:
        """Dice of one core with one network's map."""
        place = (core.id, key, choice)
        if place not in self._values:
            found = self._found(core.id, key) >= choice.threshold
            self._values[place] = dice(clean(found, core.mpp, choice), self._truth(core.id))
        return self._values[place]

    def holes_are_rare(self, cores: list[MeasuredCore]) -> bool:
        """Whether less than 2 % of the true objects' area are holes in every organ, so that a found one is a mistake."""
        shares = []
        for organ in ORGANS:
            counts = [self._holes(core.id) for core in cores if core.organ == organ]
            filled = sum(whole for _, whole in counts)
            if filled:
                shares.append(sum(holes for holes, _ in counts) / filled)
        return bool(shares) and max(shares) < 0.02

    @lru_cache(maxsize=None)  # noqa: B019 - lives as long as the table
    def _holes(self, core_id: str) -> tuple[int, int]:
        return holes_of(self._truth(core_id))

    def mean(self, cores: list[MeasuredCore], key: str, choice: Choice) -> float:
        """Mean over the organs' means, so that an organ with many cores does not dominate."""
        return self.means(cores, key, [choice])[choice]

    def means(self, cores: list[MeasuredCore], key: str, choices: list[Choice]) -> dict[Choice, float]:
        """The same for several choices, core by core, since a core's map is large and is made once for all of them."""
        values: dict[str, list[list[float]]] = {}
        for core in cores:
            values.setdefault(core.organ, []).append([self.dice(core, key, choice) for choice in choices])
        means = np.mean([np.mean(rows, axis=0) for rows in values.values()], axis=0)
        return dict(zip(choices, means.tolist()))

    def choose(self, cores: list[MeasuredCore], key: str) -> Choice:
        """The threshold, then the smallest object, with the best mean Dice; the defaults where nothing is gained.

        The defaults are a threshold of 0.5 and at most a quarter of the size of the smallest true objects (their fifth
        percentile). Fewer than `LEAST` cores choose the defaults. Whether holes are filled depends on the truth of these cores.
        """
        cores = [core for core in cores if core.has(key)]
        if not cores:
            return Choice(min_area_um2=AREAS_UM2[0])
        best = Choice(min_area_um2=self.plain_area(cores), fill_holes=self.holes_are_rare(cores))
        if len(cores) < LEAST:
            return best
        for name, candidates in (("threshold", THRESHOLDS), ("min_area_um2", AREAS_UM2)):
            plain = getattr(best, name)
            tried = self.means(cores, key, [replace(best, **{name: value}) for value in sorted({*candidates, plain})])
            top = max(tried.values())
            near = [getattr(choice, name) for choice in tried if tried[choice] >= top - TIE]
            best = replace(best, **{name: min(near, key=lambda value: (abs(value - plain), value))})
        return best

    def plain_area(self, cores: list[MeasuredCore]) -> float:
        """The largest of `AREAS_UM2` within a quarter of the true objects' fifth percentile, or the first; the organ with the smallest
        ones decides. One of few areas, so that leaving a core out rarely needs masks that were not made yet."""
        smallest = []
        for organ in ORGANS:
            areas = [area for core in cores if core.organ == organ for area in self._areas(core.id)]
            if areas:
                smallest.append(float(np.percentile(areas, 5)) / 4)
        return max(area for area in AREAS_UM2 if area <= max(min(smallest, default=0.0), AREAS_UM2[0]))

    @lru_cache(maxsize=None)  # noqa: B019 - lives as long as the table
    def _areas(self, core_id: str) -> tuple[float, ...]:
        labels, _ = ndimage.label(self._truth(core_id))
        mpp = self._by_id[core_id].mpp
        return tuple(np.bincount(labels.ravel())[1:] * mpp**2)


def serves(core: MeasuredCore, name: str) -> bool:
    """Whether a network, or the mean of two (`kidney+baseline`), is used for a core when the organ is known."""
    return name in SINGLE or core.organ == name.split("+")[0]


class Chooser:
    """Chooses for a core without looking at it.

    Where a run has validation cores (`shares`), they decide. Else all other cores decide, each core left out in turn.
    A network that serves all organs has one choice for all, and one for each organ that it serves (`organ`).
    """

    def __init__(self, cores: list[MeasuredCore]) -> None:
        self.table = Table(cores)
        self.cores = cores
        self._choices: dict[tuple[str, str | None, frozenset[str]], Choice] = {}

    def deciding(self, name: str, organ: str | None = None) -> list[MeasuredCore]:
        """The cores on which a network's settings are chosen."""
        cores = [core for core in self.cores if serves(core, name) and organ in (None, core.organ)]
        apart = [core for core in cores if core.part == "validation"]
        return apart or cores

    def choose(self, name: str, organ: str | None = None, without: frozenset[str] = frozenset()) -> Choice:
        """The choice of all deciding cores except the ids in `without`."""
        key = (name, organ, without)
        if key not in self._choices:
            cores = [core for core in self.deciding(name, organ) if core.id not in without]
            self._choices[key] = self.table.choose(cores, name)
        return self._choices[key]

    def final(self, name: str, organ: str | None = None) -> Choice:
        """What is shipped: the choice of all deciding cores."""
        return self.choose(name, organ)

    def without(self, name: str, core: MeasuredCore, organ: str | None = None) -> Choice:
        """The choice of the other cores for this one."""
        return self.choose(name, organ, frozenset({core.id}))

    def dice(self, core: MeasuredCore, name: str, variant: str = "", organ: str | None = None) -> float | None:
        """The Dice of a core with a network (`variant`: empty, `:d4` or `:int8`) at the settings that other cores choose; None
        where it was not run."""
        key = f"{name}{variant}"
        return self.table.dice(core, key, self.without(name, core, organ)) if core.has(key) else None
