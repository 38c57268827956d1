"""Finds what is done with the networks' answers: thresholds, smallest objects, holes, the router's temperature.

Everything is decided on cores that the network in question has not been trained on; which holes are filled, on the
truth of the training cores.
"""

from __future__ import annotations

from scipy import ndimage

from . import ORGANS, measured, stages, thresholds
from .config import Config
from .files import write_json
from .kaggle import DataError
from .pictures import Picture
from .router import router_temperature


def holes_are_rare(pictures: list[Picture]) -> bool:
    """Whether less than 2 % of the true objects' area are holes, so that a found hole is more likely a mistake."""
    holes = filled = 0
    for picture in pictures:
        whole = ndimage.binary_fill_holes(picture.mask)
        holes += int(whole.sum()) - int(picture.mask.sum())
        filled += int(whole.sum())
    return filled > 0 and holes < 0.02 * filled


def fill_rules(config: Config) -> dict[str, bool]:
    """Which networks' holes are filled."""
    cores = [p for p in stages.load_data(config, config.mpp).training if p.target]
    rules = {organ: holes_are_rare([p for p in cores if p.organ == organ]) for organ in ORGANS}
    return rules | dict.fromkeys(measured.SINGLE, all(rules.values()))


def chooser(config: Config) -> thresholds.Chooser:
    """The chooser over all measured cores."""
    return thresholds.Chooser(measured.load(config), fill_rules(config))


def run(config: Config) -> dict:
    """Calibrate and write `calibration.json`: the router's part for this run, the rest for all."""
    result: dict = {"networks": {}, "router": router_temperature(config)}
    try:
        choose = chooser(config)
    except DataError as error:
        # the router can be calibrated before any fold is
        print(f"thresholds stay at 0.5: {error}")
        choose = thresholds.Chooser([], {})
    for name in (*ORGANS, *measured.SINGLE):
        deciding = [core for core in choose.cores if name in core.maps and thresholds.serves(core, name)]
        if deciding:
            result["networks"][name] = choose.final(name).__dict__ | {"n": len(deciding)}
    write_json(config.runs / "calibration.json", result)
    return result
