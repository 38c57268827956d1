import numpy as np
import pytest
import torch
from torch import nn

from ftuseg_models import ORGANS, measured, metrics, report, statistics, thresholds
from ftuseg_models.measured import Measured
from ftuseg_models.thresholds import Choice, Chooser


def core(number: int, organ: str, level: float, noise: int = 0, mpp: float = 1.0, **rest) -> Measured:
    """A core with a square object that its networks find with probability `level`, and small specks beside it."""
    truth = np.zeros((60, 60), dtype=bool)
    truth[10:40, 10:40] = True
    probability = np.where(truth, level, 0.1).astype(np.float16)
    for speck in range(noise):
        probability[50, 3 + 6 * speck : 6 + 6 * speck] = 0.9
    maps = {organ: probability, "baseline": probability * 0.5, f"{organ}:int8": probability}
    values = {"fold": "fold-0", "part": "test", "plain": True, "votes": [], **rest}
    return Measured(id=str(number), organ=organ, mpp=mpp, truth=truth, maps=maps, **values)


def test_the_threshold_that_fits_is_found_and_the_middle_is_kept_where_nothing_is_gained():
    low = [core(n, "kidney", 0.42) for n in range(4)]
    assert Chooser(low, {}).final("kidney").threshold == 0.4
    high = [core(n, "kidney", 0.9) for n in range(4)]
    assert Chooser(high, {}).final("kidney") == Choice()


def test_small_objects_are_dropped_where_that_helps():
    cores = [core(n, "kidney", 0.9, noise=8, mpp=20.0) for n in range(4)]
    # a speck is 3 px of 400 um2, the object 900 px
    assert Chooser(cores, {}).final("kidney").min_area_um2 == 2000.0
    cleaned = thresholds.clean(cores[0].maps["kidney"] > 0.5, 20.0, Choice(0.5, 2000.0))
    assert (cleaned == cores[0].truth).all()


def test_cleaning_fills_holes_first():
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:8, 2:8] = True
    mask[3:7, 3:7] = False
    assert thresholds.clean(mask, 1.0, Choice(0.5, 30.0, True)).sum() == 36
    assert thresholds.clean(mask, 1.0, Choice(0.5, 30.0, False)).sum() == 0


def test_no_core_decides_for_itself():
    # one core alone would want 0.4; the others are content with the middle
    cores = [core(0, "kidney", 0.42), *(core(n, "kidney", 0.9) for n in (1, 2, 3))]
    chooser = Chooser(cores, {})
    assert chooser.without("kidney", cores[0]).threshold == 0.5
    assert chooser.dice(cores[0], "kidney") == 0.0
    assert chooser.without("kidney", cores[1]).threshold == 0.4


def test_validation_cores_decide_where_there_are_some():
    cores = [core(0, "kidney", 0.42, part="validation"), core(1, "kidney", 0.9), core(2, "kidney", 0.9)]
    chooser = Chooser(cores, {})
    assert chooser.final("kidney").threshold == 0.4
    assert chooser.without("kidney", cores[1]).threshold == 0.4


def test_the_mean_of_means_gives_every_organ_the_same_weight():
    values = {"kidney": [1.0] * 9, "lung": [0.0]}
    found = statistics.of_organs(values, 1)
    assert (found.mean, found.n) == (0.5, 10)
    assert statistics.of_values([1.0] * 9 + [0.0], 1).mean == pytest.approx(0.9)


def test_intervals_are_those_of_the_normal_approximation_and_the_same_every_time():
    values = np.random.default_rng(0).normal(0.5, 0.1, 200).tolist()
    found = statistics.of_values(values, 7)
    half = 1.96 * np.std(values) / np.sqrt(200)
    assert found.high - found.mean == pytest.approx(half, rel=0.1)
    assert found == statistics.of_values(values, 7)


def test_the_router_abstains_under_its_limit():
    one = core(0, "kidney", 0.9, votes=[0.4, 0.3, 0.1, 0.1, 0.1])
    assert report.routed_name(one, 0.35) == "kidney"
    assert report.routed_name(one, 0.45) == "baseline"
    table = report.confusion([one, core(1, "lung", 0.9, votes=[0.9, 0, 0, 0, 0.1])], 0.45)
    assert "0 of 2 cores (0.0%)" in table and "first guess is right for 1" in table


def test_paired_differences_are_by_core():
    cores = [core(n, organ, 0.9) for n, organ in enumerate(ORGANS)]
    chooser = Chooser(cores, {})
    a = report.Way("a", lambda c: chooser.dice(c, c.organ))
    b = report.Way("b", lambda c: 0.25 if c.organ == "lung" else None)
    assert report.difference(cores, a, b) == {"lung": [0.75]}
    assert report.int8_loss(cores, chooser, "kidney") == {"dice": 0.0, "n": 1}
    assert report.int8_loss(cores, chooser, "unet") is None


def test_the_papers_true_counts_follow_from_its_printed_figures():
    for name, printed in report.PAPER_PRINTED.items():
        for organ, n in report.PAPER_N.items():
            assert printed[organ] * 10 / n == pytest.approx(report.PAPER_TRUE[name][organ], abs=0.11)


class LeftIsTrue(nn.Module):
    """Says yes in the left half, whatever it is shown, so that only turning can change its mind."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        logits = torch.full_like(x[:, :1], -9.0)
        logits[..., : x.shape[-1] // 2] = 9.0
        return logits


def test_turned_answers_come_back_to_their_place(picture):
    plain = metrics.torch_probability(LeftIsTrue(), picture, 128)
    assert plain[:, :50].min() > 0.99 and plain[:, -50:].max() < 0.01
    # each half of the square is the left one in half of the eight turns
    assert np.allclose(measured.turned(LeftIsTrue(), picture, 128), 0.5, atol=0.01)


def test_measured_cores_are_kept_whole(tmp_path):
    from ftuseg_models.config import Config

    settings = Config(work=tmp_path, bundle=tmp_path)
    cores = [core(5, "lung", 0.9, votes=[0.2] * 5), core(3, "kidney", 0.8, plain=False)]
    for one in cores:
        measured.save(settings, one)
    back = measured.load(settings)
    assert [c.id for c in back] == ["3", "5"]
    assert back[1].votes == [0.2] * 5 and not back[0].plain
    assert (back[1].truth == cores[0].truth).all() and set(back[1].maps) == set(cores[0].maps)
