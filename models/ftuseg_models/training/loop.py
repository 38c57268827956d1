"""Trains one network for a given time or number of crops: workers, averaged weights, checkpoints, resume."""

from __future__ import annotations

import copy
import math
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Protocol

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from tqdm import tqdm

from ..config import Stage
from ..networks import organ_conditioning
from ..networks.normalisation import normalise
from . import bf16_depthwise, bf16_squeeze_excite, checkpoints, run_log

SAVE_EVERY = 60.0
"""Seconds between checkpoints."""
SCORE_EVERY = 0.08
"""Share of a run between two evaluations of its score."""

BAR = "{desc} {percentage:5.1f} % |{bar}| {elapsed}"
"""The progress bar, shown only on a terminal."""


class Batches(Protocol):
    """Where a run's data come from."""

    def draw(self, rng: np.random.Generator, count: int, progress: float) -> tuple[torch.Tensor, ...]:
        """`count` images (0..1), their truth and, for a conditioned network, their organs' rows.

        `progress` is the share of the run that has passed."""

    def as_run(self, rng: np.random.Generator, count: int) -> torch.Tensor:
        """`count` images as the engine will present them."""


@dataclass
class Job:
    """A complete training run that can be sent to another process."""

    name: str
    stage: Stage
    folder: Path
    """Holds `NAME.pt` (the checkpoint) and the logs."""
    build: Callable[[], nn.Module]
    batches: Batches
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    seed: int
    threads: int = 0
    device: str = "cpu"
    precision: str = "fp32"
    start: Path | None = None
    """Checkpoint whose averaged weights the run starts from."""
    kept_out: tuple[str, ...] = ()
    """What the run does not see, as `SET:ID`. Stored in the checkpoint, so that nothing is measured on what was seen."""
    monitor: Callable[[nn.Module], str] | None = None
    """Called from time to time with the averaged network; its text goes to the log. Nothing depends on it."""
    score: Callable[[nn.Module], float] | None = None
    """Rates the averaged network; if given, the run keeps the weights with the best score."""
    stops_at: float = 1.0
    """The share of its budget (0..1) after which the run ends; the learning rate falls as if it went on."""

    @property
    def checkpoint(self) -> Path:
        """Where the run keeps its state."""
        return self.folder / f"{self.name}.pt"


def learning_rate(peak: float, progress: float) -> float:
    """Warm-up over the first 4 %, then a cosine down to 1 % of the peak. `progress` is 0..1."""
    if progress < 0.04:
        return peak * (0.05 + 0.95 * progress / 0.04)
    fall = (min(progress, 1.0) - 0.04) / 0.96
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))


def parts_of(network: nn.Module, stage: Stage) -> list[dict]:
    """The optimiser's groups: an encoder with its share of the learning rate (`scale`), and the rest."""
    encoder = list(network.encoder.parameters()) if stage.encoder_rate != 1.0 and hasattr(network, "encoder") else []
    known = {id(p) for p in encoder}
    rest = [p for p in network.parameters() if id(p) not in known]
    groups = [{"params": rest, "scale": 1.0}]
    return groups + ([{"params": encoder, "scale": stage.encoder_rate}] if encoder else [])


def update_average(average: nn.Module, network: nn.Module, step: int, decay: float) -> None:
    """Move the averaged weights towards the network's; faster in the first steps."""
    decay = min(decay, (1 + step) / (10 + step))
    with torch.no_grad():
        for mean, value in zip(average.state_dict().values(), network.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


@torch.no_grad()
def mix_in(average: nn.Module, start: Path, share: float) -> None:
    """Move the averaged weights back towards the initial ones, by `share` of the way (0..1)."""
    before = torch.load(start, map_location="cpu", weights_only=True)["average"]
    for name, value in average.state_dict().items():
        if value.dtype.is_floating_point and name in before:
            value.lerp_(before[name].to(value), share)


@torch.no_grad()
def settle(network: nn.Module, job: Job, rng: np.random.Generator, count: int = 8, rounds: int = 18) -> None:
    """Re-estimate the statistics of batch normalisation for the final weights.

    Averaged weights are never run in training: the running statistics belong to other weights, and those of small
    batches are off in the deep layers. Two thirds of the rounds use images as the engine presents them, whole cores with
    the glass around them, one third training crops: crops alone cost nine organs' networks of two folds
    0.04 of Dice on held-out cores (0.51 instead of 0.55; -0.02 to +0.12 each).
    """
    layers = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    kept = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean over all rounds
        layer.train()
    for turn in range(rounds):
        organ_conditioning.tell(network, None)
        images = job.batches.as_run(rng, count // 2) if turn % 3 else job.batches.draw(rng, count, 1.0)[0]
        network(normalise(images.to(job.device)).contiguous(memory_format=torch.channels_last))
    for layer, momentum in zip(layers, kept):
        layer.momentum = momentum
        layer.eval()


class Ahead(IterableDataset):
    """Draws batches in separate processes, so that a GPU need not wait for them."""

    def __init__(self, batches: Batches, seed: list[int], count: int) -> None:
        self.batches = batches
        self.seed = seed
        self.count = count
        self.progress = torch.multiprocessing.Value("d", 0.0)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, ...]]:
        worker = get_worker_info()
        rng = np.random.default_rng([*self.seed, 0 if worker is None else 1 + worker.id])
        while True:
            yield self.batches.draw(rng, self.count, self.progress.value)


def passed(stage: Stage, seconds: float, steps: int) -> float:
    """The used share of a stage's budget: of its crops if it counts them, else of its minutes."""
    return steps * stage.batch / stage.crops if stage.crops else seconds / (stage.minutes * 60)


def finished(job: Job) -> bool:
    """Whether the run has used up its budget; it resumes if the configuration is given a larger one."""
    if not job.checkpoint.exists():
        return False
    state = torch.load(job.checkpoint, map_location="cpu", weights_only=True)
    return state["progress"] >= 1.0 and passed(job.stage, state["spent"], state.get("step", 0)) >= job.stops_at


def still_kept_out(job: Job, state: dict) -> tuple[str, ...]:
    """What a run that resumes from `state` keeps out: what it keeps out now, less what it has seen before."""
    return tuple(sorted(set(job.kept_out) & set(state["kept_out"])))


def better(best: dict | None, average: nn.Module, job: Job, progress: float) -> dict:
    """The best weights so far: those of `best`, or the averaged ones now if they score higher."""
    score = job.score(average)
    if best is not None and score <= best["score"]:
        return best
    run_log.say(job.folder, job.name, f"{progress:.0%}: scores {score:.4f}, the best so far")
    return {"score": score, "progress": progress, "average": copy.deepcopy(average.state_dict())}


def _share_gradients(network: nn.Module, progress: float, workers: int) -> float:
    """Average the gradients of all workers; rank 0's progress travels with them so that all stop together."""
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    lead = progress * workers if dist.get_rank() == 0 else 0.0
    flat = torch.cat([g.reshape(-1) for g in grads] + [torch.tensor([lead])])
    dist.all_reduce(flat)
    flat /= workers
    place = 0
    for grad in grads:
        grad.copy_(flat[place : place + grad.numel()].view_as(grad))
        place += grad.numel()
    return float(flat[-1])


def _work(rank: int, job: Job, workers: int, meeting: str) -> None:
    """One worker's loop. Rank 0 keeps the averaged weights and writes the checkpoints."""
    stage = job.stage
    if job.threads:
        torch.set_num_threads(job.threads)
    torch.set_flush_denormal(True)
    if workers > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=workers)
    torch.manual_seed(job.seed)
    network = job.build()
    if job.start is not None:
        checkpoints.load_average(job.start, network)
    network = network.to(job.device, memory_format=torch.channels_last).train()
    average = copy.deepcopy(network).eval()
    if job.precision == "bf16" and job.device == "cpu":
        bf16_depthwise.speed_up(network)
        bf16_squeeze_excite.speed_up(network)
    # fused: one pass over each weight; on a CPU the plain loop was a tenth of a step
    optimiser = torch.optim.AdamW(parts_of(network, stage), stage.learning_rate, weight_decay=stage.weight_decay, fused=True)
    step, spent, crops, unseen = 0, 0.0, 0, job.kept_out
    best: dict | None = None
    if job.checkpoint.exists():
        state = torch.load(job.checkpoint, map_location=job.device, weights_only=True)
        average.load_state_dict(organ_conditioning.completed(state["average"], average))
        if "optimiser" in state:
            network.load_state_dict(state["network"])
            optimiser.load_state_dict(state["optimiser"])
        else:
            # a packed copy
            network.load_state_dict(average.state_dict())
        step, spent, crops = state["step"], state["spent"], state["crops"]
        unseen = still_kept_out(job, state)
        best = state.get("best")
        if best is not None:
            # once a run has ended they are the averaged ones
            best.setdefault("average", state["average"])
    rng = np.random.default_rng([job.seed, rank, step, *job.name.encode()])
    count = max(1, stage.batch // workers)
    ahead: Ahead | None = None
    drawn: Iterator[tuple[torch.Tensor, ...]] = iter(())
    if stage.loaders:
        ahead = Ahead(job.batches, [job.seed, rank, step, *job.name.encode()], count)
        on_gpu = job.device.startswith("cuda")
        drawn = iter(DataLoader(ahead, batch_size=None, num_workers=stage.loaders, pin_memory=on_gpu))
    begun, saved, since, shown = time.monotonic(), time.monotonic(), 0.0, passed(stage, spent, step)
    scored = shown
    losses: list[float] = []
    bar = tqdm(total=100.0, desc=job.name, unit="%", bar_format=BAR, disable=None if rank == 0 else True)

    def write(progress: float) -> None:
        now = spent + time.monotonic() - begun
        parts = {"network": network, "average": average, "optimiser": optimiser}
        state = {name: part.state_dict() for name, part in parts.items()}
        if best is not None:
            state["best"] = best
            if progress >= 1.0:
                state["best"] = {name: value for name, value in best.items() if name != "average"}
        state |= {"step": step, "crops": crops, "spent": now, "progress": progress, "kept_out": list(unseen)}
        checkpoints.save(job.checkpoint, state)

    while True:
        progress = passed(stage, spent + time.monotonic() - begun, step)
        if workers == 1 and progress >= job.stops_at:
            break
        if ahead is None:
            images, truth, *organs = job.batches.draw(rng, count, progress)
        else:
            ahead.progress.value = progress
            images, truth, *organs = next(drawn)
        images = normalise(images.to(job.device)).contiguous(memory_format=torch.channels_last)
        if organs:
            organ_conditioning.tell(network, organs[0].to(job.device))
        kind = "cuda" if job.device.startswith("cuda") else "cpu"
        with torch.autocast(kind, torch.bfloat16, enabled=job.precision == "bf16"):
            logits = network(images)
        loss = job.loss(logits.float(), truth.to(job.device))
        optimiser.zero_grad()
        loss.backward()
        if workers > 1:
            progress = _share_gradients(network, progress, workers)
            if progress >= job.stops_at:
                break
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(stage.learning_rate, progress) * group.get("scale", 1.0)
        optimiser.step()
        step += 1
        crops += len(images) * workers
        if rank:
            continue
        update_average(average, network, step, stage.ema)
        losses.append(loss.item())
        bar.update(100 * progress - bar.n)
        now = time.monotonic()
        if now - since >= 20.0:
            since = now
            mean = sum(losses[-50:]) / len(losses[-50:])
            run_log.note(job.folder, job.name, progress, step, crops, mean, (spent + now - begun) / 60)
        if job.score is not None and progress - scored >= SCORE_EVERY:
            scored = progress
            best = better(best, average, job, progress)
        if now - saved >= SAVE_EVERY:
            saved = now
            write(progress)
        if job.monitor is not None and progress - shown >= 0.24:
            shown = progress
            run_log.say(job.folder, job.name, f"{progress:.0%}: {job.monitor(average)}")
    bar.close()
    if rank == 0:
        if step:
            if job.score is not None:
                best = better(best, average, job, 1.0)
                average.load_state_dict(best["average"])
            if job.start is not None and stage.keep > 0.0:
                mix_in(average, job.start, stage.keep)
            if stage.settled:
                settle(average, job, rng)
        write(1.0)
        run_log.note(job.folder, job.name, 1.0, step, crops, float(np.mean(losses[-50:] or [0])), 0.0)
        if job.monitor is not None:
            run_log.say(job.folder, job.name, f"done: {job.monitor(average)}")
    if workers > 1:
        dist.destroy_process_group()


def run(job: Job) -> Path:
    """Train until the stage's budget is used up; resumes where an earlier run of the same name stopped."""
    job.folder.mkdir(parents=True, exist_ok=True)
    if finished(job):
        return job.checkpoint
    workers = job.stage.workers if not job.device.startswith("cuda") else 1
    if workers == 1:
        _work(0, job, 1, "")
    else:
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(_work, (job, workers, os.path.join(folder, "meeting")), nprocs=workers)
    return job.checkpoint
