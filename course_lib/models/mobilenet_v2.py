"""MobileNet v2: inverted residuals with linear bottlenecks.

Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018,
arXiv:1801.04381.

The paper disagrees with itself: section 4 speaks of 19 residual bottlenecks, where table 2 has 17; and of 7
multiply-adds for the smallest network, which takes 11.9 million. Table 4 gives 3.4 million parameters, and 6.9 million
for width 1.4, where table 2 makes 3,504,872, and 6,108,776 (with the rounding used here).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from course_lib.models.blocks import conv_norm_act, initialize, round_channels
from course_lib.models.registry import register


class Row(NamedTuple):
    """A row of table 2: ``num_blocks`` bottlenecks, the first of which has the stride and changes the width."""

    in_channels: int
    expansion: int
    out_channels: int
    num_blocks: int
    stride: int


TABLE_2 = (
    Row(32, expansion=1, out_channels=16, num_blocks=1, stride=1),
    Row(16, expansion=6, out_channels=24, num_blocks=2, stride=2),
    Row(24, expansion=6, out_channels=32, num_blocks=3, stride=2),
    Row(32, expansion=6, out_channels=64, num_blocks=4, stride=2),
    Row(64, expansion=6, out_channels=96, num_blocks=3, stride=1),
    Row(96, expansion=6, out_channels=160, num_blocks=3, stride=2),
    Row(160, expansion=6, out_channels=320, num_blocks=1, stride=1),
)
LAST_CHANNELS = 1280

conv = partial(conv_norm_act, norm=nn.BatchNorm2d, act=nn.ReLU6)


class InvertedResidual(nn.Module):
    """Expand with a 1x1 convolution, filter each channel with a 3x3, project with a 1x1 that no activation follows.

    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)). The input is added to the output
    where both have the same shape. No expansion layer where ``expansion`` is 1.

    Source: Sandler et al. 2018, section 3.3, table 1, figure 4d.
    """

    def __init__(self, in_channels: int, out_channels: int, *, expansion: int, stride: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.branch = nn.Sequential()
        if expansion != 1:
            self.branch.add_module("expand", conv(in_channels, hidden, 1))
        self.branch.add_module("depthwise", conv(hidden, hidden, 3, stride=stride, padding=1, groups=hidden))
        self.branch.add_module("project", conv(hidden, out_channels, 1, act=None))
        self.residual = stride == 1 and in_channels == out_channels

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """The normalisation that ends the branch."""
        return self.branch.project.norm

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        out = self.branch(x)
        return x + out if self.residual else out


class MobileNetV2(nn.Module):
    """See :func:`mobilenet_v2`: ``features``, global average pooling, dropout, and ``fc``."""

    def __init__(
        self, rows: tuple[Row, ...], *, num_classes: int, in_channels: int, last_channels: int, dropout: float
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv1", conv(in_channels, rows[0].in_channels, 3, stride=2, padding=1))
        for number, row in enumerate(rows, start=1):
            self.features.add_module(f"stage{number}", _bottlenecks(row))
        self.features.add_module("conv_last", conv(rows[-1].out_channels, last_channels, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(last_channels, num_classes)
        initialize(self, partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"))
        initialize(self.fc, partial(nn.init.normal_, std=0.01))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); any H and W."""
        return self.fc(self.dropout(self.flatten(self.pool(self.features(x)))))


@register(image=(3, 224, 224), family="MobileNet v2", torchvision="mobilenet_v2")
def mobilenet_v2(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    width: float = 1.0,
    round_to: int = 8,
    dropout: float = 0.2,
) -> MobileNetV2:
    """MobileNet v2: 3,504,872 parameters with the defaults. (N, in_channels, 224, 224) -> logits (N, num_classes).

    H and W may be any sizes. For torchvision's weights: ``network.load_state_dict(match_state_dict(network, theirs))``
    with ``blocks.match_state_dict``.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        width: multiplier of the channels. The last convolution keeps its 1280 where the multiplier is below 1.
        round_to: channels are rounded to multiples of it, see ``blocks.round_channels``; 1 keeps the nearest integer.
        dropout: probability of a zero in front of the linear layer.

    Source: Sandler et al. 2018, sections 3.3 and 4, table 2.

    Differs from the paper: a linear layer behind global average pooling instead of a 1x1 convolution, which is the
    same; dropout, rounding and initial weights, which the paper does not give, are torchvision's.

    Raises:
        ValueError: ``width`` is not positive.
    """
    if width <= 0:
        raise ValueError(f"width multiplier must be positive, got {width}")
    scaled = partial(round_channels, multiple=round_to)
    rows = tuple(
        row._replace(in_channels=scaled(row.in_channels * width), out_channels=scaled(row.out_channels * width))
        for row in TABLE_2
    )
    return MobileNetV2(
        rows,
        num_classes=num_classes,
        in_channels=in_channels,
        last_channels=scaled(LAST_CHANNELS * max(1.0, width)),
        dropout=dropout,
    )


def _bottlenecks(row: Row) -> nn.Sequential:
    """The bottlenecks of one row."""
    blocks = nn.Sequential()
    for number in range(1, row.num_blocks + 1):
        in_channels, stride = (row.in_channels, row.stride) if number == 1 else (row.out_channels, 1)
        block = InvertedResidual(in_channels, row.out_channels, expansion=row.expansion, stride=stride)
        blocks.add_module(f"block{number}", block)
    return blocks
