"""Draws masks and measures their objects with scikit-image, for the tests of `Figures`.

    pip install scikit-image==0.26.0
    python make_expected.py [KAGGLE_TRAIN_CSV]

Writes `shapes.csv` (a mask each, as Kaggle's RLE) and `expected.csv` (an object each, 4-connected, in the order of their
first px). With Kaggle's table, writes `expected_real.csv` too: figures of the objects of some of its rows, which are not
part of the project. What scikit-image has as a function of the whole (equivalent diameter, solidity) is tested as well.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.measure import label, regionprops

HERE = Path(__file__).parent
COLUMNS = [
    "mask", "area", "x", "y", "width", "height", "centroid_x", "centroid_y", "perimeter", "equivalent_diameter",
    "major_axis", "minor_axis", "orientation", "eccentricity", "convex_area", "solidity", "holes", "holes_area",
]  # fmt: skip
# Small rows of each organ.
REAL = ["660", "1123", "2079", "2174", "10044", "10488", "10610"]


def encode(mask):
    flat = np.concatenate([[0], mask.T.ravel().astype(np.int8), [0]])
    ends = np.flatnonzero(np.diff(flat)).reshape(-1, 2)
    return " ".join(f"{start + 1} {end - start}" for start, end in ends)


def decode(text, width, height):
    flat = np.zeros(width * height, bool)
    numbers = [int(word) for word in text.split()]
    for start, length in zip(numbers[::2], numbers[1::2]):
        flat[start - 1 : start - 1 + length] = True
    return flat.reshape(width, height).T


def drawn():
    """Masks by name. Everything is drawn from whole numbers, so that it is the same everywhere."""
    picture = lambda rows: np.array([[c == "#" for c in row] for row in rows])
    yield "one", picture(["#"])
    yield "two", picture(["##"])
    yield "corner", picture(["#.", ".#"])
    yield "open-corner", picture(["##.", "#.#", "###"])
    yield "hole", picture(["###", "#.#", "###"])
    yield "two-holes", picture(["#####", "#.#.#", "##.##", "#.###", "#####"])
    yield "cross", picture(["..#..", "..#..", "#####", "..#..", "..#.."])
    yield "stairs", picture(["#....", "##...", ".##..", "..##.", "...##"])
    yield "comb", picture(["#.#.#.#", "#.#.#.#", "#######"])
    yield "island", picture(["#######", "#.....#", "#.###.#", "#.#.#.#", "#.###.#", "#.....#", "#######"])
    yield "line", np.ones((1, 70), bool)
    yield "pillar", np.ones((300, 1), bool)
    y, x = np.mgrid[:120, :150]
    yield "disk", (x - 60) ** 2 + (y - 55) ** 2 <= 40**2
    yield "ring", ((x - 60) ** 2 + (y - 55) ** 2 <= 40**2) & ((x - 66) ** 2 + (y - 50) ** 2 > 20**2)
    for name, across, down in [("flat", 3, 1), ("leaning", 3, 2), ("steep", 1, 4)]:
        along, aside = (x - 70) * across + (y - 60) * down, (x - 70) * down - (y - 60) * across
        yield name, 9 * aside**2 + along**2 <= (30 * (across + down)) ** 2
    yield "border", ((x // 13 + y // 9) % 3 > 0)
    # Noise, sharp and smoothed: many objects with holes and islands.
    state, values = 1, []
    for _ in range(200 * 160):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append(state >> 40)
    noise = np.array(values).reshape(160, 200) % 1024
    yield "speckles", noise[:60, :80] < 520
    total = sum(np.roll(noise, (dy, dx), (0, 1)) for dy in range(-4, 5) for dx in range(-4, 5))
    yield "blobs", total < 81 * 505
    yield "sponge", total < 81 * 530
    yield "far", np.pad(total < 81 * 490, ((700, 0), (900, 0)))


def figures(name, mask):
    # connectivity=1 is 4-connected; holes are what is 8-connected and does not reach the object's border.
    regions = regionprops(label(mask, connectivity=1))
    regions.sort(key=lambda region: tuple(region.coords[0]))
    for region in regions:
        top, left, bottom, right = region.bbox
        gaps = region.image_filled & ~region.image
        yield [
            name, int(region.area), left, top, right - left, bottom - top,
            repr(float(region.centroid[1])), repr(float(region.centroid[0])), repr(float(region.perimeter)),
            repr(float(region.equivalent_diameter_area)), repr(float(region.axis_major_length)),
            repr(float(region.axis_minor_length)), repr(float(region.orientation)), repr(float(region.eccentricity)),
            int(region.area_convex), repr(float(region.solidity)),
            ndimage.label(gaps, np.ones((3, 3)))[1], int(gaps.sum()),
        ]  # fmt: skip


def write(path, header, rows):
    with open(HERE / path, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


def main():
    masks = list(drawn())
    write(
        "shapes.csv",
        ["mask", "width", "height", "rle"],
        ([name, mask.shape[1], mask.shape[0], encode(mask)] for name, mask in masks),
    )
    write("expected.csv", COLUMNS, (row for name, mask in masks for row in figures(name, mask)))
    if len(sys.argv) > 1:
        csv.field_size_limit(2**30)
        with open(sys.argv[1], newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["id"] in REAL]
        real = ((row["id"], decode(row["rle"], int(row["img_width"]), int(row["img_height"]))) for row in rows)
        write("expected_real.csv", COLUMNS, (row for name, mask in real for row in figures(name, mask)))


main()
