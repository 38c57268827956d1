"""The architectures: the EfficientNet U-Net, the standard U-Net and the router's classifiers."""

from __future__ import annotations

from pathlib import Path

import timm
import torch
from torch import nn

from .. import ORGANS
from ..errors import DataError
from . import encoders, organ_conditioning


class DilatedBottleneck(nn.Module):
    """Four parallel 3 x 3 convolutions with dilations of 1, 2, 4 and 8, summed and mixed by a fifth.

    The parallel dilated bottleneck that the paper suggests as an improvement: a larger receptive field at the same
    resolution. (Parallel dilations: Chen et al. 2017, DeepLabv3; in a U-Net's bottleneck: Piao and Liu 2019.)
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, padding=rate, dilation=rate, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            )
            for rate in (1, 2, 4, 8)
        )
        self.mix = nn.Sequential(
            nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features of the deepest step."""
        return self.mix(sum(branch(x) for branch in self.branches))


class StandardUNet(nn.Module):
    """The U-Net with 64 to 1024 channels (times `width`), same-padded, with batch normalisation.

    Input n x 3 x height x width with sides that divide by 16; output n x 1 x height x width logits. With `dilated` the
    deepest step is a `DilatedBottleneck`.
    """

    def __init__(self, width: float = 1.0, dilated: bool = False) -> None:
        super().__init__()
        channels = [max(4, round(c * width)) for c in (64, 128, 256, 512, 1024)]
        self.down = nn.ModuleList()
        last = 3
        for depth, count in enumerate(channels):
            deepest = depth + 1 == len(channels)
            self.down.append(DilatedBottleneck(last, count) if dilated and deepest else self._double(last, count))
            last = count
        self.widen = nn.ModuleList()
        self.up = nn.ModuleList()
        for count in reversed(channels[:-1]):
            self.widen.append(nn.ConvTranspose2d(last, count, 2, stride=2))
            self.up.append(self._double(2 * count, count))
            last = count
        self.head = nn.Conv2d(last, 1, 1)
        self.pool = nn.MaxPool2d(2)

    @staticmethod
    def _double(before: int, after: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the mask."""
        kept = []
        for index, step in enumerate(self.down):
            x = step(x if index == 0 else self.pool(x))
            kept.append(x)
        kept.pop()
        for widen, step in zip(self.widen, self.up):
            x = step(torch.cat([kept.pop(), widen(x)], dim=1))
        return self.head(x)


def efficientnet_unet(
    drop: float = 0.2, encoder: str = "b0", weights: str = "", decoder: tuple[int, ...] = ()
) -> nn.Module:
    """The EfficientNet U-Net; with B0, from scratch, 6.25 million parameters. See `encoders.unet`."""
    return encoders.unet(encoder, drop, weights, decoder)


def classifier() -> nn.Module:
    """MobileNetV3-small with one output per organ: 1.5 million parameters."""
    return timm.create_model("mobilenetv3_small_100", pretrained=False, num_classes=len(ORGANS), drop_rate=0.2)


class TrunkClassifier(nn.Module):
    """The first stages of a trained EfficientNet U-Net's encoder with one linear layer per organ.

    The encoder is frozen: it already knows these tissues' textures. Only the last layer is trained (see
    `training/router_head.py`), so minutes are enough where a classifier from scratch needs hours. Input n x 3 x side x
    side, output n x organs.
    """

    def __init__(self, encoder: str = "b0") -> None:
        super().__init__()
        self.stem, self.blocks, self.levels, channels = self._trunk(efficientnet_unet(encoder=encoder).encoder)
        self.channels = (3, *channels)
        """Channels of the levels whose features are used, the pixels first."""
        self.last = nn.Linear(2 * sum(self.channels), len(ORGANS))

    @staticmethod
    def _trunk(encoder: nn.Module) -> tuple[nn.Sequential, nn.ModuleList, tuple[int, ...], list[int]]:
        """An EfficientNet encoder's stem, its blocks down to 1/16 of the size, the blocks after which features are taken (at
        1/4, 1/8 and 1/16 of the size), and the number of channels there."""
        if hasattr(encoder, "_blocks"):
            # segmentation_models_pytorch's own: eleven blocks, features after 24, 40 and 112 channels
            blocks = nn.ModuleList(list(encoder._blocks)[:11])
            stem = nn.Sequential(encoder._conv_stem, encoder._bn0, nn.SiLU())
            return stem, blocks, (2, 4, 10), [blocks[level]._bn2.num_features for level in (2, 4, 10)]
        model = getattr(encoder, "model", None)
        if not hasattr(model, "conv_stem") or not hasattr(model, "blocks"):
            raise DataError("a router on a trunk wants an EfficientNet encoder; `router_network = \"mobilenet\"` needs none")
        # timm's: seven stages of blocks, of which the second, third and fifth end where the size changes next
        lengths = [len(stage) for stage in model.blocks][:5]
        levels = (sum(lengths[:2]) - 1, sum(lengths[:3]) - 1, sum(lengths) - 1)
        blocks = nn.ModuleList(block for stage in list(model.blocks)[:5] for block in stage)
        return nn.Sequential(model.conv_stem, model.bn1), blocks, levels, [encoder.out_channels[i] for i in (2, 3, 4)]

    def take(self, unet: nn.Module) -> None:
        """Copy the encoder's weights from a trained EfficientNet U-Net."""
        stem, blocks, _, _ = self._trunk(unet.encoder)
        self.stem.load_state_dict(stem.state_dict())
        self.blocks.load_state_dict(blocks.state_dict())

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """The mean and the mean square of every channel of the pixels and of three levels: n x features."""
        read = [x]
        x = self.stem(x)
        for place, block in enumerate(self.blocks):
            x = block(x)
            if place in self.levels:
                read.append(x)
        return torch.cat([part.mean(dim=(2, 3)) for r in read for part in (r, r * r)], dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of the organs."""
        return self.last(self.features(x))


def trunk_of(checkpoint: Path, encoder: str = "b0") -> nn.Module:
    """A classifier on the encoder of the EfficientNet U-Net in a checkpoint."""
    unet = efficientnet_unet(encoder=encoder)
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["average"]
    own = {name.removeprefix("encoder."): value for name, value in state.items() if name.startswith("encoder.")}
    unet.encoder.load_state_dict(own)
    network = TrunkClassifier(encoder)
    network.take(unet)
    return network


def build(
    stage: str,
    width: float = 1.0,
    drop: float = 0.2,
    router: str = "mobilenet",
    dilated: bool = False,
    encoder: str = "b0",
    weights: str = "",
    decoder: tuple[int, ...] = (),
    conditioned: bool = False,
) -> nn.Module:
    """The network of a stage: `router`, `unet`, or the EfficientNet U-Net for `baseline` and every organ.

    `encoder`, `weights` and `decoder` are the EfficientNet U-Net's, see `encoders.unet`; a `conditioned` one is told its
    organ, see `networks/organ_conditioning.py`.
    """
    if stage == "router":
        return TrunkClassifier(encoder) if router == "trunk" else classifier()
    if stage == "unet":
        return StandardUNet(width, dilated)
    unet = efficientnet_unet(drop, encoder, weights, decoder)
    return organ_conditioning.condition(unet) if conditioned else unet


def parameter_count(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(p.numel() for p in network.parameters())
