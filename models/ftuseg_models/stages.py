"""Turns the configuration into training runs: which pictures, which network, which start."""

from __future__ import annotations

import collections
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from . import ORGANS, adopt, carried, conditioning, cores, crops, losses, networks, sources, split, train
from .config import Config
from .kaggle import DataError
from .metrics import DiceMonitor
from .pictures import Picture


@dataclass
class Data:
    """All pictures at one um/px, with the held-out cores apart."""

    training: list[Picture]
    held_out: list[Picture]
    validation: set[str]
    """Ids of the training cores that the router leaves out, for its calibration."""
    weights: dict[str, float]
    """Weight of each set that is not a target."""
    test: list[Picture]
    """Pictures of the other sets that are kept out of all training."""


def load_data(config: Config, mpp: float) -> Data:
    """Read everything the configuration names. Held-out cores never appear in `training`."""
    training: list[Picture] = []
    held_out: list[Picture] = []
    weights: dict[str, float] = {}
    test: list[Picture] = []
    rows = cores.target_cores(config)
    apart = split.held_out(rows, config)
    never = split.unseen(rows, config)
    validation = split.choose(rows, config.validation, config.seed, frozenset(never))
    for folder in config.kaggle:
        pictures = sources.load_kaggle(config, folder, mpp)
        if not folder.target:
            training += pictures
        else:
            training += [p for p in pictures if p.id not in never]
            held_out += [p for p in pictures if p.id in apart]
        if not folder.target:
            weights[folder.path.name] = folder.weight
    for other in config.sets:
        pictures = sources.load_set(config, other, mpp)
        if other.kind == sources.CORE_PARTS:
            pictures = [p for p in pictures if p.id.split("_")[0] not in never]
        if not pictures:
            continue
        training += [p for p in pictures if not (other.test and p.id.startswith(other.test))]
        test += [p for p in pictures if other.test and p.id.startswith(other.test)]
        weights[pictures[0].set] = other.weight
    names = collections.Counter(f"{p.set}:{p.id}" for p in (*training, *held_out, *test))
    if twice := [name for name, count in names.items() if count > 1]:
        raise DataError(f"{twice[0]} is there twice: ids must differ, and so must the names of the sets' folders")
    return Data(training, held_out, validation, weights, test)


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
    return any(not folder.target for folder in config.kaggle) or any(s.kind in sources.MASKED for s in config.sets)


class OrganMonitor:
    """Says how many pictures' tissue the router calls rightly, by the mean of a grid of crops."""

    def __init__(self, pictures: list[Picture], size: int, cell: int) -> None:
        self.pictures = pictures
        self.size = size
        self.cell = cell

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> str:
        from .router import picture_votes

        right = 0
        for p in self.pictures:
            probability = picture_votes(network, p, self.size, self.cell)
            right += ORGANS[int(np.argmax(probability.mean(axis=0)))] == p.organ
        return f"{right} of {len(self.pictures)} held-out cores right"


def _adopted(config: Config, name: str, batches: train.Batches) -> Path:
    """The checkpoint of a network of the bundle that `finish_from` names; made on the first call.

    Its name holds the file's sum: from another file it is another checkpoint.
    """
    file = carried.file_of(config.finish_from, name)
    path = config.work / "adopted" / f"{name}-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}.pt"
    if not path.exists():
        stage = config.stage(name)
        rng = np.random.default_rng(config.seed)
        images = [networks.normalise(batches.draw(rng, 8, 1.0)[0]) for _ in range(16)]
        network = networks.build(
            name, stage.width, stage.drop, dilated=stage.dilated, encoder=config.encoder, decoder=config.decoder
        )
        adopt.write_checkpoint(adopt.adopt(network, file, images), path)
    return path


def trained(config: Config, name: str, checkpoint: Path | None = None) -> nn.Module:
    """A trained network of a run, by its name, ready for use; one that is told its organ has been told it.

    `checkpoint` is where its averaged weights are, if not where the run keeps them.
    """
    stage = config.stage(name)
    network = networks.build(
        name,
        stage.width,
        router=config.router_network,
        dilated=stage.dilated,
        encoder=config.encoder,
        decoder=config.decoder,
        conditioned=config.conditioned,
    )
    network = train.load_average(checkpoint or config.checkpoint(name), network)
    return conditioning.told(network, name if name in ORGANS else None) if config.conditioned else network


def job(config: Config, name: str) -> train.Job:
    """The training run of `router`, `baseline`, `unet` or an organ."""
    stage = config.stage(name)
    is_router = name == "router"
    data = load_data(config, config.router_mpp if is_router else config.mpp)
    if is_router:
        # the trunk's temperature comes from cross-validation, so it may see all training cores
        kept = set() if config.router_network == "trunk" else data.validation
        seen = [p for p in data.training if not (p.target and p.id in kept)]
        pool = crops.Pool(seen, data.weights, stage.target_share)
        batches: train.Batches = crops.OrganBatches(pool, config.router_tile, stage.stain)
        monitor = OrganMonitor(data.held_out, config.router_tile, config.router_cell)
    else:
        labelled = [p for p in data.training if p.mask is not None and not (p.target and name == "start")]
        focus = name if name in ORGANS else None
        if name == "start":
            # it sees no target core, so it belongs to no part of the cross-validation
            data.training += data.held_out
            data.held_out = []
        pool = crops.Pool(labelled, data.weights, stage.target_share, focus, stage.organ_share, stage.organ_weights)
        batches = crops.MaskBatches(pool, stage, config.tile, config.conditioned and name != "unet")
        shown = [p for p in data.held_out if focus is None or p.organ == focus]
        monitor = DiceMonitor(shown, config.tile)
    folder = config.work if name == "start" else config.runs
    start: Path | None = None
    if config.final and config.finish_from is not None and name not in ("start", "router"):
        if isinstance(config.finish_from, Path):
            start = _adopted(config, name, batches)
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
        networks.build,
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
        build = functools.partial(networks.trunk_of, folder / "baseline.pt", config.encoder)
    # what an earlier run of the same line has seen, this one has seen too
    kept_out = {f"{p.set}:{p.id}" for p in (*data.held_out, *data.test)}
    if name == "start":
        kept_out |= {f"{p.set}:{p.id}" for p in data.training if p.target}
    stands_on = folder / "baseline.pt" if is_router and config.router_network == "trunk" else start
    if stands_on is not None:
        kept_out &= train.kept_out(stands_on)
    return train.Job(
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
