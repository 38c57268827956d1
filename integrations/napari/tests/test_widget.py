"""The plugin in a napari without a screen: its manifest, and its widget from the open image to the labels."""

import os
import subprocess
import sys
from pathlib import Path

import ftuseg
import napari_ftuseg
import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari_ftuseg.labels import mpp_of, px_of
from napari_ftuseg.widget import Segment

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = os.environ["FTUSEG_PROGRAM"]


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([PROGRAM, "samples", "--out", folder, "--size", "700", "--mpp", "2"], check=True)
    return folder / "two-organs.tif"


@pytest.fixture
def viewer(qapp, monkeypatch):
    """All of a viewer but its window, whose canvas wants OpenGL."""
    monkeypatch.setenv("FTUSEG_BUNDLE", str(ROOT / "models/bundle"))
    monkeypatch.setenv("FTUSEG_OFFLINE", "1")
    return ViewerModel()


def test_the_manifest_is_sound():
    said = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", "--imports", "napari-ftuseg"], capture_output=True, text=True
    )
    assert said.returncode == 0 and "valid" in said.stdout.lower(), said.stdout + said.stderr


def test_the_window_shows_it(make_napari_viewer):
    viewer = make_napari_viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-ftuseg", "Segment functional tissue units")
    assert isinstance(widget, Segment)


def test_versions_are_one():
    assert napari_ftuseg.__version__ == ftuseg.__version__


def test_the_open_image_is_segmented(viewer, slide, qtbot):
    px = tifffile.imread(slide, level=0)
    viewer.add_image(px, rgb=True, name="two-organs", scale=(2.0, 2.0), units=("um", "um"))
    widget = Segment(viewer)
    assert widget.mpp.value == 2.0
    widget.start.changed.emit(True)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=60_000)
    labels = viewer.layers[-1]
    expected = ftuseg.Engine().segment(px, mpp=2.0)
    assert (np.asarray(labels.data) == expected.instances).all()
    assert tuple(labels.scale) == (2.0, 2.0)
    assert len(labels.features) == len(expected.objects) + 1
    for row in expected.objects:
        named = labels.features[labels.features["index"] == row["id"]].iloc[0]
        assert named["organ"] == row["organ"] and named["area_px"] == row["area_px"]
    assert widget.bar.value == widget.bar.max > 1
    assert widget.said.value.startswith(f"{len(expected.objects)} units.")
    assert labels.metadata["ftuseg"]["id"] == "two-organs"


def test_it_stops(viewer, slide, qtbot):
    px = np.tile(tifffile.imread(slide, level=0), (4, 4, 1))
    viewer.add_image(px, rgb=True, scale=(2.0, 2.0), units=("um", "um"))
    widget = Segment(viewer)
    widget.start.changed.emit(True)
    widget.stop.changed.emit(True)
    qtbot.waitUntil(lambda: widget.said.value == "Stopped.", timeout=60_000)
    assert len(viewer.layers) == 1
    assert widget.start.enabled and not widget.stop.enabled


def test_other_layers_are_refused(viewer):
    widget = Segment(viewer)
    widget.run()
    assert "Open an image" in widget.said.value
    viewer.add_image(np.zeros((20, 20), np.uint16), name="grey")
    widget.run()
    assert "grey" in widget.said.value and "uint16" in widget.said.value


def test_um_per_px_is_taken_only_where_it_is_known(viewer):
    px = np.zeros((20, 20, 3), np.uint8)
    plain = viewer.add_image(px, rgb=True)
    uneven = viewer.add_image(px, rgb=True, scale=(1.0, 2.0), units=("um", "um"))
    even = viewer.add_image([px, px[::2, ::2]], rgb=True, scale=(0.5, 0.5), units=("um", "um"))
    assert mpp_of(plain) is None and mpp_of(uneven) is None and mpp_of(even) == 0.5
    assert px_of(even).shape == (20, 20, 3)
