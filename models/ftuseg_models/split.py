"""Chooses which target cores are held out, always the same ones for the same seed."""

from __future__ import annotations

import hashlib
from typing import Iterable, Protocol

from . import ORGANS


class Core(Protocol):
    """What the split needs to know of a core."""

    id: str
    organ: str
    plain: bool


def _order(seed: int, core: Core) -> tuple[bool, str]:
    """Plain cores first, then by a hash of the id: it does not depend on the order or number of other cores."""
    return (not core.plain, hashlib.sha256(f"{seed}:{core.id}".encode()).hexdigest())


def choose(
    cores: Iterable[Core], counts: dict[str, int], seed: int, without: frozenset[str] = frozenset()
) -> set[str]:
    """The ids chosen: `counts[organ]` cores of each organ, cleanly cut ones first, none of `without`.

    At least one core of an organ always stays for training.
    """
    cores = [c for c in cores if c.id not in without]
    chosen: set[str] = set()
    for organ in ORGANS:
        of_organ = sorted((c for c in cores if c.organ == organ), key=lambda c: _order(seed, c))
        chosen.update(c.id for c in of_organ[: min(counts.get(organ, 0), max(0, len(of_organ) - 1))])
    return chosen
