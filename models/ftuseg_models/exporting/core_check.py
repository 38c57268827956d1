"""Runs a bundle's own files on the target cores, so that another program can be compared core by core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from .. import ORGANS
from ..config import Config
from ..data.pictures import Picture, rescale
from ..data.target_cores import read_cores
from ..data.tiles import cell_tiles
from ..onnx_graphs.sessions import open_session, probability
from ..training.metrics import dice


def core_votes(session: onnxruntime.InferenceSession, core: Picture, config: Config) -> np.ndarray:
    """The mean of the router's probabilities over a core's routing cells."""
    tiles = cell_tiles(rescale(core, config.router_mpp).image, config.router_tile, config.router_cell)
    return session.run(None, {"image": tiles})[0].mean(axis=0)


def files(config: Config, out: Path) -> dict:
    """Dice of every target core with the bundle's files, at threshold 0.5 and without clean-up.

    They say nothing about accuracy, since shipped models have been trained on these cores. They let another program that
    runs the same files be compared core by core.
    """
    sessions = {
        name: open_session(out / f"{name}.onnx", config.threads)
        for name in (*ORGANS, "baseline", "unet")
        if (out / f"{name}.onnx").exists()
    }
    router = open_session(out / "router.onnx", config.threads) if (out / "router.onnx").exists() else None
    found: dict[str, dict] = {}
    for folder in config.kaggle:
        for core in read_cores(folder) if folder.target else []:
            row: dict = {"organ": core.organ}
            for name, session in sessions.items():
                if name in (core.organ, "baseline", "unet"):
                    row[name] = round(dice(probability(session, core, config.mpp, config.tile) > 0.5, core.mask), 4)
            if router is not None:
                votes = core_votes(router, core, config)
                row |= {"routed_to": (*ORGANS, "other")[int(votes.argmax())], "confidence": round(float(votes.max()), 4)}
            found[core.id] = row
    return found
