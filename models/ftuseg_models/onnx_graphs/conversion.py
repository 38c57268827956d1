"""Turns a trained network into an ONNX file that takes raw pixels and gives probabilities."""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import io
import os
import tempfile
import warnings
from pathlib import Path
from typing import Iterator

import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from timm.layers import Conv2dSame
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..networks.normalisation import MEAN, STD
from .fp16_storage import FP16_FROM, fp16_switchable, with_fp16_weights

OPSET = 17


class RawPixels(nn.Module):
    """A network with normalisation in front and sigmoid or softmax at the end.

    Input uint8, n x height x width x 3 (RGB). Output float: n x 1 x height x width for masks; n x organs for the
    router, whose logits are divided by `temperature` first. With `other_tissue` the router has one more output, the
    probability that the tissue is none of the organs; theirs share the rest.
    """

    def __init__(
        self, network: nn.Module, router: bool, temperature: float = 1.0, other_tissue: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.other_tissue = other_tissue
        self.network = network
        self.router = router
        self.temperature = temperature
        gain = 1.0 / (torch.tensor(STD) * 255.0)
        self.register_buffer("gain", gain.view(1, 3, 1, 1))
        self.register_buffer("shift", (-torch.tensor(MEAN) * 255.0 * gain).view(1, 3, 1, 1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Probabilities."""
        pixels = image.permute(0, 3, 1, 2).to(torch.float32) * self.gain + self.shift
        if self.other_tissue is not None:
            features = self.network.features(pixels)
            other = torch.sigmoid(self.other_tissue(features))
            organs = torch.softmax(self.network.last(features) / self.temperature, dim=1)
            return torch.cat([organs * (1.0 - other), other], dim=1)
        logits = self.network(pixels)
        if self.router:
            return torch.softmax(logits / self.temperature, dim=1)
        return torch.sigmoid(logits)


@contextlib.contextmanager
def _constant_scales() -> Iterator[None]:
    """Export every upsampling by a whole number as a Resize with constant scales.

    Decoders ask for a size; with a free batch size this would become a chain of Shape, Slice and Concat that some
    runtimes cannot compute at load.
    """
    original = F.interpolate

    def interpolate(x, size=None, scale_factor=None, mode="nearest", **rest):
        if size is not None and mode == "nearest":
            factors = [int(wanted) / int(side) for wanted, side in zip(size, x.shape[-2:])]
            if all(factor == int(factor) for factor in factors):
                return original(x, scale_factor=[float(factor) for factor in factors], mode=mode)
        return original(x, size=size, scale_factor=scale_factor, mode=mode, **rest)

    F.interpolate = interpolate
    try:
        yield
    finally:
        F.interpolate = original


@contextlib.contextmanager
def _fixed_padding(network: nn.Module, image: torch.Tensor) -> Iterator[None]:
    """Fix the padding of convolutions that depends on the input's size (timm's TensorFlow ports) to that for `image`.

    Otherwise each would be exported with a chain of operators that recompute its padding in every run.
    """
    layers = [part for part in network.modules() if isinstance(part, Conv2dSame)]
    sides: dict[nn.Module, torch.Size] = {}
    hooks = [
        layer.register_forward_pre_hook(lambda part, inputs: sides.update({part: inputs[0].shape[-2:]})) for layer in layers
    ]
    network(image)
    for hook in hooks:
        hook.remove()

    def forward(x: torch.Tensor, part: Conv2dSame, border: list[int]) -> torch.Tensor:
        return F.conv2d(F.pad(x, border, "constant", 0.0), part.weight, part.bias, part.stride, 0, part.dilation, part.groups)

    for layer, size in sides.items():
        down, across = (
            max((-(-side // stride) - 1) * stride + (kernel - 1) * dilation + 1 - side, 0)
            for side, stride, kernel, dilation in zip(size, layer.stride, layer.kernel_size, layer.dilation)
        )
        border = [across // 2, across - across // 2, down // 2, down - down // 2]
        layer.forward = functools.partial(forward, part=layer, border=border)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in sides:
            del layer.forward


def fold(model: onnx.ModelProto, tile: int) -> onnx.ModelProto:
    """Fold constants: paddings, sizes, identities. Only plain ONNX operators remain."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = os.path.join(folder, "folded.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        folded = onnx.load(options.optimized_model_filepath)
    used = {node.domain for node in folded.graph.node}
    if used - {"", "ai.onnx"}:
        raise RuntimeError(f"the folded graph has operators outside ONNX: {sorted(used)}")
    del folded.opset_import[:]
    folded.opset_import.extend(model.opset_import)
    folded.ir_version = model.ir_version
    del folded.graph.value_info[:]
    shape = folded.graph.output[0].type.tensor_type.shape
    if len(shape.dim) == 4:
        for place in (2, 3):
            shape.dim[place].Clear()
            shape.dim[place].dim_value = tile
    return folded


@torch.no_grad()
def convolution_pairs(network: nn.Module, image: torch.Tensor) -> list[tuple[nn.Module, nn.BatchNorm2d]]:
    """Each convolution whose output goes straight into a batch normalisation, with the latter. `image`: 1 x 3 x h x w."""
    made_by: dict[int, nn.Module] = {}
    pairs: list[tuple[nn.Module, nn.BatchNorm2d]] = []
    kept: list[torch.Tensor] = []  # kept alive, so that no two outputs share an id

    def after_convolution(module: nn.Module, _: tuple, output: torch.Tensor) -> None:
        kept.append(output)
        made_by[id(output)] = module

    def before_normalisation(module: nn.Module, inputs: tuple) -> None:
        if id(inputs[0]) in made_by:
            pairs.append((made_by[id(inputs[0])], module))

    hooks = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(after_convolution))
        elif isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(before_normalisation))
    network(image)
    for hook in hooks:
        hook.remove()
    return pairs


@torch.no_grad()
def as_stored(network: nn.Module, tile: int) -> nn.Module:
    """A copy of a network as its file will store it: batch normalisation folded into convolutions, weights rounded to fp16.

    Its export loses nothing more, so that PyTorch, ONNX Runtime and the program can be compared to the last digits of fp32.
    """
    network = copy.deepcopy(network).eval().cpu()
    pairs = convolution_pairs(network, torch.zeros(1, 3, tile, tile))
    folded = {}
    for convolution, normalisation in pairs:
        merged = fuse_conv_bn_eval(convolution, normalisation)
        convolution.weight, convolution.bias = merged.weight, merged.bias
        # timm's normalisation includes its activation
        folded[normalisation] = getattr(normalisation, "act", nn.Identity())
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if child in folded:
                setattr(parent, name, folded[child])
    for parameter in network.parameters():
        if parameter.numel() >= FP16_FROM:
            parameter.copy_(parameter.half().float())
    return network


def to_onnx(
    network: nn.Module, tile: int, router: bool = False, temperature: float = 1.0, other_tissue: nn.Module | None = None
) -> onnx.ModelProto:
    """The fp32 ONNX graph of a network: fixed tile, free batch size, batch normalisation folded."""
    wrapped = RawPixels(network, router, temperature, other_tissue).eval().cpu().to(memory_format=torch.contiguous_format)
    example = torch.zeros(2, tile, tile, 3, dtype=torch.uint8)
    buffer = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings(), _constant_scales(), _fixed_padding(wrapped, example):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            wrapped,
            (example,),
            buffer,
            input_names=["image"],
            output_names=["probability"],
            dynamic_axes={"image": {0: "n"}, "probability": {0: "n"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = fold(onnx.load_from_string(buffer.getvalue()), tile)
    model.producer_name, model.producer_version = "ftuseg-models", ""
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    return model


def write(model: onnx.ModelProto, path: Path, small: bool = True, halves: bool = False) -> str:
    """Write a graph atomically, with weights in fp16 unless `small` is false. Returns the file's sha256.

    With `halves` the file can be switched to compute in fp16 (see `fp16_storage.fp16_switchable`).
    """
    if small:
        model = with_fp16_weights(model)
    if halves:
        # the normalised image comes from the only Add with `shift`, and the logits go into the final Sigmoid
        normalised = next(node.output[0] for node in model.graph.node if "shift" in node.input)
        output = model.graph.output[0].name
        model = fp16_switchable(model, normalised, next(node.input[0] for node in model.graph.node if output in node.output))
    data = model.SerializeToString(deterministic=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data)
    os.replace(part, path)
    return hashlib.sha256(data).hexdigest()
