"""Detects tissue that is unlike all training tissue, so that the router can answer "none of these".

Two distances of the trunk's features of a tile, the mean and standard deviation of every channel: the angle to the ten nearest
training tiles, and the Mahalanobis distance to the nearest organ. Each misses what the other finds (measured on a fold: a skin
slide is far by the second, a squamous one by the first), so their sum decides, each in units of its own standard deviation on
cores that had no part in it. Both are products with constant matrices, which the router's file computes itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

NEAREST = 10
"""Number of nearest training tiles."""
SHRINK = 0.3
"""Shrinkage of the covariance towards its diagonal: there are hardly more tiles than features."""
FAMILIAR = 0.98
"""Share of the ordinary training cores, each judged by the tiles of others, that must be accepted. On fold 0 all 24 held-out
cores then were (1.8 % of their tissue was refused, cell by cell), and both slides of other tissue were not."""
SHARPNESS = 3.0
"""Steepness of the probability at the limit."""
FOLDS = 5


def standard(features: torch.Tensor, levels: tuple[int, ...]) -> torch.Tensor:
    """The mean and standard deviation of every channel, from the means and mean squares that the trunk gives per level."""
    parts = []
    for pair in features.split([2 * count for count in levels], dim=1):
        mean, square = pair.chunk(2, dim=1)
        parts += [mean, (square - mean * mean).clamp_min(1e-8).sqrt()]
    return torch.cat(parts, dim=1)


class OtherTissue(nn.Module):
    """The two distances of features (n x features) as a logit (n x 1): above 0 is unlike all training tissue."""

    def __init__(self, levels: tuple[int, ...], parts: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.levels = levels
        for name, value in parts.items():
            self.register_buffer(name, value)

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """The angle's and Mahalanobis' distance: n x 2."""
        x = (standard(features, self.levels) - self.centre) * self.gain
        likeness = F.normalize(x) @ self.references
        angle = 1.0 - likeness.topk(NEAREST, dim=1).values.mean(dim=1, keepdim=True)
        white = x @ self.whiten
        squares = (white * white).sum(dim=1, keepdim=True) - 2.0 * white @ self.means + (self.means * self.means).sum(dim=0)
        far = (squares.min(dim=1, keepdim=True).values.clamp_min(0.0) / x.shape[1]).sqrt()
        return torch.cat([angle, far], dim=1)

    def score(self, features: torch.Tensor) -> torch.Tensor:
        """The sum of both in units of their standard deviations: n x 1."""
        return ((self.distances(features) - self.usual) / self.spread).sum(dim=1, keepdim=True)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The logit."""
        return SHARPNESS * (self.score(features) - self.limit)


def _of_tiles(features: torch.Tensor, organ: torch.Tensor, levels: tuple[int, ...]) -> OtherTissue:
    """Distances to these tiles, not standardised yet."""
    x = standard(features, levels).double()
    # rounded to fp16, as the file will store them, here and below
    centre, gain = x.mean(dim=0).half().double(), (1.0 / (x.std(dim=0) + 1e-4)).half().double()
    x = (x - centre) * gain
    means = torch.stack([x[organ == row].mean(dim=0) for row in organ.unique()])
    inside = x - means[torch.searchsorted(organ.unique(), organ)]
    covariance = inside.T @ inside / max(1, len(x) - 1)
    covariance = (1 - SHRINK) * covariance + SHRINK * covariance.diag().diag() + 1e-6 * torch.eye(len(covariance)).double()
    whiten = torch.linalg.cholesky(torch.linalg.inv(covariance))
    parts = {
        "centre": centre.float(),
        "gain": gain.float(),
        "references": F.normalize(x).T.half().float(),
        "whiten": whiten.half().float(),
        "means": (means @ whiten).T.half().float(),
        "usual": torch.zeros(2),
        "spread": torch.ones(2),
        "limit": torch.zeros(1),
    }
    return OtherTissue(levels, parts)


@torch.no_grad()
def fit(
    tiles: tuple[torch.Tensor, torch.Tensor, list[str]],
    cells: tuple[torch.Tensor, list[str]],
    levels: tuple[int, ...],
    seed: int = 0,
) -> OtherTissue:
    """Learn known tissue from `tiles` (features, organ, and the core that each shows), and its limit from `cells` (features,
    core): the routing cells of ordinary cores, judged by the tiles of other cores only."""
    features, organ, shown = tiles
    asked, of_core = cells
    names = sorted(set(of_core))
    part = dict(zip(names, np.random.default_rng(seed).permutation(len(names)) % FOLDS))
    tile_part = torch.tensor([part.get(name, -1) for name in shown])
    cell_part = torch.tensor([part[name] for name in of_core])
    distances = torch.zeros(len(asked), 2)
    for fold in range(FOLDS):
        away, here = tile_part != fold, cell_part == fold
        if here.any():
            distances[here] = _of_tiles(features[away], organ[away], levels).distances(asked[here])
    found = _of_tiles(features, organ, levels)
    found.usual, found.spread = distances.mean(dim=0), distances.std(dim=0) + 1e-6
    scores = ((distances - found.usual) / found.spread).sum(dim=1)
    by_core = [float(scores[torch.tensor([name == core for core in of_core])].mean()) for name in names]
    found.limit = torch.tensor([float(np.quantile(by_core, FAMILIAR))])
    return found


def stored(found: OtherTissue) -> dict:
    """What a checkpoint stores."""
    return {"levels": list(found.levels), "parts": dict(found.named_buffers())}


def load(checkpoint: Path) -> OtherTissue | None:
    """The detector in a router's checkpoint; None if it has none."""
    kept = torch.load(checkpoint, map_location="cpu", weights_only=True).get("unfamiliar")
    return OtherTissue(tuple(kept["levels"]), kept["parts"]).eval() if kept else None
