"""Writes a bundle: the ONNX files of all trained models and `bundle.toml`, which describes them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable

import numpy as np
from torch import nn

from . import ORGANS, carried, evaluate, export, networks, parity, quantise, report, stages, train, unfamiliar
from .config import Config
from .files import read_json, write_json, write_text
from .serving import networks_of

NAME, VERSION = "ftuseg-cores", "0.6.0"

INT8_APART = 0.05
"""How far its probabilities may be, in the mean, from the network's own on the drawn tile.

That tile looks like no core of the calibration: a variant whose bytes cover only what it was calibrated on fails here.
"""


@dataclass(frozen=True)
class Entry:
    """One model of the bundle before it is exported."""

    name: str
    role: str
    checkpoint: Path

    def network(self, config: Config) -> nn.Module:
        """The trained network."""
        return stages.trained(config, self.name, self.checkpoint)


def entries(config: Config, baseline_for: Iterable[str] = ()) -> list[Entry]:
    """The models whose checkpoints exist. Organs of `baseline_for` take the baseline's weights."""
    found = []
    for name in (*ORGANS, "baseline", "unet"):
        role = "organ" if name in ORGANS else name
        path = config.checkpoint("baseline" if name in baseline_for else name)
        if path.exists():
            train.kept_out(path)  # an error where the run has not ended
            found.append(Entry(name, role, path))
    if not found:
        raise FileNotFoundError(f"{config.runs} holds no checkpoints (baseline.pt, kidney.pt, ...): train first")
    return found


def servers(config: Config, metrics: dict, stand_in: bool) -> dict[str, str]:
    """What answers for each organ that the bundle can serve: what was decided on held-out cores, else its own network.

    With `stand_in` the baseline serves organs that have no network.
    """
    found = {}
    for organ in ORGANS:
        own = config.checkpoint(organ).exists()
        by = metrics.get("serving", {}).get(organ, {}).get("by", organ)
        if not own and by != "baseline":
            by = "baseline" if stand_in else None
        if by is not None:
            found[organ] = by
    return found


def member(organ: str, source: str) -> str:
    """The name of a model that answers for an organ: the organ's, or `kidney-baseline` for a second one."""
    return organ if source == organ else f"{organ}-{source}"


def export_all(config: Config, out: Path, stand_in: bool = False) -> None:
    """Export every trained model and the router into `out`, then describe them in `bundle.toml`.

    A network's int8 variant is written where the folds' variants lost little enough (`int8` in `metrics.json`).
    """
    calibration = read_json(config.runs / "calibration.json")
    metrics = report.figures(config)
    earlier = _described_files(out)
    serving = servers(config, metrics, stand_in)
    decided = metrics.get("serving", {})
    # figures of something else that answers are no figures of this
    metrics["serving"] = {
        organ: decided[organ] if decided.get(organ, {}).get("by") == by else {"by": by} for organ, by in serving.items()
    }
    baseline_only = {organ for organ, by in serving.items() if by == "baseline"}
    parameters: dict[str, int] = {}
    samples: dict[str, list] = {}
    written: set[str] = set()
    for entry in entries(config, baseline_only):
        network = entry.network(config)
        parameters[entry.name] = networks.parameter_count(network)
        network = export.as_stored(network, config.tile)
        samples[entry.name] = parity.samples(network, config.tile)
        if entry.name in baseline_only:
            continue  # it shares the baseline's file
        model = export.to_onnx(network, config.tile)
        full = out / f"{entry.name}.onnx"
        export.write(model, full, halves=True)
        written.add(full.name)
        print(full)
        loss = metrics.get("int8", {}).get(entry.name)
        if loss is not None and loss["dice"] <= report.INT8_LOSS:
            small = out / f"{entry.name}.int8.onnx"
            export.write(quantise.to_int8(model, quantise.calibration_tiles(config, entry.name)), small)
            tile = parity.tile(config.tile)[None]
            answers = [evaluate.open_session(path, config.threads).run(None, {"image": tile})[0] for path in (small, full)]
            apart = float(np.abs(answers[0] - answers[1]).mean())
            if apart <= INT8_APART:
                written.add(small.name)
                print(small)
            else:
                print(f"{small} is not kept: on the drawn tile it is {apart:.2f} from the network's own answer")
    if (config.runs / "router.pt").exists():
        network = networks.build("router", router=config.router_network, encoder=config.encoder)
        parameters["router"] = networks.parameter_count(network)
        network = export.as_stored(train.load_average(config.runs / "router.pt", network), config.router_tile)
        temperature = calibration.get("router", {}).get("temperature", 1.0)
        other = unfamiliar.load(config.runs / "router.pt") if config.router_other else None
        model = export.to_onnx(network, config.router_tile, router=True, temperature=temperature, unfamiliar=other)
        export.write(model, out / "router.onnx")
        written.add("router.onnx")
        samples["router"] = parity.router_samples(network, config.router_tile, temperature, other)
        print(out / "router.onnx")
    for name in earlier - written:
        (out / name).unlink(missing_ok=True)  # of an earlier export: nothing here describes it any more
    for organ, by in serving.items():
        for source in networks_of(by)[1:]:
            # the same file under another name
            parameters[member(organ, source)], samples[member(organ, source)] = parameters[source], samples[source]
    write_json(config.runs / "parameters.json", parameters)
    parity.write(out, samples)
    metrics |= {"cores": evaluate.files(config, out), "cores_about": " ".join(evaluate.files.__doc__.split())}
    write_json(out / "metrics.json", metrics)
    describe(config, out)


def _described_files(out: Path) -> set[str]:
    """The files that the bundle in `out` speaks of, if there is one: names in this folder only."""
    if not (out / "bundle.toml").exists():
        return set()
    files = set()
    for model in carried.models_of(out):
        files |= {model.get("file", ""), model.get("int8", {}).get("file", "")}
    return {name for name in files if name and Path(name).name == name}


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
    calibration = read_json(config.runs / "calibration.json")
    parameters = read_json(config.runs / "parameters.json")
    text = "# Written by `ftuseg-models export`; RESULTS.md says how the figures were measured.\n"
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
                # one more output behind those of the organs: the probability of none of them
                "other": True if config.router_other and unfamiliar.load(config.runs / "router.pt") is not None else None,
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
        # without a decision on held-out cores, what is known of the network that answers
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
    """What `bundle.toml` says of the model `name`, which runs the network `source` for `target`, but for its Dice."""
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
        "min_area": round(choice.get("min_area_um2", 0.0) / config.mpp**2),
        "fill_holes": choice.get("fill_holes", False),
        "parameters": parameters.get(name),
    }
