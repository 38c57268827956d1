"""Writes `bundle.toml`: what each file of a bundle is, how to use it, and how good it is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .. import ORGANS
from ..atomic_files import read_json, write_text
from ..config import Config
from ..measuring.model_choice import networks_of
from ..measuring.thresholds import AREAS_UM2
from ..networks import other_tissue
from ..networks.encoders import title
from . import training_images

NAME = "ftuseg-cores"
VERSION = "0.7.0"


def origin(config: Config) -> str:
    """What the networks started from, in words."""
    if not config.weights:
        return "all trained from random weights"
    return f"their encoders started from {'ImageNet' if config.weights == 'imagenet' else 'given'} weights"


def member(organ: str, source: str) -> str:
    """The name of a model that serves an organ: the organ's, or `kidney-baseline` for a second one."""
    return organ if source == organ else f"{organ}-{source}"


def _value(value: object) -> str:
    """A TOML value, as far as `bundle.toml` needs it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + "".join(f"    {_value(v)},\n" for v in value) + "]"
    return "[" + ", ".join(_value(v) for v in value) + "]"


def _table(head: str, values: dict) -> str:
    return f"\n{head}\n" + "".join(f"{k} = {_value(v)}\n" for k, v in values.items() if v not in (None, []))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def describe(config: Config, out: Path) -> None:
    """Write `out/bundle.toml` for the ONNX files in `out`, with the measured Dice where there is one."""
    metrics = read_json(out / "metrics.json")
    calibration = read_json(config.runs / "calibration.json")
    parameters = read_json(config.runs / "parameters.json")
    text = "# Written by `ftuseg-models export`; RESULTS.md says how the figures were measured.\n"
    head = {
        "name": NAME,
        "version": VERSION,
        "licence": "research use",
        "description": f"{title(config.encoder)} U-Nets behind an organ classifier; {origin(config)}.",
    }
    if (out / training_images.NAME).exists():
        head["training_images"] = {"file": training_images.NAME, "sha256": _sha256(out / training_images.NAME)}
    text += "".join(f"{k} = {_value(v)}\n" for k, v in head.items())
    if (out / "router.onnx").exists():
        text += _table(
            "[router]",
            {
                "file": "router.onnx",
                "sha256": _sha256(out / "router.onnx"),
                "input": "uint8-nhwc",
                "tile": config.router_tile,
                "mpp": config.router_mpp,
                "cell": config.router_cell,
                "organs": list(ORGANS),
                # one more output after those of the organs: the probability of none of them
                "other": True if config.router_other and other_tissue.load(config.runs / "router.pt") is not None else None,
                "output": "probability",
                "limit": config.router_limit,
                "fallback": "baseline",
                "parameters": parameters.get("router"),
                "accuracy": metrics.get("router"),
            },
        )
    for name in (*ORGANS, "baseline", "unet"):
        served = metrics.get("serving", {}).get(name, {})
        sources = networks_of(served.get("by", name))
        # without a choice on held-out cores, what is known of the network that serves
        choice = calibration.get("serving", {}).get(name, {})
        if choice.get("by") != served.get("by", name):
            choice = calibration.get("networks", {}).get(sources[0], {})
        known = metrics.get("models", {}).get(sources[0], [])
        dice = served.get("dice") or [d for d in known if name not in ORGANS or d["organ"] == name]
        for place, source in enumerate(sources):
            # what serves an organ alone has the organ's name, whatever its file
            called = name if place == 0 else member(name, source)
            if called in parameters:
                values = _model(config, called, name, source, out, metrics, choice, parameters)
                text += _table("[[model]]", values | {"dice": dice})
    write_text(out / "bundle.toml", text)


def _model(
    config: Config, name: str, target: str, source: str, out: Path, metrics: dict, choice: dict, parameters: dict
) -> dict:
    """The entry of the model `name`, which runs the network `source` for `target`, without its Dice."""
    organ = target if target in ORGANS else None
    small = out / f"{source}.int8.onnx"
    int8 = None
    if small.exists():
        loss = metrics.get("int8", {}).get(source)
        int8 = {"file": small.name, "sha256": _sha256(small)} | ({"loss": loss} if loss else {})
    return {
        "name": name,
        "role": "organ" if organ else target,
        "organ": organ,
        "file": f"{source}.onnx",
        "sha256": _sha256(out / f"{source}.onnx"),
        "int8": int8,
        "input": "uint8-nhwc",
        "output": "probability",
        "tile": config.tile,
        "mpp": config.mpp,
        "overlap": config.overlap,
        "threshold": choice.get("threshold", 0.5),
        "min_area_um2": choice.get("min_area_um2", AREAS_UM2[0]),
        "fill_holes": choice.get("fill_holes", False),
        "parameters": parameters.get(name),
    }
