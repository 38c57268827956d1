"""Pictures without a mask get one from the run's own networks, where these are sure."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import nn

from ftuseg_models import cli, config
from ftuseg_models.data import target_cores
from ftuseg_models.data.pictures import Picture
from ftuseg_models.networks.normalisation import STD
from ftuseg_models.training import checkpoints, jobs, pseudo_labels

TINY = """encoder = "lite0"
decoder = [16, 8, 8, 4, 4]
pseudo_rounds = 2
[[sets]]
kind = "lung_patches"
path = "lung"
[stages.pseudo]
crops = 4
batch = 2
crop = 64
"""


class Bright(nn.Module):
    """The probability follows the brightness: 0.5 where it is ImageNet's mean."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 30.0 * STD[0] * x[:, :1]


def picture(name: str, dark: int, bright: int) -> Picture:
    image = np.full((64, 64, 3), dark, dtype=np.uint8)
    image[16:48, 16:48] = bright
    return Picture(name, "lung_patches", "lung", image, None, 4.0)


def test_only_pictures_that_the_network_is_sure_of_get_a_mask():
    clear, dull = picture("clear", 20, 220), picture("dull", 123, 124)
    (kept,) = pseudo_labels.labelled(Bright(), [clear, dull], 0.5, 64)
    assert kept.id == "clear" and kept.mask[16:48, 16:48].all() and kept.mask.sum() == 32 * 32
    assert not kept.target and clear.mask is None


def test_the_threshold_is_the_one_that_fits_the_training():
    truth = np.zeros((64, 64), dtype=np.uint8)
    truth[16:48, 16:48] = 1
    # the object is seen with a probability of about 0.3, all else with next to none
    seen = picture("core", 20, 116)
    fits = pseudo_labels.best_threshold(Bright(), [Picture(**{**seen.__dict__, "mask": truth})], 64)
    assert 0.05 <= fits <= 0.3
    assert pseudo_labels.best_threshold(Bright(), [], 64) == 0.5


def test_two_rounds_train_the_baseline_on_and_all_else_stands_on_the_last(config_file, tmp_path):
    (tmp_path / "lung").mkdir()
    for number in range(17):
        shade = np.random.default_rng(number).integers(90, 240, (112, 112, 3), dtype=np.uint8)
        Image.fromarray(shade).save(tmp_path / "lung" / f"{number}.png")
    head, stages = config_file.read_text().split("[stages.baseline]")
    more, pseudo = TINY.split("[[sets]]")
    config_file.write_text(more + head + "[[sets]]" + pseudo + "[stages.baseline]" + stages)
    command = ["--config", str(config_file), "--fold", "0", "train"]
    assert cli.main([*command, "pseudo"]) == 2  # not before the baseline
    for what in ("baseline", "pseudo", "pseudo"):
        assert cli.main([*command, what]) == 0
    settings = config.load(config_file).of_fold(0)
    assert settings.checkpoint("baseline") == settings.runs / "baseline-2.pt"
    log = (settings.runs / "baseline-1.log").read_text()
    assert "of 1 pictures of lung get a mask at a threshold of" in log
    held_out = {f"cores:{core.id}" for core in target_cores.held_out_cores(settings)}
    for number in range(3):
        assert held_out <= checkpoints.kept_out(settings.baseline_of_round(number))
    assert jobs.job(settings, "lung").start == settings.runs / "baseline-2.pt"
    assert pseudo_labels.round_job(settings, 2).start == settings.runs / "baseline-1.pt"


def test_a_packed_checkpoint_is_small_and_can_be_started_from(tmp_path):
    network = nn.Conv2d(3, 1024, 3)
    state = {"average": network.state_dict(), "network": nn.Conv2d(3, 1024, 3).state_dict(), "optimiser": {}, "progress": 1.0, "kept_out": ["a:1"]}
    checkpoints.save(tmp_path / "whole.pt", state)
    checkpoints.pack(tmp_path / "whole.pt", tmp_path / "packed" / "small.pt")
    assert (tmp_path / "packed" / "small.pt").stat().st_size < 0.3 * (tmp_path / "whole.pt").stat().st_size
    again = checkpoints.load_average(tmp_path / "packed" / "small.pt", nn.Conv2d(3, 1024, 3))
    assert again.weight.dtype == torch.float32 and torch.allclose(again.weight, network.weight, atol=1e-3)
    assert checkpoints.kept_out(tmp_path / "packed" / "small.pt") == {"a:1"}
