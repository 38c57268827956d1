"""Checkpoints: averaged weights, and what their training has not seen."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import nn

from ..networks import organ_conditioning


def save(path: Path, state: dict) -> None:
    """Write a checkpoint atomically."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def load_average(path: Path, network: nn.Module) -> nn.Module:
    """Load the averaged weights of a checkpoint into `network`, ready for use."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict(organ_conditioning.completed(state["average"], network))
    return network.eval()


def progress(path: Path) -> float:
    """The progress of a checkpoint's run, 0..1."""
    return float(torch.load(path, map_location="cpu", weights_only=True)["progress"])


def pack(path: Path, out: Path) -> None:
    """Write a small copy of a checkpoint to `out`: averaged weights in fp16, without the state of the training.

    Other runs can start from it, it can be measured and exported, and its own run can resume from it: there the averaged
    weights take the place of the network's, and the optimiser's moments begin anew.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    kept = {name: value for name, value in state.items() if name not in ("network", "optimiser")}

    def small(value: torch.Tensor) -> torch.Tensor:
        return value.half() if value.dtype == torch.float32 and value.numel() > 1 else value

    kept["average"] = {name: small(value) for name, value in state["average"].items()}
    if "average" in kept.get("best", {}):
        kept["best"] = kept["best"] | {"average": {name: small(value) for name, value in kept["best"]["average"].items()}}
    out.parent.mkdir(parents=True, exist_ok=True)
    save(out, kept)


def kept_out(path: Path) -> set[str]:
    """What the training of a checkpoint has not seen, as `SET:ID`.

    A missing file, or one of a run that has not ended, is an error that says what to do.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: train it first")
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["progress"] < 1.0:
        raise FileNotFoundError(f"{path} belongs to a run that has not ended ({state['progress']:.0%}): let it end first")
    return set(state["kept_out"])
