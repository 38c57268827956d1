"""Random crops for training: which picture, which place, rotated, scaled and augmented."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from .. import ORGANS, UNKNOWN_ORGAN
from ..config import Stage
from ..errors import DataError
from .augmentation import cut_out, vary_look
from .pictures import Picture
from .tiles import one_tile


@dataclass
class Pool:
    """The pictures to draw from, and how often each is drawn."""

    pictures: list[Picture]
    set_weights: dict[str, float]
    """Weight of each set that is not a target, divided evenly among its pictures."""
    target_share: float
    focus: str | None = None
    """Organ that `focus_share` of the crops show; None draws all organs."""
    focus_share: float = 0.8
    organ_weights: dict[str, float] = field(default_factory=dict)
    """Relative frequency of an organ's target cores; 1 where not given."""
    _groups: dict[tuple[bool, str, str], list[Picture]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for picture in self.pictures:
            key = (picture.target, picture.organ, "" if picture.target else picture.set)
            self._groups.setdefault(key, []).append(picture)
        if not self._groups:
            raise DataError("there are no pictures with masks to draw from: check the paths in the configuration")

    def _weight(self, key: tuple[bool, str, str]) -> float:
        """A set's weight, divided evenly among its organs."""
        organs = sum(1 for target, _, name in self._groups if not target and name == key[2])
        return self.set_weights.get(key[2], 1.0) / organs

    def draw(self, rng: np.random.Generator) -> Picture:
        """One picture: first the organ group, then target or other set, then the picture."""
        organs = {organ for _, organ, _ in self._groups}
        if self.focus in organs:
            others = organs - {self.focus}
            organs = {self.focus} if not others or rng.random() < self.focus_share else others
        target = {k: self.organ_weights.get(k[1], 1.0) for k in self._groups if k[0] and k[1] in organs}
        other = {k: self._weight(k) for k in self._groups if not k[0] and k[1] in organs}
        other = {k: w for k, w in other.items() if w > 0}
        choice = target if target and (not other or rng.random() < self.target_share) else other or target
        keys = sorted(choice)
        weights = np.array([choice[k] for k in keys])
        group = self._groups[keys[rng.choice(len(keys), p=weights / weights.sum())]]
        return group[rng.integers(len(group))]

    def draw_like(self, picture: Picture, rng: np.random.Generator) -> Picture:
        """Any picture of the same organ and of the same kind, a target core or of the same set."""
        group = self._groups[picture.target, picture.organ, "" if picture.target else picture.set]
        return group[rng.integers(len(group))]

    def draw_target(self, rng: np.random.Generator) -> Picture | None:
        """One target core of the focus, or of any organ without one; None where there is none."""
        keys = sorted(k for k in self._groups if k[0] and self.focus in (None, k[1]))
        if not keys:
            return None
        group = self._groups[keys[rng.integers(len(keys))]]
        return group[rng.integers(len(group))]


def centre(picture: Picture, rng: np.random.Generator, on_mask: float) -> tuple[float, float]:
    """A point (x, y): with probability `on_mask` on the mask, else anywhere that is not empty glass."""
    height, width = picture.image.shape[:2]
    if picture.mask is not None and rng.random() < on_mask:
        hits = np.flatnonzero(picture.mask)
        if len(hits):
            y, x = divmod(int(hits[rng.integers(len(hits))]), width)
            return float(x), float(y)
    for _ in range(8):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        if picture.image[y, x].min() < 225:
            break
    return float(x), float(y)


def cut(
    picture: Picture, x: float, y: float, size: int, angle: float, scale: float, mirror: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """A square crop around (x, y), rotated by `angle` (radians) and magnified by `scale`.

    Image (3 x size x size, float 0..1) and mask (1 x size x size, 0 or 1). A whole core is surrounded by white
    glass; a picture that was cut out of tissue is mirrored at its edge.
    """
    height, width = picture.image.shape[:2]
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    flip = -1.0 if mirror else 1.0
    # grid_sample takes coordinates from -1 to 1
    theta = torch.tensor(
        [
            [flip * cos * size / width, -sin * size / width, 2 * (x + 0.5) / width - 1],
            [flip * sin * size / height, cos * size / height, 2 * (y + 0.5) / height - 1],
        ],
        dtype=torch.float32,
    )[None]
    grid = F.affine_grid(theta, [1, 1, size, size], align_corners=False)
    padding = "zeros" if picture.whole else "reflection"
    glass = 1.0 - torch.from_numpy(picture.image).permute(2, 0, 1)[None].float() / 255.0
    if scale < 0.8:
        glass = F.avg_pool2d(glass, 3, 1, 1, count_include_pad=False)
    image = 1.0 - F.grid_sample(glass, grid, mode="bilinear", padding_mode=padding, align_corners=False)[0]
    if picture.mask is None:
        return image, torch.zeros(1, size, size)
    truth = torch.from_numpy(picture.mask)[None, None].float()
    mask = F.grid_sample(truth, grid, mode="bilinear", padding_mode=padding, align_corners=False)[0]
    return image, (mask >= 0.5).float()


def random_crop(
    picture: Picture,
    rng: np.random.Generator,
    size: int,
    on_mask: float = 0.6,
    scales: tuple[float, float] = (0.7, 1.4),
    stain: float = 1.0,
    recoloured: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """A crop at a random place, rotation and scale, augmented."""
    x, y = centre(picture, rng, on_mask)
    x += rng.uniform(-0.35, 0.35) * size
    y += rng.uniform(-0.35, 0.35) * size
    height, width = picture.image.shape[:2]
    x, y = float(np.clip(x, 0, width - 1)), float(np.clip(y, 0, height - 1))
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else rng.integers(4) * np.pi / 2
    scale = float(np.exp(rng.uniform(np.log(scales[0]), np.log(scales[1]))))
    image, mask = cut(picture, x, y, size, angle, scale, bool(rng.random() < 0.5))
    return vary_look(image, rng, stain, recoloured), mask


def whole_tile(picture: Picture, rng: np.random.Generator, side: int, stain: float) -> torch.Tensor:
    """A core as the engine presents it, in a white square, rotated and with another stain: 3 x side x side, 0..1."""
    turned = np.rot90(one_tile(picture.image, side, rng), int(rng.integers(4)))
    turned = turned[:, ::-1] if rng.random() < 0.5 else turned
    return vary_look(torch.from_numpy(turned.copy()).permute(2, 0, 1).float() / 255.0, rng, stain)


def paste(
    pair: tuple[torch.Tensor, torch.Tensor], other: tuple[torch.Tensor, torch.Tensor], rng: np.random.Generator
) -> None:
    """Copy a rectangle of `other` (image, mask) into the same place of `pair`; its sides are a third to two thirds."""
    size = pair[0].shape[-1]
    height, width = rng.integers(size // 3, 2 * size // 3 + 1, size=2)
    top, left = rng.integers(size - height + 1), rng.integers(size - width + 1)
    for mine, others in zip(pair, other):
        mine[:, top : top + height, left : left + width] = others[:, top : top + height, left : left + width]


class MaskBatches:
    """Batches for the segmentation models: images (n x 3 x side x side, float 0..1) and masks.

    `grow` sets the size of the crops during the run, as pairs of progress (0..1) and px. Small crops come in larger
    batches, so that every step costs about the same. Starting small is faster while textures are learned; large crops at
    the end teach the context. All have the same resolution. With `tells` each batch also holds the
    organs' rows (see `networks/organ_conditioning.py`).
    """

    def __init__(self, pool: Pool, stage: Stage, tile: int, tells: bool = False) -> None:
        self.pool = pool
        self.stage = stage
        self.tile = tile
        self.tells = tells

    def side(self, progress: float) -> int:
        """Side of the crops (px) at a point (0..1) of the run."""
        size = self.stage.crop
        for begin, side in self.stage.grow:
            if progress >= begin:
                size = side
        return size

    def crop(self, picture: Picture, rng: np.random.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """One crop of a picture with the stage's settings."""
        stage = self.stage
        return random_crop(picture, rng, size, stage.on_mask, stage.scales, stage.stain, stage.recolour)

    def draw(self, rng: np.random.Generator, count: int, progress: float = 1.0) -> tuple[torch.Tensor, ...]:
        """Crops with about as many pixels as `count` of the usual side; at least two."""
        size = self.side(progress)
        count = max(2, round(count * (self.stage.crop / size) ** 2))
        pictures = [self.pool.draw(rng) for _ in range(count)]
        pairs = [self.crop(picture, rng, size) for picture in pictures]
        for picture, pair in zip(pictures, pairs):
            if self.stage.cutmix and rng.random() < self.stage.cutmix:
                paste(pair, self.crop(self.pool.draw_like(picture, rng), rng, size), rng)
            if self.stage.cutout and rng.random() < self.stage.cutout:
                cut_out(pair, rng)
        batch = torch.stack([p[0] for p in pairs]), torch.stack([p[1] for p in pairs])
        if not self.tells:
            return batch
        hidden = rng.random(count) < self.stage.unknown
        rows = [UNKNOWN_ORGAN if hide else ORGANS.index(picture.organ) for picture, hide in zip(pictures, hidden)]
        return *batch, torch.tensor(rows)

    def as_run(self, rng: np.random.Generator, count: int) -> torch.Tensor:
        """`count` target cores as the engine presents them (n x 3 x tile x tile); crops where there are none."""
        cores = [self.pool.draw_target(rng) for _ in range(count)]
        tiles = [whole_tile(core, rng, self.tile, 0.7 * self.stage.stain) for core in cores if core is not None]
        return torch.stack(tiles) if tiles else self.draw(rng, count)[0]


class OrganBatches:
    """Batches for the router: images and the index of the organ they show."""

    def __init__(
        self, pool: Pool, size: int, stain: float = 1.0, scales: tuple[float, float] = (0.7, 1.4)
    ) -> None:
        self.pool = pool
        self.size = size
        self.stain = stain
        self.scales = scales

    def draw(
        self, rng: np.random.Generator, count: int, progress: float = 1.0
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`count` crops; `progress` has no effect."""
        images, organs, _ = self.draw_known(rng, count)
        return images, organs

    def as_run(self, rng: np.random.Generator, count: int) -> torch.Tensor:
        """`count` crops, which have the size of the router's tiles."""
        return self.draw(rng, count)[0]

    def draw_known(
        self, rng: np.random.Generator, count: int
    ) -> tuple[torch.Tensor, torch.Tensor, list[Picture]]:
        """`count` crops, their organs and the pictures they are from."""
        pictures = [self.pool.draw(rng) for _ in range(count)]
        images = [random_crop(p, rng, self.size, 0.2, self.scales, self.stain)[0] for p in pictures]
        return torch.stack(images), torch.tensor([ORGANS.index(p.organ) for p in pictures]), pictures
