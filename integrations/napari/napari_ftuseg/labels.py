"""From an image layer to the labels of its objects, without a window."""

from __future__ import annotations

from typing import Any

import ftuseg
import numpy as np
import pandas as pd
from napari.layers import Image


def px_of(layer: Image) -> np.ndarray:
    """The px of a layer at full size: uint8 `[height, width, 3 or 4]`, where they lie.

    Raises `ValueError` for a layer that is no RGB image of 8 bits, or has more than two axes.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    if not layer.rgb or data.ndim != 3 or data.dtype != np.uint8:
        raise ValueError(
            f"the layer {layer.name!r} is no RGB image of 8 bits: its shape is {tuple(data.shape)}, its dtype {data.dtype}"
        )
    return np.asarray(data)


def mpp_of(layer: Image) -> float | None:
    """um per px, if the layer's scale is in um and the same both ways."""
    down, across = layer.scale[-2:]
    units = [str(unit) for unit in layer.units[-2:]]
    in_um = all(unit in ("micrometer", "micron", "um", "µm") for unit in units)
    same = abs(down - across) <= 0.01 * across
    return float(across) if in_um and same else None


def labels_of(layer: Image, found: ftuseg.Result) -> tuple[np.ndarray, dict[str, Any], str]:
    """A layer of labels over the image: each object by its `id`, with the table of objects as features."""
    table = pd.DataFrame(list(found.objects), columns=found.objects.column_names)
    # A row for each label, and one for the background.
    features = pd.concat([pd.DataFrame({"index": [0]}), table.assign(index=table["id"])], ignore_index=True)
    options = {
        "name": f"{layer.name} units",
        "features": features,
        "scale": layer.scale[-2:],
        "translate": layer.translate[-2:],
        "units": layer.units[-2:],
        "metadata": {"ftuseg": found.record},
    }
    return found.instances, options, "labels"
