"""Chooses what serves an organ in the bundle: its own network, the baseline, or the mean of the two.

A network for all organs and one for a single organ err in different places, so their mean is often better than either.
It costs two runs per tile and no additional file.
"""

from __future__ import annotations

from .. import ORGANS
from .cross_validation import MeasuredCore
from .thresholds import Chooser

BOTH_COST = 0.01
"""Gain of mean Dice that makes the mean of both worth its second run."""


def candidates(organ: str) -> tuple[str, str, str]:
    """What can serve an organ; a `+` stands for the mean of two networks."""
    return (organ, "baseline", f"{organ}+baseline")


def networks_of(server: str) -> list[str]:
    """The networks that a candidate runs."""
    return server.split("+")


class ModelChoice:
    """What serves each organ, chosen on held-out cores."""

    def __init__(self, chooser: Chooser) -> None:
        self.chooser = chooser
        self._best: dict[tuple[str, str | None], str | None] = {}

    def best(self, organ: str, without: MeasuredCore | None = None) -> str | None:
        """The candidate with the best mean Dice on the organ's cores: the baseline where the organ's own network was not measured,
        None where neither was.

        The core `without` has no influence. Every core is judged at the threshold that the others choose for the candidate:
        with thresholds chosen on themselves, five cores prefer whatever happens to fit them. The organ's own network wins
        a tie.
        """
        key = (organ, without.id if without is not None else None)
        if key not in self._best:
            self._best[key] = self._decide(organ, key[1])
        return self._best[key]

    def _decide(self, organ: str, without: str | None) -> str | None:
        deciding = [core for core in self.chooser.deciding(organ) if core.id != without]
        # cores of a fold whose own network is still to be trained say nothing of it
        cores = [core for core in deciding if core.has(organ)] or [core for core in deciding if core.has("baseline")]
        apart = frozenset() if without is None else frozenset({without})
        worth = {}
        for server in candidates(organ):
            if cores and all(core.has(server) for core in cores):
                chosen = [self.chooser.choose(server, organ, apart | {core.id}) for core in cores]
                values = [self.chooser.table.dice(core, server, choice) for core, choice in zip(cores, chosen)]
                worth[server] = sum(values) / len(values) - (BOTH_COST if len(networks_of(server)) > 1 else 0.0)
        return max(worth, key=worth.__getitem__, default=None)

    def dice(self, core: MeasuredCore, target: str, variant: str = "") -> float | None:
        """The Dice of a core that is sent to `target`, an organ or `baseline`, where the core had no part in choosing the
        network or its threshold. None where it was not run."""
        if target not in ORGANS:
            return self.chooser.dice(core, target, variant)
        server = self.best(target, core)
        return None if server is None else self.chooser.dice(core, server, variant, target)
