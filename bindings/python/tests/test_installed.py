"""What the wheel brings: the command, the runtime of this Python, and a bundle if there is one in it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import ftuseg
import onnxruntime
import pytest
import tifffile
from conftest import BUNDLE, PROGRAM

COMMAND = Path(sys.executable).with_name("ftuseg")


def environment(**more):
    """That of a Python that was not activated."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("FTUSEG_")}
    own.pop("VIRTUAL_ENV", None)
    return {**own, **more}


def test_versions_are_one():
    said = subprocess.run([COMMAND, "--version"], check=True, capture_output=True, text=True)
    program = subprocess.run([PROGRAM, "--version"], check=True, capture_output=True, text=True)
    assert said.stdout == program.stdout == f"ftuseg {ftuseg.__version__}\n"


def test_this_pythons_runtime_is_found(tmp_path):
    own = environment(FTUSEG_CACHE=str(tmp_path), FTUSEG_BUNDLE=str(BUNDLE), PATH=os.defpath)
    ask = "import ftuseg; print(ftuseg.Engine(offline=True).runtime)"
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, env=own)
    assert said.stdout.startswith(f"onnxruntime {onnxruntime.__version__},"), said.stderr
    said = subprocess.run([COMMAND, "doctor", "--offline"], capture_output=True, text=True, env=own)
    assert str(Path(onnxruntime.__file__).parent) in said.stdout, said.stdout + said.stderr


@pytest.mark.parametrize("program", [[COMMAND], [sys.executable, "-m", "ftuseg"]])
def test_the_command_finds_the_same(program, slides, found, tmp_path):
    done = subprocess.run(
        [*program, "segment", slides["kidney-1"], "--out", tmp_path / "out", "--bundle", BUNDLE, "--offline"],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    mask = tifffile.imread(tmp_path / "out/slides/kidney-1/mask.tif", level=0)
    assert mask.tobytes() == found["kidney-1"].mask.tobytes()


def test_the_command_fails_as_a_program_does(tmp_path):
    done = subprocess.run([COMMAND, "segment"], capture_output=True, text=True)
    assert done.returncode == 2 and "Usage" in done.stderr and "Traceback" not in done.stderr


def test_ctrl_c_ends_the_command(slides, tmp_path):
    running = subprocess.Popen(
        [COMMAND, "segment", *slides.values(), "--out", tmp_path / "out", "--bundle", BUNDLE, "--offline"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    # It listens from before it opens the first slide.
    while running.poll() is None and not (tmp_path / "out/run.json").exists():
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 128 + signal.SIGINT, said
    assert "Traceback" not in said


def test_a_bundle_beside_the_package_is_found(tmp_path):
    beside = Path(ftuseg.__file__).parent / "bundle"
    beside.symlink_to(BUNDLE)
    try:
        ask = "import ftuseg; print(ftuseg.Engine(offline=True).bundle_folder)"
        said = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, cwd=tmp_path, env=environment()
        )
        assert said.stdout == f"{beside}\n", said.stderr
        # What the environment names goes before.
        said = subprocess.run(
            [sys.executable, "-c", ask],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(FTUSEG_BUNDLE=str(BUNDLE)),
        )
        assert said.stdout == f"{BUNDLE}\n", said.stderr
    finally:
        beside.unlink()
