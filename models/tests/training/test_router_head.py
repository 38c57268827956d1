"""The router on the baseline's trunk is solved for, calibrated, and goes on after an interruption."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ftuseg_models import cli, config
from ftuseg_models.networks import architectures
from ftuseg_models.onnx_graphs import conversion, sessions
from ftuseg_models.training import checkpoints, jobs, loop, router_head


def test_the_last_layer_separates_what_can_be_separated():
    rng = torch.Generator().manual_seed(0)
    organ = torch.randint(0, 5, (600,), generator=rng)
    features = 40 + 3 * torch.randn(600, 20, generator=rng)
    features[torch.arange(600), organ] += 15
    weight, bias = router_head.solve(features[:400], organ[:400], 5)
    found = (features[400:] @ weight.T + bias).argmax(dim=1)
    assert (found == organ[400:]).float().mean() > 0.95


def test_a_rare_organ_counts_as_much_as_a_frequent_one():
    # one feature, overlapping: with equal weights the border lies in the middle, whatever the numbers
    rng = torch.Generator().manual_seed(0)
    features = torch.cat([torch.randn(2000, 1, generator=rng), 2 + torch.randn(50, 1, generator=rng)])
    organ = torch.tensor([0] * 2000 + [1] * 50)
    weight, bias = router_head.solve(features, organ, 2, decay=1e-4)
    border = -(bias[0] - bias[1]) / (weight[0, 0] - weight[1, 0])
    assert border.item() == pytest.approx(1.0, abs=0.25)


def test_the_trunk_takes_the_encoder_and_exports(tmp_path):
    torch.manual_seed(0)
    unet = architectures.efficientnet_unet().eval()
    torch.save({"average": unet.state_dict()}, tmp_path / "baseline.pt")
    network = architectures.trunk_of(tmp_path / "baseline.pt").eval()
    assert architectures.parameter_count(network) < 2_500_000
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        deep = unet.encoder(image)[4]
        features = network.features(image)
    assert torch.allclose(features[:, 134:246], deep.mean(dim=(2, 3)), atol=1e-5)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    conversion.write(conversion.to_onnx(network, 64, router=True), tmp_path / "router.onnx")
    found = sessions.open_session(tmp_path / "router.onnx").run(None, {"image": pixels})[0]
    assert found.shape == (3, 5) and np.allclose(found.sum(axis=1), 1.0, atol=1e-5)


def test_the_router_can_be_trained_on_the_baseline(config_file, capsys):
    config_file.write_text('router_network = "trunk"\n' + config_file.read_text())
    arguments = ["--config", str(config_file), "train", "router"]
    assert cli.main(arguments) == 2
    assert "train baseline" in capsys.readouterr().err
    settings = config.load(config_file)
    settings.work.mkdir(parents=True, exist_ok=True)
    torch.save({"average": architectures.efficientnet_unet().state_dict(), "progress": 1.0, "kept_out": []}, settings.work / "baseline.pt")
    assert cli.main(arguments) == 0
    state = torch.load(settings.work / "router.pt", weights_only=True)
    assert state["progress"] == 1.0 and len(state["features"]) == len(state["organ"]) > 0
    network = checkpoints.load_average(settings.work / "router.pt", architectures.build("router", router="trunk"))
    assert network.last.weight.abs().max() > 0
    assert cli.main(["--config", str(config_file), "calibrate"]) == 0
    assert cli.main(["--config", str(config_file), "export"]) == 0
    assert (settings.bundle / "router.onnx").stat().st_size < 2_000_000


def test_the_router_can_be_trained_by_crops(config_file):
    text = 'router_network = "trunk"\n' + config_file.read_text()
    config_file.write_text(text.replace("[stages.router]\nminutes = 0.03", "[stages.router]\nminutes = 1e9\ncrops = 40"))
    settings = config.load(config_file)
    settings.work.mkdir(parents=True, exist_ok=True)
    torch.save({"average": architectures.efficientnet_unet().state_dict(), "progress": 1.0, "kept_out": []}, settings.work / "baseline.pt")
    assert cli.main(["--config", str(config_file), "train", "router"]) == 0
    assert len(torch.load(settings.work / "router.pt", weights_only=True)["organ"]) == 40
    assert loop.finished(jobs.job(settings, "router"))


def test_cross_validation_does_not_learn_pictures_by_heart():
    # every picture is perfectly known by its own feature, which says nothing about other pictures
    picture = torch.arange(40).repeat_interleave(5)
    organ = (torch.arange(40) % 2).repeat_interleave(5)
    features = torch.nn.functional.one_hot(picture, 40).float()
    asked = torch.ones(200, dtype=torch.bool)
    weight, bias = router_head.solve(features, organ, 2, 0.001)
    assert ((features @ weight.T + bias).argmax(dim=1) == organ).all()
    assert router_head.cross_validate(features, organ, picture, asked, 2)[1] < 0.8
    # and one that does say something is found
    features[:, 0] = organ * 2.0
    assert router_head.cross_validate(features, organ, picture, asked, 2)[1] > 0.95


def test_the_vote_of_a_picture_is_calibrated_not_the_crop():
    # a hundred pictures; each crop is a weak hint, and their vote is right in nine of ten
    rng = torch.Generator().manual_seed(0)
    organ = torch.arange(100) % 2
    believed = torch.where(torch.arange(100) % 10 == 0, 1 - organ, organ)
    picture = torch.arange(100).repeat_interleave(9)
    logits = 0.4 * torch.nn.functional.one_hot(believed, 2).float()[picture]
    logits = logits + 0.05 * torch.randn(logits.shape, generator=rng)
    found = router_head.vote_calibration(logits, organ[picture], picture)
    assert found["pictures"] == 100 and found["pictures_right"] == 90
    assert found["temperature"] == pytest.approx(0.5, abs=0.01) and len(found["votes"]) == 100
    assert 0.55 < found["mean_confidence"] < 0.95
    # votes that claim too much are cooled down
    wild = router_head.vote_calibration(20 * logits, organ[picture], picture)
    assert wild["temperature"] > 1.5 and wild["mean_confidence"] == pytest.approx(0.9, abs=0.05)
