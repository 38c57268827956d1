"""Chooses how the networks' outputs are used: thresholds, smallest objects, holes, the router's temperature.

Everything is chosen on cores that the network in question has not been trained on, except the temperature of a router
on the baseline's trunk: its last layer has not seen them, the trunk has.
"""

from __future__ import annotations

from .. import ORGANS
from ..atomic_files import write_json
from ..config import Config
from ..errors import DataError
from ..training import previous_bundle
from . import cross_validation, thresholds
from .model_choice import ModelChoice
from .router_temperature import router_temperature


def chooser(config: Config) -> thresholds.Chooser:
    """The chooser over all measured cores."""
    return thresholds.Chooser(cross_validation.load(config))


def run(config: Config) -> dict:
    """Calibrate and write `calibration.json`: the router's part for this run, the rest for all."""
    result: dict = {"networks": {}, "serving": {}, "router": router_temperature(config)}
    try:
        choose = chooser(config)
    except DataError as error:
        # the router can be calibrated before any fold is measured
        result |= previous_bundle.choices(config)
        source = f"those of {config.finish_from}" if result["networks"] or result["serving"] else "0.5"
        print(f"thresholds stay at {source}: {error}")
        choose = thresholds.Chooser([])
    for name in (*ORGANS, *cross_validation.SINGLE):
        deciding = [core for core in choose.deciding(name) if core.has(name)]
        if deciding:
            result["networks"][name] = choose.final(name).__dict__ | {"n": len(deciding)}
    serving = ModelChoice(choose)
    for organ in ORGANS:
        server = serving.best(organ)
        if server is not None:
            result["serving"][organ] = {"by": server} | choose.final(server, organ).__dict__
    write_json(config.runs / "calibration.json", result)
    return result
