"""Measures the exported ONNX files on the held-out cores, at the cores' own resolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from . import ORGANS, bundle, kaggle, split
from .config import Config
from .metrics import clean, dice, resize_map
from .pictures import Picture, rescale
from .router import cell_tiles


def open_session(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """A CPU session for an ONNX file."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def held_out_cores(config: Config) -> list[Picture]:
    """The held-out cores as they are: own size, untouched pixels."""
    cores = []
    for folder in config.kaggle:
        if not folder.target:
            continue
        rows = kaggle.read_rows(folder.path)
        # `Row` says `overlay` where `Picture` says `plain`: read all, then split as the training does
        pictures = []
        for row in rows:
            mask = kaggle.rle_decode(row.rle, row.width, row.height).astype(np.uint8)
            image = kaggle.read_image(row.image)
            pictures.append(
                Picture(row.id, folder.path.name, row.organ, image, mask, row.mpp, True, True, not row.overlay)
            )
        chosen = split.choose(pictures, config.holdout, config.seed)
        cores += [p for p in pictures if p.id in chosen]
    return cores


def probability(session: onnxruntime.InferenceSession, core: Picture, mpp: float, tile: int) -> np.ndarray:
    """The probability for every pixel of a core, at the core's own size."""
    scaled = rescale(core, mpp).image
    height, width = scaled.shape[:2]
    rows, columns = -(-height // tile), -(-width // tile)
    whole = np.full((rows * tile, columns * tile, 3), 255, dtype=np.uint8)
    top, left = (rows * tile - height) // 2, (columns * tile - width) // 2
    whole[top : top + height, left : left + width] = scaled
    found = np.zeros(whole.shape[:2], dtype=np.float32)
    for y in range(0, whole.shape[0], tile):
        for x in range(0, whole.shape[1], tile):
            part = session.run(None, {"image": whole[None, y : y + tile, x : x + tile]})[0]
            found[y : y + tile, x : x + tile] = part[0, 0]
    return resize_map(found[top : top + height, left : left + width], core.image.shape[1], core.image.shape[0])


def core_votes(session: onnxruntime.InferenceSession, core: Picture, config: Config) -> np.ndarray:
    """The mean of the router's probabilities over a core's routing cells."""
    tiles = cell_tiles(rescale(core, config.router_mpp).image, config.router_tile, config.router_cell)
    return session.run(None, {"image": tiles})[0].mean(axis=0)


def by_organ(values: dict[str, list[float]], about: str) -> list[dict]:
    """Mean and n per organ, in the organs' order."""
    return [
        {"organ": organ, "mean": round(float(np.mean(values[organ])), 4), "n": len(values[organ]), "set": about}
        for organ in ORGANS
        if organ in values
    ]


def run(config: Config, out: Path) -> dict:
    """Measure the bundle in `out`; write `metrics.json` and put the figures into `bundle.toml`."""
    cores = held_out_cores(config)
    about = f"{len(cores)} held-out HPA cores"
    metrics: dict = {
        "held_out": {organ: sorted(c.id for c in cores if c.organ == organ) for organ in ORGANS},
        "overlay_cores": sorted(c.id for c in cores if not c.plain),
        "seed": config.seed,
        "how": "threshold 0.5 at the core's own size, no test-time augmentation, no removal of small objects",
        "models": {},
        "cleaned_how": "as `models`, then min_area and fill_holes of the bundle",
        "cleaned": {},
        "cores": {},
    }
    objects = bundle.read_json(config.work / "calibration.json").get("objects", {})
    for name in (*ORGANS, "baseline", "unet"):
        path = out / f"{name}.onnx"
        if not path.exists():
            continue
        session = open_session(path, config.threads)
        shape = objects.get(name if name in ORGANS else "all", {})
        values: dict[str, list[float]] = {}
        cleaned: dict[str, list[float]] = {}
        for core in cores:
            if name in ORGANS and core.organ != name:
                continue
            found = probability(session, core, config.mpp, config.tile) > 0.5
            value = dice(found, core.mask)
            values.setdefault(core.organ, []).append(value)
            area = shape.get("min_area", 0) * (config.mpp / core.mpp) ** 2
            tidy = clean(found, area, shape.get("fill_holes", False))
            cleaned.setdefault(core.organ, []).append(dice(tidy, core.mask))
            metrics["cores"].setdefault(core.id, {"organ": core.organ})[name] = round(value, 4)
        metrics["models"][name] = by_organ(values, about)
        metrics["cleaned"][name] = by_organ(cleaned, about)
    if (out / "router.onnx").exists():
        session = open_session(out / "router.onnx", config.threads)
        right = 0
        for core in cores:
            votes = core_votes(session, core, config)
            called = ORGANS[int(votes.argmax())]
            right += called == core.organ
            metrics["cores"].setdefault(core.id, {"organ": core.organ}).update(
                routed_to=called, confidence=round(float(votes.max()), 4)
            )
        metrics["router"] = {"value": round(right / max(1, len(cores)), 4), "n": len(cores), "set": about}
    bundle.write_json(out / "metrics.json", metrics)
    bundle.describe(config, out)
    return metrics
