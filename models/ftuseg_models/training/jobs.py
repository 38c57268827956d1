"""Turns the configuration into training runs: which pictures, which network, which start."""

from __future__ import annotations

import functools
import hashlib
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
    """`cpu` or `cuda`; `auto` takes CUDA where torch finds it."""
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
    """Whether the baseline begins with the stage `start`: it is configured, there are masks besides the target cores', and
    the weights do not come from elsewhere."""
    if "start" not in config.stages or (config.final and config.finish_from is not None):
        return False
    return any(not folder.target for folder in config.kaggle) or any(s.kind in public_sets.MASKED for s in config.sets)


def _warm_start(config: Config, name: str, batches: loop.Batches) -> Path:
    """The checkpoint of a network of the bundle that `finish_from` names; made on the first call.

    Its name holds the file's sum: from another file it is another checkpoint.
    """
    file = previous_bundle.file_of(config.finish_from, name)
    path = config.work / "warm-start" / f"{name}-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}.pt"
    if not path.exists():
        stage = config.stage(name)
        rng = np.random.default_rng(config.seed)
        images = [normalisation.normalise(batches.draw(rng, 8, 1.0)[0]) for _ in range(16)]
        network = architectures.build(
            name, stage.width, stage.drop, dilated=stage.dilated, encoder=config.encoder, decoder=config.decoder
        )
        warm_start.write_checkpoint(warm_start.from_onnx(network, file, images), path)
    return path


def trained(config: Config, name: str, checkpoint: Path | None = None) -> nn.Module:
    """A trained network of a run, by its name, ready for use; one that is told its organ has been told it.

    `checkpoint` is where its averaged weights are, if not where the run keeps them.
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
    return organ_conditioning.told(network, name if name in ORGANS else None) if config.conditioned else network


def job(config: Config, name: str) -> loop.Job:
    """The training run of `router`, `baseline`, `unet` or an organ."""
    stage = config.stage(name)
    is_router = name == "router"
    data = training_data.load_data(config, config.router_mpp if is_router else config.mpp)
    if is_router:
        # the trunk's temperature comes from cross-validation, so it may see all training cores
        kept = set() if config.router_network == "trunk" else data.validation
        seen = [p for p in data.training if not (p.target and p.id in kept)]
        pool = random_crops.Pool(seen, data.weights, stage.target_share)
        batches: loop.Batches = random_crops.OrganBatches(pool, config.router_tile, stage.stain)
        monitor = monitors.OrganMonitor(data.held_out, config.router_tile, config.router_cell)
    else:
        labelled = [p for p in data.training if p.mask is not None and not (p.target and name == "start")]
        focus = name if name in ORGANS else None
        if name == "start":
            # it sees no target core, so it belongs to no part of the cross-validation
            data.training += data.held_out
            data.held_out = []
        pool = random_crops.Pool(labelled, data.weights, stage.target_share, focus, stage.organ_share, stage.organ_weights)
        batches = random_crops.MaskBatches(pool, stage, config.tile, config.conditioned and name != "unet")
        shown = [p for p in data.held_out if focus is None or p.organ == focus]
        monitor = monitors.DiceMonitor(shown, config.tile)
    folder = config.work if name == "start" else config.runs
    start: Path | None = None
    if config.final and config.finish_from is not None and name not in ("start", "router"):
        if isinstance(config.finish_from, Path):
            start = _warm_start(config, name, batches)
        else:
            start = config.of_fold(config.finish_from).runs / f"{name}.pt"
            if not start.exists():
                raise FileNotFoundError(f"{start} is missing: `finish_from` starts from it; train that fold first")
    elif name == "baseline" and starts(config):
        start = config.work / "start.pt"
        if not start.exists():
            raise FileNotFoundError(f"{start} is missing: the baseline starts from it; run `train start` first")
    elif name in ORGANS:
        start = folder / "baseline.pt"
        if not start.exists():
            raise FileNotFoundError(f"{start} is missing: the organs' models start from it; run `train baseline` first")
    # only what begins a line takes pretrained weights; all else starts from a network of the line
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
    if is_router and config.router_network == "trunk":
        if not (folder / "baseline.pt").exists():
            raise FileNotFoundError(f"{folder / 'baseline.pt'} is missing: this router stands on it; run `train baseline` first")
        build = functools.partial(architectures.trunk_of, folder / "baseline.pt", config.encoder)
    # what an earlier run of the same line has seen, this one has seen too
    kept_out = {f"{p.set}:{p.id}" for p in (*data.held_out, *data.test)}
    if name == "start":
        kept_out |= {f"{p.set}:{p.id}" for p in data.training if p.target}
    stands_on = folder / "baseline.pt" if is_router and config.router_network == "trunk" else start
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
        monitor=monitor if (monitor.pictures) else None,
    )
