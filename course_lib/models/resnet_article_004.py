"""ResNet-50 as an article writes it: without normalisation, and with a comparison that is always true.

He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv:1512.03385 (published in 2015),
is what the article follows; ``resnet`` has the paper's own network.
"""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple, get_args

from torch import Tensor, nn

from course_lib.models.blocks import conv_relu, initialize
from course_lib.models.registry import register

Equaliser = Literal["as_written", "in_every_block", "as_meant"]


class Stage(NamedTuple):
    """Bottlenecks of ``width`` to ``out_channels``; ``downsample``: the last of them halves the size."""

    num_blocks: int
    in_channels: int
    width: int
    out_channels: int
    downsample: bool


STAGES = (
    Stage(3, in_channels=64, width=64, out_channels=256, downsample=True),
    Stage(4, in_channels=256, width=128, out_channels=512, downsample=True),
    Stage(6, in_channels=512, width=256, out_channels=1024, downsample=True),
    Stage(3, in_channels=1024, width=512, out_channels=2048, downsample=False),
)


class Bottleneck(nn.Module):
    """``branch(x) + shortcut(x)``: (N, C_in, H, W) -> (N, C_out, ceil(H / stride), ceil(W / stride)).

    Three biased convolutions, a ReLU behind each; nothing behind the sum.
    """

    def __init__(self, in_channels: int, width: int, out_channels: int, stride: int, equaliser: Equaliser) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            conv_relu(in_channels, width, 1, stride=stride),
            conv_relu(width, width, 3, padding=1),
            conv_relu(width, out_channels, 1),
        )
        if stride > 1 or in_channels != out_channels or equaliser != "as_meant":
            self.shortcut = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride)
        else:
            self.shortcut = nn.Identity()
        if stride > 1 and equaliser == "in_every_block":
            self.idle = nn.Conv2d(in_channels, out_channels, kernel_size=1)  # held, and never called

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        return self.branch(x) + self.shortcut(x)


class ResNet50OfArticle004(nn.Module):
    """See :func:`resnet50_article_004`: ``stem``, ``stages``, ``classifier``."""

    def __init__(self, num_classes: int, in_channels: int, equaliser: Equaliser) -> None:
        if equaliser not in get_args(Equaliser):
            known = ", ".join(map(repr, get_args(Equaliser)))
            raise ValueError(f"equaliser must be one of {known}, got {equaliser!r}")
        super().__init__()
        self.stem = conv_relu(in_channels, 64, 7, stride=2, padding=3)
        self.stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
        self.stages = nn.Sequential()
        for number, stage in enumerate(STAGES, start=1):
            self.stages.add_module(f"stage{number}", _blocks(stage, equaliser))
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(STAGES[-1].out_channels, num_classes)
        )
        initialize(self, partial(nn.init.kaiming_normal_, nonlinearity="relu"))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); any H and W."""
        return self.classifier(self.stages(self.stem(x)))


@register(image=(3, 224, 224), family="ResNet")
def resnet50_article_004(
    *, num_classes: int = 2, in_channels: int = 3, equaliser: Equaliser = "as_written"
) -> ResNet50OfArticle004:
    """ResNet-50 as article 004 writes it: 38,045,826 or 39,423,874 parameters, or 24,863,618 as it was meant.

    (N, in_channels, 224, 224) -> logits (N, num_classes). H and W may be any sizes.

    The article has lost its indentation, so it has two readings: the line that makes the "equaliser" may stand inside
    the ``else`` of the blocks that halve, or behind it, in every block. Public copies of the program have the second.

    Each block that keeps its size has an "equaliser", a 1x1 convolution for the shortcut. The article calls it if
    ``x.size() is not out.size()``. Each call of ``size`` makes a new object, so ``is not`` is always true and the
    equaliser always runs: as written, no shortcut is an identity. It is meant to run where the channels differ: in
    the first block of each stage.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        equaliser: "as_written", in every block that keeps its size, the reading inside the ``else``; "in_every_block",
            the other reading: the three blocks that halve hold one too, 1,378,048 parameters that never get a gradient;
            "as_meant", in those blocks alone whose channels change. The article's program, were its comparison right,
            would hold the others as well and never use them.

    Source: an article on convolutional networks with PyTorch, number 004 of those that the course checks.

    Differs from the paper: no normalisation, biased convolutions; a ReLU behind the last convolution of a branch and
    none behind the sum; the last block of the first three stages halves the size, not the first of the last three.

    Differs from the article: the average pooling takes maps of any size; He's initial weights.

    Raises:
        ValueError: ``equaliser`` is none of the three.
    """
    return ResNet50OfArticle004(num_classes, in_channels, equaliser)


def _blocks(stage: Stage, equaliser: Equaliser) -> nn.Sequential:
    """The bottlenecks of one stage."""
    blocks = nn.Sequential()
    for number in range(1, stage.num_blocks + 1):
        in_channels = stage.in_channels if number == 1 else stage.out_channels
        stride = 2 if stage.downsample and number == stage.num_blocks else 1
        block = Bottleneck(in_channels, stage.width, stage.out_channels, stride, equaliser)
        blocks.add_module(f"block{number}", block)
    return blocks
