"""cwltool checks the documents, and runs them without a container on drawn slides."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from conftest import BUNDLE, INTEGRATIONS

CWL = INTEGRATIONS / "cwl"
MANIFEST = json.loads((CWL / "pipeline-manifest.json").read_text())


def job(bench, path, **inputs):
    """A job file with what a run without a container must name."""
    inputs |= {
        "bundle": {"class": "Directory", "location": BUNDLE.as_uri()},
        "runtime": {"class": "File", "location": bench.runtime.as_uri()},
    }
    path.write_text(json.dumps(inputs))
    return path


def cwltool(bench, folder, document, job_file, check=True):
    command = ["cwltool", "--no-container", "--quiet", "--outdir", folder / "out", CWL / document, job_file]
    return bench.run(*command, cwd=folder, check=check, stderr=subprocess.PIPE)


@pytest.mark.parametrize("document", ["ftuseg-segment.cwl", "pipeline.cwl"])
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
def test_pipeline(bench, tmp_path):
    """A code that is no organ of ours: the router decides, as in the command."""
    where = {"class": "Directory", "location": bench.slides.as_uri()}
    cwltool(bench, tmp_path, "pipeline.cwl", job(bench, tmp_path / "job.json", data_directory=where, tissue_type="AO"))
    bench.same_as_command(tmp_path / "out/results")
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
