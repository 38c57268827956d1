"""Finds the router's temperature and, per organ, the smallest object that is worth keeping."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import nn

from . import ORGANS, bundle, networks, stages, train, trunk
from .config import Config
from .metrics import temperature
from .networks import normalise
from .pictures import Picture
from .router import cell_tiles


@torch.no_grad()
def cell_logits(network: nn.Module, pictures: list[Picture], tile: int, cell: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and true organ of every routing cell of some pictures."""
    logits, organs = [], []
    for picture in pictures:
        tiles = torch.from_numpy(cell_tiles(picture.image, tile, cell)).permute(0, 3, 1, 2).float() / 255.0
        logits.append(network(normalise(tiles)).float())
        organs += [ORGANS.index(picture.organ)] * len(tiles)
    return torch.cat(logits), torch.tensor(organs)


def object_sizes(pictures: list[Picture]) -> dict[str, float | int | bool]:
    """`min_area` (px): a quarter of the fifth percentile of the true objects; `fill_holes`: true where holes are rare."""
    areas: list[int] = []
    holes = filled = 0
    for picture in pictures:
        labels, _ = ndimage.label(picture.mask)
        areas += np.bincount(labels.ravel())[1:].tolist()
        whole = ndimage.binary_fill_holes(picture.mask)
        holes += int(whole.sum()) - int(picture.mask.sum())
        filled += int(whole.sum())
    if not areas:
        return {"min_area": 0, "fill_holes": False}
    return {
        "min_area": int(np.percentile(areas, 5) / 4),
        "fill_holes": holes < 0.02 * filled,
        "median_area": float(np.median(areas)),
        "objects": len(areas),
    }


def run(config: Config) -> dict:
    """Calibrate on training cores only and write `calibration.json`."""
    data = stages.load_data(config, config.mpp)
    cores = [p for p in data.training if p.target]
    result: dict = {"objects": {organ: object_sizes([p for p in cores if p.organ == organ]) for organ in ORGANS}}
    result["objects"]["all"] = {
        "min_area": min(result["objects"][organ]["min_area"] for organ in ORGANS),
        "fill_holes": all(result["objects"][organ]["fill_holes"] for organ in ORGANS),
    }
    checkpoint = config.work / "router.pt"
    if checkpoint.exists() and config.router_network == "trunk":
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        features, organ, picture = state["features"], state["organ"], state["picture"]
        logits = trunk.out_of_fold(features, organ, picture, len(ORGANS), state["decay"])
        asked = state["target"]
        result["router"] = trunk.vote_calibration(logits[asked], organ[asked], picture[asked])
        result["temperature"] = result["router"]["temperature"]
    elif checkpoint.exists():
        apart = stages.load_data(config, config.router_mpp)
        pictures = [p for p in apart.training if p.target and p.id in apart.validation]
        if pictures:
            network = train.load_average(checkpoint, networks.build("router"))
            logits, organ = cell_logits(network, pictures, config.router_tile, config.router_cell)
            result["temperature"] = temperature(logits, organ)
            result["validation"] = sorted(p.id for p in pictures)
            result["validation_cells"] = len(organ)
            result["validation_cells_right"] = int((logits.argmax(dim=1) == organ).sum())
    bundle.write_json(config.work / "calibration.json", result)
    return result
