"""Figures of the EfficientNet paper: the rows of table 1, parameters with statistics, networks scaled as in table 3."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from course_lib import arithmetic
from course_suite.ledger.quantities import quantity
from course_suite.ledger.quantities.networks import analysis, network

if TYPE_CHECKING:
    from torch import nn


@quantity
def efficientnet_stage(number: int, model: str = "efficientnet_b0") -> list[Any]:
    """A row of table 1, from 1, as the network has it: operator, resolution of the input, channels, layers."""
    stages = list(network(model).features.named_children())
    name, stage = stages[number - 1]
    first = next(row for row in analysis(model).rows if row.name.startswith(f"features.{name}."))
    size = "{}x{}".format(*first.input_shapes[0][2:])
    if number in (1, len(stages)):
        operator = "Conv{}x{}".format(*stage.conv.kernel_size)
        operator += " & Pooling & FC" if number == len(stages) else ""
        return [operator, size, stage.conv.out_channels, 1]
    branch = stage[0].branch
    conv = branch.depthwise.conv
    expansion = conv.in_channels // first.input_shapes[0][1]
    operator = f"MBConv{expansion}, k{conv.kernel_size[0]}x{conv.kernel_size[1]}"
    return [operator, size, branch.project.conv.out_channels, len(stage)]


@quantity
def efficientnet_params_with_statistics(model: str) -> int:
    """Parameters, with the mean and the variance that each normalisation keeps for each channel."""
    built = network(model)
    kept = sum(value.numel() for name, value in built.named_buffers() if not name.endswith("num_batches_tracked"))
    return kept + sum(parameter.numel() for parameter in built.parameters())


@quantity
def efficientnet_scaled_macs(model: str, depth: float = 1, width: float = 1, side: int = 224) -> int:
    """Multiply-adds of MobileNet v1, v2 or ResNet-50 with scaled numbers of blocks, widths, and images of that side.

    Numbers of blocks are rounded up, stage by stage, as EfficientNet's are; of MobileNet v1 a stage is what has maps of
    one size. The stem is widened with the rest, and never deepened.
    """
    scaled = {"mobilenet_v1": _mobilenet_v1, "mobilenet_v2": _mobilenet_v2, "resnet50": _resnet50}
    if model not in scaled:
        raise ValueError(f"model must be one of {', '.join(scaled)}, got {model!r}")
    return scaled[model](depth, width, side)


def _mobilenet_v1(depth: float, width: float, side: int) -> int:
    from course_lib.models.mobilenet_v1 import TABLE_1

    stages: list[list[Any]] = []
    for row in TABLE_1:
        if row.stride == 2 or not stages:
            stages.append([])
        stages[-1].append(row)
    side = arithmetic.conv_output_size(side, 3, 2, 1)
    channels = int(width * TABLE_1[0].in_channels)
    count = arithmetic.conv_macs(3, channels, 3, side)
    for stage in stages:
        out_channels = int(width * stage[-1].out_channels)
        for number in range(math.ceil(depth * len(stage))):
            side = arithmetic.conv_output_size(side, 3, stage[0].stride if number == 0 else 1, 1)
            count += arithmetic.separable_conv_macs(channels, out_channels, 3, side)
            channels = out_channels
    return count + arithmetic.linear_macs(channels, 1000)


def _mobilenet_v2(depth: float, width: float, side: int) -> int:
    from course_lib.complexity import analyze

    return analyze(_deep_mobilenet_v2(depth, width), (3, side, side)).macs


@cache
def _deep_mobilenet_v2(depth: float, width: float) -> nn.Module:
    from course_lib.complexity import on_meta
    from course_lib.models.blocks import round_channels
    from course_lib.models.mobilenet_v2 import LAST_CHANNELS, TABLE_2, MobileNetV2

    rows = tuple(
        row._replace(
            in_channels=round_channels(width * row.in_channels),
            out_channels=round_channels(width * row.out_channels),
            num_blocks=math.ceil(depth * row.num_blocks),
        )
        for row in TABLE_2
    )
    last = round_channels(width * LAST_CHANNELS)
    with on_meta():
        return MobileNetV2(rows, num_classes=1000, in_channels=3, last_channels=last, dropout=0.2)


def _resnet50(depth: float, width: float, side: int) -> int:
    from course_lib.complexity import analyze

    return analyze(_deep_resnet(depth, width), (3, side, side)).macs


@cache
def _deep_resnet(depth: float, width: float) -> nn.Module:
    from torch import nn

    from course_lib.complexity import on_meta
    from course_lib.models.blocks import conv_norm_act
    from course_lib.models.residual_network import ResNet, make_stages
    from course_lib.models.resnet import imagenet_stages

    stages = imagenet_stages(50)
    first = int(width * stages[0].in_channels)
    num_blocks = {stage.name: math.ceil(depth * stage.num_blocks) for stage in stages}
    deep = make_stages("bottleneck", num_blocks, [int(width * stage.width) for stage in stages], first)
    with on_meta():
        stem = conv_norm_act(3, first, 7, stride=2, padding=3, norm=nn.BatchNorm2d)
        stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
        return ResNet(stem, deep, num_classes=1000, shortcut="B")


def forget() -> None:
    """Build the scaled networks anew when they are asked for again."""
    _deep_mobilenet_v2.cache_clear()
    _deep_resnet.cache_clear()
