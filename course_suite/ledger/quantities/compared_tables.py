"""Networks counted layer by layer, from the tables and figures of their papers.

ShuffleNet: Zhang et al. 2018, arXiv:1707.01083, figure 2 and table 1. Xception: Chollet 2017, arXiv:1610.02357, figure
5. Inception-v4 and Inception-ResNet-v2: Szegedy et al. 2017, arXiv:1602.07261, figures 3 to 9 and 15; the widths of
Inception-ResNet-v2 are those of the authors' program.
"""

from __future__ import annotations

from functools import partial

ROW, COLUMN = 7, 7  # 1x7 and 7x1 have as many weights
Step = tuple[int, int, int]  # output channels, places of the kernel, side of the output


class Counted:
    """Sums over layers: weights, biases, normalised channels and multiply-adds."""

    def __init__(self, image_side: int) -> None:
        self.image_side = image_side
        self.weights = self.biases = self.normalised = self.macs = 0

    def conv(self, channels: int, step: Step, *, groups: int = 1, norm: bool = True, bias: bool = False) -> int:
        """Count one convolution and return its output channels."""
        out_channels, places, side = step
        weights = channels * out_channels * places // groups
        self.weights += weights
        self.macs += weights * side**2
        self.normalised += out_channels * norm
        self.biases += out_channels * bias
        return out_channels

    def chain(self, channels: int, *steps: Step) -> int:
        """Count one convolution after the other and return the output channels of the last."""
        for step in steps:
            channels = self.conv(channels, step)
        return channels

    def branches(self, channels: int, side: int, *branches: tuple[tuple[int, int], ...]) -> int:
        """Count chains of (output channels, places of the kernel) on one input and return all channels they put out."""
        return sum(self.chain(channels, *((out, places, side) for out, places in branch)) for branch in branches)

    def linear(self, channels: int, num_classes: int = 1000) -> Counted:
        """Count the classifier."""
        self.conv(channels, (num_classes, 1, 1), norm=False, bias=True)
        return self


SHUFFLENET_WIDTHS = {2: (200, 400, 800), 3: (240, 480, 960)}  # by the number of groups


def shufflenet(scale: float, groups: int = 3, first: int = 24) -> Counted:
    """ShuffleNet with the given scale of its widths; ``first``: channels of the first convolution."""
    counted = Counted(224)
    channels, side = counted.conv(3, (first, 9, 112)), 56
    for width, num_units in zip(SHUFFLENET_WIDTHS[groups], (4, 8, 4), strict=True):
        width = int(scale * width)
        for unit in range(num_units):
            out_channels = width - channels if unit == 0 else width  # the first unit appends its input
            reduced = counted.conv(channels, (width // 4, 1, side), groups=1 if side == 56 else groups)
            side = side // 2 if unit == 0 else side
            counted.conv(reduced, (reduced, 9, side), groups=reduced)
            counted.conv(reduced, (out_channels, 1, side), groups=groups)
            channels = width
    return counted.linear(channels)


def xception() -> Counted:
    """Xception: entry, middle and exit flow."""
    counted = Counted(299)

    def separable(channels: int, *widths: int, side: int) -> int:
        for width in widths:
            counted.conv(channels, (channels, 9, side), groups=channels, norm=False)
            channels = counted.conv(channels, (width, 1, side))
        return channels

    channels = counted.chain(3, (32, 9, 149), (64, 9, 147))
    for width, side, pooled in ((128, 147, 74), (256, 74, 37), (728, 37, 19)):
        counted.conv(channels, (width, 1, pooled))
        channels = separable(channels, width, width, side=side)
    separable(channels, *(728,) * 24, side=19)
    counted.conv(channels, (1024, 1, 10))
    channels = separable(channels, 728, 1024, side=19)
    return counted.linear(separable(channels, 1536, 2048, side=10))


def inception_v4() -> Counted:
    """Inception-v4; poolings keep the channels."""
    counted = Counted(299)
    channels = counted.chain(3, (32, 9, 149), (32, 9, 147), (64, 9, 147))
    channels += counted.conv(channels, (96, 9, 73))
    short = counted.chain(channels, (64, 1, 73), (96, 9, 71))
    channels = short + counted.chain(channels, (64, 1, 73), (64, ROW, 73), (64, COLUMN, 73), (96, 9, 71))
    channels += counted.conv(channels, (192, 9, 35))
    for _ in range(4):
        channels = counted.branches(
            channels, 35, ((96, 1),), ((64, 1), (96, 9)), ((64, 1), (96, 9), (96, 9)), ((96, 1),)
        )
    added = counted.conv(channels, (384, 9, 17)) + counted.chain(channels, (192, 1, 35), (224, 9, 35), (256, 9, 17))
    channels += added
    for _ in range(7):
        channels = counted.branches(
            channels, 17, ((384, 1),), ((192, 1), (224, ROW), (256, COLUMN)),
            ((192, 1), (192, COLUMN), (224, ROW), (224, COLUMN), (256, ROW)), ((128, 1),),
        )  # fmt: skip
    added = counted.chain(channels, (192, 1, 17), (192, 9, 8))
    channels += added + counted.chain(channels, (256, 1, 17), (256, ROW, 17), (320, COLUMN, 17), (320, 9, 8))
    for _ in range(3):
        plain = counted.branches(channels, 8, ((256, 1),), ((256, 1),))
        short = counted.conv(channels, (384, 1, 8))
        long = counted.chain(channels, (384, 1, 8), (448, 3, 8), (512, 3, 8))
        channels = plain + sum(counted.branches(fork, 8, ((256, 3),), ((256, 3),)) for fork in (short, long))
    return counted.linear(channels)


def inception_resnet_v2() -> Counted:
    """Inception-ResNet-v2; a 1x1 convolution with biases brings each block back to the width of its input."""
    counted = Counted(299)
    channels = counted.chain(3, (32, 9, 149), (32, 9, 147), (64, 9, 147), (80, 1, 73), (192, 9, 71))
    channels = counted.branches(channels, 35, ((96, 1),), ((48, 1), (64, 25)), ((64, 1), (96, 9), (96, 9)), ((64, 1),))
    residual = partial(_residual_blocks, counted)
    residual(10, channels, 35, ((32, 1),), ((32, 1), (32, 9)), ((32, 1), (48, 9), (64, 9)))
    added = counted.conv(channels, (384, 9, 17)) + counted.chain(channels, (256, 1, 35), (256, 9, 35), (384, 9, 17))
    channels += added
    residual(20, channels, 17, ((192, 1),), ((128, 1), (160, ROW), (192, COLUMN)))
    added = sum(counted.chain(channels, (256, 1, 17), (width, 9, 8)) for width in (384, 288))
    channels += added + counted.chain(channels, (256, 1, 17), (288, 9, 17), (320, 9, 8))
    residual(10, channels, 8, ((192, 1),), ((192, 1), (224, 3), (256, 3)))
    return counted.linear(counted.conv(channels, (1536, 1, 8)))


def _residual_blocks(
    counted: Counted, num_blocks: int, channels: int, side: int, *branches: tuple[tuple[int, int], ...]
) -> None:
    for _ in range(num_blocks):
        joined = counted.branches(channels, side, *branches)
        counted.conv(joined, (channels, 1, side), norm=False, bias=True)
