"""Kaggle's layout is read exactly, and what is odd in it is named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ftuseg_models import errors
from ftuseg_models.data import kaggle


def naive_decode(rle: str, width: int, height: int) -> np.ndarray:
    mask = np.zeros((height, width), dtype=bool)
    numbers = [int(n) for n in rle.split()]
    for start, length in zip(numbers[::2], numbers[1::2]):
        for place in range(start - 1, start - 1 + length):
            mask[place % height, place // height] = True
    return mask


def test_rle_runs_down_columns_from_one():
    mask = np.zeros((3, 4), dtype=bool)
    mask[1, 0] = mask[2, 0] = mask[0, 1] = mask[2, 3] = True
    assert kaggle.rle_encode(mask) == "2 3 12 1"
    assert (kaggle.rle_decode("2 3 12 1", 4, 3) == mask).all()


@pytest.mark.parametrize("seed", range(8))
def test_rle_round_trip_equals_the_naive_codec(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((int(rng.integers(1, 20)), int(rng.integers(1, 20)))) < rng.random()
    rle = kaggle.rle_encode(mask)
    height, width = mask.shape
    assert (naive_decode(rle, width, height) == mask).all()
    assert (kaggle.rle_decode(rle, width, height) == mask).all()


def test_empty_and_full_masks():
    assert kaggle.rle_encode(np.zeros((5, 2))) == ""
    assert not kaggle.rle_decode("", 2, 5).any()
    assert kaggle.rle_encode(np.ones((5, 2))) == "1 10"


@pytest.mark.parametrize("rle", ["1", "0 2", "9 3", "3 0"])
def test_a_broken_rle_is_refused(rle):
    with pytest.raises(errors.DataError):
        kaggle.rle_decode(rle, 2, 5)


def test_rows_and_images_fit_together(kaggle_folder):
    rows = kaggle.read_rows(kaggle_folder)
    assert len(rows) == 15
    row = next(r for r in rows if not r.overlay)
    image, mask = kaggle.read_pair(row)
    assert image.shape == (row.height, row.width, 3)
    assert (image[mask] == (200, 40, 40)).all()
    assert not (image[~mask] == (200, 40, 40)).all(axis=1).any()


def test_the_rim_of_overlay_images_is_blurred_there_and_at_decoys_only(kaggle_folder):
    row = next(r for r in kaggle.read_rows(kaggle_folder) if r.overlay)
    sharp = kaggle.read_image(row.image)
    image, mask = kaggle.read_pair(row)
    changed = (image != sharp).any(axis=2)
    edge = mask ^ np.roll(mask, 1, axis=0)
    assert changed[edge].any()
    assert changed.mean() < 0.5
    # the decoys: every copy of the mask gets its band, whether or not something is there to blur
    noise = np.random.default_rng(0).integers(0, 255, (*mask.shape, 3), dtype=np.uint8)
    blurred = (kaggle.blur_rim(noise, mask) != noise).any(axis=2)
    mirrored = mask[:, ::-1] ^ np.roll(mask[:, ::-1], 1, axis=0)
    assert blurred[mirrored].mean() > 0.9


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("img_height", "5.5", "no number"), ("pixel_size", "nan", "no image"), ("pixel_size", "0", "no image"),
        ("img_width", "-3", "no image"), ("pixel_size", "", "no number"),
    ],
)  # fmt: skip
def test_odd_values_of_the_table_are_named_with_their_id(kaggle_folder, field, value, said):
    table = kaggle_folder / "train.csv"
    head, first, *rest = table.read_text().splitlines()
    cells = first.split(",")
    cells[head.split(",").index(field)] = value
    table.write_text("\n".join([head, ",".join(cells), *rest]))
    with pytest.raises(errors.DataError, match=rf"train.csv, id 0: .*{said}"):
        kaggle.read_rows(kaggle_folder)


def test_tables_from_spreadsheets_and_broken_ones(kaggle_folder):
    table = kaggle_folder / "train.csv"
    text = table.read_text()
    table.write_text("\ufeff" + text, encoding="utf-8")
    assert len(kaggle.read_rows(kaggle_folder)) == 15
    table.write_text(text + "\n99,kidney")
    with pytest.raises(errors.DataError, match="id 99"):
        kaggle.read_rows(kaggle_folder)
    table.write_bytes(text.encode() + b"\xff\xfe")
    with pytest.raises(errors.DataError, match="UTF-8"):
        kaggle.read_rows(kaggle_folder)


@pytest.mark.parametrize("rle", ["a 1", "1", "0 5", "9223372036854775807 5", "5 9223372036854775807", "99999999999999999999 1"])
def test_a_hostile_rle_is_refused(kaggle_folder, rle):
    with pytest.raises(errors.DataError, match="RLE"):
        kaggle.rle_decode(rle, 10, 10)
    row = dataclasses.replace(kaggle.read_rows(kaggle_folder)[0], rle=rle)
    with pytest.raises(errors.DataError, match="train.csv, id 0: the RLE"):
        kaggle.read_core(row)


def test_a_wrong_size_and_an_unknown_organ_are_named(kaggle_folder):
    row = kaggle.read_rows(kaggle_folder)[0]
    with pytest.raises(errors.DataError, match="train.csv says 97"):
        kaggle.read_pair(dataclasses.replace(row, width=97))
    table = kaggle_folder / "train.csv"
    table.write_text(table.read_text().replace("spleen", "liver"))
    with pytest.raises(errors.DataError, match="liver"):
        kaggle.read_rows(kaggle_folder)
