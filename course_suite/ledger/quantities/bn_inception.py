"""BN-Inception, the network of the batch normalisation paper, counted from the widths of its figure 5.

Ioffe and Szegedy 2015, arXiv:1502.03167, appendix. The rows of figure 5 do not all agree with the output sizes beside
them: the widths of 4c and 4d add up to 608 channels, where 576 are printed. The widths are what is counted here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from course_lib import arithmetic
from course_suite.ledger.quantities import quantity


class Row(NamedTuple):
    """Widths of a module. One without ``b1`` halves the size, and its pooling passes all channels through."""

    side: int  # of its input
    b1: int
    b3_reduce: int
    b3: int
    double_reduce: int
    double: int  # of both 3x3 convolutions behind ``double_reduce``
    pool_proj: int


class Conv(NamedTuple):
    """A convolution without bias, and the side of its output."""

    in_channels: int
    out_channels: int
    kernel_size: int
    side: int
    groups: int = 1


FIGURE_5 = {
    "3a": Row(28, 64, 64, 64, 64, 96, 32),
    "3b": Row(28, 64, 64, 96, 64, 96, 64),
    "3c": Row(28, 0, 128, 160, 64, 96, 0),
    "4a": Row(14, 224, 64, 96, 96, 128, 128),
    "4b": Row(14, 192, 96, 128, 96, 128, 128),
    "4c": Row(14, 160, 128, 160, 128, 160, 128),
    "4d": Row(14, 96, 128, 192, 160, 192, 128),
    "4e": Row(14, 0, 128, 192, 192, 256, 0),
    "5a": Row(7, 352, 192, 320, 160, 224, 128),
    "5b": Row(7, 352, 192, 320, 192, 224, 128),
}
NUM_CLASSES = 1000


@quantity
def bn_inception_params(separable: bool = True) -> int:
    """Weights, a scale and a shift for each channel of each convolution, and the last linear layer.

    Args:
        separable: the first convolution as the appendix has it, depthwise with multiplier 8 and 1x1; else a full one.
    """
    convs, features = _network(separable)
    weights = sum(
        arithmetic.conv_params(c.in_channels, c.out_channels, c.kernel_size, groups=c.groups, bias=False) for c in convs
    )
    normalised = sum(c.out_channels for c in convs if c.groups == 1)
    return weights + 2 * normalised + arithmetic.linear_params(features, NUM_CLASSES)


@quantity
def bn_inception_macs(separable: bool = True) -> int:
    """Multiply-adds of one image of 224 x 224 pixels; ``separable`` as in ``bn_inception_params``."""
    convs, features = _network(separable)
    found = sum(
        arithmetic.conv_macs(c.in_channels, c.out_channels, c.kernel_size, c.side, groups=c.groups) for c in convs
    )
    return found + arithmetic.linear_macs(features, NUM_CLASSES)


def _network(separable: bool) -> tuple[list[Conv], int]:
    """All convolutions, and the channels behind the last."""
    convs = [Conv(3, 24, 7, 112, groups=3), Conv(24, 64, 1, 112)] if separable else [Conv(3, 64, 7, 112)]
    convs += [Conv(64, 64, 1, 56), Conv(64, 192, 3, 56)]
    channels = 192
    for row in FIGURE_5.values():
        convs += _module(channels, row)
        channels = row.b1 + row.b3 + row.double + (row.pool_proj or channels)
    return convs, channels


def _module(channels: int, row: Row) -> Iterator[Conv]:
    side = row.side if row.b1 else row.side // 2
    if row.b1:
        yield Conv(channels, row.b1, 1, side)
        yield Conv(channels, row.pool_proj, 1, side)
    yield Conv(channels, row.b3_reduce, 1, row.side)
    yield Conv(row.b3_reduce, row.b3, 3, side)
    yield Conv(channels, row.double_reduce, 1, row.side)
    yield Conv(row.double_reduce, row.double, 3, row.side)
    yield Conv(row.double, row.double, 3, side)
