"""The temperature of a trained router."""

from __future__ import annotations

import torch

from .. import ORGANS
from ..config import Config
from ..data import training_data
from ..networks import architectures
from ..networks.inference import cell_logits
from ..training import checkpoints, router_head
from ..training.metrics import temperature


def router_temperature(config: Config) -> dict:
    """The temperature of the run's router and the data behind it; empty without a router."""
    checkpoint = config.runs / "router.pt"
    if not checkpoint.exists():
        return {}
    if config.router_network == "trunk":
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        features, organ, picture = state["features"], state["organ"], state["picture"]
        logits = router_head.out_of_fold(features, organ, picture, len(ORGANS), state["decay"])
        asked = state["target"]
        return router_head.vote_calibration(logits[asked], organ[asked], picture[asked])
    data = training_data.load_data(config, config.router_mpp)
    pictures = [p for p in data.training if p.target and p.id in data.validation]
    if not pictures:
        return {}
    network = checkpoints.load_average(checkpoint, architectures.build("router"))
    logits, organ = cell_logits(network, pictures, config.router_tile, config.router_cell)
    return {
        "temperature": temperature(logits, organ),
        "validation": sorted(p.id for p in pictures),
        "cells": len(organ),
        "cells_right": int((logits.argmax(dim=1) == organ).sum()),
    }
