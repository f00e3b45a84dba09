"""ResNet for CIFAR-10, of any depth 6n + 2, and its plain twin.

He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv:1512.03385 (published in 2015),
section 4.2. The blocks stand in ``residual``, the module in ``residual_network``.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from course_lib.models.blocks import conv_norm_act
from course_lib.models.registry import member, register
from course_lib.models.residual import Shortcut
from course_lib.models.residual_network import ResNet, Stage, make_stages

DEPTHS = (20, 32, 44, 56, 110, 1202)  # table 6
PLAIN_DEPTHS = (20, 32, 44, 56, 110)  # figure 6, left, and its legend
WIDTHS = (16, 32, 64)


def cifar_stages(depth: int, widths: Sequence[int] = WIDTHS) -> tuple[Stage, ...]:
    """Three stages of n basic blocks each, for ``depth = 6n + 2``.

    Raises:
        ValueError: no n gives that depth, or there are not three widths.
    """
    num_blocks, rest = divmod(depth - 2, 6)
    if rest or num_blocks < 1:
        nearest = [6 * n + 2 for n in (num_blocks, num_blocks + 1) if n >= 1] or [8]
        raise ValueError(f"depth must be 6n + 2 with n >= 1, got {depth}; nearest: {' and '.join(map(str, nearest))}")
    if len(widths) != 3:
        raise ValueError(f"widths must be three numbers of channels, got {tuple(widths)}")
    return make_stages("basic", dict.fromkeys(("stage1", "stage2", "stage3"), num_blocks), widths, widths[0])


@register(image=(3, 32, 32), family="ResNet")
def resnet_cifar(
    *,
    depth: int = 20,
    num_classes: int = 10,
    in_channels: int = 3,
    widths: Sequence[int] = WIDTHS,
    shortcut: Shortcut = "A",
    preactivation: bool = False,
    zero_init: bool = False,
) -> ResNet:
    """ResNet for small images: (N, in_channels, 32, 32) -> logits (N, num_classes).

    A 3x3 convolution, three stages of n basic blocks on maps of 32, 16 and 8 pixels, global average pooling, one
    linear layer. H and W may be any sizes. 269,722 parameters at depth 20, with the defaults.

    Args:
        depth: 6n + 2; the layers with weights, projections not counted.
        num_classes: number of logits.
        in_channels: channels of the image.
        widths: channels of the three stages.
        shortcut: "A", zeros for the channels that the input lacks, as the paper has it on CIFAR; "B", projections
            (1x1 convolutions) where the channels change; "C", projections everywhere; "none": a plain network.
        preactivation: normalisation and ReLU in front of each convolution (He et al. 2016, arXiv:1603.05027).
        zero_init: the last normalisation of each branch starts with weight 0 (Goyal et al. 2017, arXiv:1706.02677).

    Source: He et al. 2015, section 4.2, table 6.

    Differs from the paper: the average pooling takes maps of any size.

    Raises:
        ValueError: no n gives that depth; ``widths`` are not three; ``shortcut`` is unknown, or "none" together with
            ``zero_init``.
    """
    return ResNet(
        conv_norm_act(in_channels, widths[0], 3, padding=1, norm=nn.BatchNorm2d),
        cifar_stages(depth, widths),
        num_classes=num_classes,
        shortcut=shortcut,
        preactivation=preactivation,
        zero_init=zero_init,
    )


@register(image=(3, 32, 32), family="ResNet")
def plain_cifar(
    *,
    depth: int = 20,
    num_classes: int = 10,
    in_channels: int = 3,
    widths: Sequence[int] = WIDTHS,
    preactivation: bool = False,
) -> ResNet:
    """The plain twin of ``resnet_cifar``: the same layers and, as its shortcuts have none, as many parameters.

    (N, in_channels, 32, 32) -> logits (N, num_classes). For the options see there.

    Source: He et al. 2015, section 4.2, figure 6.

    Differs from the paper: the average pooling takes maps of any size.

    Raises:
        ValueError: no n gives that depth, or ``widths`` are not three.
    """
    return resnet_cifar(
        depth=depth,
        num_classes=num_classes,
        in_channels=in_channels,
        widths=widths,
        shortcut="none",
        preactivation=preactivation,
    )


for _family, _prefix, _depths in ((resnet_cifar, "resnet", DEPTHS), (plain_cifar, "plain", PLAIN_DEPTHS)):
    for _depth in _depths:
        _doc = f"`{_family.__name__}` with ``depth={_depth}``; all its other options apply."
        register(image=(3, 32, 32), family="ResNet")(member(_family, f"{_prefix}{_depth}", _doc, depth=_depth))
