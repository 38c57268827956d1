"""Measures every fold's networks on the cores that the fold held out, and stores their outputs."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Iterator

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from .. import ORGANS
from ..config import Config
from ..data import kaggle, target_cores
from ..data.pictures import Picture, rescale
from ..errors import DataError
from ..networks import other_tissue
from ..networks.inference import picture_votes, resize_map, torch_probability
from ..onnx_graphs import quantisation, sessions
from ..training import checkpoints, jobs
from .router_temperature import router_temperature

SINGLE = ("baseline", "unet")
"""The networks that serve all organs."""


@dataclass
class MeasuredCore:
    """A target core and the outputs of networks that have never seen it.

    Maps stay at the networks' um/px and the truth stays encoded, so that hundreds of large cores fit into memory.
    """

    id: str
    organ: str
    plain: bool
    """False for a core that was un-blended from a figure."""
    fold: str
    """`fold-0` and so on, or `shares`."""
    part: str
    """`test`, or `validation` where thresholds are chosen on cores of their own."""
    mpp: float
    width: int
    height: int
    rle: str
    """The truth at the core's own size."""
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    """Probabilities (float16, at the networks' um/px) by network: the organs' names, `baseline`, `unet`, each also with
    `:d4` (the mean over the eight turns) and `:int8`."""
    votes: list[float] = field(default_factory=list)
    """The router's mean probabilities in the organs' order, followed by that of other tissue if it has this output; empty
    without a router."""
    networks: str = ""
    """The `fingerprint` of the run whose networks were used."""

    def truth(self) -> np.ndarray:
        """height x width, bool."""
        return kaggle.rle_decode(self.rle, self.width, self.height)

    def has(self, key: str) -> bool:
        """Whether the networks of a key were run: `kidney`, `kidney:d4`, or `kidney+baseline` for the mean of two."""
        return all(part in self.maps for part in _parts(key))

    def probability(self, key: str) -> np.ndarray:
        """The probabilities of a key's network or the mean of its networks', height x width, float32."""
        mean = np.mean([self.maps[part].astype(np.float32) for part in _parts(key)], axis=0)
        return resize_map(mean, self.width, self.height)


def _parts(key: str) -> list[str]:
    """The maps that a key takes the mean of."""
    names, colon, variant = key.partition(":")
    return [f"{name}{colon}{variant}" for name in names.split("+")]


def runs(config: Config) -> list[Config]:
    """The runs that hold cores out and whose baseline is trained: the folds, or the one run of `shares`."""
    config = replace(config, final=False, fold=None)
    candidates = [config] if config.shares else [config.of_fold(fold) for fold in range(config.folds)]
    return [run for run in candidates if run.checkpoint("baseline").exists()]


def name_of(run: Config) -> str:
    """The name of a run in reports."""
    return "shares" if run.fold is None else f"fold-{run.fold}"


@torch.no_grad()
def turned(network: nn.Module, picture: Picture, tile: int) -> np.ndarray:
    """The mean of a network's outputs for the eight rotations and reflections of a picture."""
    total = np.zeros(picture.image.shape[:2], dtype=np.float32)
    for turns in range(4):
        for mirror in (False, True):
            image = np.rot90(picture.image, turns)
            image = np.ascontiguousarray(image[:, ::-1] if mirror else image)
            answer = torch_probability(network, Picture(**{**picture.__dict__, "image": image}), tile)
            answer = answer[:, ::-1] if mirror else answer
            total += np.rot90(answer, -turns)
    return total / 8


def fingerprint(run: Config) -> str:
    """A text that changes with a run's networks and with their input."""
    shown = f"{run.mpp} {run.tile} {run.router_mpp} {run.router_tile} {run.router_cell}"
    digest = hashlib.sha256((f"{shown} other" if run.router_other else shown).encode())
    for name in (*ORGANS, *SINGLE, "router"):
        path = run.checkpoint(name) if name == "baseline" else run.runs / f"{name}.pt"
        if path.exists():
            with open(path, "rb") as file:
                digest.update(name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _load(run: Config, name: str, held_out: set[str]) -> nn.Module | None:
    """A run's trained network, or None where the run has none. It must have ended, and must not have seen what is held out."""
    path = run.checkpoint(name)
    if not path.exists():
        return None
    seen = held_out - checkpoints.kept_out(path)
    if seen:
        raise DataError(f"{path} has been trained on {len(seen)} of the cores that {name_of(run)} holds out ({min(seen)})")
    return jobs.trained(run, name).to(jobs.device_of(run), memory_format=torch.channels_last)


def measure_run(run: Config, int8: bool = True, done: set[str] = frozenset()) -> Iterator[MeasuredCore]:
    """Every core that a run held out, except the ids in `done`, with the outputs of the run's networks."""
    if run.threads:
        torch.set_num_threads(run.threads)
    parts = target_cores.held_out_ids(run)
    held_out = {f"{folder.path.name}:{i}" for folder in run.kaggle if folder.target for i in parts}
    held_out &= {f"{f.path.name}:{c.id}" for f in run.kaggle if f.target for c in target_cores.core_rows(f)}
    loaded = {name: _load(run, name, held_out) for name in (*ORGANS, *SINGLE, "router")}
    mark = fingerprint(run)
    router = loaded.pop("router")
    nets = {name: network for name, network in loaded.items() if network is not None}
    heat = router_temperature(run).get("temperature", 1.0)
    other = other_tissue.load(run.runs / "router.pt") if router is not None and run.router_other else None
    small = {name: quantisation.session(network, run, name) for name, network in nets.items()} if int8 else {}
    for core in tqdm(target_cores.held_out_cores(run), desc=name_of(run), total=len(parts), disable=None):
        if core.id in done:
            continue
        picture = rescale(core, run.mpp)
        result = MeasuredCore(
            id=core.id,
            organ=core.organ,
            plain=core.plain,
            fold=name_of(run),
            part=parts[core.id],
            mpp=core.mpp,
            width=core.image.shape[1],
            height=core.image.shape[0],
            rle=kaggle.rle_encode(core.mask),
            networks=mark,
        )
        if router is not None:
            cells = picture_votes(router, rescale(core, run.router_mpp), run.router_tile, run.router_cell, heat, other)
            result.votes = cells.mean(axis=0).tolist()
        sent = [ORGANS[int(np.argmax(result.votes[: len(ORGANS)]))]] if result.votes else []
        for name, network in nets.items():
            # no other organ's network is ever used for this core
            if name not in (*SINGLE, core.organ, *sent):
                continue
            answers = {name: torch_probability(network, picture, run.tile)}
            answers[f"{name}:d4"] = turned(network, picture, run.tile)
            if name in small:
                answers[f"{name}:int8"] = sessions.session_probability(small[name], picture, run.tile)
            result.maps |= {key: answer.astype(np.float16) for key, answer in answers.items()}
        yield result


def folder_of(config: Config) -> Path:
    """Where measured cores are stored."""
    return config.work / "measured"


def save(config: Config, core: MeasuredCore) -> None:
    """Store a measured core."""
    folder = folder_of(config)
    folder.mkdir(parents=True, exist_ok=True)
    about = {k: v for k, v in core.__dict__.items() if k != "maps"}
    part = folder / f".{core.id}.{os.getpid()}.part.npz"
    np.savez_compressed(part, about=np.array(json.dumps(about)), **core.maps)
    os.replace(part, folder / f"{core.id}.npz")


def load(config: Config) -> list[MeasuredCore]:
    """All measured cores, by organ and id. Cores that the configuration no longer holds out, or in another run, are
    left out, and so are outputs of networks that have been trained further since."""
    belongs = set()
    for run in runs(config):
        mark = fingerprint(run)
        belongs |= {(name_of(run), core_id, mark) for core_id in target_cores.held_out_ids(run)}
    found = []
    for path in folder_of(config).glob("[!.]*.npz"):
        with np.load(path) as stored:
            about = json.loads(str(stored["about"]))
            if (about["fold"], about["id"], about["networks"]) in belongs:
                maps = {name: stored[name] for name in stored.files if name != "about"}
                found.append(MeasuredCore(**{**about, "maps": maps}))
    if not found:
        raise DataError(f"{folder_of(config)} holds no measured cores: train a fold, then run `measure`")
    return sorted(found, key=lambda c: (ORGANS.index(c.organ), c.id))


def run(config: Config, int8: bool = True) -> int:
    """Measure all runs and store the cores; returns how many there are. What was measured before is kept."""
    if not runs(config):
        raise DataError(f"{config.work} holds no trained fold (fold-0/baseline.pt): `--fold 0 train baseline` first")
    try:
        kept = [core for core in load(config) if not int8 or any(name.endswith(":int8") for name in core.maps)]
    except DataError:
        kept = []
    for one in runs(config):
        done = {core.id for core in kept if core.fold == name_of(one)}
        if done == set(target_cores.held_out_ids(one)):
            continue
        for core in measure_run(one, int8, done):
            save(config, core)
    return len(load(config))
