"""Runs exported ONNX files on cores, at the cores' own resolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from . import ORGANS
from .config import Config
from .cores import read_cores
from .metrics import dice, resize_map
from .pictures import Picture, rescale
from .router import cell_tiles


def open_session(model: Path | bytes, threads: int = 0) -> onnxruntime.InferenceSession:
    """A CPU session for an ONNX file, or for the bytes of one."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def session_probability(session: onnxruntime.InferenceSession, picture: Picture, tile: int) -> np.ndarray:
    """The probability for every pixel of a picture that is at the network's um/px."""
    height, width = picture.image.shape[:2]
    rows, columns = -(-height // tile), -(-width // tile)
    whole = np.full((rows * tile, columns * tile, 3), 255, dtype=np.uint8)
    top, left = (rows * tile - height) // 2, (columns * tile - width) // 2
    whole[top : top + height, left : left + width] = picture.image
    found = np.zeros(whole.shape[:2], dtype=np.float32)
    for y in range(0, whole.shape[0], tile):
        for x in range(0, whole.shape[1], tile):
            part = session.run(None, {"image": whole[None, y : y + tile, x : x + tile]})[0]
            found[y : y + tile, x : x + tile] = part[0, 0]
    return found[top : top + height, left : left + width]


def probability(session: onnxruntime.InferenceSession, core: Picture, mpp: float, tile: int) -> np.ndarray:
    """The probability for every pixel of a core, at the core's own size."""
    found = session_probability(session, rescale(core, mpp), tile)
    return resize_map(found, core.image.shape[1], core.image.shape[0])


def core_votes(session: onnxruntime.InferenceSession, core: Picture, config: Config) -> np.ndarray:
    """The mean of the router's probabilities over a core's routing cells."""
    tiles = cell_tiles(rescale(core, config.router_mpp).image, config.router_tile, config.router_cell)
    return session.run(None, {"image": tiles})[0].mean(axis=0)


def files(config: Config, out: Path) -> dict:
    """Dice of every target core with the bundle's files, at threshold 0.5 and without clean-up.

    It says nothing of accuracy, since shipped models have been trained on these cores. With it, another program that
    runs the same files can be compared core by core.
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
