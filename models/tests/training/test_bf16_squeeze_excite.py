"""The gates of `gates.py` compute what the encoder's own blocks compute, and have their gradients."""

from __future__ import annotations

import copy

import torch
from segmentation_models_pytorch.encoders._efficientnet import MBConvBlock

from ftuseg_models.networks import architectures
from ftuseg_models.training import bf16_squeeze_excite


def test_a_block_with_quick_gates_is_the_same_block() -> None:
    torch.manual_seed(1)
    for block in architectures.efficientnet_unet(0.0).encoder._blocks:
        plain = copy.deepcopy(block).train()
        assert bf16_squeeze_excite.speed_up(block.train()) == 1
        x = torch.randn(2, block._depthwise_conv.in_channels if not block._has_expansion else block._expand_conv.in_channels, 12, 10)
        outcome = []
        for one in (block, plain):
            seen = x.clone().contiguous(memory_format=torch.channels_last).requires_grad_()
            torch.manual_seed(2)
            found = one(seen)
            (found * torch.randn(found.shape)).sum().backward()
            outcome.append([found, seen.grad, *(p.grad for p in one.parameters())])
        for got, expected in zip(*outcome):
            assert torch.allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_blocks_are_skipped_at_random_as_before() -> None:
    block = next(b for b in architectures.efficientnet_unet().encoder._blocks if b._has_drop_connect)
    plain = copy.deepcopy(block).train()
    bf16_squeeze_excite.speed_up(block.train())
    x = torch.randn(8, block._expand_conv.in_channels, 6, 6)
    found = []
    for one in (block, plain):
        torch.manual_seed(3)
        found.append(one(x, drop_connect_rate=0.5))
    assert torch.allclose(found[0], found[1], atol=1e-5)
    assert (found[0] == x).flatten(1).all(dim=1).any(), "no block was skipped: the test shows nothing"


def test_all_gates_of_the_unet_are_found_and_its_weights_keep_their_names() -> None:
    network = architectures.efficientnet_unet()
    names = list(network.state_dict())
    assert bf16_squeeze_excite.speed_up(network) == 16
    assert list(network.state_dict()) == names
    assert bf16_squeeze_excite.speed_up(architectures.StandardUNet(0.1)) == 0
    assert isinstance(network.encoder._blocks[0], MBConvBlock)
