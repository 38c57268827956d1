"""Drawn slides, and what the command alone makes of them: every integration must give the same masks, byte for byte."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INTEGRATIONS = ROOT / "integrations"
BUNDLE = ROOT / "models/bundle"


@dataclass
class Bench:
    """The command, slides, and their results."""

    environment: dict[str, str]
    slides: Path
    two_organs: Path
    results: Path
    runtime: Path

    def run(self, *command: str | Path, check: bool = True, **options) -> subprocess.CompletedProcess:
        """Runs a command with `ftuseg` on its PATH; its output, stdout and stderr together, is kept."""
        done = subprocess.run(
            [str(word) for word in command],
            env=self.environment,
            text=True,
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.STDOUT),
            stdin=subprocess.DEVNULL,
            timeout=500,
            **options,
        )
        if check:
            assert done.returncode == 0, f"{done.stdout}\n{done.stderr or ''}"
        return done

    def same_as_command(self, results: Path) -> None:
        """Whether the folder holds exactly the command's masks and objects."""
        names = sorted(path.name for path in (self.results / "slides").iterdir())
        assert sorted(path.name for path in (results / "slides").iterdir()) == names
        for name in names:
            for file in ("mask.tif", "objects.geojson", "overlay.png"):
                expected = (self.results / "slides" / name / file).read_bytes()
                assert (results / "slides" / name / file).read_bytes() == expected, f"{name}/{file}"


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Draws the slides and segments them once."""
    program = os.environ.get("FTUSEG_PROGRAM")
    if not program:
        pytest.fail("FTUSEG_PROGRAM must name the program; integrations/test.sh does so")
    folder = tmp_path_factory.mktemp("integrations")
    (folder / "bin").mkdir()
    (folder / "bin/ftuseg").symlink_to(Path(program).resolve())
    environment = os.environ | {
        "PATH": os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "FTUSEG_BUNDLE": str(BUNDLE),
        "FTUSEG_DATA": str(folder / "data"),
        # Nothing of Snakemake's and cwltool's shall lie in the user's home after the tests.
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    for name in ("FTUSEG", "FTUSEG_RESULTS", "FTUSEG_PROGRAM"):
        environment.pop(name, None)
    samples = folder / "samples"
    bench = Bench(environment, samples / "train_images", samples / "two-organs.tif", folder / "results", Path())
    bench.run("ftuseg", "samples", "--out", samples, "--size", "900")
    # Three organs are enough; the others only take time.
    for organ in ("prostate", "largeintestine"):
        (bench.slides / f"{organ}-1.tiff").unlink()
    bench.run("ftuseg", "segment", bench.slides, "--out", bench.results, "--backend", "onnxruntime")
    bench.runtime = Path(json.loads((bench.results / "run.json").read_text())["runtime"]["library"])
    return bench


@pytest.fixture(scope="session")
def groovy() -> str:
    """The class path of Groovy, which integrations/test.sh looks for."""
    jars = sorted(Path(os.environ.get("FTUSEG_GROOVY") or "/nonexistent").glob("*.jar"))
    if not jars:
        pytest.skip("there is no Groovy: FTUSEG_GROOVY names no folder with its jars")
    if not shutil.which("java"):
        pytest.skip("there is no Java")
    return os.pathsep.join(map(str, jars))


def rows(table: Path) -> list[dict[str, str]]:
    """A CSV table's rows."""
    csv.field_size_limit(10**9)
    with table.open(newline="") as file:
        return list(csv.DictReader(file))
