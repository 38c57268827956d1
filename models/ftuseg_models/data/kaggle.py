"""Reads folders in the layout of the Kaggle challenge: `train.csv` with RLE masks, `train_images/ID.tiff`."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from scipy import ndimage

from .. import ORGANS
from ..errors import DataError


@dataclass(frozen=True)
class Row:
    """One row of `train.csv`."""

    id: str
    organ: str
    width: int
    height: int
    mpp: float
    rle: str
    overlay: bool
    """The image was un-blended from a figure and can carry a light rim along the mask's edge."""
    image: Path
    measurable: bool = True
    """False for a picture whose colours were changed or removed: it is trained on, but never measured on."""


TRAIN_ONLY = ("gray", "augmented", "inverted")
"""Values of the column `cut_from` for such pictures."""


def rle_decode(rle: str, width: int, height: int) -> np.ndarray:
    """The mask (height x width, bool) of a run-length encoding that runs down columns, counted from 1."""
    try:
        numbers = np.array(rle.split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise DataError(f"the RLE holds something that is no number: {error}") from error
    if len(numbers) % 2:
        raise DataError("the RLE holds an odd number of numbers: the last run has no length")
    starts, lengths = numbers[0::2] - 1, numbers[1::2]
    if len(starts) and (
        # the sum of two hostile numbers could overflow
        starts.min() < 0 or lengths.min() < 1 or starts.max() >= width * height or (lengths > width * height - starts).any()
    ):
        raise DataError(f"the RLE leaves an image of {width} x {height} px")
    flat = np.zeros(width * height, dtype=bool)
    for start, length in zip(starts, lengths):
        flat[start : start + length] = True
    return flat.reshape(width, height).T


def rle_encode(mask: np.ndarray) -> str:
    """The run-length encoding of a mask (non-zero pixels), down columns, counted from 1."""
    flat = np.concatenate([[0], (mask.T != 0).ravel().astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(flat)) + 1
    edges[1::2] -= edges[0::2]
    return " ".join(map(str, edges))


def read_rows(folder: Path, suffix: str = "") -> list[Row]:
    """The rows of `folder/train.csv`, in the file's order. A `suffix` is appended to their ids after a `_`."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    table = Path(folder) / "train.csv"
    rows = []
    try:
        # Excel writes a byte order mark
        with open(table, newline="", encoding="utf-8-sig") as file:
            for line in csv.DictReader(file):
                organ = line["organ"]
                if organ not in ORGANS:
                    raise DataError(f"{table}: `{organ}` (id {line['id']}) is not one of {', '.join(ORGANS)}")
                image = Path(folder) / "train_images" / f"{line['id']}.tiff"
                try:
                    width, height, mpp = int(line["img_width"]), int(line["img_height"]), float(line["pixel_size"])
                except (TypeError, ValueError) as error:
                    raise DataError(f"{table}, id {line['id']}: size or um/px is no number: {error}") from error
                if width < 1 or height < 1 or not 0.01 <= mpp <= 1000 or line["rle"] is None:
                    raise DataError(
                        f"{table}, id {line['id']}: {width} x {height} px at {mpp} um/px with RLE {line['rle']!r:.20} "
                        "is no image"
                    )
                overlay = line.get("cut_from") == "overlay"
                shown = line.get("cut_from") not in TRAIN_ONLY
                name = f"{line['id']}_{suffix}" if suffix else line["id"]
                rows.append(Row(name, organ, width, height, mpp, line["rle"], overlay, image, shown))
    except OSError as error:
        raise DataError(f"cannot read {table}: {error.strerror}; a Kaggle folder holds train.csv") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{table} is no CSV table in UTF-8: {error}") from error
    except KeyError as error:
        raise DataError(f"{table} has no column {error}; Kaggle's train.csv has it") from error
    return rows


def read_image(path: Path) -> np.ndarray:
    """The first level of a TIFF as height x width x 3, uint8."""
    try:
        image = tifffile.imread(path, series=0, level=0)
    except (OSError, ValueError, tifffile.TiffFileError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    image = np.squeeze(image)
    if image.ndim == 3 and image.shape[0] == 3 and image.shape[2] != 3:
        image = np.moveaxis(image, 0, 2)
    if image.ndim != 3 or image.shape[2] < 3 or image.dtype != np.uint8:
        raise DataError(f"{path}: expected an RGB image of 8 bits, got shape {image.shape}, {image.dtype}")
    return np.ascontiguousarray(image[:, :, :3])


def read_core(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Image (uint8 RGB) and mask (bool) of a row, as they are."""
    image = read_image(row.image)
    if image.shape[:2] != (row.height, row.width):
        raise DataError(f"{row.image} is {image.shape[1]} x {image.shape[0]} px, train.csv says {row.width} x {row.height}")
    try:
        return image, rle_decode(row.rle, row.width, row.height)
    except DataError as error:
        raise DataError(f"{row.image.parent.parent / 'train.csv'}, id {row.id}: {error}") from error


def read_pair(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Image (uint8 RGB) and mask (bool) of a row, with the rim of un-blended images removed."""
    image, mask = read_core(row)
    return (blur_rim(image, mask) if row.overlay else image), mask


def blur_rim(image: np.ndarray, mask: np.ndarray, reach: int = 2) -> np.ndarray:
    """Blur a band of `reach` px on both sides of the mask's edge.

    A blurred band in itself would tell a network where the edge is. So the same blur also runs along the edges of
    mirrored copies of the mask, where no edge is.
    """
    blurred = np.stack([ndimage.gaussian_filter(image[:, :, c].astype(np.float32), 1.6) for c in range(3)], axis=2)
    band = np.zeros(mask.shape, dtype=bool)
    for shape in (mask, mask[:, ::-1], mask[::-1]):
        grown = ndimage.binary_dilation(shape, iterations=reach)
        shrunk = ndimage.binary_erosion(shape, iterations=reach, border_value=1)
        band |= grown & ~shrunk
    return np.where(band[:, :, None], np.clip(blurred + 0.5, 0, 255).astype(np.uint8), image)
