# SPDX-License-Identifier: Apache-2.0
"""The convolutional networks of the A2Q papers, and a small one, as plain float torch modules.

Each takes a ``width``, by which its numbers of channels are scaled; 1 is the original.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


def scaled(channels: int, width: float) -> int:
    """Channels times ``width``, a multiple of 4, at least 4."""
    return max(4, 4 * round(channels * width / 4))


def _conv(
    source: int, channels: int, kernel: int = 3, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution without bias, batch norm, ReLU; the size is kept but for the stride."""
    return nn.Sequential(
        nn.Conv2d(source, channels, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )


class SmallCNN(nn.Sequential):
    """Three convolutions and a dense layer for images (B, ``channels``, 28, 28) and the like."""

    def __init__(self, channels: int = 1, classes: int = 10, width: float = 1.0) -> None:
        sizes = [scaled(size, width) for size in (16, 32, 32)]
        super().__init__(
            _conv(channels, sizes[0]),
            nn.MaxPool2d(2),
            _conv(sizes[0], sizes[1]),
            nn.MaxPool2d(2),
            _conv(sizes[1], sizes[2]),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(sizes[2], classes),
        )


class MobileNetV1(nn.Sequential):
    """MobileNetV1 (arXiv 1704.04861) for 32 x 32 images: the first stride is 1."""

    BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5)
    LAST = ((1024, 2), (1024, 1))

    def __init__(self, channels: int = 3, classes: int = 10, width: float = 1.0) -> None:
        source = scaled(32, width)
        layers: list[nn.Module] = [_conv(channels, source)]
        for size, stride in (*self.BLOCKS, *self.LAST):
            target = scaled(size, width)
            depthwise = _conv(source, source, 3, stride, groups=source)
            layers.append(nn.Sequential(depthwise, _conv(source, target, 1)))
            source = target
        end = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(source, classes))
        super().__init__(*layers, *end)


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut, which is a convolution where size or channels change."""

    def __init__(self, source: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = _conv(source, channels, 3, stride)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or source != channels:
            pointwise = nn.Conv2d(source, channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(pointwise, nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H / stride, W / stride)."""
        return functional.relu(self.second(self.first(x)) + self.shortcut(x))


class ResNet18(nn.Sequential):
    """ResNet18 (arXiv 1512.03385) for 32 x 32 images: a 3 x 3 first layer without pooling."""

    def __init__(self, channels: int = 3, classes: int = 10, width: float = 1.0) -> None:
        sizes = [scaled(size, width) for size in (64, 128, 256, 512)]
        blocks: list[nn.Module] = []
        source = sizes[0]
        for index, size in enumerate(sizes):
            blocks += [BasicBlock(source, size, 2 if index else 1), BasicBlock(size, size, 1)]
            source = size
        end = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(source, classes))
        super().__init__(_conv(channels, sizes[0]), *blocks, *end)


class ESPCN(nn.Sequential):
    """Sub-pixel super-resolution (arXiv 1609.05158), (B, 1, H, W) to (B, 1, H r, W r)."""

    def __init__(self, factor: int = 3, width: float = 1.0) -> None:
        sizes = [scaled(size, width) for size in (64, 64, 32)]
        super().__init__(
            _conv(1, sizes[0], 5),
            _conv(sizes[0], sizes[1]),
            _conv(sizes[1], sizes[2]),
            nn.Conv2d(sizes[2], factor**2, 3, 1, 1),
            nn.PixelShuffle(factor),
        )


class UNet(nn.Module):
    """U-Net (arXiv 1505.04597) of three levels for super-resolution: additions in place of the
    concatenations, nearest upsampling, sub-pixel output; (B, 1, H, W) to (B, 1, H r, W r).

    Args:
        factor: r. Height and width must be multiples of 4, as those of ``bsd300_cropped`` are.
    """

    def __init__(self, factor: int = 3, width: float = 1.0) -> None:
        super().__init__()
        sizes = [scaled(size, width) for size in (32, 64, 128)]
        self.down = nn.ModuleList(_pair(a, b) for a, b in zip((1, *sizes), sizes, strict=False))
        self.up = nn.ModuleList(_conv(b, a) for a, b in itertools.pairwise(sizes))
        self.merge = nn.ModuleList(_conv(size, size) for size in sizes[:-1])
        self.pool = nn.MaxPool2d(2)
        self.end = nn.Sequential(nn.Conv2d(sizes[0], factor**2, 3, 1, 1), nn.PixelShuffle(factor))

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolution of luminance images."""
        kept: list[Tensor] = []
        for index, level in enumerate(self.down):
            x = level(self.pool(x) if index else x)
            kept.append(x)
        for up, merge, skip in zip(self.up[::-1], self.merge[::-1], kept[-2::-1], strict=True):
            x = merge(up(functional.interpolate(x, scale_factor=2.0)) + skip)
        result: Tensor = self.end(x)
        return result


def _pair(source: int, channels: int) -> nn.Sequential:
    return nn.Sequential(_conv(source, channels), _conv(channels, channels))


def parameters(model: nn.Module) -> int:
    """Number of trained values."""
    return sum(value.numel() for value in model.parameters())


NETWORKS: Sequence[type[nn.Module]] = (SmallCNN, MobileNetV1, ResNet18, ESPCN, UNet)
