"""Small pictures drawn here: no test needs data from elsewhere."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))

from ftuseg_models import ORGANS
from ftuseg_models.data import kaggle
from ftuseg_models.data.pictures import Picture

torch.set_num_threads(1)


def red_squares(side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A grey-green disc of tissue on white glass with some red squares on it, and the mask of the squares."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    image = np.full((side, side, 3), 255, dtype=np.uint8)
    image[(x - side / 2) ** 2 + (y - side / 2) ** 2 < (0.47 * side) ** 2] = (120, 160, 120)
    mask = np.zeros((side, side), dtype=np.uint8)
    for _ in range(4):
        top, left = rng.integers(int(0.25 * side), int(0.6 * side), 2)
        size = int(side * rng.uniform(0.08, 0.15))
        mask[top : top + size, left : left + size] = 1
    image[mask == 1] = (200, 40, 40)
    return image, mask


@pytest.fixture
def picture() -> Picture:
    """A whole core of 120 px at 2.5 um/px."""
    image, mask = red_squares(120, 3)
    return Picture("7", "cores", "kidney", image, mask, 2.5, target=True, whole=True)


def write_kaggle_folder(folder: Path) -> Path:
    """A folder in Kaggle's layout with three cores of each organ, at different um/px."""
    (folder / "train_images").mkdir(parents=True)
    with open(folder / "train.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "organ", "img_height", "img_width", "pixel_size", "rle", "cut_from"])
        for number in range(15):
            side = (96, 120, 160)[number % 3]
            image, mask = red_squares(side, number)
            tifffile.imwrite(folder / "train_images" / f"{number}.tiff", image, photometric="rgb")
            organ, way = ORGANS[number // 3], "plain" if number % 3 else "overlay"
            table.writerow([number, organ, side, side, 300.0 / side, kaggle.rle_encode(mask), way])
    return folder


@pytest.fixture
def kaggle_folder(tmp_path: Path) -> Path:
    """The folder of `write_kaggle_folder`, for one test."""
    return write_kaggle_folder(tmp_path / "cores")


@pytest.fixture
def config_file(tmp_path: Path, kaggle_folder: Path) -> Path:
    """A configuration that trains tiny models on the folder above within seconds."""
    path = tmp_path / "config.toml"
    path.write_text(
        'work = "work"\nbundle = "bundle"\ntile = 128\nrouter_tile = 64\nrouter_cell = 32\nthreads = 1\n'
        'device = "cpu"\nprecision = "fp32"\n'
        "holdout = { kidney = 1, prostate = 1, largeintestine = 1, spleen = 1, lung = 1 }\n"
        "validation = { kidney = 1 }\n"
        '[[kaggle]]\npath = "cores"\n'
        "[stages.baseline]\nminutes = 0.03\nbatch = 2\ncrop = 64\n"
        "[stages.organs]\nminutes = 0.03\nbatch = 2\ncrop = 64\n"
        "[stages.unet]\nminutes = 0.03\nwidth = 0.0625\nbatch = 2\ncrop = 64\nloaders = 1\n"
        "[stages.router]\nminutes = 0.03\nbatch = 2\n",
        encoding="utf-8",
    )
    return path
