"""Turns a bundle's ONNX files back into networks that can be trained further.

A file holds convolutions with their batch normalisation folded in. A network without normalisation hardly trains, so it
is restored: each normalisation gets parameters that undo the statistics measured on training crops. The network then
computes what the file computes, and trains as it did before it was exported.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Iterable

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from ..errors import DataError
from ..onnx_graphs.conversion import convolution_pairs
from ..onnx_graphs.fp16_storage import SMALL
from . import checkpoints


def stored_weights(path: Path) -> dict[str, np.ndarray]:
    """Weights and biases of a file's convolutions as fp32, by their names in the network."""
    try:
        graph = onnx.load(str(path)).graph
    except OSError as error:
        raise FileNotFoundError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:  # protobuf's own errors have no common class
        raise DataError(f"{path} is no ONNX file: {error}") from error
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {}
    for node in graph.node:
        if node.op_type not in ("Conv", "ConvTranspose"):
            continue
        for name in node.input[1:]:
            value = stored.get(name, stored.get(f"{name}{SMALL}"))
            if value is None:
                raise DataError(f"{path}: the weights `{name}` are not in the file; only fp32 and fp16 files can be trained on")
            weights[name.removeprefix("network.")] = value.astype(np.float32)
    return weights


@torch.no_grad()
def from_onnx(network: nn.Module, path: Path, images: Iterable[torch.Tensor]) -> nn.Module:
    """Load into `network` the weights of an ONNX file that was exported from a network like it.

    `images` are normalised training crops, n x 3 x side x side; the statistics are measured on them, so they should
    be as many as `loop.settle` takes.
    """
    weights = stored_weights(path)
    images = list(images)
    network.eval()
    pairs = convolution_pairs(network, images[0][:1])
    names = {module: name for name, module in network.named_modules()}
    taken = set()

    def take(name: str, like: torch.Tensor) -> torch.Tensor:
        if name not in weights or tuple(weights[name].shape) != tuple(like.shape):
            found = tuple(weights[name].shape) if name in weights else "missing"
            raise DataError(f"{path}: `{name}` is {found}, the network wants {tuple(like.shape)}: it is another network")
        taken.add(name)
        return torch.from_numpy(weights[name].copy())

    biases: dict[nn.BatchNorm2d, torch.Tensor] = {}
    folded = dict(pairs)
    for convolution in _used_convolutions(network, images[0][:1]):
        name = names[convolution]
        convolution.weight.copy_(take(f"{name}.weight", convolution.weight))
        if convolution in folded:
            bias = take(f"{name}.bias", torch.empty(len(convolution.weight)))
            if convolution.bias is not None:
                convolution.bias.zero_()
            biases[folded[convolution]] = bias
        elif convolution.bias is not None:
            convolution.bias.copy_(take(f"{name}.bias", convolution.bias))
    if left := sorted(set(weights) - taken):
        raise DataError(f"{path}: the network has no `{left[0]}`: it is another network")
    for normalisation, bias in biases.items():
        # for now it only adds the bias, so that the statistics are those of the file's network
        normalisation.running_mean.zero_()
        normalisation.running_var.fill_(1.0 - normalisation.eps)
        normalisation.weight.fill_(1.0)
        normalisation.bias.copy_(bias)
    for normalisation, (mean, spread) in _statistics(network, list(biases), images).items():
        convolution = next(c for c, n in pairs if n is normalisation)
        # scaled to an output with a standard deviation of 1, so that a step of the optimiser has the same effect in every layer
        convolution.weight.div_(spread.view(-1, 1, 1, 1))
        normalisation.running_mean.copy_(mean / spread)
        normalisation.running_var.fill_(1.0)
        normalisation.weight.copy_(spread * (1.0 + normalisation.eps) ** 0.5)
        normalisation.bias.copy_(biases[normalisation] + mean)
    return network


def _used_convolutions(network: nn.Module, image: torch.Tensor) -> list[nn.Module]:
    """The convolutions that are used; the encoder also has a head that a U-Net does not use."""
    used: list[nn.Module] = []
    hooks = [
        part.register_forward_hook(lambda module, _, __: used.append(module))
        for part in network.modules()
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d))
    ]
    network(image)
    for hook in hooks:
        hook.remove()
    return used


def _statistics(
    network: nn.Module, layers: list[nn.BatchNorm2d], images: list[torch.Tensor]
) -> dict[nn.BatchNorm2d, tuple[torch.Tensor, torch.Tensor]]:
    """Mean and standard deviation of each normalisation's input, per channel, over all images."""
    sums = {layer: torch.zeros(3, layer.num_features, dtype=torch.float64) for layer in layers}

    def look(layer: nn.BatchNorm2d, inputs: tuple) -> None:
        values = inputs[0].double().transpose(0, 1).flatten(1)
        one = torch.full((len(values),), float(values.shape[1]), dtype=torch.float64)
        sums[layer] += torch.stack([one, values.sum(dim=1), (values * values).sum(dim=1)])

    hooks = [layer.register_forward_pre_hook(look) for layer in layers]
    for batch in images:
        network(batch)
    for hook in hooks:
        hook.remove()
    found = {}
    for layer, (count, total, squares) in sums.items():
        mean = total / count
        # a constant channel has no spread: dividing by it would blow the weights up
        spread = (squares / count - mean * mean).clamp_min(1e-8).sqrt()
        found[layer] = (mean.float(), spread.float())
    return found


def write_checkpoint(network: nn.Module, path: Path) -> None:
    """Write a checkpoint that a run can start from. What the bundle's training has seen is unknown: nothing is kept out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = copy.deepcopy(network).eval().state_dict()
    checkpoints.save(path, {"average": state, "progress": 1.0, "kept_out": []})
