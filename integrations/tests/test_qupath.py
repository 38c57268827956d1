"""The QuPath script on drawn slides.

QuPath comes from no package registry. Where FTUSEG_QUPATH names a class path with its own classes (README.md in
integrations/qupath tells how to compile them), the script runs against them. Else it runs against the stand-ins in
qupath/standin, which have the signatures that the script uses and little behind them.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
from conftest import INTEGRATIONS

SCRIPT = INTEGRATIONS / "qupath/ftuseg.groovy"
HERE = Path(__file__).parent / "qupath"


KIDNEY = ["--route", "organ=kidney"]
PART = [100, 60, 700, 640]

# What is done in QuPath, all in one JVM; the image is kidney-1.tiff where nothing else is said.
SCENARIOS = {
    "whole": {},
    "two organs, twice": {"image": "two-organs.tif", "runs": 2},
    "part": {"select": PART, "set": {"insideOnly": "false"}, "args": KIDNEY},
    "ellipse": {"select": PART, "shape": "ellipse", "args": KIDNEY},
    "turned": {"rotate": True, "args": KIDNEY},
    "another px size": {"mpp": [0.25, 0.25], "args": KIDNEY},
    "uneven px": {"mpp": [0.25, 0.5], "args": KIDNEY},
    "wrong option": {"args": ["--no-such-option"]},
    "no program": {"window": True, "set": {"program": "'/nowhere/ftuseg'"}},
    "line": {"select": [1, 1, 90, 90], "shape": "line"},
    "outside": {"select": [9000, 9000, 90, 90]},
    "kept": {"image": "lung-1.tiff", "window": True},
    # A program that sees more of the slide than QuPath, and one that sees another picture in the file.
    "unscanned margin": {"program": "record.update(width=950, bounds=dict(x=40, y=30, width=900, height=900))"},
    "another picture": {"program": "if '.ome.tif' not in record['input']['path']: record.update(width=70, height=50)"},
}

# Runs ftuseg, then changes what slide.json says.
PRETENDER = """#!{python}
import json, pathlib, subprocess, sys
code = subprocess.run(["ftuseg", *sys.argv[1:]]).returncode
for path in pathlib.Path(sys.argv[sys.argv.index("--out") + 1]).glob("slides/*/slide.json"):
    record = json.loads(path.read_text())
    {change}
    path.write_text(json.dumps(record))
sys.exit(code)
"""


@dataclass
class QuPath:
    """What came of the scenarios, and where results were kept."""

    said: dict[str, dict]
    kept: Path
    scratch: Path


@pytest.fixture(scope="module")
def qupath(bench, groovy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("qupath")
    (folder / "scratch").mkdir()
    scenarios = []
    for name, scenario in SCENARIOS.items():
        image = scenario.get("image", "kidney-1.tiff")
        path = bench.two_organs if image == "two-organs.tif" else bench.slides / image
        scenarios.append(scenario | {"image": str(path)})
        if change := scenario.get("program"):
            program = folder / f"program-{len(scenarios)}"
            program.write_text(PRETENDER.format(python=sys.executable, change=change))
            program.chmod(0o755)
            scenarios[-1]["set"] = {"program": f"'{program}'"}
        if name == "kept":
            scenarios[-1]["set"] = {"keepResults": f"'{folder / 'kept'}'"}
    classes = os.pathsep.join(filter(None, [os.environ.get("FTUSEG_QUPATH"), groovy, str(HERE / "standin")]))
    done = bench.run(
        "java", "-Djava.awt.headless=true", f"-Djava.io.tmpdir={folder / 'scratch'}", "-cp", classes,
        "groovy.ui.GroovyMain", HERE / "drive.groovy", SCRIPT, json.dumps(scenarios),
    )  # fmt: skip
    said, log = [], []
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            said.append(json.loads(line[7:]) | {"log": "\n".join(log)})
            log = []
        else:
            log.append(line)
    return QuPath(dict(zip(SCENARIOS, said, strict=True)), folder / "kept", folder / "scratch")


def features(bench, name):
    return json.loads((bench.results / "slides" / name / "objects.geojson").read_text())["features"]


def units(said):
    return [annotation for annotation in said["annotations"] if annotation["metadata"].get("organ")]


def box(ring, dx=0, dy=0):
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return [min(xs) + dx, min(ys) + dy, max(xs) - min(xs), max(ys) - min(ys)]


def test_whole_image(bench, qupath):
    """Every object comes with its class, colour, measurements and exact area; the organ map is locked."""
    said = qupath.said["whole"]
    assert said["failure"] is None
    expected = features(bench, "kidney-1")
    assert expected
    for feature, annotation in zip(expected, units(said), strict=True):
        properties = feature["properties"]
        assert annotation["class"] == properties["classification"]["name"]
        assert annotation["color"] == properties["classification"]["color"]
        measured = {name: value for name, value in properties["measurements"].items() if not name.startswith("Centroid")}
        assert annotation["measurements"] == pytest.approx(measured)
        assert annotation["area"] == properties["measurements"]["Area px^2"]
        assert annotation["box"] == box(feature["geometry"]["coordinates"][0])
        assert annotation["metadata"]["model"] == properties["metadata"]["model"]
        assert not annotation["locked"]
    record = json.loads((bench.results / "slides/kidney-1/slide.json").read_text())
    [area] = [annotation for annotation in said["annotations"] if annotation["class"].startswith("Organ: ")]
    assert area["class"] == f"Organ: {record['organs'][0]['organ']}"
    assert area["locked"] and area["box"] == [0, 0, record["width"], record["height"]]
    assert area["measurements"]["Share of tissue"] == record["organs"][0]["share"]


def test_organ_map_of_two_organs(bench, qupath, tmp_path):
    """The map's cells become one annotation for each organ; a second run replaces what the first one added."""
    bench.run("ftuseg", "segment", bench.two_organs, "--out", tmp_path / "two", "--write", "geojson")
    record = json.loads((tmp_path / "two/slides/two-organs/slide.json").read_text())
    organs, cell = record["organ_map"], record["organ_map"]["cell_px"]
    expected = {}
    for y, row in enumerate(organs["cells"]):
        for x, letter in enumerate(row):
            if organs["legend"][letter] != "glass":
                width = min((x + 1) * cell, record["width"]) - x * cell
                height = min((y + 1) * cell, record["height"]) - y * cell
                organ = organs["legend"][letter]
                expected[organ] = expected.get(organ, 0) + width * height
    said = qupath.said["two organs, twice"]
    areas = [annotation for annotation in said["annotations"] if annotation["class"].startswith("Organ: ")]
    # cells that the router was unsure of are shown as what decided them
    names = {"large intestine": "largeintestine", "all organs (baseline)": "baseline"}
    areas = {area["class"].removeprefix("Organ: "): area["area"] for area in areas}
    areas = {names.get(name, name): area for name, area in areas.items()}
    assert areas == pytest.approx(expected)
    found = json.loads((tmp_path / "two/slides/two-organs/objects.geojson").read_text())["features"]
    assert len(units(said)) == len(found) and len(said["told"]) == 2
    assert "annotations of an earlier run were removed" in said["log"]
    areas = sorted(feature["properties"]["measurements"]["Area px^2"] for feature in found)
    assert sorted(annotation["area"] for annotation in units(said)) == areas, "holes are holes"


def test_selected_annotation(qupath):
    """Its box is exported and segmented; coordinates are the image's; what lies outside the annotation is dropped."""
    x, y, width, height = PART
    part = qupath.said["part"]
    assert "are exported to" in part["log"]
    assert units(part)
    for annotation in units(part):
        left, top, across, down = annotation["box"]
        assert x <= left and left + across <= x + width and y <= top and top + down <= y + height
    [area] = [a for a in part["annotations"] if (a["class"] or "").startswith("Organ: ")]
    assert area["box"] == PART

    ellipse = qupath.said["ellipse"]
    boxes = [annotation["box"] for annotation in units(part)]
    assert all(annotation["box"] in boxes for annotation in units(ellipse))
    for annotation in units(part):
        left, top, across, down = annotation["box"]
        middle = (left + across / 2 - x) / width * 2 - 1, (top + down / 2 - y) / height * 2 - 1
        if middle[0] ** 2 + middle[1] ** 2 > 1.5:
            assert annotation["box"] not in [other["box"] for other in units(ellipse)]
    assert ellipse["annotations"][0]["class"] is None, "the user's own annotation stays"


def test_changed_image(qupath):
    """What QuPath only shows (here turned by half) is exported, and never the file segmented in its place."""
    said = qupath.said["turned"]
    assert "are exported to" in said["log"] and said["failure"] is None


def test_file_that_is_not_what_qupath_shows(qupath):
    """Coordinates are moved by what QuPath leaves out at the edges; another picture's objects are never added."""
    whole = [annotation["box"] for annotation in units(qupath.said["whole"])]
    moved = [annotation["box"] for annotation in units(qupath.said["unscanned margin"])]
    assert moved == [[x - 40, y - 30, width, height] for x, y, width, height in whole]
    other = qupath.said["another picture"]
    assert "is 70 x 50 px to ftuseg, and 900 x 900 px in QuPath" in other["log"]
    assert "900 x 900 px are exported to" in other["log"]
    # The exported file has other levels than the slide, so that objects differ by a few px.
    assert other["failure"] is None and units(other)


def test_pixel_size_from_qupath(qupath):
    """Who sets another size in QuPath gets it, and a file's own size is left to the program."""
    assert "--mpp 0.25" in qupath.said["another px size"]["log"]
    assert "--mpp" not in qupath.said["whole"]["log"]
    uneven = qupath.said["uneven px"]
    assert "not square" in uneven["failure"] and uneven["annotations"] == []


def test_options_and_failures(qupath):
    """Options reach the command; failures are told in words: as an error without a window, in a dialog with one."""
    said = qupath.said["wrong option"]
    assert "--no-such-option" in said["failure"] and said["annotations"] == [] and said["shown"] == []
    said = qupath.said["no program"]
    assert said["failure"] is None
    assert "/nowhere/ftuseg cannot be started" in said["shown"][0] and said["shown"][0].startswith("error: ")
    assert "no area" in qupath.said["line"]["failure"]
    assert "outside the image" in qupath.said["outside"]["failure"]


def test_kept_results(bench, qupath):
    """With a folder, all results stay, the same as the command's; scratch files never do."""
    assert qupath.said["kept"]["shown"][0].startswith("info: ")
    [kept] = qupath.kept.glob("run-*/slides/lung-1")
    assert (kept / "mask.tif").read_bytes() == (bench.results / "slides/lung-1/mask.tif").read_bytes()
    assert list(qupath.scratch.glob("ftuseg-*")) == []


def test_geojson_is_what_qupath_reads(bench):
    """Held against the keys that QuPath's type adapters read; what they pass over is named, so a new key is noticed."""
    schema = json.loads((HERE / "objects.schema.json").read_text())
    for folder in (bench.results / "slides").iterdir():
        jsonschema.validate(json.loads((folder / "objects.geojson").read_text()), schema)


def test_settings_are_explained():
    """README.md tells of every setting at the script's top."""
    settings = re.findall(r"^@Field (?!static)\S+(?:<\S+>)? (\w+)", SCRIPT.read_text(), re.MULTILINE)
    assert len(settings) == 7
    page = (INTEGRATIONS / "qupath/README.md").read_text()
    assert [name for name in settings if f"`{name}`" not in page] == []
