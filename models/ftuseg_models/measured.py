"""Measures every fold's networks on the cores that the fold held out, and keeps what they answered."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from . import ORGANS, evaluate, networks, quantise, split, train
from .config import Config
from .kaggle import DataError
from .metrics import resize_map, torch_probability
from .pictures import Picture, rescale
from .router import cell_tiles, router_temperature

SINGLE = ("baseline", "unet")
"""The networks that serve all organs."""


@dataclass
class Measured:
    """A target core and what networks that never saw it say of it."""

    id: str
    organ: str
    plain: bool
    """False for a core that was un-blended from a figure."""
    fold: str
    """`fold-0` and so on, or `shares`."""
    part: str
    """`test`, or `validation` where thresholds are chosen on cores of their own."""
    mpp: float
    truth: np.ndarray
    """height x width, bool, at the core's own size"""
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    """Probabilities (height x width, float16) by network: the organs' names, `baseline`, `unet`, each also with
    `:d4` (the mean over the eight turns) and `:int8`."""
    votes: list[float] = field(default_factory=list)
    """The router's mean probabilities, in the organs' order; empty where there is no router."""


def runs(config: Config) -> list[Config]:
    """The runs that hold cores out and whose baseline is trained: the folds, or the one run of `shares`."""
    if config.shares:
        candidates = [config]
    else:
        candidates = [config.of_fold(fold) for fold in range(config.folds)]
    return [run for run in candidates if (run.runs / "baseline.pt").exists()]


def name_of(run: Config) -> str:
    """The name of a run in reports."""
    return "shares" if run.fold is None else f"fold-{run.fold}"


@torch.no_grad()
def turned(network: nn.Module, picture: Picture, tile: int) -> np.ndarray:
    """The mean of a network's answers to the eight turns and mirrorings of a picture."""
    total = np.zeros(picture.image.shape[:2], dtype=np.float32)
    for turns in range(4):
        for mirror in (False, True):
            image = np.rot90(picture.image, turns)
            image = np.ascontiguousarray(image[:, ::-1] if mirror else image)
            answer = torch_probability(network, Picture(**{**picture.__dict__, "image": image}), tile)
            answer = answer[:, ::-1] if mirror else answer
            total += np.rot90(answer, -turns)
    return total / 8


@torch.no_grad()
def votes(network: nn.Module, picture: Picture, config: Config, temperature: float) -> list[float]:
    """The router's mean probabilities over a core's routing cells."""
    tiles = cell_tiles(rescale(picture, config.router_mpp).image, config.router_tile, config.router_cell)
    logits = network(networks.normalise(torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255.0))
    return (logits / temperature).softmax(dim=1).mean(dim=0).tolist()


def _load(run: Config, name: str) -> nn.Module | None:
    path = run.runs / f"{name}.pt"
    if not path.exists():
        return None
    stage = run.stage(name)
    network = networks.build(name, stage.width, router=run.router_network, dilated=stage.dilated)
    return train.load_average(path, network).to(memory_format=torch.channels_last)


def measure_run(run: Config, int8: bool = True) -> Iterator[Measured]:
    """Every core that a run held out, with the answers of the run's networks."""
    if run.threads:
        torch.set_num_threads(run.threads)
    cores = evaluate.held_out_cores(run)
    validation: set[str] = set()
    if run.shares:
        _, validation, _ = split.by_shares(cores_of(run), run.shares, run.seed)
    loaded = {name: _load(run, name) for name in (*ORGANS, *SINGLE, "router")}
    router = loaded.pop("router")
    nets = {name: network for name, network in loaded.items() if network is not None}
    heat = router_temperature(run).get("temperature", 1.0)
    small = {name: quantise.session(network, run) for name, network in nets.items()} if int8 else {}
    for core in tqdm(cores, desc=name_of(run), disable=None):
        picture = rescale(core, run.mpp)
        height, width = core.image.shape[:2]
        result = Measured(
            id=core.id,
            organ=core.organ,
            plain=core.plain,
            fold=name_of(run),
            part="validation" if core.id in validation else "test",
            mpp=core.mpp,
            truth=core.mask > 0,
        )
        for name, network in nets.items():
            answers = {name: torch_probability(network, picture, run.tile)}
            if name in SINGLE or name == core.organ:
                answers[f"{name}:d4"] = turned(network, picture, run.tile)
                if name in small:
                    answers[f"{name}:int8"] = evaluate.session_probability(small[name], picture, run.tile)
            for key, answer in answers.items():
                result.maps[key] = resize_map(answer, width, height).astype(np.float16)
        if router is not None:
            result.votes = votes(router, core, run, heat)
        yield result


def cores_of(run: Config) -> list[Picture]:
    """All target cores, as they are."""
    return [core for folder in run.kaggle if folder.target for core in evaluate.read_cores(folder)]


def folder_of(config: Config) -> Path:
    """Where measured cores are kept."""
    return config.work / "measured"


def save(config: Config, core: Measured) -> None:
    """Keep a measured core."""
    folder = folder_of(config)
    folder.mkdir(parents=True, exist_ok=True)
    about = {k: v for k, v in core.__dict__.items() if k not in ("truth", "maps")}
    part = folder / f".{core.id}.{os.getpid()}.part.npz"
    np.savez_compressed(part, about=np.array(json.dumps(about)), truth=core.truth, **core.maps)
    os.replace(part, folder / f"{core.id}.npz")


def load(config: Config) -> list[Measured]:
    """All measured cores, by organ and id."""
    cores = []
    for path in folder_of(config).glob("[!.]*.npz"):
        with np.load(path) as stored:
            about = json.loads(str(stored["about"]))
            maps = {name: stored[name] for name in stored.files if name not in ("about", "truth")}
            cores.append(Measured(**{**about, "truth": stored["truth"], "maps": maps}))
    if not cores:
        raise DataError(f"{folder_of(config)} holds no measured cores: train a fold, then run `measure`")
    return sorted(cores, key=lambda c: (ORGANS.index(c.organ), c.id))


def run(config: Config, int8: bool = True) -> int:
    """Measure all runs that there are and keep the cores; returns how many."""
    done = 0
    for one in runs(config):
        for core in measure_run(one, int8):
            save(config, core)
            done += 1
    if not done:
        raise DataError(f"{config.work} holds no trained fold (fold-0/baseline.pt): `--fold 0 train baseline` first")
    return done
