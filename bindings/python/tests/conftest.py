"""What the tests share: drawn slides, what the command makes of them, and one engine."""

import os
import shutil
import subprocess
from pathlib import Path

import ftuseg
import numpy as np
import pytest
import tifffile

ROOT = Path(__file__).resolve().parents[3]
BUNDLE = ROOT / "models/bundle"
# The Rust program, and not the command that the wheel brings along.
PROGRAM = Path(os.environ["FTUSEG_PROGRAM"])


@pytest.fixture(scope="session")
def slides(tmp_path_factory):
    """The drawn slides, by id."""
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run(
        [PROGRAM, "samples", "--out", folder, "--size", "700", "--mpp", "2"], check=True
    )
    files = [*(folder / "train_images").iterdir(), folder / "two-organs.tif"]
    found = {file.name.split(".")[0]: file for file in files}
    assert len(found) == 6, sorted(found)
    return found


@pytest.fixture(scope="session")
def command(slides, tmp_path_factory):
    """The folder of what the command makes of the slides."""
    out = tmp_path_factory.mktemp("command") / "out"
    inputs = tmp_path_factory.mktemp("inputs")
    for file in slides.values():
        shutil.copy2(file, inputs)
    subprocess.run(
        [
            PROGRAM, "segment", inputs, "--out", out, "--bundle", BUNDLE, "--offline", "--threads", "2",
            "--write", "all,instances,parquet",
        ],
        check=True,
        env={**os.environ, "VIRTUAL_ENV": os.environ["FTUSEG_TEST_VENV"]},
    )
    return out


@pytest.fixture(scope="session")
def engine():
    return ftuseg.Engine(BUNDLE, threads=2, offline=True)


@pytest.fixture(scope="session")
def found(engine, slides):
    """What the engine finds on each slide, by id."""
    return {id: engine.segment(file) for id, file in slides.items()}


@pytest.fixture(scope="session")
def pixels(slides):
    """The px of one slide."""
    px = tifffile.imread(slides["two-organs"], level=0)
    assert px.dtype == np.uint8 and px.ndim == 3 and px.shape[2] == 3
    return px
