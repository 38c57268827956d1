"""What is unlike all that was seen is told from what is not, also by the router's file."""

from __future__ import annotations

import numpy as np
import torch

from ftuseg_models import ORGANS, cli, config
from ftuseg_models.networks import architectures, normalisation, other_tissue
from ftuseg_models.onnx_graphs import conversion, sessions
from ftuseg_models.training import checkpoints

LEVELS = (2, 6)


def features(rng: torch.Generator, organ: torch.Tensor, shift: float = 0.0) -> torch.Tensor:
    """Means and mean squares of channels whose means depend on the organ."""
    parts = []
    for level in LEVELS:
        mean = 0.5 * torch.randn(len(organ), level, generator=rng) + organ[:, None] * torch.linspace(1, 2, level) + shift
        parts += [mean, mean * mean + 0.5 + 0.1 * torch.rand(len(organ), level, generator=rng)]
    return torch.cat(parts, dim=1)


def test_the_spread_of_a_channel_is_read_off_its_mean_square():
    x = torch.randn(4, 8, 50)
    pairs = [part for level in x.split(LEVELS, dim=1) for part in (level.mean(dim=2), (level * level).mean(dim=2))]
    found = other_tissue.standard(torch.cat(pairs, dim=1), LEVELS)
    assert torch.allclose(found[:, 2:4], x[:, :2].std(dim=2, unbiased=False), atol=1e-4)
    assert torch.allclose(found[:, 10:], x[:, 2:].std(dim=2, unbiased=False), atol=1e-4)


def test_what_is_unlike_all_is_told_from_what_is_not():
    rng = torch.Generator().manual_seed(0)
    organ = torch.arange(400) % 5
    cores = [str(place // 5) for place in range(400)]
    fitted = other_tissue.fit((features(rng, organ), organ, cores), (features(rng, organ), cores), LEVELS)
    new = features(rng, organ)
    assert (fitted(new) > 0).float().mean() < 0.25  # single tiles; the limit is for the mean of a core's
    by_core = fitted(new).reshape(80, 5).mean(dim=1)
    assert (by_core > 0).float().mean() < 0.15
    assert (fitted(features(rng, organ, shift=6.0)) > 0).float().mean() > 0.95
    # between two organs' means, where neither is
    assert fitted(features(rng, organ * 0 + 2.0, shift=0.0)).mean() < fitted(features(rng, organ * 0 - 4.0)).mean()


def test_a_core_is_judged_by_other_cores(monkeypatch):
    rng = torch.Generator().manual_seed(0)
    organ, cores = torch.arange(60) % 5, [str(place // 6) for place in range(60)]
    same = features(rng, organ)
    asked = other_tissue.fit((same, organ, cores), (same, cores), LEVELS)
    # its own tiles would be at no distance: then the usual one would be that of nine others at most
    assert asked.usual[0] > asked.distances(same)[:, 0].mean()


def test_the_routers_file_has_an_output_for_none_of_the_organs(config_file):
    text = 'router_network = "trunk"\nrouter_other = true\n' + config_file.read_text()
    config_file.write_text(text.replace("[stages.router]\nminutes = 0.03", "[stages.router]\ncrops = 60"))
    settings = config.load(config_file)
    settings.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    unet = architectures.efficientnet_unet().train()
    with torch.no_grad():  # normalisation that fits what it sees: otherwise nearly nothing reaches the deep layers
        for _ in range(20):
            unet(torch.randn(4, 3, 64, 64))
    torch.save({"average": unet.state_dict(), "progress": 1.0, "kept_out": []}, settings.work / "baseline.pt")
    assert cli.main(["--config", str(config_file), "train", "router"]) == 0
    other = other_tissue.load(settings.runs / "router.pt")
    network = checkpoints.load_average(settings.runs / "router.pt", architectures.build("router", router="trunk"))
    assert cli.main(["--config", str(config_file), "export"]) == 0
    described = (settings.bundle / "bundle.toml").read_text()
    assert "other = true" in described and all(organ in described for organ in ORGANS)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    pixels[2] = 100 + pixels[2] // 5
    found = sessions.open_session(settings.bundle / "router.onnx").run(None, {"image": pixels})[0]
    assert found.shape == (3, 6) and np.allclose(found.sum(axis=1), 1.0, atol=1e-4)
    network = conversion.as_stored(network, 64)
    with torch.no_grad():
        images = normalisation.normalise(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0)
        wanted = other(network.features(images))[:, 0]
    # in units of the logit: these tiles are far beyond where a sigmoid still tells anything
    logit = np.log(found[:, 5].clip(1e-6, 1 - 1e-6) / (1 - found[:, 5]).clip(1e-6, 1))
    assert np.abs(logit - wanted.numpy().clip(-13.8, 13.8)).max() < 0.5
    # without the switch the file is what it was
    config_file.write_text(config_file.read_text().replace("router_other = true\n", ""))
    assert cli.main(["--config", str(config_file), "export"]) == 0
    assert sessions.open_session(settings.bundle / "router.onnx").run(None, {"image": pixels})[0].shape == (3, 5)
    assert "other" not in (settings.bundle / "bundle.toml").read_text()
