"""Varies the look of a crop: stain, colour, sharpness and noise."""

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


def vary_tone(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and gamma a little. Float 0..1 in and out."""
    gain, lift = np.exp(rng.normal(0.0, 0.10)), rng.normal(0.0, 0.03)
    image = np.clip((image - 0.5) * gain + 0.5 + lift, 0.0, 1.0)
    return image ** np.exp(rng.normal(0.0, 0.12))


def vary_sharpness(image: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Sometimes lose detail, as scans and exports at a lower resolution do. 3 x height x width in and out."""
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


def vary_look(image: torch.Tensor, rng: np.random.Generator, strength: float = 1.0) -> torch.Tensor:
    """All of the above. `image` is 3 x height x width, float 0..1; so is the result. `strength` is the stain's."""
    pixels = image.permute(1, 2, 0).numpy().astype(np.float64)
    if rng.random() < 0.9:
        pixels = vary_stain(pixels, rng, strength)
    if rng.random() < 0.6:
        pixels = vary_tone(pixels, rng)
    varied = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float()
    return vary_sharpness(varied, rng)
