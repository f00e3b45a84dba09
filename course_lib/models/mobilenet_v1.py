"""MobileNet v1: depthwise separable convolutions, a width multiplier and a resolution multiplier.

Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications", 2017,
arXiv:1704.04861.

Table 1 of the paper disagrees with itself: the last depthwise convolution is printed with stride 2, but the row behind
it has the same input size, 7x7x1024: the stride is 1. Section 4.4 states 0.58 million multiply-adds for PlaNet's
network, a thousand times too few.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.blocks import conv_norm_act, initialize
from course_lib.models.registry import register


class Row(NamedTuple):
    """Two rows of table 1: a 3x3 depthwise convolution with the stride, then a 1x1 convolution to the new width."""

    in_channels: int
    out_channels: int
    stride: int = 1


LEFT_OUT_WHEN_SHALLOW = range(6, 11)  # the five equal rows that table 5's shallow network leaves out
TABLE_1 = (
    Row(32, 64),
    Row(64, 128, stride=2),
    Row(128, 128),
    Row(128, 256, stride=2),
    Row(256, 256),
    Row(256, 512, stride=2),
    *(Row(512, 512),) * 5,
    Row(512, 1024, stride=2),
    Row(1024, 1024),
)

conv = partial(conv_norm_act, norm=nn.BatchNorm2d)


class Resolution(nn.Module):
    """The resolution multiplier: (N, C, H, W) -> (N, C, round(multiplier * H), round(multiplier * W)), bilinear."""

    def __init__(self, multiplier: float) -> None:
        super().__init__()
        self.multiplier = multiplier

    def extra_repr(self) -> str:
        return f"multiplier={self.multiplier}"

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H', W'), at least one pixel per side."""
        height, width = (max(1, round(self.multiplier * size)) for size in x.shape[2:])
        return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)


class MobileNetV1(nn.Module):
    """See :func:`mobilenet_v1`: ``features``, global average pooling, and ``fc``."""

    def __init__(
        self, rows: tuple[Row, ...], *, num_classes: int, in_channels: int, resolution: float, separable: bool
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        if resolution != 1:
            self.features.add_module("resolution", Resolution(resolution))
        self.features.add_module("conv1", conv(in_channels, rows[0].in_channels, 3, stride=2, padding=1))
        for number, row in enumerate(rows, start=1):
            self.features.add_module(f"block{number}", _separable(row) if separable else _full(row))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(rows[-1].out_channels, num_classes)
        initialize(self, partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); any H and W."""
        return self.fc(self.flatten(self.pool(self.features(x))))


@register(image=(3, 224, 224), family="MobileNet v1")
def mobilenet_v1(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    width: float = 1.0,
    resolution: float = 1.0,
    shallow: bool = False,
    separable: bool = True,
) -> MobileNetV1:
    """MobileNet v1: 4,231,976 parameters with the defaults. (N, in_channels, 224, 224) -> logits (N, num_classes).

    H and W may be any sizes.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        width: the multiplier alpha: each layer has ``int(width * channels)`` channels, and at least 8. The paper has
            1, 0.75, 0.5 and 0.25.
        resolution: the multiplier rho: the image is resized by it first. The paper has 1, 6/7, 5/7 and 4/7, which
            make 224, 192, 160 and 128 pixels of 224.
        shallow: leave out the five rows of 512 to 512 channels (table 5).
        separable: whether a row is a depthwise and a 1x1 convolution; False: one full 3x3 convolution (table 4).

    Source: Howard et al. 2017, section 3, tables 1, 4, 5, 6 and 7.

    Differs from the paper: the average pooling takes maps of any size; the last depthwise convolution has stride 1,
    where table 1 prints 2 and the next row's input size says 1; rounding and floor of the widths are those of the
    authors' program; the network resizes the image itself. The paper does not give initial weights: He's here.

    Raises:
        ValueError: ``width`` or ``resolution`` is not positive.
    """
    for name, multiplier in (("width", width), ("resolution", resolution)):
        if multiplier <= 0:
            raise ValueError(f"{name} multiplier must be positive, got {multiplier}")
    rows = (row for number, row in enumerate(TABLE_1) if not (shallow and number in LEFT_OUT_WHEN_SHALLOW))
    return MobileNetV1(
        tuple(Row(_scaled(row.in_channels, width), _scaled(row.out_channels, width), row.stride) for row in rows),
        num_classes=num_classes,
        in_channels=in_channels,
        resolution=resolution,
        separable=separable,
    )


def _scaled(channels: int, width: float) -> int:
    return max(8, int(channels * width))


def _separable(row: Row) -> nn.Sequential:
    """One filter per channel, then a mixture of the channels: figure 3, right."""
    block = nn.Sequential()
    channels = row.in_channels
    block.add_module("depthwise", conv(channels, channels, 3, stride=row.stride, padding=1, groups=channels))
    block.add_module("pointwise", conv(channels, row.out_channels, 1))
    return block


def _full(row: Row) -> nn.Sequential:
    """What the two layers of ``_separable`` stand for: figure 3, left."""
    return conv(row.in_channels, row.out_channels, 3, stride=row.stride, padding=1)
