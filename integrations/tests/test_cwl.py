"""cwltool checks the documents, and runs them without a container on drawn slides."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import jsonschema
import pytest
import yaml
from conftest import BUNDLE, INTEGRATIONS

CWL = INTEGRATIONS / "cwl"
PROTOCOL = "10.17504/protocols.io.example/v1"
MANIFEST = json.loads((CWL / "pipeline-manifest.json").read_text())


def job(bench, path, **inputs):
    """A job file with what a run without a container must name."""
    inputs |= {
        "bundle": {"class": "Directory", "location": BUNDLE.as_uri()},
        "runtime": {"class": "File", "location": bench.runtime.as_uri()},
    }
    path.write_text(json.dumps(inputs))
    return path


@pytest.fixture(scope="module")
def epic(bench, tmp_path_factory):
    """The data sets that the command makes of its results."""
    out = tmp_path_factory.mktemp("epic") / "epic"
    bench.run("ftuseg", "export", "epic", bench.results, "--out", out, "--protocol", PROTOCOL)
    return out


def same_data_sets(ours, theirs):
    """Whether two folders hold the same data sets, but for times in records."""
    files = [{path.relative_to(root) for path in root.rglob("*") if path.is_file()} for root in (ours, theirs)]
    assert files[0] == files[1] and any(path.name.endswith(".ome.tiff") for path in files[0])
    for path in files[0]:
        if path.name != "slide.json":
            assert (ours / path).read_bytes() == (theirs / path).read_bytes(), path


def cwltool(bench, folder, document, job_file, check=True):
    command = ["cwltool", "--no-container", "--quiet", "--outdir", folder / "out", CWL / document, job_file]
    return bench.run(*command, cwd=folder, check=check, stderr=subprocess.PIPE)


@pytest.mark.parametrize("document", ["ftuseg-segment.cwl", "ftuseg-export-epic.cwl", "pipeline.cwl"])
def test_valid(bench, document):
    assert "is valid CWL" in bench.run("cwltool", "--validate", CWL / document).stdout


def test_example_job_fits():
    """The example names inputs that exist, with values of their type."""
    example = yaml.safe_load((CWL / "example-job.yml").read_text())
    inputs = yaml.safe_load((CWL / "pipeline.cwl").read_text())["inputs"]
    types = {name: told if isinstance(told, str) else told["type"] for name, told in inputs.items()}
    assert {name for name, kind in types.items() if not kind.endswith("?")} <= example.keys() <= types.keys()
    for name, value in example.items():
        kind = value["class"] if isinstance(value, dict) else {str: "string", float: "double"}[type(value)]
        assert types[name].rstrip("?") == kind


needs_node = pytest.mark.skipif(
    not (shutil.which("node") or shutil.which("nodejs")), reason="there is no Node.js for CWL's expressions"
)


@needs_node
def test_pipeline(bench, epic, tmp_path):
    """A code that is no organ of ours: the router decides, as in the command. A protocol: there are data sets."""
    where = {"class": "Directory", "location": bench.slides.as_uri()}
    inputs = job(bench, tmp_path / "job.json", data_directory=where, tissue_type="AO", protocol=PROTOCOL)
    cwltool(bench, tmp_path, "pipeline.cwl", inputs)
    bench.same_as_command(tmp_path / "out/results")
    same_data_sets(tmp_path / "out/epic", epic)
    events = [json.loads(line) for line in (tmp_path / "out/events.jsonl").read_text().splitlines()]
    assert events[0]["event"] == "begin" and events[-1]["event"] == "finished"

    # Everything that came out is told to the portal, each by the right line.
    jsonschema.validate(MANIFEST, MANIFEST_SCHEMA)
    told = set()
    for file in sorted((tmp_path / "out").rglob("*")):
        if file.is_file() and file.name != ".ftuseg.lock":
            path = file.relative_to(tmp_path / "out").as_posix()
            lines = [(entry, match) for entry in MANIFEST if (match := re.search(entry["pattern"], path))]
            assert len(lines) == 1, (path, lines)
            entry, match = lines[0]
            text = entry["description"].format_map(match.groupdict())
            assert ("slide" not in match.groupdict()) or match["slide"] in text
            told.add(entry["pattern"])
    assert told == {entry["pattern"] for entry in MANIFEST}


@needs_node
def test_tissue_codes(bench, tmp_path):
    """HuBMAP's code of the organ sends all tissue to its network."""
    where = {"class": "Directory", "location": bench.slides.as_uri()}
    cwltool(bench, tmp_path, "pipeline.cwl", job(bench, tmp_path / "job.json", data_directory=where, tissue_type="SP"))
    run = json.loads((tmp_path / "out/results/run.json").read_text())
    assert run["settings"]["route"] == "organ=spleen"
    assert {slide["organ"] for slide in run["slides"]} == {"spleen"}
    # Nobody named a protocol.
    assert not (tmp_path / "out/epic").exists() and not (tmp_path / "out/export.log").exists()


def test_tool(bench, tmp_path):
    """The tool alone takes files and options, and hands out each kind of file."""
    slide = bench.slides / "kidney-1.tiff"
    inputs = job(
        bench,
        tmp_path / "job.json",
        slides=[{"class": "File", "location": slide.as_uri()}],
        route="organ=kidney",
        write="mask,geojson",
        options=["--blend", "crop"],
    )
    said = json.loads(cwltool(bench, tmp_path, "ftuseg-segment.cwl", inputs).stdout)
    assert [file["basename"] for file in said["masks"]] == ["mask.tif"]
    assert [file["basename"] for file in said["objects"]] == ["objects.geojson"]
    settings = json.loads(Path(said["record"]["path"]).read_text())["settings"]
    assert (settings["route"], settings["blend"]) == ("organ=kidney", "crop")


def test_data_sets_of_a_finished_run(bench, epic, tmp_path):
    """The tool alone exports what the command segmented, and hands out each kind of file."""
    results = [{"class": "Directory", "location": bench.results.as_uri()}]
    job_file = tmp_path / "job.json"
    job_file.write_text(json.dumps({"results": results, "protocol": PROTOCOL, "tool": "In-house"}))
    said = json.loads(cwltool(bench, tmp_path, "ftuseg-export-epic.cwl", job_file).stdout)
    same_data_sets(tmp_path / "out/epic", epic)
    slides = {path.name for path in epic.iterdir()}
    assert {file["basename"] for file in said["masks"]} == {f"{slide}.segmentations.ome.tiff" for slide in slides}
    assert {file["basename"] for file in said["tables"]} == {path.name for path in epic.rglob("*.tsv")}
    assert "3 slides" in Path(said["messages"]["path"]).read_text()


def white_png(side):
    """A white square as PNG."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff" * 3 * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_slides_without_masks_are_told(bench, tmp_path):
    """A run in which nothing was found makes no data set, and says so; what is no run fails."""
    glass = tmp_path / "glass.png"
    glass.write_bytes(white_png(300))
    results = tmp_path / "results"
    bench.run("ftuseg", "segment", glass, "--out", results, "--mpp", "2", "--backend", "onnxruntime")
    job_file = tmp_path / "job.json"
    for folder, code in ((results, 0), (tmp_path, 1)):
        where = [{"class": "Directory", "location": folder.as_uri()}]
        job_file.write_text(json.dumps({"results": where, "protocol": PROTOCOL}))
        done = cwltool(bench, tmp_path, "ftuseg-export-epic.cwl", job_file, check=False)
        assert (done.returncode != 0) == bool(code), done.stderr
    assert "glass" in (tmp_path / "out/export.log").read_text()


def test_a_slide_that_fails_fails_the_job(bench, tmp_path):
    (tmp_path / "broken.tif").write_bytes(b"II*\0\x08\0\0\0\0\0")
    broken = {"class": "File", "location": (tmp_path / "broken.tif").as_uri()}
    inputs = job(bench, tmp_path / "job.json", slides=[broken])
    assert cwltool(bench, tmp_path, "ftuseg-segment.cwl", inputs, check=False).returncode != 0


# What HuBMAP's ingest pipeline asks of a manifest.
MANIFEST_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["pattern", "description", "edam_ontology_term"],
        "properties": {
            "pattern": {"type": "string", "format": "regex"},
            "description": {"type": "string", "minLength": 1},
            "edam_ontology_term": {"type": "string", "pattern": r"^EDAM_1\.24\.format_[0-9]{4}$"},
            "is_qa_qc": {"type": "boolean"},
        },
    },
}
