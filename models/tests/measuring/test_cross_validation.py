"""Thresholds, what serves an organ, and means are decided and measured without the core in question."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from ftuseg_models import ORGANS, config
from ftuseg_models.data import kaggle
from ftuseg_models.data.target_cores import held_out_ids
from ftuseg_models.errors import DataError
from ftuseg_models.measuring import (
    calibration,
    comparisons,
    confidence_intervals,
    cross_validation,
    fold_kinds,
    model_choice,
    paper,
    previous_results,
    tables,
    thresholds,
)
from ftuseg_models.measuring.cross_validation import MeasuredCore
from ftuseg_models.measuring.thresholds import Choice, Chooser
from ftuseg_models.networks import architectures, inference


def core(number: int, organ: str, level: float, noise: int = 0, mpp: float = 1.0, **rest) -> MeasuredCore:
    """A core with a square object that its networks find with probability `level`, and small specks beside it."""
    truth = np.zeros((60, 60), dtype=bool)
    truth[10:40, 10:40] = True
    probability = np.where(truth, level, 0.1).astype(np.float16)
    for speck in range(noise):
        probability[50, 3 + 6 * speck : 6 + 6 * speck] = 0.9
    maps = {organ: probability, "baseline": probability * 0.5, f"{organ}:int8": probability}
    values = {"fold": "fold-0", "part": "test", "plain": True, "votes": [], **rest}
    return MeasuredCore(
        id=str(number), organ=organ, mpp=mpp, width=60, height=60, rle=kaggle.rle_encode(truth), maps=maps, **values
    )


def test_the_threshold_that_fits_is_found_and_the_middle_is_kept_where_nothing_is_gained():
    low = [core(n, "kidney", 0.42) for n in range(6)]
    assert Chooser(low).final("kidney").threshold == 0.4
    high = [core(n, "kidney", 0.9) for n in range(6)]
    # the squares have no holes, so a found one is a mistake
    assert Chooser(high).final("kidney") == Choice(0.5, 100.0, True)


def test_a_few_cores_choose_nothing():
    few = [core(n, "kidney", 0.42) for n in range(5)]
    # the objects have 900 um2
    assert Chooser(few).final("kidney") == Choice(0.5, 100.0, True)


def test_small_objects_are_dropped_where_that_helps():
    # true objects of one px beside the large one: what is plain keeps the specks, which are six px of 400 um2
    cores = [core(n, "kidney", 0.9, noise=8, mpp=20.0) for n in range(6)]
    for each in cores:
        truth = each.truth()
        truth[0, ::4] = True
        each.rle = kaggle.rle_encode(truth)
        each.maps["kidney"][51] = each.maps["kidney"][50]
    assert Chooser(cores).table.plain_area(cores) == 100.0
    assert Chooser(cores).final("kidney").min_area_um2 == 4000.0
    cleaned = thresholds.clean(cores[0].maps["kidney"] > 0.5, 20.0, Choice(0.5, 4000.0))
    assert cleaned.sum() == 900


def test_cleaning_fills_holes_first():
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:8, 2:8] = True
    mask[3:7, 3:7] = False
    assert thresholds.clean(mask, 1.0, Choice(0.5, 30.0, True)).sum() == 36
    assert thresholds.clean(mask, 1.0, Choice(0.5, 30.0, False)).sum() == 0


def test_a_ring_that_is_open_at_a_corner_has_no_hole():
    ring = np.ones((5, 5), dtype=bool)
    ring[1:4, 1:4] = False
    assert thresholds.clean(ring, 1.0, Choice(fill_holes=True)).sum() == 25
    ring[0, 0] = False
    assert thresholds.clean(ring, 1.0, Choice(fill_holes=True)).sum() == 15
    assert thresholds.holes_of(ring) == (0, 15)


def test_whether_holes_are_filled_the_other_cores_say():
    cores = [core(n, "kidney", 0.9) for n in range(3)]
    holed = cores[0].truth()
    holed[15:35, 15:35] = False
    cores[0].rle = kaggle.rle_encode(holed)
    chooser = Chooser(cores)
    assert not chooser.final("kidney").fill_holes
    assert chooser.without("kidney", cores[0]).fill_holes
    assert not chooser.without("kidney", cores[1]).fill_holes


def test_no_core_decides_for_itself():
    # one core alone would want 0.4; the others are content with the middle
    cores = [core(0, "kidney", 0.42), *(core(n, "kidney", 0.9) for n in range(1, 7))]
    chooser = Chooser(cores)
    assert chooser.without("kidney", cores[0]).threshold == 0.5
    assert chooser.dice(cores[0], "kidney") == 0.0
    assert chooser.without("kidney", cores[1]).threshold == 0.4


def test_validation_cores_decide_where_there_are_some():
    decide = [core(n, "kidney", 0.42, part="validation") for n in range(6)]
    cores = [*decide, core(6, "kidney", 0.9), core(7, "kidney", 0.9)]
    chooser = Chooser(cores)
    assert chooser.final("kidney").threshold == 0.4
    assert chooser.without("kidney", cores[-1]).threshold == 0.4


def halves(number: int, own: float, other: float, organ: str = "kidney") -> MeasuredCore:
    """A core whose own network finds the upper half of its object and more, and whose baseline the lower and more."""
    one = core(number, organ, 0.9)
    upper = np.zeros((60, 60), dtype=np.float16)
    upper[10:25, 10:40], upper[40:60] = 0.9, own
    lower = np.zeros((60, 60), dtype=np.float16)
    lower[25:40, 10:40], lower[:10] = 0.9, other
    one.maps = {organ: upper, "baseline": lower}
    return one


def test_the_mean_of_two_networks_is_a_key_of_its_own():
    one = halves(0, 0.5, 0.3)
    assert one.has("kidney+baseline") and not one.has("kidney+unet") and not one.has("kidney+baseline:d4")
    mean = one.probability("kidney+baseline")
    assert mean[12, 12] == pytest.approx(0.45, abs=1e-3) and mean[50, 0] == pytest.approx(0.25, abs=1e-3)
    assert mean.dtype == np.float32


def test_what_answers_for_an_organ_is_what_is_best_on_the_other_cores():
    # each network alone finds a half; their mean finds all
    both = model_choice.ModelChoice(Chooser([halves(n, 0.5, 0.5) for n in range(8)]))
    assert both.best("kidney") == "kidney+baseline"
    assert both.dice(both.chooser.cores[0], "kidney") == 1.0
    assert both.dice(both.chooser.cores[0], "baseline") < 0.8
    same = model_choice.ModelChoice(Chooser([core(n, "kidney", 0.9) for n in range(6)]))
    assert same.best("kidney") == "kidney", "the mean costs a second run, and the own network wins a tie"
    assert same.best("lung") is None
    # four cores choose no threshold: at 0.5 the mean of right and nothing is nothing
    cores = [core(n, "kidney", 0.9) for n in range(4)]
    for each in cores[1:]:
        each.maps["kidney"], each.maps["baseline"] = np.zeros((60, 60)), each.maps["kidney"]
    assert model_choice.ModelChoice(Chooser(cores)).best("kidney") == "baseline"
    # no fold has a network of its own for it yet
    for each in cores:
        del each.maps["kidney"]
    alone = model_choice.ModelChoice(Chooser(cores))
    assert alone.best("kidney") == "baseline" and alone.dice(cores[1], "kidney") == 1.0


def test_no_core_has_a_say_in_what_answers_for_it():
    # the own network is right for two, the baseline for the others; where the one is right, the other finds nothing
    cores = [core(n, "kidney", 0.9) for n in range(4)]
    for n, each in enumerate(cores):
        right, nothing = each.maps["kidney"], np.zeros((60, 60), dtype=np.float16)
        each.maps = dict(zip(("kidney", "baseline"), (right, nothing) if n < 2 else (nothing, right)))
    decided = model_choice.ModelChoice(Chooser(cores))
    assert decided.best("kidney") == "kidney", "a tie"
    assert decided.best("kidney", cores[3]) == "kidney" and decided.dice(cores[3], "kidney") == 0.0
    assert decided.best("kidney", cores[0]) == "baseline" and decided.dice(cores[0], "kidney") == 0.0


def test_a_network_for_all_organs_has_a_threshold_for_each_that_it_serves():
    cores = []
    for organ, level in (("kidney", 0.42), ("lung", 0.9)):
        for n in range(6):
            one = core(n + (10 if organ == "lung" else 0), organ, level)
            one.maps["baseline"] = one.maps[organ]
            cores.append(one)
    chooser = Chooser(cores)
    assert chooser.final("baseline", "kidney").threshold == 0.4
    assert chooser.final("baseline", "lung").threshold == 0.5
    assert chooser.without("baseline", cores[0], "lung") == chooser.final("baseline", "lung")


def test_the_mean_of_means_gives_every_organ_the_same_weight():
    values = {"kidney": [1.0] * 9, "lung": [0.0]}
    found = confidence_intervals.of_organs(values, 1)
    assert (found.mean, found.n) == (0.5, 10)
    assert confidence_intervals.of_values([1.0] * 9 + [0.0], 1).mean == pytest.approx(0.9)


def test_intervals_are_those_of_the_normal_approximation_and_the_same_every_time():
    values = np.random.default_rng(0).normal(0.5, 0.1, 200).tolist()
    found = confidence_intervals.of_values(values, 7)
    half = 1.96 * np.std(values) / np.sqrt(200)
    assert found.high - found.mean == pytest.approx(half, rel=0.1)
    assert found == confidence_intervals.of_values(values, 7)


def test_the_router_abstains_under_its_limit():
    one = core(0, "kidney", 0.9, votes=[0.4, 0.3, 0.1, 0.1, 0.1])
    assert comparisons.routed_name(one, 0.35) == "kidney"
    assert comparisons.routed_name(one, 0.45) == "baseline"
    table = tables.confusion([one, core(1, "lung", 0.9, votes=[0.9, 0, 0, 0, 0.1])], 0.45)
    assert "0 of 2 cores (0.0%)" in table and "first guess is right for 1" in table


def test_paired_differences_are_by_core():
    cores = [core(n, organ, 0.9) for n, organ in enumerate(ORGANS)]
    chooser = Chooser(cores)
    a = comparisons.Way("a", lambda c: chooser.dice(c, c.organ))
    b = comparisons.Way("b", lambda c: 0.25 if c.organ == "lung" else None)
    assert comparisons.difference(cores, a, b) == {"lung": [0.75]}
    assert comparisons.int8_loss(cores, chooser, "kidney") == {"dice": 0.0, "n": 1}
    assert comparisons.int8_loss(cores, chooser, "unet") is None


def test_the_papers_true_counts_follow_from_its_printed_figures():
    for name, printed in paper.PAPER_PRINTED.items():
        for organ, n in paper.PAPER_N.items():
            assert printed[organ] * 10 / n == pytest.approx(paper.PAPER_TRUE[name][organ], abs=0.11)


class RedIsTrue(nn.Module):
    """Looks at each px alone, so that a turned picture has the turned answer."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return 3 * x[:, :1]


def test_turned_answers_come_back_to_their_place(picture):
    image = np.random.default_rng(1).integers(0, 256, picture.image.shape, dtype=np.uint8)
    image = np.ascontiguousarray(image[:, :90])
    noise = dataclasses.replace(picture, image=image)
    plain = inference.torch_probability(RedIsTrue(), noise, 128)
    assert np.allclose(cross_validation.turned(RedIsTrue(), noise, 128), plain, atol=1e-5)


def test_measured_cores_are_kept_whole_and_stale_ones_are_left_out(config_file):
    settings = config.load(config_file)
    for fold in range(3):
        settings.of_fold(fold).runs.mkdir(parents=True)
        (settings.of_fold(fold).runs / "baseline.pt").touch()
    held_out = [sorted(held_out_ids(settings.of_fold(fold)), key=int) for fold in range(3)]
    one, other = held_out[0][0], held_out[1][0]
    cores = [
        core(int(one), "lung", 0.9, votes=[0.2] * 5, fold="fold-0"),
        core(int(other), "kidney", 0.8, plain=False, fold="fold-1"),
        core(int(held_out[2][0]), "kidney", 0.8, fold="fold-1"),  # of an earlier split
        core(int(held_out[2][1]), "kidney", 0.8, fold="fold-2"),  # by networks that were trained further since
    ]
    marks = [cross_validation.fingerprint(settings.of_fold(fold)) for fold in range(3)]
    assert len(set(marks)) == 1, "the same networks, here empty files"
    (settings.of_fold(2).runs / "kidney.pt").touch()
    for each in cores:
        each.networks = marks[0]
    for each in cores:
        cross_validation.save(settings, each)
    back = cross_validation.load(settings)
    assert [c.id for c in back] == [other, one]
    assert back[1].votes == [0.2] * 5 and not back[0].plain
    assert (back[1].truth() == cores[0].truth()).all() and set(back[1].maps) == set(cores[0].maps)


def test_nothing_is_measured_on_cores_that_were_trained_on(config_file):
    run = config.load(config_file).of_fold(0)
    run.runs.mkdir(parents=True)
    state = {"average": architectures.build("baseline").state_dict(), "progress": 1.0, "kept_out": ["cores:999"]}
    torch.save(state, run.runs / "baseline.pt")
    with pytest.raises(DataError, match="has been trained on 5 of the cores"):
        list(cross_validation.measure_run(run, int8=False))
    torch.save(state | {"progress": 0.5}, run.runs / "baseline.pt")
    with pytest.raises(FileNotFoundError, match="has not ended"):
        list(cross_validation.measure_run(run, int8=False))


def test_holes_are_those_that_scipy_fills():
    rng = np.random.default_rng(0)
    for _ in range(100):
        noise = ndimage.gaussian_filter(rng.random(rng.integers(1, 60, 2)), rng.uniform(0.3, 2))
        mask = noise > np.quantile(noise, rng.uniform(0.05, 0.7))
        assert np.array_equal(thresholds.filled(mask), ndimage.binary_fill_holes(mask, thresholds.EIGHT))


def test_what_the_router_refuses_has_no_mask():
    votes = [[0.1, 0.1, 0.1, 0.1, 0.1, 0.5], [0.5, 0.1, 0.1, 0.1, 0.1, 0.1]]
    cores = [core(n, "kidney", 0.9, votes=votes[n % 2]) for n in range(6)]
    assert [comparisons.routed_name(one, 0.35) for one in cores[:2]] == ["other", "kidney"]
    by_router = comparisons.ways(model_choice.ModelChoice(Chooser(cores)), dataclasses.replace(CONFIG, router_limit=0.35))[3]
    assert [by_router.dice(one) for one in cores[:2]] == [0.0, 1.0]
    page = tables.confusion(cores, 0.35)
    assert "refuses 3 (50.0%) as none of the organs" in page and "| kidney | 3 | 0 | 0 | 0 | 0 | 0 | 3 | 6 |" in page


CONFIG = config.Config(work=None, bundle=None, encoder="lite2")


def served(cores: list[MeasuredCore]) -> comparisons.Way:
    ways = comparisons.ways(model_choice.ModelChoice(Chooser(cores)), CONFIG)
    return next(way for way in ways if way.title == comparisons.SERVED)


def test_an_earlier_bundle_is_compared_on_the_same_cores(tmp_path):
    cores = [core(n, "kidney", 0.9) for n in range(6)]
    rows = [{"id": str(n), "organ": "kidney", comparisons.SHIPPED: 0.5} for n in range(2, 9)]
    (tmp_path / "RESULTS.json").write_text(json.dumps({"cores": rows}))
    page = previous_results.comparison(cores, served(cores), tmp_path, tmp_path / "new", 1)
    line = next(line for line in page.splitlines() if line.startswith("| kidney"))
    # seven before, six now, four in both
    assert "0.500 [0.500, 0.500] (n = 7)" in line and "(n = 6)" in line and "+0.500 [+0.500, +0.500] (n = 4)" in line
    assert "no results core by core" in previous_results.comparison(cores, served(cores), tmp_path / "none", tmp_path / "new", 1)


def test_a_bundle_is_not_compared_with_itself(tmp_path):
    cores = [core(n, "kidney", 0.9) for n in range(6)]
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, version in ((old, "0.6.0"), (new, "0.7.0")):
        folder.mkdir()
        (folder / "bundle.toml").write_text(f'name = "cores"\nversion = "{version}"\n')
        rows = [{"id": "0", "organ": "kidney", comparisons.SHIPPED: 0.5}]
        (folder / "RESULTS.json").write_text(json.dumps({"cores": rows}))
    assert "| cores 0.6.0 |" in previous_results.comparison(cores, served(cores), old, new, 1)
    assert "is cores 0.7.0 itself" in previous_results.comparison(cores, served(cores), new, new, 1)


def test_folds_of_the_other_kind_stand_beside(tmp_path, monkeypatch):
    cores = [core(n, "kidney", 0.9) for n in range(6)]
    worse = [core(n, "kidney", 0.9) for n in range(6)]
    for each in worse:
        each.maps["kidney"][10:25] = 0.0
        each.maps["baseline"][:] = 0.0
    settings = dataclasses.replace(CONFIG, work=tmp_path, fold_by="figure")
    asked = []

    def chooser(of):
        asked.append(of)
        return Chooser(worse)

    monkeypatch.setattr(fold_kinds.calibration, "chooser", chooser)
    page = fold_kinds.comparison(settings, cores, served(cores))
    assert asked[0].fold_by == "core" and asked[0].work == tmp_path / "by-core" and asked[0].common == tmp_path
    assert "| organ | folds by figure | folds by core | by figure less by core, the same cores |" in page
    assert "| kidney | 1.000 [1.000, 1.000] (n = 6) | 0.667 [0.667, 0.667] (n = 6) | +0.333" in page

    def none(of):
        raise DataError("nothing measured")

    monkeypatch.setattr(fold_kinds.calibration, "chooser", none)
    assert fold_kinds.comparison(settings, cores, served(cores)) == ""


def test_where_the_baseline_stands_in_it_has_a_threshold_for_the_organ(tmp_path, monkeypatch):
    # lung is seen with little confidence, kidney with much; neither has a network of its own
    cores = [core(n, "kidney", 0.9) for n in range(6)] + [core(10 + n, "lung", 0.9) for n in range(6)]
    for each in cores:
        each.maps = {"baseline": each.maps["baseline"] * (2.0 if each.organ == "kidney" else 0.5)}
    settings = dataclasses.replace(CONFIG, work=tmp_path)
    monkeypatch.setattr(calibration, "chooser", lambda of: Chooser(cores))
    found = calibration.run(settings)["serving"]
    assert set(found) == {"kidney", "lung"} and all(choice["by"] == "baseline" for choice in found.values())
    assert found["kidney"]["threshold"] == 0.5 and found["lung"]["threshold"] == 0.2
