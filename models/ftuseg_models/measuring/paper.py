"""The figures of the paper that this work continues, as printed and with the true counts."""

from __future__ import annotations

from .. import ORGANS

PAPER_N = dict(zip(ORGANS, (10, 10, 6, 6, 5)))
"""Images that the paper scored."""


PAPER_PRINTED = {
    "U-Net": dict(zip(ORGANS, (93.4, 75.5, 50.7, 47.4, 11.4))),
    "EfficientNet U-Net": dict(zip(ORGANS, (83.8, 73.8, 49.1, 43.3, 4.1))),
}
"""The paper's Table 2, percent. Its sums were divided by 10 for every organ."""


PAPER_MEAN = {"U-Net": 64.5, "EfficientNet U-Net": 59.8}


PAPER_TRUE = {
    "U-Net": dict(zip(ORGANS, (93.4, 75.5, 84.4, 79.1, 22.7))),
    "EfficientNet U-Net": dict(zip(ORGANS, (83.8, 73.8, 81.9, 72.2, 8.2))),
}
"""The same sums divided by the true counts."""


PAPER_MB = {"U-Net": 124.3, "EfficientNet U-Net": 25.4}


GOAL = 0.77
"""The paper's own goal for the mean Dice."""
