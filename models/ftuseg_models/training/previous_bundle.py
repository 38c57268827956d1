"""Takes over figures and decisions from a bundle whose files the training started from.

Where only a bundle is left, the folds' networks and what was measured with them are gone. What that bundle states is still the
best estimate for the recipe, and the new bundle says that its files are not the networks that were measured.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from ..atomic_files import read_json
from ..config import Config
from ..errors import DataError

OTHER_FILES = "; the shipped files are not these networks, see models/README.md"
"""Appended to figures that were measured with other networks than those in the bundle."""


def models_of(folder: Path) -> list[dict]:
    """The models that a bundle's `bundle.toml` describes."""
    path = folder / "bundle.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")).get("model", [])
    except OSError as error:
        raise FileNotFoundError(f"cannot read {path}: {error.strerror}; `finish_from` names a bundle's folder") from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path}: {error}") from error


def file_of(folder: Path, name: str) -> Path:
    """The file that a bundle uses for `name`: its own, or the one that serves it."""
    files = {model["name"]: model["file"] for model in models_of(folder)}
    if name not in files:
        raise DataError(f"{folder / 'bundle.toml'} has no model `{name}`; it has {', '.join(sorted(files))}")
    return folder / files[name]


def figures(config: Config) -> dict:
    """The figures that the bundle of `finish_from` states, as from `measuring.figures.figures`; empty if there is none."""
    if not isinstance(config.finish_from, Path):
        return {}
    stated = read_json(config.finish_from / "metrics.json")
    # what its own files give on the cores says nothing of the new ones
    told = {key: value for key, value in stated.items() if key in ("models", "int8", "router")}
    return {key: _of_other_files(value) for key, value in (told | {"serving": _serving(config.finish_from)}).items()}


def _serving(folder: Path) -> dict[str, dict]:
    """What serves each organ in a bundle, with its Dice."""
    found: dict[str, dict] = {}
    for model in models_of(folder):
        if model.get("role") == "organ":
            served = found.setdefault(model["organ"], {"by": [], "dice": model.get("dice", [])})
            served["by"].append(Path(model["file"]).stem)
    return {organ: served | {"by": "+".join(served["by"])} for organ, served in found.items()}


def _of_other_files(value):
    """The same figures; each `set` says that the shipped files are not what was measured."""
    if isinstance(value, list):
        return [_of_other_files(part) for part in value]
    if not isinstance(value, dict):
        return value
    value = {key: _of_other_files(part) for key, part in value.items()}
    if isinstance(value.get("set"), str) and OTHER_FILES not in value["set"]:
        value["set"] += OTHER_FILES
    return value


def min_area_um2(model: dict) -> float:
    """The smallest object that a model's entry in bundle.toml keeps, um2: older bundles state it in px of the model."""
    return model.get("min_area_um2", model.get("min_area", 0.0) * model["mpp"] ** 2)


def choices(config: Config) -> dict[str, dict]:
    """The thresholds and clean-up of the bundle of `finish_from`, as from `calibration.run`: `networks` for each network,
    `serving` for each organ. Both are empty if there is no such bundle."""
    found: dict[str, dict] = {"networks": {}, "serving": {}}
    if not isinstance(config.finish_from, Path):
        return found
    serving = figures(config).get("serving", {})
    for model in models_of(config.finish_from):
        choice = {
            "threshold": model["threshold"],
            "min_area_um2": min_area_um2(model),
            "fill_holes": model["fill_holes"],
        }
        if model.get("organ") in serving:
            found["serving"][model["organ"]] = {"by": serving[model["organ"]]["by"]} | choice
        else:
            found["networks"][model["name"]] = choice | {"n": sum(dice["n"] for dice in model.get("dice", []))}
    return found
