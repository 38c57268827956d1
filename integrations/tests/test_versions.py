"""Versions and colours stand in one place, in Cargo.toml and the program; what must repeat them agrees."""

from __future__ import annotations

import re
import tomllib

import yaml
from conftest import INTEGRATIONS, ROOT

CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]


def read(path: str) -> str:
    return (INTEGRATIONS / path).read_text()


def test_program(bench):
    assert bench.run("ftuseg", "--version").stdout.split() == ["ftuseg", CARGO["version"]]


def test_images():
    """Every place that names the image names this version of it."""
    named = {}
    for path in sorted(INTEGRATIONS.rglob("*")):
        if path.is_file() and path.suffix in {".cwl", ".nf", ".md", ".def", ""} and "tests" not in path.parts:
            tags = re.findall(r"\bftuseg:([0-9][\w.\-]*)", path.read_text())
            if tags:
                named[path.relative_to(INTEGRATIONS).as_posix()] = set(tags)
    assert {"cwl/ftuseg-segment.cwl", "docker/Dockerfile", "nextflow/main.nf"} <= named.keys()
    assert {tag for tags in named.values() for tag in tags} == {CARGO["version"]}, named


def test_cwl():
    for tool in ("segment", "export-epic"):
        hints = yaml.safe_load(read(f"cwl/ftuseg-{tool}.cwl"))["hints"]
        assert hints["SoftwareRequirement"]["packages"]["ftuseg"]["version"] == [CARGO["version"]]


def test_dockerfile():
    text = read("docker/Dockerfile")
    assert re.search(r'image\.version="([^"]+)"', text)[1] == CARGO["version"]
    assert re.search(r'image\.licenses="([^"]+)"', text)[1] == CARGO["license"]
    assert re.search(r"rust:([\d.]+)-slim", text)[1] == CARGO["rust-version"]
    pinned = r"openslide-bin==([\d.]+)"
    assert re.search(pinned, text)[1] == re.search(pinned, (ROOT / "test.sh").read_text())[1]


def test_colours_of_the_organ_map():
    """QuPath's organ map has the program's colours."""
    colours = (ROOT / "src/sink/colours.rs").read_text()
    ours = re.findall(r"Target::(?:Organ\(Organ::)?(\w+)\)? => \[(\d+), (\d+), (\d+)\]", colours)
    theirs = re.findall(r"^    (\w+)\s*: \['[^']+', (\d+), (\d+), (\d+)\]", read("qupath/ftuseg.groovy"), re.MULTILINE)
    assert len(ours) == 8
    assert {name.lower(): colour for name, *colour in ours} == {name: colour for name, *colour in theirs}
