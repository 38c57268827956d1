"""The way from cores to a bundle: splits, int8, what serves an organ, what a wrong configuration is told."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from ftuseg_models import ORGANS, cli, config, errors
from ftuseg_models.atomic_files import write_json
from ftuseg_models.data import split, target_cores, tiles, training_data
from ftuseg_models.data.pictures import rescale
from ftuseg_models.errors import DataError
from ftuseg_models.exporting import bundle
from ftuseg_models.networks import architectures, inference
from ftuseg_models.onnx_graphs import calibration_tiles, conversion, fp16_storage, quantisation, sessions
from ftuseg_models.training import checkpoints, jobs, metrics

MODEL_KEYS = {
    "name", "role", "organ", "file", "sha256", "input", "output", "tile", "mpp", "overlap", "threshold", "min_area_um2",
    "fill_holes", "parameters", "dice",
}  # fmt: skip
ROUTER_KEYS = {
    "file", "sha256", "input", "tile", "mpp", "cell", "organs", "output", "limit", "fallback", "parameters", "accuracy",
}  # fmt: skip


@pytest.fixture
def settings(config_file):
    return config.load(config_file)


def test_training_never_sees_a_held_out_core(settings):
    held_out = {core.id for core in target_cores.held_out_cores(settings)}
    data = training_data.load_data(settings, settings.mpp)
    assert {p.id for p in data.held_out} == held_out
    assert not held_out & {p.id for p in data.training if p.target}
    assert len(data.training) + len(held_out) == 15
    job = jobs.job(settings, "router")
    seen = {p.id for p in job.batches.pool.pictures}
    assert not seen & (held_out | data.validation) and data.validation


def test_dice():
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    assert metrics.dice(a, b) == 1.0
    a[:2] = 1
    assert metrics.dice(a, b) == 0.0
    b[1:3] = 255
    assert metrics.dice(a, b) == 0.5


def test_the_temperature_is_found():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 5, generator=generator) * 2
    organ = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]
    assert metrics.temperature(logits * 3, organ) == pytest.approx(3.0, rel=0.1)


def test_cells_are_in_the_middle_of_their_tile():
    image = np.full((64, 96, 3), 255, dtype=np.uint8)
    image[40:52, 70:80] = (10, 20, 30)
    found = tiles.cell_tiles(image, 64, 32)
    # the dark block lies in the cell (row 1, column 2), whose corner is (64, 32)
    assert found.shape == (1, 64, 64, 3)
    assert (found[0, 16 + 8 : 16 + 20, 16 + 6 : 16 + 16] == (10, 20, 30)).all()
    assert tiles.cell_tiles(np.full((20, 20, 3), 255, dtype=np.uint8), 64, 32).shape == (1, 64, 64, 3)


def test_the_whole_way_from_cores_to_a_bundle(config_file, capsys):
    settings = config.load(config_file)
    start = ["--config", str(config_file)]
    for fold in range(settings.folds):
        assert cli.main([*start, "--fold", str(fold), "train", "kidney"]) == 2  # not before the baseline
        for name in ("baseline", "kidney", "router", "unet"):
            assert cli.main([*start, "--fold", str(fold), "train", name]) == 0
    assert cli.main([*start, "measure", "--no-int8"]) == 0
    for name in ("baseline", "kidney", "router", "unet"):
        assert cli.main([*start, "--final", "train", name]) == 0
    for command in (["calibrate"], ["export"], ["report"], ["cards", "--samples", str(settings.kaggle[0].path)]):
        assert cli.main([*start, "--final", *command]) == 0
    described = tomllib.loads((settings.bundle / "bundle.toml").read_text())
    assert set(described) == {"name", "version", "licence", "description", "training_images", "router", "model"}
    assert set(described["router"]) == ROUTER_KEYS and described["router"]["organs"] == list(ORGANS)
    assert described["router"]["accuracy"]["n"] == 15
    *kidneys, baseline, unet = described["model"]
    kidney = kidneys[0]
    assert {model["organ"] for model in kidneys} == {"kidney"}
    assert set(kidney) == MODEL_KEYS and set(unet) == MODEL_KEYS - {"organ"}
    # every core was held out once
    assert [(d["organ"], d["n"]) for d in kidney["dice"]] == [("kidney", 3)]
    assert [(d["organ"], d["n"]) for d in baseline["dice"]] == [(organ, 3) for organ in ORGANS]
    assert unet["sha256"] == hashlib.sha256((settings.bundle / "unet.onnx").read_bytes()).hexdigest()
    page = (settings.bundle / "RESULTS.md").read_text()
    for line in ("15 real cores, measured in 3 of 3 folds", "| kidney |", "| unet.onnx |", "81.9", "(n = 15)", "routed by"):
        assert line in page, line
    assert len(json.loads((settings.bundle / "RESULTS.json").read_text())["cores"]) == 15

    card = (settings.bundle / "CARDS.md").read_text()
    assert "research use" in card and "pictures/0.png" in card and "Of the 3 held-out cores the worst is" in card
    assert Image.open(settings.bundle / "pictures/0.png").size == (480, 480)
    # kidney's own cores only: no other organ has a network of its own here
    assert sorted(path.stem for path in (settings.bundle / "pictures").iterdir()) == ["0", "1", "2"]

    # the file holds the averaged weights of the final run, and says what torch says
    ship = settings.to_ship()
    core = next(target_cores.read_cores(settings.kaggle[0]))
    network = checkpoints.load_average(ship.runs / "unet.pt", architectures.build("unet", 0.0625))
    scaled = inference.torch_probability(network, rescale(core, settings.mpp), settings.tile)
    session = sessions.open_session(settings.bundle / "unet.onnx")
    found = sessions.probability(session, core, settings.mpp, settings.tile)
    height, width = core.image.shape[:2]
    assert np.abs(inference.resize_map(scaled, width, height) - found).max() < 5e-3  # fp16 weights
    stored = json.loads((settings.bundle / "metrics.json").read_text())
    assert stored["cores"][core.id]["unet"] == round(metrics.dice(found > 0.5, core.mask), 4)
    kept = json.loads((settings.bundle / "parity.json").read_text())
    assert len(kept["probabilities"]["router"]) == 5
    assert len(kept["probabilities"]["unet"]) == (settings.tile // kept["step"]) ** 2


def test_the_folds_hold_every_core_out_once(settings):
    held_out = [{c.id for c in target_cores.held_out_cores(settings.of_fold(fold))} for fold in range(3)]
    assert sorted(sum(map(list, held_out), []), key=int) == [str(n) for n in range(15)]
    for fold, ids in enumerate(held_out):
        data = training_data.load_data(settings.of_fold(fold), settings.mpp)
        assert {p.id for p in data.held_out} == ids and not ids & {p.id for p in data.training}
    assert not list(target_cores.held_out_cores(settings.to_ship()))
    with pytest.raises(errors.ConfigError, match="no fold 3"):
        settings.of_fold(3)


def test_the_papers_split_is_by_image_and_stratified(settings):
    parts = split.by_shares(target_cores.core_rows(settings.kaggle[0]), (1, 1, 1), 1)
    assert [len(part) for part in parts] == [5, 5, 5] and len(set.union(*parts)) == 15
    organs = [{int(core_id) // 3 for core_id in part} for part in parts]
    assert organs == [set(range(5))] * 3
    run = dataclasses.replace(settings, shares=(1.0, 1.0, 1.0), seed=1)
    assert {c.id for c in target_cores.held_out_cores(run)} == parts[1] | parts[2]
    roles = target_cores.held_out_ids(run)
    assert {i for i, part in roles.items() if part == "validation"} == parts[1]


def test_an_int8_variant_is_close_and_in_int8(settings):
    torch.manual_seed(0)
    network = architectures.build("unet", 0.125).eval()
    model = conversion.to_onnx(network, settings.tile)
    tiles = calibration_tiles.calibration_tiles(settings.of_fold(0), "unet")
    held_out = {c.id for c in target_cores.held_out_cores(settings.of_fold(0))}
    assert 0 < len(tiles) <= 15 - len(held_out)
    assert 0 < len(calibration_tiles.calibration_tiles(settings.of_fold(0), "lung")) < len(tiles)
    small = quantisation.to_int8(model, tiles)
    assert sum(tensor.data_type == onnx.TensorProto.INT8 for tensor in small.graph.initializer) > 10
    run = lambda m: onnxruntime.InferenceSession(m.SerializeToString()).run(None, {"image": tiles[0][None]})[0]  # noqa: E731
    assert np.abs(run(small) - run(model)).max() < 0.1
    # what is left in floats is stored small, and the answer stays
    assert np.abs(run(fp16_storage.with_fp16_weights(small)) - run(small)).max() < 0.02


def test_an_int8_variant_that_falls_apart_on_the_drawn_tile_is_not_shipped(settings, monkeypatch, capsys):
    torch.manual_seed(0)
    settings.runs.mkdir(parents=True)
    stage = settings.stage("unet")
    network = architectures.build("unet", stage.width, dilated=stage.dilated)
    torch.save({"average": network.state_dict(), "progress": 1.0, "kept_out": []}, settings.runs / "unet.pt")
    lost = {"dice": 0.001, "n": 3, "set": "held-out cores"}
    monkeypatch.setattr(bundle.figures, "figures", lambda _: {"int8": {"unet": lost}})

    def described() -> dict:
        bundle.export_all(settings, settings.bundle)
        return tomllib.loads((settings.bundle / "bundle.toml").read_text())["model"][0]

    assert described()["int8"]["loss"] == lost
    assert (settings.bundle / "unet.int8.onnx").exists()
    # the same network, but its bytes answer something else on a tile that no calibration has seen
    broken = lambda model, tiles: conversion.to_onnx(Sure(network.eval()), settings.tile)  # noqa: E731
    monkeypatch.setattr(bundle.quantisation, "to_int8", broken)
    assert "int8" not in described()
    assert not (settings.bundle / "unet.int8.onnx").exists()
    assert "is not kept" in capsys.readouterr().out


class Sure(torch.nn.Module):
    """Sees an FTU everywhere, whatever the network says."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return 8.0 + 0.0 * self.network(x)


def test_without_checkpoints_export_says_what_to_do(config_file, capsys):
    assert cli.main(["--config", str(config_file), "export"]) == 2
    assert "train first" in capsys.readouterr().err
    assert cli.main(["--config", str(config_file), "train", "kidney"]) == 2
    assert "train baseline" in capsys.readouterr().err


def test_organs_that_the_baseline_serves_better_share_its_file(settings):
    settings.runs.mkdir(parents=True)
    network = architectures.build("baseline")
    for name in ("baseline", "lung"):
        torch.save({"average": network.state_dict(), "progress": 1.0, "kept_out": []}, settings.runs / f"{name}.pt")
    assert [(e.name, e.checkpoint.stem) for e in bundle.entries(settings)] == [("lung", "lung"), ("baseline", "baseline")]
    served = {e.name: e.checkpoint.stem for e in bundle.entries(settings, {"kidney", "lung"})}
    assert served == {"kidney": "baseline", "lung": "baseline", "baseline": "baseline"}
    settings.bundle.mkdir()
    bundle.export_all(settings, settings.bundle, stand_in=True)
    described = tomllib.loads((settings.bundle / "bundle.toml").read_text())
    files = {model["name"]: model["file"] for model in described["model"]}
    assert files == {organ: "baseline.onnx" for organ in ORGANS} | {"lung": "lung.onnx", "baseline": "baseline.onnx"}
    torch.save({"average": {}, "progress": 0.4, "kept_out": []}, settings.runs / "lung.pt")
    with pytest.raises(FileNotFoundError, match="has not ended"):
        bundle.entries(settings)


def test_an_organ_that_two_networks_serve_together_has_two_models_that_agree(settings, monkeypatch):
    settings.runs.mkdir(parents=True)
    for name in ("baseline", "lung"):
        torch.save({"average": architectures.build("baseline").state_dict(), "progress": 1.0, "kept_out": []}, settings.runs / f"{name}.pt")
    figure = [{"mean": 0.4, "n": 5, "organ": "lung", "set": "held-out cores"}]
    serving = {"lung": {"by": "lung+baseline", "dice": figure}, "kidney": {"by": "baseline", "dice": None}}
    known = {"baseline": [{"mean": 0.2, "n": 3, "organ": organ, "set": "held-out cores"} for organ in ("kidney", "lung")]}
    # kidney's own was measured, and was no better
    known["kidney"] = [{"mean": 0.1, "n": 3, "organ": "kidney", "set": "held-out cores"}]
    monkeypatch.setattr(bundle.figures, "figures", lambda _: {"serving": serving, "models": known})
    choice = {"threshold": 0.35, "min_area_um2": 1600.0, "fill_holes": True}
    write_json(settings.runs / "calibration.json", {"networks": {"baseline": choice | {"threshold": 0.6}}, "serving": {"lung": choice | {"by": "lung+baseline"}}})
    settings.bundle.mkdir()
    bundle.export_all(settings, settings.bundle)
    described = {m["name"]: m for m in tomllib.loads((settings.bundle / "bundle.toml").read_text())["model"]}
    assert {name: model["file"] for name, model in described.items()} == {
        "kidney": "baseline.onnx", "lung": "lung.onnx", "lung-baseline": "baseline.onnx", "baseline": "baseline.onnx",
    }  # fmt: skip
    one, other = described["lung"], described["lung-baseline"]
    assert one["organ"] == other["organ"] == "lung" and one["dice"] == other["dice"] == figure
    for key in ("threshold", "min_area_um2", "fill_holes", "role"):
        assert one[key] == other[key], "the engine refuses members that do not agree"
    assert one["threshold"] == 0.35 and one["min_area_um2"] == 1600.0
    # what was not decided for an organ is what is known of the network that answers for it
    assert described["kidney"]["threshold"] == 0.6 and described["kidney"]["dice"] == known["baseline"][:1]
    kept = json.loads((settings.bundle / "parity.json").read_text())["probabilities"]
    assert set(kept) == set(described) and kept["lung-baseline"] == kept["baseline"] == kept["kidney"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "colour"),
        ("shares = [7, 2]", "shares"),
        ("finish_from = 3", "finish_from"),
        ("finish_from = 0\nshares = [7, 2, 1]", "finish_from"),
        ('[stages.unet]\nloss = "focal"', "focal"),
        ("[stages.unet]\ngrow = [[0.5, 64], [0.0, 96]]", "grow"),
        ("[stages.unet]\ngrow = [[0.0, 50]]", "grow"),
        ("final = true", "final"), ('precision = "bf-16"', "precision"), ("[stages.unet]\nminutes = 0", "minutes"),
        ("tile = 100", "tile"), ("[stages.unet]\ncrop = 50", "crop"), ("mpp = nan", "mpp"),
        ("[stages.unet]\ncrops = 0.5", "crops"), ("decoder = [64, 32]", "decoder"), ("decoder = 64", "decoder"),
        ("[stages.kidny]", "kidny"), ("[holdout]\nliver = 1", "liver"), ("[[kaggle]]", "path"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path, text, named):
    path = tmp_path / "c.toml"
    path.write_text('work = "w"\nbundle = "b"\n' + text)
    with pytest.raises(errors.ConfigError, match=named):
        config.load(path)


def test_kaggles_data_alone_is_enough(config_file):
    text = config_file.read_text()
    config_file.write_text(text + "[stages.start]\nminutes = 0.01\nbatch = 2\ncrop = 64\n")
    settings = config.load(config_file)
    assert not jobs.starts(settings), "every mask is a target core's, which `start` must not see"
    assert jobs.job(settings.of_fold(0), "baseline").start is None
    assert "start" not in cli._names("all", settings)
    config_file.write_text(
        text.replace('path = "cores"\n', 'path = "cores"\ntarget = false\n') + "[stages.start]\nminutes = 0.01\nbatch = 2\ncrop = 64\n"
    )
    assert jobs.starts(config.load(config_file))


def test_ids_that_are_there_twice_are_refused(config_file, kaggle_folder):
    table = kaggle_folder / "train.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, lines[1]]))
    with pytest.raises(DataError, match="core 0 is there twice"):
        training_data.load_data(config.load(config_file), 4.0)


def test_an_export_deletes_only_what_the_bundle_there_spoke_of(settings):
    settings.runs.mkdir(parents=True)
    torch.save({"average": architectures.build("unet", 0.0625).state_dict(), "progress": 1.0, "kept_out": []}, settings.runs / "unet.pt")
    settings.bundle.mkdir()
    for name in ("old.onnx", "mine.onnx"):
        (settings.bundle / name).touch()
    (settings.bundle / "bundle.toml").write_text('[[model]]\nname = "old"\nfile = "old.onnx"\n[[model]]\nname = "x"\nfile = "../x.onnx"\n')
    outside = settings.bundle.parent / "x.onnx"
    outside.touch()
    bundle.export_all(settings, settings.bundle)
    assert {path.name for path in settings.bundle.glob("*.onnx")} == {"mine.onnx", "unet.onnx"} and outside.exists()


def test_an_absent_configuration_is_an_error_not_a_trace(tmp_path, capsys):
    assert cli.main(["--config", str(tmp_path / "none.toml"), "train", "router"]) == 2
    assert "none.toml" in capsys.readouterr().err


def test_a_bundle_that_is_too_large_loses_int8_variants(tmp_path, monkeypatch, capsys):
    sizes = {"baseline.onnx": 40, "lung.onnx": 40, "unet.int8.onnx": 10, "lung.int8.onnx": 20, "baseline.int8.onnx": 20}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(bytes(size))
    metrics = {"int8": {"lung": {"dice": 0.004}, "baseline": {"dice": -0.001}}}
    monkeypatch.setattr(bundle, "MOST_MB", 110e-6)
    # the U-Net's first, then the one that loses most; the others fit then
    assert bundle.left_out(tmp_path, set(sizes), metrics) == {"unet.int8.onnx", "lung.int8.onnx"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["baseline.int8.onnx", "baseline.onnx", "lung.onnx"]
    assert capsys.readouterr().out.count("is left out") == 2
    assert bundle.left_out(tmp_path, {"baseline.int8.onnx", "baseline.onnx", "lung.onnx"}, metrics) == set()
