"""`run` does the whole line, from the data to a bundle that is complete."""

from __future__ import annotations

import json
import tomllib

import onnx
import pytest

from ftuseg_models import ORGANS, cli

STAGE = "crops = 4\nbatch = 2\ncrop = 32\nsettled = false\n"
TINY = f"""
work = "work"
bundle = "bundle"
previous = "before"
encoder = "lite0"
decoder = [16, 8, 8, 4, 4]
tile = 96
threads = 1
device = "cpu"
precision = "fp32"
folds = 2
fold_by = "figure"
router_network = "trunk"
router_other = true
router_tile = 64
router_cell = 32
router_limit = 0.1
[[kaggle]]
path = "cores"
[stages.start]
{STAGE}
[stages.baseline]
{STAGE}
[stages.organs]
{STAGE}
[stages.lung]
start_from = "start"
early_stop = true
{STAGE}
[stages.unet]
width = 0.0625
{STAGE}
[stages.router]
crops = 40
batch = 8
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The bundle of a run over three cores of each organ."""
    from conftest import write_kaggle_folder

    folder = tmp_path_factory.mktemp("whole")
    write_kaggle_folder(folder / "cores")
    (folder / "before").mkdir()
    cores = [{"id": str(number), "organ": ORGANS[number // 3], "as the bundle does it: by the router": 0.5} for number in range(15)]
    (folder / "before" / "RESULTS.json").write_text(json.dumps({"cores": cores}))
    (folder / "config.toml").write_text(TINY)
    command = ["--config", str(folder / "config.toml"), "run", "--samples", str(folder / "cores")]
    assert cli.main(command) == 0
    return folder / "bundle"


def test_the_bundle_has_every_model_with_its_threshold(bundle):
    described = tomllib.loads((bundle / "bundle.toml").read_text())
    assert {model["organ"] for model in described["model"] if model["role"] == "organ"} == set(ORGANS)
    assert {"baseline", "unet"} <= {model["name"] for model in described["model"]}
    for model in described["model"]:
        assert 0 < model["threshold"] < 1 and model["min_area_um2"] >= 100
        assert (bundle / model["file"]).exists()
        # figures of networks that never saw the cores, with n
        assert all(dice["n"] > 0 and "held out in fold-0, fold-1" in dice["set"] for dice in model["dice"])
    assert "Lite0" in described["description"]


def test_weights_are_stored_as_fp16_and_what_loses_little_is_there_in_int8(bundle):
    stored = onnx.load(bundle / "baseline.onnx").graph.initializer
    assert sum(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in stored) > 50
    described = tomllib.loads((bundle / "bundle.toml").read_text())
    metrics = json.loads((bundle / "metrics.json").read_text())
    assert set(metrics["int8"]) >= {"baseline", *ORGANS}
    for model in described["model"]:
        if "int8" in model:
            assert (bundle / model["int8"]["file"]).exists() and model["int8"]["loss"]["dice"] <= 0.005


def test_the_router_can_refuse(bundle):
    router = tomllib.loads((bundle / "bundle.toml").read_text())["router"]
    assert router["other"] is True and router["organs"] == list(ORGANS) and router["accuracy"]["n"] == 15
    assert onnx.load(bundle / router["file"]).graph.output[0].type.tensor_type.shape.dim[1].dim_value in (0, 6)


def test_the_pages_say_what_was_measured(bundle):
    page = (bundle / "RESULTS.md").read_text()
    for line in (
        "15 real cores, measured in 2 of 2 folds",
        "## Thresholds",
        "chosen without one core",
        "none of these",
        "as none of the organs",
        "## The bundle before",
        "now less before, the same cores",
        "all files of the bundle",
        "## int8",
        "one EfficientNet-Lite0 U-Net",
    ):
        assert line in page, line
    assert "more than the 100 MB" not in page
    card = (bundle / "CARDS.md").read_text()
    assert "EfficientNet-Lite0 U-Nets; all trained from random weights" in card and "pictures/0.png" in card


def test_recipes_that_stand_on_the_same_baselines_are_compared(bundle, capsys):
    folder = bundle.parent
    (folder / "told.toml").write_text('extends = "config.toml"\nwork = "told"\ncontinues = "work"\nconditioned = true\n')
    (folder / "five.toml").write_text('extends = "config.toml"\nwork = "five"\nbaselines = "work"\n')
    for recipe, what in (("told", "baseline"), ("five", "kidney")):
        for fold in ("0", "1"):
            assert cli.main(["--config", str(folder / f"{recipe}.toml"), "--fold", fold, "train", what]) == 0
        assert cli.main(["--config", str(folder / f"{recipe}.toml"), "measure", "--no-int8"]) == 0
    capsys.readouterr()
    assert cli.main(["compare", *(str(folder / f"{recipe}.toml") for recipe in ("config", "told", "five"))]) == 0
    page = capsys.readouterr().out
    titles = ("config: one network", "config: a network for each organ", "told: one network", "told: one network, told the organ")
    for title in (*titles, "five: one network", "five: a network for each organ"):
        assert f"| {title} |" in page
    # six ways on all cores, five of them less the first; once more for the eight turns
    assert page.count("(n = 15)") == 2 * (6 + 5) and "| less the first |" in page
    # a recipe's own copy of the same baselines answers the same
    rows = {cells[1].strip(): cells[2] for cells in (line.split("|") for line in page.splitlines()) if len(cells) > 2}
    assert rows["five: one network"] == rows["config: one network"]
