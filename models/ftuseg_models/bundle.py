"""Writes a bundle: the ONNX files of all trained models and `bundle.toml`, which describes them."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from . import ORGANS, export, networks, train
from .config import Config

NAME, VERSION = "ftuseg-first-light", "0.1.0"


@dataclass(frozen=True)
class Entry:
    """One model of the bundle before it is exported."""

    name: str
    role: str
    checkpoint: Path
    width: float = 1.0


def entries(config: Config, stand_in: bool = False) -> list[Entry]:
    """The models whose checkpoints exist. With `stand_in`, untrained organs take the baseline's weights."""
    found = []
    for name in (*ORGANS, "baseline", "unet"):
        path = config.work / f"{name}.pt"
        role = "organ" if name in ORGANS else name
        if not path.exists() and stand_in and role == "organ":
            path = config.work / "baseline.pt"
        if path.exists():
            found.append(Entry(name, role, path, config.stage(name).width))
    if not found:
        raise FileNotFoundError(f"{config.work} holds no checkpoints (baseline.pt, kidney.pt, ...): train first")
    return found


def read_json(path: Path) -> dict:
    """A JSON file's content, or an empty dictionary where there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_json(path: Path, content: dict) -> None:
    """Write JSON whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(part, path)


def export_all(config: Config, out: Path, stand_in: bool = False) -> None:
    """Export every trained model and the router into `out`, then describe them in `bundle.toml`."""
    calibration = read_json(config.work / "calibration.json")
    parameters: dict[str, int] = {}
    for entry in entries(config, stand_in):
        network = networks.build(entry.role, entry.width)
        parameters[entry.name] = networks.parameter_count(network)
        train.load_average(entry.checkpoint, network)
        export.write(export.to_onnx(network, config.tile), out / f"{entry.name}.onnx")
        print(f"{out / entry.name}.onnx")
    if (config.work / "router.pt").exists():
        network = networks.build("router", router=config.router_network)
        parameters["router"] = networks.parameter_count(network)
        train.load_average(config.work / "router.pt", network)
        temperature = calibration.get("temperature", 1.0)
        model = export.to_onnx(network, config.router_tile, router=True, temperature=temperature)
        export.write(model, out / "router.onnx")
        print(f"{out / 'router'}.onnx")
    write_json(config.work / "parameters.json", parameters)
    describe(config, out)


def _value(value: object) -> str:
    """A TOML value. Only what `bundle.toml` needs."""
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
    calibration = read_json(config.work / "calibration.json")
    parameters = read_json(config.work / "parameters.json")
    text = "# Written by `ftuseg-models export` and `evaluate`; the figures are measured on the files beside it.\n"
    head = {
        "name": NAME,
        "version": VERSION,
        "licence": "research use",
        "description": "One EfficientNet-B0 U-Net per organ behind an organ classifier; all trained from scratch.",
    }
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
                "output": "probability",
                "limit": config.router_limit,
                "fallback": "baseline",
                "parameters": parameters.get("router"),
                "accuracy": metrics.get("router"),
            },
        )
    for name in (*ORGANS, "baseline", "unet"):
        path = out / f"{name}.onnx"
        if not path.exists():
            continue
        organ = name if name in ORGANS else None
        shape = calibration.get("objects", {}).get(organ or "all", {})
        text += _table(
            "[[model]]",
            {
                "name": name,
                "role": "organ" if organ else name,
                "organ": organ,
                "file": path.name,
                "sha256": _sha256(path),
                "input": "uint8-nhwc",
                "output": "probability",
                "tile": config.tile,
                "mpp": config.mpp,
                "overlap": 64,
                "threshold": 0.5,
                "min_area": shape.get("min_area", 20),
                "fill_holes": shape.get("fill_holes", True),
                "parameters": parameters.get(name),
                "dice": metrics.get("models", {}).get(name),
            },
        )
    part = out / "bundle.toml.part"
    part.write_text(text, encoding="utf-8")
    os.replace(part, out / "bundle.toml")
