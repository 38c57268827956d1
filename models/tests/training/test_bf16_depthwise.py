"""The gradients of `depthwise.py` are those of a plain convolution."""

from __future__ import annotations

import copy

import pytest
import torch

from ftuseg_models.networks import architectures
from ftuseg_models.training import bf16_depthwise
from ftuseg_models.training.checkpoints import load_average, save


@pytest.mark.parametrize(("side", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_gradients_are_those_of_a_plain_convolution(side: int, stride: int) -> None:
    torch.manual_seed(side + stride)
    # what bf16 can hold exactly, so that only the results are rounded
    x = torch.randint(-4, 5, (2, 16, 14, 19)).float()
    weight = torch.randint(-4, 5, (16, 1, side, side)).float()
    outcome = []
    for kind in (torch.float32, torch.bfloat16):
        left = x.clone().to(kind).contiguous(memory_format=torch.channels_last).requires_grad_()
        right = weight.clone().to(kind).requires_grad_()
        if kind == torch.float32:
            found = torch.nn.functional.conv2d(left, right, stride=stride, groups=16)
        else:
            found = bf16_depthwise._Depthwise.apply(left, right, stride)
        torch.manual_seed(7)
        found.backward(torch.randint(-2, 3, found.shape).to(kind))
        outcome.append([found, left.grad, right.grad])
    for expected, got in zip(*outcome):
        assert got.shape == expected.shape and got.dtype == torch.bfloat16
        assert torch.allclose(got.float(), expected, rtol=1 / 128, atol=0.01)


def test_all_depthwise_convolutions_of_the_unet_are_found_and_its_weights_keep_their_names(tmp_path) -> None:
    network = architectures.efficientnet_unet(0.0)
    plain = copy.deepcopy(network).train()
    assert bf16_depthwise.speed_up(network) == 16
    assert list(network.state_dict()) == list(plain.state_dict())
    save(tmp_path / "a.pt", {"average": network.state_dict()})
    load_average(tmp_path / "a.pt", architectures.efficientnet_unet(0.0))
    images = torch.rand(2, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    found = []
    for one in (network.train(), plain):
        with torch.autocast("cpu", torch.bfloat16):
            found.append(one(images).float())
        found[-1].square().mean().backward()
    assert torch.allclose(found[0], found[1], atol=1e-3)
    for (name, one), other in zip(network.named_parameters(), plain.parameters()):
        if "_depthwise_conv" in name:
            assert one.grad is not None, name
            apart = (one.grad - other.grad).norm() / other.grad.norm()
            assert apart < 0.02, (name, float(apart))


def test_networks_without_depthwise_convolutions_are_left_alone() -> None:
    assert bf16_depthwise.speed_up(architectures.StandardUNet(0.1)) == 0
