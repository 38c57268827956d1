"""Runs learn, go on after an interruption, and know what they have seen."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
import torch

from ftuseg_models.config import Stage
from ftuseg_models.training import checkpoints, loop, losses


def job(folder, **rest):
    stage = Stage(**{"minutes": 0.02, "batch": 4, "learning_rate": 0.02, **rest})
    return loop.Job("tiny", stage, folder, tiny.Tiny, tiny.RedIsTrue(), losses.mask_loss, seed=3, threads=1)


def accuracy(path):
    network = checkpoints.load_average(path, tiny.Tiny())
    images, truth = tiny.RedIsTrue().draw(np.random.default_rng(9), 8, 1.0)
    with torch.no_grad():
        found = network(loop.normalise(images)) > 0
    return (found == (truth > 0)).float().mean().item()


def test_training_learns_and_a_finished_run_is_left_alone(tmp_path):
    path = loop.run(job(tmp_path))
    assert accuracy(path) > 0.9
    before = path.read_bytes()
    loop.run(job(tmp_path))
    assert path.read_bytes() == before
    assert "tiny" in (tmp_path / "STATUS.md").read_text()


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "SAVE_EVERY", 0.2)
    with monkeypatch.context() as patch:
        real = checkpoints.save

        def save_once(path, state):
            real(path, state)
            stop()

        patch.setattr(checkpoints, "save", save_once)
        with pytest.raises(KeyboardInterrupt):
            loop.run(job(tmp_path))
    half = torch.load(tmp_path / "tiny.pt", weights_only=True)
    assert 0 < half["progress"] < 1
    # no run of a second gets so far: the number must come from the checkpoint
    checkpoints.save(tmp_path / "tiny.pt", half | {"step": 10_000_000, "crops": 50})
    whole = torch.load(loop.run(job(tmp_path)), weights_only=True)
    assert whole["progress"] == 1.0 and whole["step"] > 10_000_000 and whole["crops"] > 50
    assert whole["spent"] < 0.02 * 60 + 5


def test_an_interrupted_run_goes_on_from_a_packed_copy(tmp_path):
    state = torch.load(loop.run(job(tmp_path, minutes=1e9, crops=400)), weights_only=True)
    best = {"score": -1.0, "progress": 0.1, "average": state["average"]}
    checkpoints.save(tmp_path / "tiny.pt", state | {"progress": 0.5, "best": best})
    checkpoints.pack(tmp_path / "tiny.pt", tmp_path / "packed" / "tiny.pt")
    packed = torch.load(tmp_path / "packed" / "tiny.pt", weights_only=True)
    assert "network" not in packed and packed["best"]["average"]["layers.0.weight"].dtype == torch.float16
    whole = torch.load(loop.run(job(tmp_path / "packed", minutes=1e9, crops=440)), weights_only=True)
    assert whole["progress"] == 1.0 and state["step"] < whole["step"] < 2 * state["step"]
    # it went on with what it had learnt: so few crops teach nothing
    assert accuracy(tmp_path / "packed" / "tiny.pt") > 0.9
    short = loop.run(job(tmp_path / "short", minutes=1e9, crops=40))
    assert accuracy(short) < 0.9


def test_a_run_that_goes_on_remembers_what_its_earlier_part_has_seen(tmp_path):
    first = job(tmp_path)
    first.kept_out = ("cores:1", "cores:2")
    loop.run(first)
    longer = job(tmp_path, minutes=0.03)
    longer.kept_out = ("cores:2", "cores:3")  # another split: 3 was trained on, 1 is from now on
    assert checkpoints.kept_out(loop.run(longer)) == {"cores:2"}


def test_a_run_is_not_finished_before_it_has_come_to_its_end(tmp_path):
    state = torch.load(loop.run(job(tmp_path)), weights_only=True)
    assert loop.finished(job(tmp_path))
    # killed while it settled, or asked for fewer minutes than an interrupted run has spent
    checkpoints.save(tmp_path / "tiny.pt", state | {"progress": 0.9})
    assert not loop.finished(job(tmp_path))
    assert torch.load(loop.run(job(tmp_path)), weights_only=True)["progress"] == 1.0


def test_a_run_can_be_measured_in_crops(tmp_path):
    first = job(tmp_path, minutes=1e9, crops=40)
    state = torch.load(loop.run(first), weights_only=True)
    assert state["step"] == 10 and state["progress"] == 1.0 and loop.finished(first)
    # with more crops in the configuration it goes on, with its minutes used up it is still finished
    assert not loop.finished(job(tmp_path, crops=60))
    assert torch.load(loop.run(job(tmp_path, crops=60)), weights_only=True)["step"] == 15
    assert loop.finished(job(tmp_path, minutes=1e-9, crops=60))


def test_two_workers_count_their_crops_together(tmp_path):
    state = torch.load(loop.run(job(tmp_path, workers=2, crops=40)), weights_only=True)
    assert state["step"] == 10 and state["crops"] == 40


def test_a_run_starts_from_the_averaged_weights_of_another(tmp_path):
    first = loop.run(job(tmp_path))
    second = job(tmp_path / "next", minutes=1e-9)
    second.start = first
    weights = torch.load(loop.run(second), weights_only=True)["average"]
    for name, value in torch.load(first, weights_only=True)["average"].items():
        assert torch.equal(weights[name], value)


def test_a_run_keeps_the_share_that_is_asked_for_of_the_weights_it_started_from(tmp_path):
    first = loop.run(job(tmp_path))
    second = job(tmp_path / "next", keep=1.0)
    second.start = first
    kept = torch.load(loop.run(second), weights_only=True)
    before = torch.load(first, weights_only=True)["average"]
    names = [name for name, value in before.items() if "running" not in name and value.dtype.is_floating_point]
    assert all(torch.equal(kept["average"][name], before[name]) for name in names)
    assert not all(torch.equal(kept["network"][name], before[name]) for name in names)
    network = checkpoints.load_average(tmp_path / "next" / "tiny.pt", tiny.Tiny())
    network.load_state_dict(kept["network"])
    loop.mix_in(network, first, 0.25)
    for name, value in network.state_dict().items():
        if name in names:
            assert torch.allclose(value, kept["network"][name].lerp(before[name], 0.25))


def test_two_workers_train_one_network(tmp_path):
    path = loop.run(job(tmp_path, workers=2, minutes=0.04))
    assert accuracy(path) > 0.85
    assert torch.load(path, weights_only=True)["progress"] == 1.0


def test_the_learning_rate_warms_up_and_falls():
    rates = [loop.learning_rate(1.0, p / 100) for p in range(101)]
    assert rates[0] < 0.1 and max(rates) == pytest.approx(1.0, abs=0.01) and rates[-1] == pytest.approx(0.01)
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_the_average_follows_slowly_and_takes_over_counters():
    mean, network = tiny.Tiny(), tiny.Tiny()
    before = {k: v.clone() for k, v in mean.state_dict().items()}
    network.layers[1].num_batches_tracked += 5
    loop.update_average(mean, network, step=10_000, decay=0.9)
    name = "layers.0.weight"
    expected = 0.9 * before[name] + 0.1 * network.state_dict()[name]
    assert torch.allclose(mean.state_dict()[name], expected, atol=1e-6)
    assert mean.layers[1].num_batches_tracked == 5


def test_settling_gives_the_statistics_of_the_data(tmp_path):
    network = tiny.Tiny().eval()
    norm = network.layers[1]
    norm.running_mean.fill_(50.0)
    loop.settle(network, job(tmp_path), np.random.default_rng(0), count=8, rounds=8)
    images, _ = tiny.RedIsTrue().draw(np.random.default_rng(1), 64, 1.0)
    before = network.layers[0](loop.normalise(images))
    assert torch.allclose(norm.running_mean, before.mean(dim=(0, 2, 3)), atol=0.05)
    assert torch.allclose(norm.running_var, before.var(dim=(0, 2, 3)), rtol=0.1)
    assert norm.momentum == 0.1 and not norm.training


def test_a_run_with_a_score_keeps_the_weights_that_scored_best(tmp_path):
    seen = []

    def score(network):
        # the first look is the best one
        seen.append({name: value.clone() for name, value in network.state_dict().items()})
        return 1.0 / len(seen)

    one = job(tmp_path, crops=200, settled=False)
    one.score = score
    state = torch.load(loop.run(one), weights_only=True)
    assert len(seen) > 5 and state["best"]["score"] == 1.0 and 0.0 < state["best"]["progress"] < 0.2
    assert all((state["average"][name] == value).all() for name, value in seen[0].items())
    # the weights are in the checkpoint once
    assert "average" not in state["best"]
    # with more crops it goes on, and does not forget what was best
    one.stage = Stage(**{**one.stage.__dict__, "crops": 240})
    again = torch.load(loop.run(one), weights_only=True)
    assert again["step"] > state["step"] and again["best"]["score"] == 1.0
    assert all((again["average"][name] == value).all() for name, value in seen[0].items())


def test_a_run_can_stop_before_its_budget_ends_and_is_then_left_alone(tmp_path):
    one = job(tmp_path, crops=200)
    one.stops_at = 0.5
    state = torch.load(loop.run(one), weights_only=True)
    assert state["step"] == 25 and state["progress"] == 1.0 and loop.finished(one)
