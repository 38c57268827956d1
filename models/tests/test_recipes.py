"""The recipes in this folder are what the package can read, and name what they need."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftuseg_models import ORGANS, config

MODELS = Path(__file__).parent.parent


@pytest.mark.parametrize("recipe", ["config.toml", "pretrained.toml", "gpu.toml"])
def test_a_recipe_can_be_read(recipe):
    settings = config.load(MODELS / recipe)
    assert settings.kaggle and {"start", "baseline", "organs", "router", "unet"} <= set(settings.stages)


def test_the_next_bundles_recipe_is_the_same_on_a_gpu():
    cpu, gpu = (config.load(MODELS / recipe) for recipe in ("pretrained.toml", "gpu.toml"))
    for name in ("encoder", "decoder", "weights", "fold_by", "mpp", "tile", "overlap", "kaggle", "sets", "router_other", "previous"):
        assert getattr(cpu, name) == getattr(gpu, name), name
    for stage in ("start", "baseline", "unet", "router", *ORGANS):
        assert cpu.stage(stage).crops == gpu.stage(stage).crops > 0
    assert cpu.stage("baseline").crops == 60_000
    for settings in (cpu, gpu):
        lung = settings.stage("lung")
        assert lung.early_stop and lung.start_from == "start" and not settings.stage("kidney").early_stop
        assert settings.previous == MODELS / "bundle"
