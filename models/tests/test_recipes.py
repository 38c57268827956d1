"""The recipes in this folder are what the package can read, and name what they need."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ftuseg_models import ORGANS, cli, config
from ftuseg_models.training import jobs

MODELS = Path(__file__).parent.parent


@pytest.mark.parametrize("recipe", ["config.toml", "pretrained.toml", "gpu.toml"])
def test_a_recipe_can_be_read(recipe):
    settings = config.load(MODELS / recipe)
    assert settings.kaggle and {"start", "baseline", "organs", "router", "unet"} <= set(settings.stages)


def test_the_next_bundles_recipe_is_the_same_on_a_gpu():
    cpu, gpu = (config.load(MODELS / recipe) for recipe in ("pretrained.toml", "gpu.toml"))
    for name in (
        "encoder", "decoder", "weights", "fold_by", "mpp", "tile", "overlap", "kaggle", "sets", "router_other", "finish_from",
        "previous",
    ):
        assert getattr(cpu, name) == getattr(gpu, name), name
    for stage in ("start", "baseline", "unet", "router", *ORGANS):
        assert cpu.stage(stage).crops == gpu.stage(stage).crops > 0
    assert cpu.stage("baseline").crops == 48_000
    for settings in (cpu, gpu):
        lung = settings.stage("lung")
        assert lung.early_stop and lung.start_from == "start" and not settings.stage("kidney").early_stop
        assert settings.previous == MODELS / "bundle"


@pytest.mark.parametrize("recipe", ["pretrained.toml", "gpu.toml"])
def test_the_models_to_ship_continue_from_fold_0s_but_lung_starts_anew(recipe, tmp_path):
    folds = config.load(MODELS / recipe, work=tmp_path)
    ship = folds.to_ship()
    assert ship.stage("baseline").crops == ship.stage("kidney").crops == 12_000
    assert ship.stage("lung") == folds.stage("lung")
    for path in (folds.of_fold(0).runs / "baseline.pt", folds.of_fold(0).runs / "lung.pt", folds.common / "start.pt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert jobs._start_of(ship, "baseline", None) == folds.of_fold(0).runs / "baseline.pt"
    assert jobs._start_of(ship, "lung", None) == folds.common / "start.pt"
    with pytest.raises(FileNotFoundError, match="kidney.pt"):
        jobs._start_of(ship, "kidney", None)


def test_with_a_network_that_is_told_its_organ_only_organs_with_their_own_stage_are_trained():
    five = config.load(MODELS / "pretrained.toml")
    one = dataclasses.replace(five, conditioned=True, pseudo_rounds=2)
    assert cli._names("all", five) == ["start", "baseline", *ORGANS, "router", "unet"]
    assert cli._names("all", one) == ["start", "baseline", "pseudo", "lung", "router", "unet"]
