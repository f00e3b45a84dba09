"""ResNet for ImageNet: 18, 34, 50, 101 and 152 layers, and the plain networks of 18 and 34.

He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv:1512.03385 (published in 2015).
The blocks stand in ``residual``, the module in ``residual_network``, the networks for CIFAR in ``resnet_cifar``.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from course_lib.models.blocks import conv_norm_act
from course_lib.models.registry import member, register
from course_lib.models.residual import Shortcut, StrideIn
from course_lib.models.residual_network import BlockKind, ResNet, Stage, make_stages


class Row(NamedTuple):
    """A column of table 1: the kind of block, and how many of them each stage has."""

    block: BlockKind
    conv2_x: int
    conv3_x: int
    conv4_x: int
    conv5_x: int


TABLE_1 = {
    18: Row("basic", conv2_x=2, conv3_x=2, conv4_x=2, conv5_x=2),
    34: Row("basic", conv2_x=3, conv3_x=4, conv4_x=6, conv5_x=3),
    50: Row("bottleneck", conv2_x=3, conv3_x=4, conv4_x=6, conv5_x=3),
    101: Row("bottleneck", conv2_x=3, conv3_x=4, conv4_x=23, conv5_x=3),
    152: Row("bottleneck", conv2_x=3, conv3_x=8, conv4_x=36, conv5_x=3),
}
PLAIN_DEPTHS = (18, 34)  # table 2

DOCSTRING = """ResNet-{depth} for ImageNet: (N, in_channels, 224, 224) -> logits (N, num_classes).

    H and W may be any sizes. For torchvision's weights: ``network.load_state_dict(match_state_dict(network, theirs))``
    with ``blocks.match_state_dict``.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        shortcut: "A", zeros for the channels that the input lacks, no parameters; "B", projections (1x1 convolutions)
            where the size or the channels change; "C", projections everywhere; "none": a plain network.
        stride_in: where a bottleneck that halves the size has its stride: "3x3" as torchvision, "1x1" as published.
            No effect on parameters, and none at all on 18 and 34 layers, which have no bottlenecks.
        preactivation: normalisation and ReLU in front of each convolution (He et al. 2016, arXiv:1603.05027).
        zero_init: the last normalisation of each branch starts with weight 0 (Goyal et al. 2017, arXiv:1706.02677).

    Source: He et al. 2015, sections 3.3 and 4.1, table 1.

    Differs from the paper: the stride of a bottleneck is in its 3x3 convolution unless ``stride_in="1x1"``; shortcut B,
    which the paper prefers, where its tables 2 and 3 also have A and C; the average pooling takes maps of any size.

    Raises:
        ValueError: ``shortcut`` or ``stride_in`` is unknown, or ``shortcut="none"`` comes with ``zero_init``.
    """

PLAIN_DOCSTRING = """The plain network of {depth} layers: ResNet-{depth} without its shortcuts.

    (N, in_channels, 224, 224) -> logits (N, num_classes). H and W may be any sizes.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.

    Source: He et al. 2015, sections 3.3 and 4.1, tables 1 and 2.

    Differs from the paper: the average pooling takes maps of any size.
    """


def imagenet_stages(depth: int) -> tuple[Stage, ...]:
    """The stages of a column of table 1; ``depth`` is 18, 34, 50, 101 or 152."""
    block, *counts = TABLE_1[depth]
    num_blocks = dict(zip(Row._fields[1:], counts, strict=True))
    return make_stages(block, num_blocks, widths=(64, 128, 256, 512), in_channels=64)


def _imagenet_stem(in_channels: int) -> nn.Sequential:
    """(N, in_channels, H, W) -> (N, 64, about H / 4, about W / 4)."""
    stem = conv_norm_act(in_channels, 64, 7, stride=2, padding=3, norm=nn.BatchNorm2d)
    stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
    return stem


def _resnet(
    *,
    depth: int,
    num_classes: int = 1000,
    in_channels: int = 3,
    shortcut: Shortcut = "B",
    stride_in: StrideIn = "3x3",
    preactivation: bool = False,
    zero_init: bool = False,
) -> ResNet:
    """A column of table 1."""
    return ResNet(
        _imagenet_stem(in_channels),
        imagenet_stages(depth),
        num_classes=num_classes,
        shortcut=shortcut,
        stride_in=stride_in,
        preactivation=preactivation,
        zero_init=zero_init,
    )


def _plain(*, depth: int, num_classes: int = 1000, in_channels: int = 3) -> ResNet:
    """A column of table 1 without shortcuts."""
    return ResNet(_imagenet_stem(in_channels), imagenet_stages(depth), num_classes=num_classes, shortcut="none")


for _depth in TABLE_1:
    _builder = member(_resnet, f"resnet{_depth}", DOCSTRING.format(depth=_depth), depth=_depth)
    register(image=(3, 224, 224), family="ResNet", torchvision=_builder.__name__)(_builder)
for _depth in PLAIN_DEPTHS:
    _builder = member(_plain, f"plain{_depth}", PLAIN_DOCSTRING.format(depth=_depth), depth=_depth)
    register(image=(3, 224, 224), family="ResNet")(_builder)
