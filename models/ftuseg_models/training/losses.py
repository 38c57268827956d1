"""The losses: Dice plus cross-entropy for masks, cross-entropy for organs."""

from __future__ import annotations

from typing import Callable

import torch
import torch.nn.functional as F


def soft_dice_loss(logits: torch.Tensor, truth: torch.Tensor, smooth: float = 1.0) -> torch.Tensor:
    """1 - Dice of the probabilities, over the whole batch: so that a crop without any FTU still has a gradient."""
    probability = logits.sigmoid()
    overlap = (probability * truth).sum()
    return 1.0 - (2.0 * overlap + smooth) / (probability.sum() + truth.sum() + smooth)


def mask_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Dice plus cross-entropy, as in the challenge's best solutions."""
    return F.binary_cross_entropy_with_logits(logits, truth) + soft_dice_loss(logits, truth)


def lovasz_hinge(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The Lovasz hinge: a convex surrogate of 1 - IoU, over the whole batch (Berman et al. 2018, for one class)."""
    signs = truth.flatten() * 2.0 - 1.0
    errors, order = (1.0 - logits.flatten() * signs).sort(descending=True)
    truth = truth.flatten()[order]
    total = truth.sum()
    # 1 - IoU if the n px with the largest errors were wrong, for every n; its increments weight the errors
    missed, added = truth.cumsum(0), (1.0 - truth).cumsum(0)
    jaccard = 1.0 - (total - missed) / (total + added)
    steps = torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])
    return (torch.relu(errors) * steps).sum()


def lovasz_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy and the Lovasz hinge as 1 : 3, the mixture of the challenge's winner."""
    hinge = lovasz_hinge(logits, truth)
    return 0.5 * F.binary_cross_entropy_with_logits(logits, truth) + 1.5 * hinge


def of_masks(name: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The loss of a stage by its name in the configuration: `dice+ce`, `ce+lovasz` or `dice`."""
    return {"dice+ce": mask_loss, "ce+lovasz": lovasz_loss, "dice": soft_dice_loss}[name]


def organ_loss(logits: torch.Tensor, organ: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with a little smoothing: a crop of plain connective tissue can come from any organ."""
    return F.cross_entropy(logits, organ, label_smoothing=0.05)
