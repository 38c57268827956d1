"""Runs exported ONNX files on cores, at the cores' own resolution."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import numpy as np
import onnxruntime

from . import ORGANS, kaggle, split
from .config import Config, KaggleFolder
from .metrics import dice, resize_map
from .pictures import Picture, rescale
from .router import cell_tiles


def open_session(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """A CPU session for an ONNX file."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True)
class CoreRow:
    """A core that is not read yet: what splits need to know of it, and its row."""

    row: kaggle.Row

    @property
    def id(self) -> str:
        """Its id."""
        return self.row.id

    @property
    def organ(self) -> str:
        """Its organ."""
        return self.row.organ

    @property
    def plain(self) -> bool:
        """False for a core that was un-blended from a figure."""
        return not self.row.overlay

    def read(self, set_name: str) -> Picture:
        """The core as it is: own size, untouched pixels."""
        row = self.row
        mask = kaggle.rle_decode(row.rle, row.width, row.height).astype(np.uint8)
        return Picture(row.id, set_name, row.organ, kaggle.read_image(row.image), mask, row.mpp, True, True, self.plain)


def core_rows(folder: KaggleFolder) -> list[CoreRow]:
    """The cores of a Kaggle folder, unread."""
    return [CoreRow(row) for row in kaggle.read_rows(folder.path)]


def read_cores(folder: KaggleFolder) -> Iterator[Picture]:
    """The cores of a Kaggle folder as they are, one at a time: 351 of 3000 px would fill the memory."""
    for core in core_rows(folder):
        yield core.read(folder.path.name)


def held_out_ids(config: Config) -> dict[str, str]:
    """The ids that the configuration holds out, each with its part: `test`, or `validation` where cores of their own decide."""
    parts: dict[str, str] = {}
    for folder in config.kaggle:
        if folder.target:
            cores = core_rows(folder)
            decide = split.validation(cores, config)
            parts |= {i: "validation" if i in decide else "test" for i in sorted(split.held_out(cores, config))}
    return parts


def held_out_cores(config: Config) -> Iterator[Picture]:
    """The cores that the configuration holds out, as they are, one at a time."""
    parts = held_out_ids(config)
    for folder in config.kaggle:
        if folder.target:
            for core in core_rows(folder):
                if core.id in parts:
                    yield core.read(folder.path.name)


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
                row |= {"routed_to": ORGANS[int(votes.argmax())], "confidence": round(float(votes.max()), 4)}
            found[core.id] = row
    return found
