"""Exports a bundle: the ONNX files of all trained models and `bundle.toml`, which describes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterable

import numpy as np
from torch import nn

from .. import ORGANS
from ..atomic_files import read_json, write_json
from ..config import Config
from ..measuring import comparisons, figures
from ..measuring.model_choice import networks_of
from ..measuring.tables import MOST_MB
from ..networks import architectures, other_tissue
from ..onnx_graphs import conversion, quantisation, sessions
from ..training import checkpoints, jobs, previous_bundle
from . import core_check, parity, training_images
from .bundle_toml import describe, member

INT8_APART = 0.05
"""Largest mean difference between an int8 variant's probabilities and the network's own on the drawn tile.

That tile looks like none of the calibration cores: a variant that covers only what it was calibrated on fails here.
"""


@dataclass(frozen=True)
class Entry:
    """One model of the bundle before it is exported."""

    name: str
    role: str
    checkpoint: Path

    def network(self, config: Config) -> nn.Module:
        """The trained network."""
        return jobs.trained(config, self.name, self.checkpoint)


def entries(config: Config, baseline_for: Iterable[str] = ()) -> list[Entry]:
    """The models whose checkpoints exist. Organs of `baseline_for` take the baseline's weights."""
    found = []
    for name in (*ORGANS, "baseline", "unet"):
        role = "organ" if name in ORGANS else name
        path = config.checkpoint("baseline" if name in baseline_for else name)
        if path.exists():
            checkpoints.kept_out(path)  # an error where the run has not ended
            found.append(Entry(name, role, path))
    if not found:
        raise FileNotFoundError(f"{config.runs} holds no checkpoints (baseline.pt, kidney.pt, ...): train first")
    return found


def servers(config: Config, metrics: dict, stand_in: bool) -> dict[str, str]:
    """What serves each organ of the bundle: what was chosen on held-out cores, else its own network.

    With `stand_in` the baseline serves organs that have no network.
    """
    found = {}
    for organ in ORGANS:
        own = config.checkpoint(organ).exists()
        by = metrics.get("serving", {}).get(organ, {}).get("by", organ)
        # chosen over a network of its own, or for want of one
        chosen = by == "baseline" and organ in metrics.get("models", {})
        if not own and not chosen:
            by = "baseline" if stand_in else None
        if by is not None:
            found[organ] = by
    return found


def left_out(out: Path, written: set[str], metrics: dict) -> set[str]:
    """Delete int8 variants until the files have at most `MOST_MB` together: the U-Net's first, since it is there for
    comparison, then those that lose most. Returns the names of those that were deleted."""
    sizes = {name: (out / name).stat().st_size / 1e6 for name in written}

    def loss(name: str) -> float:
        network = name.removesuffix(".int8.onnx")
        return float("inf") if network == "unet" else metrics.get("int8", {}).get(network, {}).get("dice", 0.0)

    gone: set[str] = set()
    for name in sorted((name for name in written if name.endswith(".int8.onnx")), key=lambda name: (-loss(name), name)):
        total = sum(size for other, size in sizes.items() if other not in gone)
        if total <= MOST_MB:
            break
        gone.add(name)
        (out / name).unlink()
        print(f"{out / name} is left out: the files have {total:.1f} MB together, and {MOST_MB} are allowed")
    return gone


def export_all(config: Config, out: Path, stand_in: bool = False) -> None:
    """Export every trained model and the router into `out`, then describe them in `bundle.toml`.

    A network's int8 variant is written where the folds' variants lost little enough (`int8` in `metrics.json`).
    """
    calibration = read_json(config.runs / "calibration.json")
    metrics = figures.figures(config)
    earlier = _described_files(out)
    serving = servers(config, metrics, stand_in)
    decided = metrics.get("serving", {})
    # figures of another choice do not apply
    metrics["serving"] = {
        organ: decided[organ] if decided.get(organ, {}).get("by") == by else {"by": by} for organ, by in serving.items()
    }
    baseline_only = {organ for organ, by in serving.items() if by == "baseline"}
    parameters: dict[str, int] = {}
    samples: dict[str, list] = {}
    written: set[str] = set()
    for entry in entries(config, baseline_only):
        network = entry.network(config)
        parameters[entry.name] = architectures.parameter_count(network)
        network = conversion.as_stored(network, config.tile)
        samples[entry.name] = parity.samples(network, config.tile)
        if entry.name in baseline_only:
            continue  # it shares the baseline's file
        model = conversion.to_onnx(network, config.tile)
        full = out / f"{entry.name}.onnx"
        conversion.write(model, full, halves=True)
        written.add(full.name)
        print(full)
        loss = metrics.get("int8", {}).get(entry.name)
        if loss is not None and loss["dice"] <= comparisons.INT8_LOSS:
            small = out / f"{entry.name}.int8.onnx"
            conversion.write(quantisation.to_int8(model, quantisation.calibration_tiles(config, entry.name)), small)
            tile = parity.tile(config.tile)[None]
            answers = [sessions.open_session(path, config.threads).run(None, {"image": tile})[0] for path in (small, full)]
            apart = float(np.abs(answers[0] - answers[1]).mean())
            if apart <= INT8_APART:
                written.add(small.name)
                print(small)
            else:
                print(f"{small} is not kept: on the drawn tile it is {apart:.2f} from the network's own answer")
    if (config.runs / "router.pt").exists():
        network = architectures.build("router", router=config.router_network, encoder=config.encoder)
        parameters["router"] = architectures.parameter_count(network)
        network = conversion.as_stored(checkpoints.load_average(config.runs / "router.pt", network), config.router_tile)
        temperature = calibration.get("router", {}).get("temperature", 1.0)
        other = other_tissue.load(config.runs / "router.pt") if config.router_other else None
        model = conversion.to_onnx(network, config.router_tile, router=True, temperature=temperature, other_tissue=other)
        conversion.write(model, out / "router.onnx")
        written.add("router.onnx")
        samples["router"] = parity.router_samples(network, config.router_tile, temperature, other)
        print(out / "router.onnx")
    written -= left_out(out, written, metrics)
    for name in earlier - written:
        (out / name).unlink(missing_ok=True)  # left over from an earlier export
    for organ, by in serving.items():
        for source in networks_of(by)[1:]:
            # the same file under another name
            parameters[member(organ, source)], samples[member(organ, source)] = parameters[source], samples[source]
    write_json(config.runs / "parameters.json", parameters)
    parity.write(out, samples)
    metrics |= {"cores": core_check.files(config, out), "cores_about": " ".join(core_check.files.__doc__.split())}
    write_json(out / "metrics.json", metrics)
    training_images.write(config, out)
    describe(config, out)


def _described_files(out: Path) -> set[str]:
    """The files that the bundle in `out` names, if there is one; only those in this folder."""
    if not (out / "bundle.toml").exists():
        return set()
    files = set()
    for model in previous_bundle.models_of(out):
        files |= {model.get("file", ""), model.get("int8", {}).get("file", "")}
    return {name for name in files if name and Path(name).name == name}
