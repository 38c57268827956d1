"""Depthwise convolutions with fast bf16 gradients on a CPU.

oneDNN, which PyTorch uses on CPUs, has fast bf16 kernels for every forward pass, for the gradient of the input at a
stride of 1, and for the gradient of 3 x 3 weights. The rest falls back to a reference loop that is 20 to 100 times
slower; in an EfficientNet-B0 U-Net that loop was almost half of a step. Here each gradient is composed of fast ones:
5 x 5 weights from four overlapping 3 x 3 pieces, the input's gradient at a stride of 2 in fp32.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from timm.layers import Conv2dSame, pad_same
from torch import nn

_backward = torch.ops.aten.convolution_backward.default


def _gradient(
    grad: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, stride: int, of_weight: bool
) -> torch.Tensor:
    """PyTorch's own gradient of an unpadded depthwise convolution, for the weight or for the input."""
    mask = [not of_weight, of_weight, False]
    channels = weight.shape[0]
    both = _backward(grad, x, weight, None, [stride] * 2, [0, 0], [1, 1], False, [0, 0], channels, mask)
    return both[int(of_weight)]


def _gradient_of_weight(grad: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
    """The weight's gradient; of 5 x 5 weights from the corners' 3 x 3 pieces, which share their middle row and column."""
    if weight.shape[-1] != 5:
        return _gradient(grad, x, weight, stride, True)
    whole = torch.empty_like(weight)
    height, width = ((side - 1) * stride + 3 for side in grad.shape[-2:])
    piece = weight[:, :, :3, :3].contiguous()
    for top in (0, 2):
        for left in (0, 2):
            seen = x[:, :, top : top + height, left : left + width].contiguous(memory_format=torch.channels_last)
            whole[:, :, top : top + 3, left : left + 3] = _gradient(grad, seen, piece, stride, True)
    return whole


class _Depthwise(torch.autograd.Function):
    """An unpadded depthwise convolution with one stride for both axes and no bias."""

    @staticmethod
    def forward(ctx, x: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:  # type: ignore[override]
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return F.conv2d(x, weight, stride=stride, groups=weight.shape[0])

    @staticmethod
    def backward(ctx, grad: torch.Tensor):  # type: ignore[override]
        x, weight = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        if ctx.stride == 1:
            of_input = _gradient(grad, x, weight, 1, False)
        else:
            of_input = _gradient(grad.float(), x.float(), weight.float(), ctx.stride, False).to(x.dtype)
        return of_input, _gradient_of_weight(grad, x, weight, ctx.stride), None


def _fits(part: nn.Module) -> bool:
    """True for an encoder's depthwise convolutions: no bias, no dilation, a kernel of 3 or 5, and a known kind of padding."""
    return (
        isinstance(part, nn.Conv2d)
        and part.groups == part.in_channels == part.out_channels > 1
        and part.bias is None
        and (hasattr(part, "static_padding") or isinstance(part, Conv2dSame) or not isinstance(part.padding, str))
        and part.padding_mode == "zeros"
        and part.dilation == (1, 1)
        and part.stride[0] == part.stride[1]
        and part.kernel_size in ((3, 3), (5, 5))
    )


def _padded(x: torch.Tensor, part: nn.Conv2d) -> torch.Tensor:
    """`x` with the border that the convolution sees: of a layer of its own (segmentation_models_pytorch's
    EfficientNets), as much as keeps `size / stride` px (timm's TensorFlow ports), or fixed."""
    if hasattr(part, "static_padding"):
        return part.static_padding(x)
    if isinstance(part, Conv2dSame):
        return pad_same(x, part.kernel_size, part.stride)
    return F.pad(x, (part.padding[1], part.padding[1], part.padding[0], part.padding[0]))


def speed_up(network: nn.Module) -> int:
    """Make a network's depthwise convolutions use these gradients; returns how many there are.

    For a network that is trained in bf16 on a CPU. Its weights stay where they are, under the same names.
    """
    found = [part for part in network.modules() if _fits(part)]
    for part in found:

        def forward(x: torch.Tensor, part: nn.Conv2d = part) -> torch.Tensor:  # type: ignore[type-arg]
            x = _padded(x, part).to(torch.bfloat16)
            with torch.autocast("cpu", enabled=False):
                return _Depthwise.apply(x, part.weight.to(torch.bfloat16), part.stride[0])

        part.forward = forward  # type: ignore[method-assign]
    return len(found)
