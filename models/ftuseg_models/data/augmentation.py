"""Augments a crop's appearance: stain, colour, sharpness and noise."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F


def vary_stain(image: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Mix and scale the channels in optical density, where stains add up and empty glass stays white.

    `image` is height x width x 3, float 0..1; so is the result.
    """
    density = -np.log(np.maximum(image, 1.0 / 255.0))
    mix = np.eye(3) + rng.normal(0.0, 0.10 * strength, (3, 3))
    if rng.random() < 0.15 * strength:
        mix = mix[rng.permutation(3)]
    if rng.random() < 0.10 * strength:
        mix = np.full((3, 3), 1.0 / 3.0) * 0.8 + 0.2 * mix
    mix = mix * np.exp(rng.normal(0.0, 0.20 * strength, (1, 3))) * np.exp(rng.normal(0.0, 0.20 * strength))
    glass = np.abs(rng.normal(0.0, 0.04 * strength, (1, 3))) + abs(rng.normal(0.0, 0.03 * strength))
    density = np.maximum(density.reshape(-1, 3) @ mix + glass, 0.0)
    return np.exp(-density).reshape(image.shape)


HAEMATOXYLIN_DAB = ((0.650, 0.704, 0.286), (0.269, 0.568, 0.778))
"""Optical densities of the two stains of the target cores in red, green and blue (Ruifrok and Johnston 2001)."""

STAININGS = (
    ((0.650, 0.704, 0.286), (0.072, 0.990, 0.105)),  # haematoxylin and eosin
    ((0.644, 0.717, 0.267), (0.175, 0.972, 0.155)),  # haematoxylin and periodic acid-Schiff
    ((0.800, 0.591, 0.105), (0.100, 0.737, 0.668)),  # a bluer haematoxylin, an orange eosin
)
"""The pairs that `recolour` replaces them with."""


def recolour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Separate a picture into haematoxylin and DAB, and compose it from the two stains of another staining.

    The cores of the challenge are stained with DAB, most slides elsewhere with eosin or PAS; the winner of the challenge
    trained on copies of both. `image` is height x width x 3, float 0..1; so is the result. Empty glass stays empty.
    """

    def basis(pair: tuple) -> np.ndarray:
        """The two stains and what is orthogonal to both, each of length 1, as rows."""
        stains = np.asarray(pair, dtype=np.float64)
        rows = np.vstack([stains, np.cross(*stains)])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    density = -np.log(np.maximum(image, 1.0 / 255.0)).reshape(-1, 3)
    amounts = density @ np.linalg.inv(basis(HAEMATOXYLIN_DAB))
    wanted = np.asarray(STAININGS[rng.integers(len(STAININGS))])
    wanted = basis(np.maximum(wanted + rng.normal(0.0, 0.05, wanted.shape), 0.01))
    # eosin and PAS also colour what DAB leaves pale: they get a part of the haematoxylin's amount
    amounts[:, 1] += rng.uniform(0.0, 0.6) * np.maximum(amounts[:, 0], 0.0)
    amounts *= np.exp(rng.normal(0.0, 0.25, (1, 3)))
    return np.exp(-np.maximum(amounts @ wanted, 0.0)).reshape(image.shape)


def vary_tone(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and gamma a little. Float 0..1 in and out."""
    gain, lift = np.exp(rng.normal(0.0, 0.10)), rng.normal(0.0, 0.03)
    image = np.clip((image - 0.5) * gain + 0.5 + lift, 0.0, 1.0)
    return image ** np.exp(rng.normal(0.0, 0.12))


def vary_sharpness(image: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Sometimes lose detail, as scans at a lower resolution do. 3 x height x width in and out."""
    if rng.random() < 0.5:
        size = image.shape[-2:]
        factor = rng.uniform(1.2, 2.6)
        small = [max(8, round(side / factor)) for side in size]
        image = F.interpolate(image[None], size=small, mode="bilinear", antialias=True, align_corners=False)
        image = F.interpolate(image, size=size, mode="bilinear", align_corners=False)[0]
    elif rng.random() < 0.2:
        soft = F.avg_pool2d(image[None], 3, 1, 1, count_include_pad=False)[0]
        image = image + rng.uniform(0.3, 1.0) * (image - soft)
    if rng.random() < 0.4:
        noise = rng.normal(0.0, rng.uniform(0.005, 0.03), tuple(image.shape))
        image = image + torch.from_numpy(noise.astype(np.float32))
    return image.clamp(0.0, 1.0)


def vary_look(
    image: torch.Tensor, rng: np.random.Generator, strength: float = 1.0, recoloured: float = 0.0
) -> torch.Tensor:
    """All of the above. `image` is 3 x height x width, float 0..1; so is the result.

    `strength` is that of the stain augmentation; `recoloured` is the share of images that get another staining.
    """
    pixels = image.permute(1, 2, 0).numpy().astype(np.float64)
    if recoloured > 0.0 and rng.random() < recoloured:
        pixels = recolour(pixels, rng)
    if rng.random() < 0.9:
        pixels = vary_stain(pixels, rng, strength)
    if rng.random() < 0.6:
        pixels = vary_tone(pixels, rng)
    varied = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float()
    return vary_sharpness(varied, rng)


def cut_out(pair: tuple[torch.Tensor, torch.Tensor], rng: np.random.Generator) -> None:
    """Fill one to three rectangles of an image (3 x height x width) with one colour each, and clear its mask there."""
    image, mask = pair
    size = image.shape[-1]
    for _ in range(rng.integers(1, 4)):
        height, width = rng.integers(size // 10, size // 4 + 1, size=2)
        top, left = rng.integers(size - height + 1), rng.integers(size - width + 1)
        place = (slice(None), slice(top, top + height), slice(left, left + width))
        image[place] = torch.from_numpy(rng.random((3, 1, 1), dtype=np.float32))
        mask[place] = 0.0
