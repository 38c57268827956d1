"""The figures that a bundle states, and every core's Dice for further analysis."""

from __future__ import annotations

from .. import ORGANS
from ..config import Config
from ..errors import DataError
from ..training import previous_bundle
from . import calibration, cross_validation
from .comparisons import Way, grouped, int8_loss, routed_name
from .cross_validation import MeasuredCore
from .model_choice import ModelChoice


def summary(cores: list[MeasuredCore], all_ways: list[Way]) -> dict:
    """Every core's Dice, for further analysis."""
    rows = []
    for core in cores:
        row = {"id": core.id, "organ": core.organ, "fold": core.fold, "plain": core.plain}
        row |= {way.title: None if (v := way.dice(core)) is None else round(v, 4) for way in all_ways}
        row["votes"] = [round(v, 4) for v in core.votes]
        rows.append(row)
    return {"cores": rows}


def _stated(values: dict[str, list[float]], about: str) -> list[dict]:
    """Mean Dice by organ as a bundle states it; organs without a value are left out."""
    return [
        {"mean": round(sum(values[o]) / len(values[o]), 4), "n": len(values[o]), "organ": o, "set": about}
        for o in ORGANS
        if values.get(o)
    ]


def figures(config: Config) -> dict:
    """What `bundle.toml` states: Dice by network and organ, the router's accuracy, what int8 loses, each with n.

    Where nothing was measured, they are those of the bundle that the training started from; without one there are none.
    """
    try:
        chooser = calibration.chooser(config)
    except DataError:
        return previous_bundle.figures(config)
    cores = [core for core in chooser.cores if core.part == "test"]
    folds = ", ".join(sorted({core.fold for core in cores}))
    longer = previous_bundle.OTHER_FILES if config.finish_from is not None else ""
    about = f"HPA cores held out in {folds}, by that fold's networks{longer}"
    models: dict[str, list[dict]] = {}
    losses: dict[str, dict] = {}
    for name in (*ORGANS, *cross_validation.SINGLE):
        asked = [core for core in cores if name in cross_validation.SINGLE or core.organ == name]
        values = grouped(asked, lambda core: chooser.dice(core, name))
        if values:
            models[name] = _stated(values, about)
        loss = int8_loss(cores, chooser, name)
        if loss is not None:
            losses[name] = loss | {"set": about}
    serving, served = ModelChoice(chooser), {}
    for organ in ORGANS:
        server = serving.best(organ)
        if server is not None:
            values = grouped(cores, lambda core: serving.dice(core, organ) if core.organ == organ else None).get(organ, [])
            served[organ] = {"by": server, "dice": _stated({organ: values}, about)}
    result: dict = {"models": models, "int8": losses, "serving": served}
    voted = [core for core in cores if core.votes]
    if voted:
        right = sum(routed_name(core, config.router_limit) == core.organ for core in voted)
        result["router"] = {"value": round(right / len(voted), 4), "n": len(voted), "set": about}
    return result
