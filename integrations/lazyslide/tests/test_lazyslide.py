"""Units as shapes of a slide that LazySlide or wsidata has open: the polygons of the command."""

import json
import os
import subprocess
from pathlib import Path

import ftuseg
import ftuseg_lazyslide
import lazyslide
import matplotlib.pyplot as plt
import pytest
import shapely
from matplotlib.collections import PatchCollection
from wsidata import open_wsi

ROOT = Path(__file__).resolve().parents[3]
BUNDLE = ROOT / "models/bundle"
PROGRAM = os.environ["FTUSEG_PROGRAM"]


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([PROGRAM, "samples", "--out", folder, "--size", "700", "--mpp", "2"], check=True)
    return folder / "two-organs.tif"


@pytest.fixture(scope="module")
def engine():
    return ftuseg.Engine(BUNDLE, offline=True)


@pytest.fixture(scope="module")
def features(slide, tmp_path_factory):
    """What the command finds."""
    out = tmp_path_factory.mktemp("command") / "out"
    subprocess.run(
        [PROGRAM, "segment", slide, "--out", out, "--bundle", BUNDLE, "--offline", "--write", "geojson"],
        check=True,
    )
    return json.loads((out / "slides/two-organs/objects.geojson").read_text())["features"]


def test_versions_are_one():
    assert ftuseg_lazyslide.__version__ == ftuseg.__version__


def test_the_shapes_are_the_commands(slide, engine, features, tmp_path):
    wsi = open_wsi(slide, store=tmp_path / "two-organs.zarr")
    found = ftuseg_lazyslide.segment(wsi, engine)
    shapes = wsi["ftus"]
    assert len(shapes) == len(features) == len(found.objects) > 5
    for (_, row), feature in zip(shapes.iterrows(), features, strict=True):
        assert row["uuid"] == feature["id"]
        assert row.geometry.equals(shapely.geometry.shape(feature["geometry"]))
        assert row.geometry.area == row["area_px"]
    wsi.write()
    again = open_wsi(slide, store=tmp_path / "two-organs.zarr")["ftus"]
    assert again["id"].tolist() == shapes["id"].tolist()
    assert all(one.equals(other) for one, other in zip(again.geometry, shapes.geometry, strict=True))


def test_requests_are_handed_on(slide, engine):
    wsi = open_wsi(slide)
    seen = []
    found = ftuseg_lazyslide.segment(
        wsi, engine, key_added="glomeruli", region=(0, 0, 300, 300), progress=lambda *tiles: seen.append(tiles)
    )
    assert seen and len(wsi["glomeruli"]) == len(found.objects)
    assert not found.mask[:, 300:].any()
    nothing = ftuseg_lazyslide.segment(wsi, engine, key_added="glomeruli", region=(0, 0, 16, 16))
    assert len(nothing.objects) == 0 and "glomeruli" not in wsi.shapes
    with pytest.raises(ftuseg.UsageError):
        ftuseg_lazyslide.segment(wsi, engine, region=(0, 0, 9000, 9000))


def test_lazyslide_works_on_with_them(slide, engine, features):
    """A slide that LazySlide opened, with the tissue that it found: the units join it, and stand in its picture."""
    wsi = lazyslide.open_wsi(slide)
    lazyslide.pp.find_tissues(wsi)
    tissues = wsi["tissues"].geometry.union_all()
    found = ftuseg_lazyslide.segment(wsi, engine)
    shapes = wsi["ftus"]
    assert len(shapes) == len(features)
    # Both are in px of level 0.
    assert sum(tissues.intersects(shape) for shape in shapes.geometry) > 0.9 * len(shapes)
    figure, axes = plt.subplots()
    lazyslide.pl.annotations(wsi, "ftus", color="organ", ax=axes)
    (drawn,) = [each for each in axes.get_children() if isinstance(each, PatchCollection)]
    assert len(drawn.get_paths()) == len(found.objects)
    assert len({tuple(colour) for colour in drawn.get_facecolor()}) == len(set(shapes["organ"])) > 1
    plt.close(figure)
