"""Turns the configuration into training runs: which pictures, which network, which starting point."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .. import ORGANS
from ..config import Config
from ..data import public_sets, random_crops, training_data
from ..networks import architectures, normalisation, organ_conditioning
from . import checkpoints, loop, losses, monitors, previous_bundle, warm_start


def device_of(config: Config) -> str:
    """`cpu` or `cuda`; `auto` is CUDA where torch finds it."""
    if config.device != "auto":
        return config.device
    return "cuda" if torch.cuda.is_available() else "cpu"


def precision_of(config: Config) -> str:
    """`fp32` or `bf16`. On a CPU without bf16 in hardware, bf16 is several times slower than fp32."""
    if config.precision != "auto":
        return config.precision
    if device_of(config) == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return "bf16" if supported() else "fp32"


def starts(config: Config) -> bool:
    """Whether the baseline starts from the stage `start`: it is configured, there are masks other than the target cores', and
    the weights do not come from elsewhere."""
    elsewhere = config.continues or config.baselines
    return _has_start(config) and not elsewhere and not (config.final and config.finish_from is not None)


def _has_start(config: Config) -> bool:
    """Whether there is a stage `start`, and masks other than the target cores' for it."""
    if "start" not in config.stages:
        return False
    return any(not folder.target for folder in config.kaggle) or any(s.kind in public_sets.MASKED for s in config.sets)


def _warm_start(config: Config, name: str, batches: loop.Batches) -> Path:
    """The checkpoint made of a network in the bundle that `finish_from` names; written on the first call.

    Its name includes the file's checksum.
    """
    file = previous_bundle.file_of(config.finish_from, name)
    path = config.common / "warm-start" / f"{name}-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}.pt"
    if not path.exists():
        stage = config.stage(name)
        rng = np.random.default_rng(config.seed)
        images = [normalisation.normalise(batches.draw(rng, 8, 1.0)[0]) for _ in range(16)]
        network = architectures.build(
            name, stage.width, stage.drop, dilated=stage.dilated, encoder=config.encoder, decoder=config.decoder
        )
        warm_start.write_checkpoint(warm_start.from_onnx(network, file, images), path)
    return path


def trained(config: Config, name: str, checkpoint: Path | None = None, told: str | None = None) -> nn.Module:
    """A trained network of a run, ready for use; a conditioned one is that of its organ, or of `told`.

    `checkpoint` is the file of its averaged weights, if not the run's own.
    """
    stage = config.stage(name)
    network = architectures.build(
        name,
        stage.width,
        router=config.router_network,
        dilated=stage.dilated,
        encoder=config.encoder,
        decoder=config.decoder,
        conditioned=config.conditioned,
    )
    network = checkpoints.load_average(checkpoint or config.checkpoint(name), network)
    return organ_conditioning.told(network, name if name in ORGANS else told) if config.conditioned else network


def _start_of(config: Config, name: str, batches: loop.Batches) -> Path | None:
    """The checkpoint that a run starts from; None for the first of a chain. A missing one is an error."""
    if name in ("start", "router"):
        return None
    finishes = config.finishes(name)
    if finishes and isinstance(config.finish_from, Path):
        return _warm_start(config, name, batches)
    own = config.stage(name).start_from
    if finishes:
        path = config.of_fold(config.finish_from).runs / f"{name}.pt"
        why = "`finish_from` starts from it; train that fold first"
    elif name == "baseline" and config.continues is not None:
        path = replace(config, work=config.continues).runs / "baseline.pt"
        why = "`continues` names this work folder; train its baseline first"
    elif name in ORGANS and own == "baseline":
        path, why = config.checkpoint("baseline"), "the organs' models start from it; run `train baseline` first"
    elif (name == "baseline" or name in ORGANS) and _has_start(config):
        path, why = config.common / "start.pt", f"{name} starts from it; run `train start` first"
    else:
        return None
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: {why}")
    return path


def _stops_at(config: Config, name: str) -> float:
    """The share of the run (0..1) after which the models to ship stop: where the folds' models were best, on average."""
    paths = [config.of_fold(fold).runs / f"{name}.pt" for fold in range(config.folds)] if not config.shares else []
    states = [torch.load(path, map_location="cpu", weights_only=True) for path in paths if path.exists()]
    best = [state["best"]["progress"] for state in states if state.get("best")]
    return float(np.mean(best)) if best else 1.0


def job(config: Config, name: str) -> loop.Job:
    """The training run of `start`, `router`, `baseline`, `unet` or an organ."""
    stage = config.stage(name)
    is_router = name == "router"
    on_trunk = is_router and config.router_network == "trunk"
    data = training_data.load_data(config, config.router_mpp if is_router else config.mpp)
    score, stops_at = None, 1.0
    if is_router:
        # the trunk's temperature comes from cross-validation, so it may see all training cores
        kept = set() if on_trunk else data.validation
        seen = [p for p in data.training if not (p.target and p.id in kept)]
        pool = random_crops.Pool(seen, data.weights, stage.target_share)
        batches: loop.Batches = random_crops.OrganBatches(pool, config.router_tile, stage.stain)
        monitor = monitors.OrganMonitor(data.held_out, config.router_tile, config.router_cell)
    else:
        labelled = [p for p in data.training if p.mask is not None and not (p.target and name == "start")]
        focus = name if name in ORGANS else None
        if name == "start":
            # it sees no target core, so it belongs to no fold
            data.training += data.held_out
            data.held_out = []
        if focus is not None and stage.early_stop:
            if config.final:
                stops_at = _stops_at(config, name)
            else:
                labelled, judges = training_data.apart_for_stopping(config, labelled, focus)
                score = monitors.Score(judges, config.tile) if judges else None
        pool = random_crops.Pool(labelled, data.weights, stage.target_share, focus, stage.organ_share, stage.organ_weights)
        batches = random_crops.MaskBatches(pool, stage, config.tile, config.conditioned and name != "unet")
        shown = [p for p in data.held_out if focus is None or p.organ == focus]
        monitor = monitors.DiceMonitor(shown, config.tile)
    folder = config.common if name == "start" else config.runs
    start = _start_of(config, name, batches)
    # only the first run of a chain takes pretrained weights; all others start from a network of the chain
    weights = config.weights if start is None and not is_router else ""
    build = functools.partial(
        architectures.build,
        name,
        stage.width,
        stage.drop,
        dilated=stage.dilated,
        encoder=config.encoder,
        weights=weights,
        decoder=config.decoder,
        conditioned=config.conditioned and not is_router,
    )
    if on_trunk:
        baseline = config.checkpoint("baseline")
        if not baseline.exists():
            raise FileNotFoundError(f"{baseline} is missing: this router stands on it; run `train baseline` first")
        build = functools.partial(architectures.trunk_of, baseline, config.encoder)
    # what an earlier run of the chain has seen, this one has seen too
    kept_out = {f"{p.set}:{p.id}" for p in (*data.held_out, *data.test)}
    if name == "start":
        kept_out |= {f"{p.set}:{p.id}" for p in data.training if p.target}
    stands_on = config.checkpoint("baseline") if on_trunk else start
    if stands_on is not None:
        kept_out &= checkpoints.kept_out(stands_on)
    return loop.Job(
        name=name,
        stage=stage,
        folder=folder,
        build=build,
        batches=batches,
        loss=losses.organ_loss if is_router else losses.of_masks(stage.loss),
        seed=config.seed,
        threads=config.threads,
        device=device_of(config),
        precision=precision_of(config),
        start=start,
        kept_out=tuple(sorted(kept_out)),
        monitor=monitor if monitor.pictures else None,
        score=score,
        stops_at=stops_at,
    )
