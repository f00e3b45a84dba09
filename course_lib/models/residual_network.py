"""A network of residual blocks: its stages as a table, and the module that is built from one.

He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv:1512.03385 (published in 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Literal, NamedTuple

from torch import Tensor, nn

from course_lib.models.blocks import initialize
from course_lib.models.residual import (
    PreActivationBlock,
    ResidualBlock,
    Shortcut,
    StrideIn,
    basic_convs,
    bottleneck_convs,
)

BlockKind = Literal["basic", "bottleneck"]


class Stage(NamedTuple):
    """Blocks on maps of one size; ``width`` is that of their 3x3 convolutions, the first block has the stride."""

    name: str
    block: BlockKind
    num_blocks: int
    in_channels: int
    width: int
    out_channels: int
    stride: int


def make_stages(
    block: BlockKind,
    num_blocks: dict[str, int],
    widths: Sequence[int],
    in_channels: int,
) -> tuple[Stage, ...]:
    """The stages of a network, the first with stride 1, the others with stride 2.

    Args:
        block: "basic", or "bottleneck", which has four times as many channels at its end.
        num_blocks: how many blocks, by the name of the stage.
        widths: channels of the 3x3 convolutions, stage by stage.
        in_channels: channels that the stem gives.
    """
    expansion = 4 if block == "bottleneck" else 1
    channels = (in_channels, *(width * expansion for width in widths))
    return tuple(
        Stage(name, block, count, before, width, after, stride=1 if position == 0 else 2)
        for position, ((name, count), width, (before, after)) in enumerate(
            zip(num_blocks.items(), widths, pairwise(channels), strict=True)
        )
    )


class ResNet(nn.Module):
    """A stem, stages of residual blocks, global average pooling and one linear layer.

    Args:
        stem: the layers in front of the first stage.
        stages: see ``make_stages``.
        num_classes: number of logits.
        shortcut: "A", "B", "C" or "none", see ``residual.make_shortcut``.
        stride_in: where a bottleneck has its stride, see ``residual.bottleneck_convs``.
        preactivation: normalisation and ReLU in front of each convolution, see ``residual.PreActivationBlock``.
        zero_init: whether the last normalisation of each branch starts with weight 0, so that the block starts as
            the identity (Goyal et al. 2017, arXiv:1706.02677, section 5.1).

    Raises:
        ValueError: ``shortcut`` or ``stride_in`` is unknown, or ``shortcut="none"`` comes with ``zero_init``.
    """

    def __init__(
        self,
        stem: nn.Sequential,
        stages: Sequence[Stage],
        *,
        num_classes: int,
        shortcut: Shortcut,
        stride_in: StrideIn = "3x3",
        preactivation: bool = False,
        zero_init: bool = False,
    ) -> None:
        if zero_init and shortcut == "none":
            raise ValueError("zero_init needs a shortcut: without one, a branch that starts as zero stops every signal")
        super().__init__()
        self.stem = stem
        self.stages = nn.Sequential()
        for stage in stages:
            first = preactivation and stage is stages[0]
            self.stages.add_module(stage.name, _blocks(stage, shortcut, stride_in, preactivation, first))
        channels = stages[-1].out_channels
        self.final = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU()) if preactivation else nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(channels, num_classes)
        initialize(self, partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"))
        if zero_init:
            for block in self.blocks():
                nn.init.zeros_(block.last_norm.weight)

    def blocks(self) -> list[nn.Module]:
        """All residual blocks, in order."""
        return [block for stage in self.stages for block in stage]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); any H and W."""
        x = self.final(self.stages(self.stem(x)))
        return self.fc(self.flatten(self.pool(x)))


def _blocks(
    stage: Stage, shortcut: Shortcut, stride_in: StrideIn, preactivation: bool, first_stage: bool
) -> nn.Sequential:
    """The blocks of one stage."""
    blocks = nn.Sequential()
    for number in range(stage.num_blocks):
        first = number == 0
        in_channels, stride = (stage.in_channels, stage.stride) if first else (stage.out_channels, 1)
        if stage.block == "basic":
            convs = basic_convs(in_channels, stage.width, stride)
        else:
            convs = bottleneck_convs(in_channels, stage.width, stride, stride_in)
        if preactivation:
            block = PreActivationBlock(convs, shortcut, first=first and first_stage)
        else:
            block = ResidualBlock(convs, shortcut)
        blocks.add_module(f"block{number + 1}", block)
    return blocks
