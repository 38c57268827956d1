"""Readers of the public data sets other than Kaggle's, each at its stated or estimated um/px."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Callable, Iterator

import numpy as np
from PIL import Image
from scipy import ndimage

from .. import ORGANS
from ..config import Config, KaggleFolder, OtherSet
from ..errors import DataError
from . import kaggle
from .pictures import Picture, cached, state_of

READER_VERSION = 4
"""Increase it when a reader's result changes, so that old cache files are no longer used."""

GLOMERULUS_UM = 190.0
"""Diameter of a human glomerulus, for sets that do not state their um/px."""

LUNG_PATCH_MPP = 0.65
"""um/px of the unlabelled lung patches, from the size of their red blood cells (7 um)."""


def _pairs(folder: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, image and mask of each image in `folder/images` that has a `folder/masks/NAME.png`."""
    images = sorted(p for p in (folder / "images").glob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".tif"))
    if not images:
        raise DataError(f"{folder / 'images'} holds no images (jpg, png or tif)")
    for path in images:
        mask_path = folder / "masks" / f"{path.stem}.png"
        if not mask_path.exists():
            raise DataError(f"{path} has no mask {mask_path}")
        image = np.asarray(Image.open(path).convert("RGB"))
        grey = np.asarray(Image.open(mask_path).convert("L"))
        mask = (grey > 127).astype(np.uint8)
        if grey.any() and not mask.any():
            raise DataError(f"{mask_path} holds no value over 127: a mask is white where there is an FTU, and black elsewhere")
        if image.shape[:2] != mask.shape:
            raise DataError(f"{path} is {image.shape[1]} x {image.shape[0]} px and its mask is of another size")
        yield path.stem, image, mask


def _fixed(kind: str, organ: str, mpp: float) -> Callable[[Path], Iterator[Picture]]:
    """A reader for a set with one organ at one um/px."""

    def read(folder: Path) -> Iterator[Picture]:
        for name, image, mask in _pairs(folder):
            yield Picture(id=name, set=kind, organ=organ, image=image, mask=mask, mpp=mpp)

    return read


def glomerulus_mpp(mask: np.ndarray) -> float:
    """um/px at which the largest glomerulus of a mask has its usual diameter, kept between 0.35 and 2.5."""
    labels, count = ndimage.label(mask)
    if count == 0:
        return 1.0
    area = np.bincount(labels.ravel())[1:].max()
    return float(np.clip(GLOMERULUS_UM / (2 * np.sqrt(area / np.pi)), 0.35, 2.5))


def _biopsies(folder: Path) -> Iterator[Picture]:
    """Renal biopsies at mixed magnification: every image is scaled to its own largest glomerulus."""
    for name, image, mask in _pairs(folder):
        yield Picture(id=name, set="kidney_biopsy", organ="kidney", image=image, mask=mask, mpp=glomerulus_mpp(mask))


def _lung_patches(folder: Path, side: int = 4) -> Iterator[Picture]:
    """Unlabelled lung patches. One is smaller than a routing cell, so `side` x `side` of them make one picture."""
    files = sorted(p for p in folder.glob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if len(files) < side * side:
        raise DataError(f"{folder} holds {len(files)} images (jpg or png); it takes {side * side} to make one picture")
    order = np.random.default_rng(7).permutation(len(files))
    for start in range(0, len(files) - side * side + 1, side * side):
        tiles = []
        for index in order[start : start + side * side]:
            tiles.append(np.asarray(Image.open(files[index]).convert("RGB").resize((112, 112), Image.Resampling.BOX)))
        rows = [np.concatenate(tiles[r * side : (r + 1) * side], axis=1) for r in range(side)]
        yield Picture(
            id=f"mosaic{start}",
            set="lung_patches",
            organ="lung",
            image=np.concatenate(rows, axis=0),
            mask=None,
            mpp=2 * LUNG_PATCH_MPP,
        )


def _core_parts(folder: Path) -> Iterator[Picture]:
    """Parts of target cores at a higher resolution: `parts.csv` or `patches.csv` names each (`file`), with its core (`id`),
    its organ and its um/px. What `ignore/FILE.png` marks (lettering over the tissue) is replaced by empty glass.
    """
    table = next((folder / name for name in ("parts.csv", "patches.csv") if (folder / name).exists()), None)
    if table is None:
        raise DataError(f"{folder} holds no patches.csv with the columns file, id, organ and pixel_size")
    pairs = {name: (image, mask) for name, image, mask in _pairs(folder)}
    with open(table, newline="", encoding="utf-8-sig") as file:
        for line in csv.DictReader(file):
            name, core, organ, mpp = (line.get(key) or "" for key in ("file", "id", "organ", "pixel_size"))
            try:
                scale = float(mpp)
            except ValueError:
                scale = 0.0
            if name not in pairs or organ not in ORGANS or not core or not 0.01 <= scale <= 1000:
                said = f"`{name}` of core `{core}`, organ `{organ}`, {mpp} um/px"
                raise DataError(f"{table}: {said} is no part of a core in images/")
            image, mask = pairs[name]
            ignored = folder / "ignore" / f"{name}.png"
            if ignored.exists():
                away = np.asarray(Image.open(ignored).convert("L")) > 127
                image, mask = np.where(away[:, :, None], np.uint8(255), image), np.where(away, np.uint8(0), mask)
            yield Picture(id=f"{core}_{name}", set=CORE_PARTS, organ=organ, image=image, mask=mask, mpp=scale)


CORE_PARTS = "core_parts"
"""The kind of set whose pictures show target cores (`CORE_...`): they are trained on only with their core."""

MASKED = (CORE_PARTS, "glas", "kidney_biopsy", "kidney_glomeruli", "kidney_pas", "prostate_glands")
"""Kinds of sets that have masks."""

READERS: dict[str, Callable[[Path], Iterator[Picture]]] = {
    CORE_PARTS: _core_parts,
    "glas": _fixed("glas", "largeintestine", 0.62),
    "kidney_biopsy": _biopsies,
    "kidney_glomeruli": _fixed("kidney_glomeruli", "kidney", 0.5),
    "kidney_pas": _fixed("kidney_pas", "kidney", 1.2),
    "prostate_glands": _fixed("prostate_glands", "prostate", 1.0),
    "lung_patches": _lung_patches,
}


def _kaggle_pictures(folder: KaggleFolder) -> Iterator[Picture]:
    for row in kaggle.read_rows(folder.path, folder.suffix):
        image, mask = kaggle.read_pair(row)
        yield Picture(
            id=row.id,
            set=folder.path.name,
            organ=row.organ,
            image=image,
            mask=mask.astype(np.uint8),
            mpp=row.mpp,
            target=folder.target,
            whole=True,
            plain=not row.overlay,
            measurable=row.measurable,
        )


def load_kaggle(config: Config, folder: KaggleFolder, mpp: float) -> list[Picture]:
    """All cores of a Kaggle folder at `mpp`, through the cache."""
    key = f"kaggle:{folder.target}:{folder.suffix and folder.suffix + ':'}{state_of(folder.path, READER_VERSION)}"
    return cached(config.common / "cache", key, mpp, lambda: _kaggle_pictures(folder))


def load_set(config: Config, other: OtherSet, mpp: float) -> list[Picture]:
    """All pictures of another set at `mpp`, through the cache."""
    if other.kind not in READERS:
        raise DataError(f"[[sets]]: kind `{other.kind}` is not known; known are {', '.join(READERS)}")
    key = f"{other.kind}:{state_of(other.path, READER_VERSION)}"
    return cached(config.common / "cache", key, mpp, lambda: READERS[other.kind](other.path))
