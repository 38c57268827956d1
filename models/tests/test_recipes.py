"""The recipes in this folder are what the package can read, and name what they need."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ftuseg_models import ORGANS, cli, config
from ftuseg_models.errors import ConfigError
from ftuseg_models.training import jobs

MODELS = Path(__file__).parent.parent


@pytest.mark.parametrize("recipe", ["config.toml", "pretrained.toml", "gpu.toml", "one.toml", "told.toml", "five.toml"])
def test_a_recipe_can_be_read(recipe):
    settings = config.load(MODELS / recipe)
    assert settings.kaggle and {"start", "baseline", "organs", "router", "unet"} <= set(settings.stages)


def test_one_told_and_five_differ_in_nothing_but_what_they_are_compared_for():
    one, told, five = (config.load(MODELS / f"{recipe}.toml") for recipe in ("one", "told", "five"))
    assert one.continues == told.continues == five.baselines == MODELS / "work"
    assert len({one.work, told.work, five.work, MODELS / "work"}) == 4
    assert told.conditioned and not one.conditioned and not five.conditioned
    assert one.stage("baseline") == told.stage("baseline")
    shared = one.stage("baseline")
    for organ in ORGANS:
        own = five.stage(organ)
        assert own.crops * len(ORGANS) == shared.crops
        # what an organ's network is: most crops are its organ's, and with fewer steps it averages over fewer
        alike = dataclasses.replace(shared, crops=own.crops, organ_share=own.organ_share, ema=own.ema)
        assert own == alike, organ


def test_a_recipe_may_extend_another(tmp_path):
    (tmp_path / "a.toml").write_text(
        'work = "w"\nbundle = "b"\nmpp = 2.0\n[[kaggle]]\npath = "x"\n[stages.baseline]\ncrops = 8\nbatch = 4\n'
    )
    (tmp_path / "b.toml").write_text('extends = "a.toml"\nwork = "v"\n[stages.baseline]\ncrops = 9\n')
    below, above = (config.load(tmp_path / name) for name in ("a.toml", "b.toml"))
    changed = dataclasses.replace(below.stage("baseline"), crops=9)
    assert above == dataclasses.replace(below, work=tmp_path / "v", stages={"baseline": changed})
    (tmp_path / "c.toml").write_text('extends = "c.toml"\n')
    with pytest.raises(ConfigError, match="extend itself"):
        config.load(tmp_path / "c.toml")


def test_baselines_that_are_taken_from_elsewhere_are_not_trained(tmp_path, capsys):
    assert cli._names("all", config.load(MODELS / "five.toml")) == [*ORGANS, "router", "unet"]
    assert cli.main(["--config", str(MODELS / "five.toml"), "--work", str(tmp_path), "--fold", "0", "train", "baseline"]) == 2
    assert "train them there" in capsys.readouterr().err


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
