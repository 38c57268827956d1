"""Chooses which target cores are held out, reproducibly for a given seed."""

from __future__ import annotations

import collections
import hashlib
from typing import Iterable, Protocol

from .. import ORGANS
from ..config import Config


class Core(Protocol):
    """What the split needs to know of a core."""

    id: str
    organ: str
    plain: bool
    core: str
    """The id of the core that it shows; differs from its own for additional pictures."""
    measurable: bool
    """Only these are ever held out."""
    side: int
    """Longer side in px as stored, by which figures are told apart."""


def _order(seed: int, core: Core) -> tuple[bool, str]:
    """Plain cores first, then by a hash of the id, independent of the order and number of other cores."""
    return (not core.plain, hashlib.sha256(f"{seed}:{core.id}".encode()).hexdigest())


def choose(
    cores: Iterable[Core], counts: dict[str, int], seed: int, without: frozenset[str] = frozenset()
) -> set[str]:
    """The ids chosen: `counts[organ]` cores of each organ, cleanly cut ones first, none of `without`.

    At least one core of each organ is always left for training.
    """
    cores = [c for c in cores if c.measurable and c.id not in without]
    chosen: set[str] = set()
    for organ in ORGANS:
        of_organ = sorted((c for c in cores if c.organ == organ), key=lambda c: _order(seed, c))
        chosen.update(c.id for c in of_organ[: min(counts.get(organ, 0), max(0, len(of_organ) - 1))])
    return chosen


def folds(cores: Iterable[Core], count: int, seed: int) -> list[set[str]]:
    """Every core's id in exactly one of `count` sets; the cores of each organ, and the plain ones, spread evenly."""
    parts: list[set[str]] = [set() for _ in range(count)]
    place = 0
    cores = [core for core in cores if core.measurable]
    for organ in ORGANS:
        for core in sorted((c for c in cores if c.organ == organ), key=lambda c: _order(seed, c)):
            parts[place % count].add(core.id)
            place += 1
    return parts


def figures(cores: Iterable[Core], apart: int = 3) -> list[list[Core]]:
    """Cores that were cut out of the same figure, or one like it: those whose sides form a chain with gaps under `apart` px.

    A figure shows its cores at one size; they share its resampling and its colours.
    """
    groups: list[list[Core]] = []
    for core in sorted(cores, key=lambda c: (c.side, c.id)):
        if groups and core.side - groups[-1][-1].side < apart:
            groups[-1].append(core)
        else:
            groups.append([core])
    return groups


def figure_folds(cores: Iterable[Core], count: int, seed: int) -> list[set[str]]:
    """Every measurable core's id in exactly one of `count` sets, all cores of one figure in the same.

    From the largest figure to the smallest, each goes where it spreads the organs most evenly.
    """
    cores = list(cores)
    groups = sorted(
        figures(cores),
        key=lambda g: (-sum(c.measurable for c in g), hashlib.sha256(f"{seed}:{g[0].id}".encode()).hexdigest()),
    )
    total = collections.Counter(c.organ for c in cores if c.measurable)
    parts: list[set[str]] = [set() for _ in range(count)]
    have: list[collections.Counter] = [collections.Counter() for _ in range(count)]
    for group in groups:
        more = collections.Counter(c.organ for c in group if c.measurable)

        def unevenness(part: int) -> float:
            """How uneven the organs are spread over the parts if the group goes into `part`."""
            return sum(
                ((have[p][o] + (more[o] if p == part else 0)) / total[o] - 1 / count) ** 2 for p in range(count) for o in total
            )

        best = min(range(count), key=lambda part: (unevenness(part), part))
        have[best].update(more)
        parts[best].update(c.id for c in group if c.measurable)
    return parts


def apart_for_stopping(
    cores: Iterable[Core], organ: str, config: Config, without: frozenset[str]
) -> tuple[set[str], set[str]]:
    """The ids of a quarter of an organ's training cores (those not in `without`), set aside for early stopping, and of all that
    must be left out with them: additional pictures of them and, in folds by figure, the organ's cores of their figures."""
    cores = [c for c in cores if c.id not in without]
    of_organ = [c for c in cores if c.organ == organ]
    count = max(1, round(sum(c.measurable for c in of_organ) / 4))
    chosen = choose(of_organ, {organ: count}, config.seed + 1)
    left_out = {c.id for c in of_organ if c.core in chosen}
    if config.fold_by == "figure":
        left_out |= {c.id for group in figures(of_organ) if any(c.core in chosen for c in group) for c in group}
    if left_out >= {c.id for c in of_organ}:
        left_out = {c.id for c in of_organ if c.core in chosen}
    return chosen, left_out


def unseen(cores: Iterable[Core], config: Config) -> set[str]:
    """The ids that a run may not train on: those it holds out, additional pictures of them and, in folds by figure, all other
    cores of their figures."""
    cores = list(cores)
    apart = held_out(cores, config)
    found = {c.id for c in cores if c.core in apart}
    if config.fold_by == "figure" and config.fold is not None:
        found |= {c.id for group in figures(cores) if any(c.id in apart for c in group) for c in group}
    return found


def by_shares(
    cores: Iterable[Core], shares: tuple[float, float, float], seed: int
) -> tuple[set[str], set[str], set[str]]:
    """Ids for training, validation and test in these proportions, stratified by organ, as the paper's 7:2:1."""
    parts: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    cores = [core for core in cores if core.measurable]
    for organ in ORGANS:
        of_organ = sorted((c for c in cores if c.organ == organ), key=lambda c: _order(seed, c))
        # plain cores come first, since they are the best to measure on
        test = round(len(of_organ) * shares[2] / sum(shares))
        validation = round(len(of_organ) * (shares[1] + shares[2]) / sum(shares))
        for place, core in enumerate(of_organ):
            parts[2 if place < test else 1 if place < validation else 0].add(core.id)
    return parts


def validation(cores: Iterable[Core], config: Config) -> set[str]:
    """The held-out ids that thresholds are chosen on and that are not reported; only with `shares`."""
    if config.final or config.fold is not None or not config.shares:
        return set()
    return by_shares(cores, config.shares, config.seed)[1]


def held_out(cores: Iterable[Core], config: Config) -> set[str]:
    """The ids that are held out: by the fold, by `shares`, or by `holdout`."""
    if config.final:
        return set()
    if config.fold is not None:
        parts = figure_folds if config.fold_by == "figure" else folds
        return parts(cores, config.folds, config.seed)[config.fold]
    if config.shares:
        _, decide, test = by_shares(cores, config.shares, config.seed)
        return decide | test
    return choose(cores, config.holdout, config.seed)
