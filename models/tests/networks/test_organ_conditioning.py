"""A network that is told its organ becomes a plain one for each, in torch, in files and in a bundle."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

from ftuseg_models import ORGANS, UNKNOWN_ORGAN, cli, config
from ftuseg_models.exporting import bundle
from ftuseg_models.networks import architectures, normalisation, organ_conditioning
from ftuseg_models.onnx_graphs import conversion, sessions
from ftuseg_models.training import checkpoints, jobs, loop

DECODER = (16, 12, 8, 8, 4)


def changed() -> torch.nn.Module:
    """A network whose organs differ, ready for use."""
    torch.manual_seed(3)
    network = architectures.build("baseline", encoder="lite0", decoder=DECODER, conditioned=True)
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.running_mean.normal_(0.0, 0.1)
                part.running_var.uniform_(0.5, 1.5)
            if isinstance(part, organ_conditioning.ToldNorm):
                part.told_gain.normal_(0.0, 0.3)
                part.told_shift.normal_(0.0, 0.3)
    return network.eval()


@torch.no_grad()
def test_what_was_not_learned_changes_nothing():
    torch.manual_seed(0)
    plain = architectures.build("baseline", encoder="lite0", decoder=DECODER)
    network = architectures.build("baseline", encoder="lite0", decoder=DECODER, conditioned=True)
    network.load_state_dict(organ_conditioning.completed(plain.state_dict(), network))
    images = torch.rand(2, 3, 64, 64)
    organ_conditioning.tell(network, torch.tensor([0, 4]))
    assert torch.allclose(network.eval()(images), plain.eval()(images), atol=1e-5)


@torch.no_grad()
def test_each_image_of_a_batch_is_told_its_own_organ_and_the_plain_network_says_the_same():
    network, images = changed(), torch.rand(3, 3, 64, 64)
    organ_conditioning.tell(network, torch.tensor([0, 4, UNKNOWN_ORGAN]))
    together = network(images)
    for place, organ in enumerate(("kidney", "lung", None)):
        alone = organ_conditioning.told(network, organ)
        assert not any(isinstance(part, organ_conditioning.ToldNorm) for part in alone.modules())
        assert set(alone.state_dict()) == set(architectures.build("baseline", encoder="lite0", decoder=DECODER).state_dict())
        assert torch.allclose(alone(images[place : place + 1])[0], together[place], atol=1e-4)
    assert not torch.allclose(together[0], organ_conditioning.told(network, "lung")(images[:1])[0], atol=1e-2)
    # a network that is told nothing answers as for an organ that is not known
    organ_conditioning.tell(network, None)
    assert torch.allclose(network(images)[2], together[2], atol=1e-4)


def test_an_organs_file_says_what_the_told_network_says():
    network = changed()
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    image = normalisation.normalise(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0)
    for organ in ("prostate", None):
        model = conversion.to_onnx(conversion.as_stored(organ_conditioning.told(network, organ), 64), 64)
        assert [place.name for place in model.graph.input] == ["image"]
        found = sessions.open_session(model.SerializeToString()).run(None, {"image": pixels})[0]
        organ_conditioning.tell(network, torch.tensor([ORGANS.index(organ) if organ else UNKNOWN_ORGAN]))
        with torch.no_grad():
            assert np.abs(found - network(image).sigmoid().numpy()).max() < 0.01


class TwoOrgans:
    """The same grey for both organs; in the first everything is an FTU, in the second nothing."""

    def draw(self, rng, count, progress):
        rows = torch.from_numpy(rng.integers(0, 2, count))
        images = torch.full((count, 3, 32, 32), 0.5) + 0.05 * torch.from_numpy(rng.normal(size=(count, 3, 32, 32))).float()
        return images, (rows == 0).float()[:, None, None, None].expand(-1, 1, 32, 32), rows

    def as_run(self, rng, count):
        return self.draw(rng, count, 1.0)[0]


@pytest.mark.parametrize("loaders", [0, 1])
def test_training_learns_what_only_the_organ_can_tell(tmp_path, loaders):
    build = functools.partial(architectures.build, "baseline", encoder="lite0", decoder=DECODER, conditioned=True)
    stage = config.Stage(crops=160, batch=8, crop=32, learning_rate=5e-3, ema=0.5, settled=False, loaders=loaders)
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    job = loop.Job("baseline", stage, tmp_path, build, TwoOrgans(), loss, seed=1, threads=1)
    network = checkpoints.load_average(loop.run(job), build())
    image = normalisation.normalise(torch.full((1, 3, 32, 32), 0.5))
    with torch.no_grad():
        first, second = (organ_conditioning.told(network, organ)(image).mean().item() for organ in ORGANS[:2])
    assert first > second + 0.5


def test_a_bundle_has_a_file_for_each_organ_from_one_training(config_file):
    config_file.write_text(f'conditioned = true\nencoder = "lite0"\ndecoder = {list(DECODER)}\n' + config_file.read_text())
    settings = config.load(config_file)
    assert cli._names("all", settings) == ["baseline", "router", "unet"]
    settings.runs.mkdir(parents=True)
    state = {"average": changed().state_dict(), "progress": 1.0, "kept_out": []}
    torch.save(state, settings.runs / "baseline.pt")
    bundle.export_all(settings, settings.bundle)
    assert {f"{name}.onnx" for name in (*ORGANS, "baseline")} <= {path.name for path in settings.bundle.iterdir()}
    pixels = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), dtype=np.uint8)
    answers = [sessions.open_session(settings.bundle / f"{n}.onnx").run(None, {"image": pixels})[0] for n in ("lung", "baseline")]
    image = normalisation.normalise(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0)
    for found, name in zip(answers, ("lung", "baseline")):
        with torch.no_grad():
            assert np.abs(found - jobs.trained(settings, name)(image).sigmoid().numpy()).max() < 0.03
    assert np.abs(answers[0] - answers[1]).max() > 0.05
