"""Snakemake runs shards and joins them."""

from __future__ import annotations

import json

from conftest import INTEGRATIONS, rows


def snakemake(bench, folder):
    command = ["snakemake", "--snakefile", INTEGRATIONS / "snakemake/Snakefile", "--cores", "2", "--nocolor"]
    config = [f"slides={bench.slides}", "out=results", "shards=2", "options=--backend onnxruntime"]
    return bench.run(*command, "--config", *config, cwd=folder)


def test_shards(bench, tmp_path):
    snakemake(bench, tmp_path)
    joined = json.loads((tmp_path / "results/all/run.json").read_text())
    assert {slide["status"] for slide in joined["slides"]} <= {"done", "skipped"}
    ours = {row["id"]: row["rle"] for row in rows(tmp_path / "results/all/submission.csv")}
    assert ours == {row["id"]: row["rle"] for row in rows(bench.results / "submission.csv")}
    for slide in joined["slides"]:
        for file in ("mask.tif", "objects.geojson"):
            expected = (bench.results / "slides" / slide["id"] / file).read_bytes()
            assert (tmp_path / slide["folder"] / file).read_bytes() == expected

    # All is there: nothing is done again.
    assert "Nothing to be done" in snakemake(bench, tmp_path).stdout

    # A shard whose report is gone is taken up where it was.
    (tmp_path / "results/shard-1-of-2/run.json").unlink()
    (tmp_path / "results/all/run.json").unlink()
    snakemake(bench, tmp_path)
    again = json.loads((tmp_path / "results/shard-1-of-2/run.json").read_text())
    assert {slide["status"] for slide in again["slides"]} <= {"skipped"}
