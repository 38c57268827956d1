"""Training pictures at a known um/px, rescaled and cached in one file per set."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Picture:
    """An image and, where there is one, its mask, at a known um/px."""

    id: str
    set: str
    organ: str
    image: np.ndarray
    """height x width x 3, uint8"""
    mask: np.ndarray | None
    """height x width, uint8, 0 or 1; None where only the organ is known"""
    mpp: float
    target: bool = False
    """A real core of the domain the models are for."""
    whole: bool = False
    """A whole core, surrounded by glass; otherwise the tissue continues beyond the picture."""
    plain: bool = True
    """False for a core that was un-blended from a figure."""
    measurable: bool = True
    """False for a picture whose colours were changed or removed: it is trained on, but never measured on."""


def rescale(picture: Picture, mpp: float) -> Picture:
    """The picture at another um/px. Shrinking averages; enlarging interpolates."""
    height, width = picture.image.shape[:2]
    factor = picture.mpp / mpp
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size == (width, height):
        return Picture(**{**picture.__dict__, "mpp": mpp})
    # PIL widens its bilinear filter when shrinking: the same antialiased triangle as the engine's
    image = np.array(Image.fromarray(picture.image).resize(size, Image.Resampling.BILINEAR))
    mask = picture.mask
    if mask is not None:
        grey = Image.fromarray((mask > 0).astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
        mask = (np.asarray(grey) >= 128).astype(np.uint8)
    return Picture(**{**picture.__dict__, "image": image, "mask": mask, "mpp": mpp})


def cached(cache: Path, key: str, mpp: float, source: Callable[[], Iterable[Picture]]) -> list[Picture]:
    """The pictures of `source` at `mpp`, from the cache if it has them.

    `key` must identify the folder and its state (see `state_of`): each key has its own file.
    """
    name = hashlib.sha256(f"{key}@{mpp}".encode()).hexdigest()[:12]
    path = Path(cache) / f"{name}.npz"
    if path.exists():
        with np.load(path) as stored:
            metas = json.loads(str(stored["metas"]))
            return [
                Picture(
                    **{k: v for k, v in meta.items() if k != "has_mask"},
                    image=stored[f"image{i}"],
                    mask=stored[f"mask{i}"] if meta["has_mask"] else None,
                )
                for i, meta in enumerate(metas)
            ]
    pictures = [rescale(p, mpp) for p in source()]
    arrays: dict[str, np.ndarray] = {}
    metas = []
    for i, p in enumerate(pictures):
        arrays[f"image{i}"] = p.image
        if p.mask is not None:
            arrays[f"mask{i}"] = p.mask
        metas.append(
            {k: v for k, v in p.__dict__.items() if k not in ("image", "mask")} | {"has_mask": p.mask is not None}
        )
    arrays["metas"] = np.array(json.dumps(metas))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{name}.{os.getpid()}.part.npz")
    np.savez_compressed(part, **arrays)
    os.replace(part, path)
    return pictures


def state_of(folder: Path, version: int) -> str:
    """A text that changes when files of `folder` are added, removed or resized, when a table in it changes, or the
    reader's `version` grows."""
    files = sorted(f for f in Path(folder).rglob("*") if f.is_file() and f.suffix != ".md")
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(folder)}:{file.stat().st_size}\n".encode())
        if file.suffix == ".csv":
            # a changed organ or um/px may leave the size as it is
            digest.update(file.read_bytes())
    return f"{Path(folder).resolve()}:{version}:{digest.hexdigest()}"
