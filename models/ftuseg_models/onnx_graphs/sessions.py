"""Runs exported ONNX files on cores, at the cores' own resolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from ..data.pictures import Picture, rescale
from ..networks.inference import resize_map


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
