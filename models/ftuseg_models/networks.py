"""The networks: EfficientNet-B0 U-Net, the standard U-Net and the router's classifier."""

from __future__ import annotations

from pathlib import Path

import segmentation_models_pytorch as smp
import timm
import torch
from torch import nn

from . import ORGANS

MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's channels (0..1), the usual centre."""
STD = (0.229, 0.224, 0.225)


class DilatedBottleneck(nn.Module):
    """Four 3 x 3 convolutions side by side, 1, 2, 4 and 8 px apart, added up and mixed by a fifth.

    The parallel dilated bottleneck that the paper names as an improvement: the deepest step sees further without
    losing resolution. (Parallel dilations: Chen et al. 2017, DeepLabv3; in a U-Net's bottleneck: Piao and Liu 2019.)
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


def efficientnet_unet(drop: float = 0.2) -> nn.Module:
    """The EfficientNet-B0 U-Net, from scratch: 6.25 million parameters."""
    network = smp.Unet("efficientnet-b0", encoder_weights=None, classes=1)
    network.encoder._drop_connect_rate = drop
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            # the encoder comes with 0.01, made for runs of many thousand steps: here the statistics would lag behind
            part.momentum = 0.1
    return network


def classifier() -> nn.Module:
    """MobileNetV3-small with one output per organ: 1.5 million parameters."""
    return timm.create_model("mobilenetv3_small_100", pretrained=False, num_classes=len(ORGANS), drop_rate=0.2)


class TrunkClassifier(nn.Module):
    """The first stages of a trained EfficientNet U-Net's encoder with one linear layer per organ.

    The encoder stays as it is: it has learned these tissues' textures already. Only the last layer is trained (see
    `trunk.py`), so a few minutes are enough where a classifier from scratch needs hours. Input n x 3 x side x side, output n x organs.
    """

    def __init__(self) -> None:
        super().__init__()
        encoder = efficientnet_unet().encoder
        self.stem = nn.Sequential(encoder._conv_stem, encoder._bn0, nn.SiLU())
        # eleven blocks: down to a sixteenth of the size, 112 channels
        self.blocks = nn.ModuleList(list(encoder._blocks)[:11])
        # what is read off: after 24, 40 and 112 channels, and the pixels themselves
        self.levels = (2, 4, 10)
        width = 3 + sum(self.blocks[level]._bn2.num_features for level in self.levels)
        self.last = nn.Linear(2 * width, len(ORGANS))

    def take(self, unet: nn.Module) -> None:
        """Copy the encoder's weights from a trained EfficientNet U-Net."""
        encoder = unet.encoder
        self.stem[0].load_state_dict(encoder._conv_stem.state_dict())
        self.stem[1].load_state_dict(encoder._bn0.state_dict())
        for mine, theirs in zip(self.blocks, encoder._blocks):
            mine.load_state_dict(theirs.state_dict())

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """The mean and the mean square of every channel of the pixels and of three levels: n x 358."""
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


def trunk_of(checkpoint: Path) -> nn.Module:
    """A classifier on the encoder of the EfficientNet U-Net whose averaged weights a checkpoint holds."""
    unet = efficientnet_unet()
    unet.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    network = TrunkClassifier()
    network.take(unet)
    return network


def build(
    stage: str, width: float = 1.0, drop: float = 0.2, router: str = "mobilenet", dilated: bool = False
) -> nn.Module:
    """The network of a stage: `router`, `unet`, or the EfficientNet U-Net for `baseline` and every organ."""
    if stage == "router":
        return TrunkClassifier() if router == "trunk" else classifier()
    if stage == "unet":
        return StandardUNet(width, dilated)
    return efficientnet_unet(drop)


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Images 0..1 (n x 3 x height x width) to what the networks expect."""
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    return (images - mean) / std


def parameter_count(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(p.numel() for p in network.parameters())
