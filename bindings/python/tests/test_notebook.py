"""The notebook of integrations/notebooks runs as it stands."""

import json

import nbformat
from conftest import BUNDLE, ROOT
from nbclient import NotebookClient

NOTEBOOK = ROOT / "integrations/notebooks/segment.ipynb"


def test_it_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("FTUSEG_BUNDLE", str(BUNDLE))
    monkeypatch.setenv("FTUSEG_OFFLINE", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    pictures = [out for out in shown["segment"] if "image/png" in out.get("data", {})]
    assert len(pictures) == 1
    assert "kidney" in shown["organs"][0]["data"]["text/plain"]
    features = json.loads((tmp_path / "objects.geojson").read_text())["features"]
    assert len(features) > 1
