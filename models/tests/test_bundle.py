import json
import tomllib

import numpy as np
import pytest
import torch
from torch import nn

from ftuseg_models import ORGANS, bundle, calibrate, cli, config, evaluate, export, metrics, networks, router, train

MODEL_KEYS = {
    "name", "role", "organ", "file", "sha256", "input", "output", "tile", "mpp", "overlap", "threshold", "min_area",
    "fill_holes", "parameters", "dice",
}  # fmt: skip
ROUTER_KEYS = {
    "file", "sha256", "input", "tile", "mpp", "cell", "organs", "output", "limit", "fallback", "parameters", "accuracy",
}  # fmt: skip


class Red(nn.Module):
    """Finds red: the logit is a multiple of red minus green."""

    def __init__(self) -> None:
        super().__init__()
        self.pick = nn.Conv2d(3, 1, 1)
        weight = torch.tensor([networks.STD[0], -networks.STD[1], 0.0]) * 60
        self.pick.weight.data = weight.view(1, 3, 1, 1)
        self.pick.bias.data = torch.tensor([(networks.MEAN[0] - networks.MEAN[1] - 0.3) * 60])

    def forward(self, x):
        return self.pick(x)


@pytest.fixture
def settings(config_file):
    return config.load(config_file)


def test_evaluate_measures_the_held_out_cores_only(settings):
    out = settings.bundle
    export.write(export.to_onnx(Red().eval(), settings.tile), out / "baseline.onnx")
    export.write(export.to_onnx(Red().eval(), settings.tile), out / "lung.onnx")
    result = evaluate.run(settings, out)
    held_out = {i for ids in result["held_out"].values() for i in ids}
    assert len(held_out) == 5 and held_out == set(result["cores"])
    assert all(entry["n"] == 1 and entry["mean"] > 0.9 for entry in result["models"]["baseline"])
    assert [entry["organ"] for entry in result["models"]["lung"]] == ["lung"]
    described = tomllib.loads((out / "bundle.toml").read_text())
    assert described["model"][0]["dice"][0]["n"] == 1
    assert described["model"][0]["name"] == "lung" and described["model"][1]["role"] == "baseline"


def test_training_never_sees_a_held_out_core(settings):
    from ftuseg_models import stages

    held_out = {core.id for core in evaluate.held_out_cores(settings)}
    data = stages.load_data(settings, settings.mpp)
    assert {p.id for p in data.held_out} == held_out
    assert not held_out & {p.id for p in data.training if p.target}
    assert len(data.training) + len(held_out) == 15
    job = stages.job(settings, "router")
    seen = {p.id for p in job.batches.pool.pictures}
    assert not seen & (held_out | data.validation) and data.validation


def test_dice():
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    assert metrics.dice(a, b) == 1.0
    a[:2] = 1
    assert metrics.dice(a, b) == 0.0
    b[1:3] = 255
    assert metrics.dice(a, b) == 0.5


def test_cleaning_drops_small_objects_and_fills_holes():
    mask = np.zeros((20, 20), dtype=bool)
    mask[1:3, 1:3] = True
    mask[8:16, 8:16] = True
    mask[11:13, 11:13] = False
    tidy = metrics.clean(mask, 5, True)
    assert not tidy[1:3, 1:3].any() and tidy[8:16, 8:16].all() and tidy.sum() == 64
    assert (metrics.clean(mask, 4, False) == mask).all()


def test_the_temperature_is_found():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 5, generator=generator) * 2
    organ = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]
    assert metrics.temperature(logits * 3, organ) == pytest.approx(3.0, rel=0.1)


def test_object_sizes_come_from_the_masks(picture):
    sizes = calibrate.object_sizes([picture])
    assert sizes["objects"] >= 1 and sizes["fill_holes"] is True
    assert 0 < sizes["min_area"] < sizes["median_area"]


def test_cells_are_in_the_middle_of_their_tile():
    image = np.full((64, 96, 3), 255, dtype=np.uint8)
    image[40:52, 70:80] = (10, 20, 30)
    tiles = router.cell_tiles(image, 64, 32)
    # the dark block lies in the cell (row 1, column 2), whose corner is (64, 32)
    assert tiles.shape == (1, 64, 64, 3)
    assert (tiles[0, 16 + 8 : 16 + 20, 16 + 6 : 16 + 16] == (10, 20, 30)).all()
    assert router.cell_tiles(np.full((20, 20, 3), 255, dtype=np.uint8), 64, 32).shape == (1, 64, 64, 3)


def test_the_whole_way_from_cores_to_a_bundle(config_file, capsys):
    settings = config.load(config_file)
    for command in (["train", "unet"], ["train", "router"], ["calibrate"], ["export"], ["evaluate"]):
        assert cli.main(["--config", str(config_file), *command]) == 0
    described = tomllib.loads((settings.bundle / "bundle.toml").read_text())
    assert set(described) == {"name", "version", "licence", "description", "router", "model"}
    assert set(described["router"]) == ROUTER_KEYS and described["router"]["organs"] == list(ORGANS)
    (unet,) = described["model"]
    assert set(unet) == MODEL_KEYS - {"organ"}
    assert [d["organ"] for d in unet["dice"]] == list(ORGANS)
    import hashlib

    assert unet["sha256"] == hashlib.sha256((settings.bundle / "unet.onnx").read_bytes()).hexdigest()
    stored = json.loads((settings.bundle / "metrics.json").read_text())
    assert sum(len(ids) for ids in stored["held_out"].values()) == 5
    # the file holds the averaged weights
    core = evaluate.held_out_cores(settings)[0]
    network = train.load_average(settings.work / "unet.pt", networks.build("unet", 0.0625))
    scaled = metrics.torch_probability(network, bundle_scaled(core, settings), settings.tile)
    session = evaluate.open_session(settings.bundle / "unet.onnx")
    found = evaluate.probability(session, core, settings.mpp, settings.tile)
    height, width = core.image.shape[:2]
    assert np.abs(metrics.resize_map(scaled, width, height) - found).max() < 0.03


def bundle_scaled(core, settings):
    from ftuseg_models.pictures import rescale

    return rescale(core, settings.mpp)


def test_without_checkpoints_export_says_what_to_do(config_file, capsys):
    assert cli.main(["--config", str(config_file), "export"]) == 2
    assert "train first" in capsys.readouterr().err
    assert cli.main(["--config", str(config_file), "train", "kidney"]) == 2
    assert "train baseline" in capsys.readouterr().err


def test_organs_can_stand_in_with_the_baseline(settings):
    settings.work.mkdir(parents=True)
    torch.save({}, settings.work / "baseline.pt")
    assert [e.name for e in bundle.entries(settings)] == ["baseline"]
    assert [e.name for e in bundle.entries(settings, stand_in=True)] == [*ORGANS, "baseline"]


@pytest.mark.parametrize(
    ("text", "named"),
    [("colour = 1", "colour"), ("[stages.kidny]", "kidny"), ("[holdout]\nliver = 1", "liver"), ("[[kaggle]]", "path")],
)
def test_a_wrong_configuration_is_named(tmp_path, text, named):
    path = tmp_path / "c.toml"
    path.write_text('work = "w"\nbundle = "b"\n' + text)
    with pytest.raises(config.ConfigError, match=named):
        config.load(path)


def test_an_absent_configuration_is_an_error_not_a_trace(tmp_path, capsys):
    assert cli.main(["--config", str(tmp_path / "none.toml"), "train", "router"]) == 2
    assert "none.toml" in capsys.readouterr().err
