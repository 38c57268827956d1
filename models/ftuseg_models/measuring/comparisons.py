"""The ways of segmenting a core that are compared: one network for all, one per organ, and what the bundle does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from .. import ORGANS
from ..config import Config
from ..networks.encoders import title
from . import cross_validation
from .confidence_intervals import of_organs
from .cross_validation import MeasuredCore
from .model_choice import ModelChoice
from .thresholds import Chooser

INT8_LOSS = 0.005
"""Largest loss of mean Dice with which an int8 variant is shipped."""


SERVED = "as the bundle does it: by the true organ"
"""The way in which what serves an organ was chosen by the other cores."""
SHIPPED = "as the bundle does it: by the router"
"""The way of the shipped bundle: `SERVED`, with the organ that the router finds."""

OTHER = "other"
"""Where the router sends tissue that is none of the organs: it is not segmented."""


@dataclass
class Way:
    """One way of segmenting a core."""

    title: str
    dice: Callable[[MeasuredCore], float | None]


def routed_name(core: MeasuredCore, limit: float) -> str:
    """The network that the router sends a core to: the baseline where its confidence is below the limit, `OTHER` where the
    tissue is none of the organs."""
    best = max(range(len(core.votes)), key=lambda place: core.votes[place])
    if best == len(ORGANS):
        return OTHER
    return ORGANS[best] if core.votes[best] >= limit else "baseline"


def ways(serving: ModelChoice, config: Config, variant: str = "") -> list[Way]:
    """The ways that are compared: one network for all, one per organ, and what the bundle does. `variant`: empty or `:d4`."""
    chooser = serving.chooser

    def sent(core: MeasuredCore) -> str | None:
        return routed_name(core, config.router_limit) if core.votes else None

    def by_router(core: MeasuredCore) -> float | None:
        name = sent(core)
        if name == OTHER:
            return 0.0  # nothing is found in what is refused
        return None if name is None else chooser.dice(core, name, variant)

    def shipped(core: MeasuredCore) -> float | None:
        name = sent(core)
        if name == OTHER:
            return 0.0
        return None if name is None else serving.dice(core, name, variant)

    return [
        Way(unet_title(config), lambda core: chooser.dice(core, "unet", variant)),
        Way(f"baseline: one {title(config.encoder)} U-Net", lambda core: chooser.dice(core, "baseline", variant)),
        Way("routed by the true organ", lambda core: chooser.dice(core, core.organ, variant)),
        Way("routed by the router", by_router),
        Way(SERVED, lambda core: serving.dice(core, core.organ, variant)),
        Way(SHIPPED, shipped),
    ]


def unet_title(config: Config) -> str:
    """The standard U-Net with its width, since a narrow one is a different network."""
    width = config.stage("unet").width
    return "standard U-Net" if width == 1 else f"standard U-Net at {width:g} of its width"


def grouped(cores: list[MeasuredCore], value: Callable[[MeasuredCore], float | None]) -> dict[str, list[float]]:
    """The values of the cores that have one, by organ."""
    values: dict[str, list[float]] = {}
    for core in cores:
        found = value(core)
        if found is not None:
            values.setdefault(core.organ, []).append(found)
    return values


def difference(cores: list[MeasuredCore], a: Way, b: Way) -> dict[str, list[float]]:
    """Dice with `a` less Dice with `b`, core by core."""

    def value(core: MeasuredCore) -> float | None:
        one, other = a.dice(core), b.dice(core)
        return None if one is None or other is None else one - other

    return grouped(cores, value)


def int8_loss(cores: list[MeasuredCore], chooser: Chooser, name: str) -> dict | None:
    """The mean over the organs of the Dice that a network loses in int8, with n; None where it was not measured."""
    values = difference(
        [core for core in cores if core.part == "test" and (name in cross_validation.SINGLE or core.organ == name)],
        Way("", lambda core: chooser.dice(core, name)),
        Way("", lambda core: chooser.dice(core, name, ":int8")),
    )
    if not values:
        return None
    return {"dice": round(of_organs(values, 0).mean, 4), "n": sum(map(len, values.values()))}
