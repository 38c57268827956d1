"""Pseudo-labels: the baseline labels pictures without masks and continues training on them.

The challenge's best solutions did this in two rounds, mostly for organs with few masks such as lung. A run's labels come from
its own networks, which have not seen what it holds out, so nothing leaks.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from torch import nn

from ..config import Config
from ..data import random_crops, training_data
from ..data.pictures import Picture
from ..networks.inference import torch_probability
from . import checkpoints, jobs, loop, run_log
from .metrics import dice

THRESHOLDS = tuple(np.arange(0.05, 0.85, 0.05))
UNSURE = 0.5
"""Probabilities this close to the threshold are unsure, as a share of the threshold: that of lung can be very low."""
LEAST_SURE = 0.8
"""Share of a picture's px that must be sure; other pictures get no mask."""


def best_threshold(network: nn.Module, pictures: list[Picture], tile: int) -> float:
    """The threshold with the best mean Dice on training pictures; 0.5 where there are none."""
    if not pictures:
        return 0.5
    found = [torch_probability(network, picture, tile) for picture in pictures]
    means = [np.mean([dice(p >= level, picture.mask) for p, picture in zip(found, pictures)]) for level in THRESHOLDS]
    return float(THRESHOLDS[int(np.argmax(means))])


def labelled(network: nn.Module, pictures: list[Picture], threshold: float, tile: int) -> list[Picture]:
    """The pictures that the network is sure of, with its answers as masks."""
    kept = []
    for picture in pictures:
        probability = torch_probability(network, picture, tile)
        if (np.abs(probability - threshold) >= UNSURE * threshold).mean() >= LEAST_SURE:
            kept.append(dataclasses.replace(picture, mask=(probability >= threshold).astype(np.uint8)))
    return kept


def round_job(config: Config, number: int) -> loop.Job:
    """The training of round `number`, from 1: it starts from the baseline of the round before and uses that one's labels."""
    before = config.baseline_of_round(number - 1)
    unseen = checkpoints.kept_out(before)  # an error where it is missing or has not ended
    data = training_data.load_data(config, config.mpp)
    with_masks = [p for p in data.training if p.mask is not None]
    given: list[Picture] = []
    for organ in sorted({p.organ for p in data.training if p.mask is None}):
        network = jobs.trained(config, "baseline", before, told=organ)
        own = [p for p in with_masks if p.target and p.organ == organ]
        threshold = best_threshold(network, own, config.tile)
        asked = [p for p in data.training if p.mask is None and p.organ == organ]
        sure = labelled(network, asked, threshold, config.tile)
        text = f"{len(sure)} of {len(asked)} pictures of {organ} get a mask at a threshold of {threshold:.2f}"
        config.runs.mkdir(parents=True, exist_ok=True)
        run_log.say(config.runs, f"baseline-{number}", text)
        given += sure
    stage = config.stage("pseudo")
    pool = random_crops.Pool([*with_masks, *given], data.weights, stage.target_share, None, 0.0, stage.organ_weights)
    job = jobs.job(config, "baseline")
    return dataclasses.replace(
        job,
        name=f"baseline-{number}",
        stage=stage,
        batches=random_crops.MaskBatches(pool, stage, config.tile, config.conditioned),
        start=before,
        kept_out=tuple(sorted(set(job.kept_out) & unseen)),
    )


def run(config: Config) -> None:
    """Train all rounds that have not ended yet."""
    for number in range(1, config.pseudo_rounds + 1):
        path = config.baseline_of_round(number)
        if path.exists() and checkpoints.progress(path) >= 1.0:
            continue
        loop.run(round_job(config, number))
