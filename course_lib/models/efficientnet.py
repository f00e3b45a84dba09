"""EfficientNet B0 to B7: one network, scaled in depth, width and resolution together.

Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019, arXiv:1905.11946.
The block stands in ``mbconv``.
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from course_lib.models.blocks import conv_norm_act, initialize, round_channels
from course_lib.models.mbconv import MBConv, Stage
from course_lib.models.registry import member, register

# Table 1, stages 2 to 8: B0. The paper gives input resolutions; the strides follow from them.
B0 = (
    Stage(expansion=1, kernel_size=3, stride=1, in_channels=32, out_channels=16, num_blocks=1),
    Stage(expansion=6, kernel_size=3, stride=2, in_channels=16, out_channels=24, num_blocks=2),
    Stage(expansion=6, kernel_size=5, stride=2, in_channels=24, out_channels=40, num_blocks=2),
    Stage(expansion=6, kernel_size=3, stride=2, in_channels=40, out_channels=80, num_blocks=3),
    Stage(expansion=6, kernel_size=5, stride=1, in_channels=80, out_channels=112, num_blocks=3),
    Stage(expansion=6, kernel_size=5, stride=2, in_channels=112, out_channels=192, num_blocks=4),
    Stage(expansion=6, kernel_size=3, stride=1, in_channels=192, out_channels=320, num_blocks=1),
)


class Scale(NamedTuple):
    """What makes one of B0 to B7: multipliers of B0's width and depth, pixels per side, dropout of the classifier.

    ``norm_eps`` and ``norm_momentum`` are those of torchvision's batch normalisation.
    """

    width: float
    depth: float
    resolution: int
    dropout: float
    norm_eps: float = 1e-5
    norm_momentum: float = 0.1


# The values of the authors' program. The paper gives the bases 1.2 (depth), 1.1 (width) and 1.15 (resolution) of the
# compound rule only, and these values are near its powers, not on them: 1.2^7 is 3.6, where B7 has depth 3.1.
SCALES = {
    "efficientnet_b0": Scale(width=1.0, depth=1.0, resolution=224, dropout=0.2),
    "efficientnet_b1": Scale(width=1.0, depth=1.1, resolution=240, dropout=0.2),
    "efficientnet_b2": Scale(width=1.1, depth=1.2, resolution=260, dropout=0.3),
    "efficientnet_b3": Scale(width=1.2, depth=1.4, resolution=300, dropout=0.3),
    "efficientnet_b4": Scale(width=1.4, depth=1.8, resolution=380, dropout=0.4),
    "efficientnet_b5": Scale(1.6, 2.2, resolution=456, dropout=0.4, norm_eps=0.001, norm_momentum=0.01),
    "efficientnet_b6": Scale(1.8, 2.6, resolution=528, dropout=0.5, norm_eps=0.001, norm_momentum=0.01),
    "efficientnet_b7": Scale(2.0, 3.1, resolution=600, dropout=0.5, norm_eps=0.001, norm_momentum=0.01),
}


def scaled_stages(scale: Scale) -> tuple[Stage, ...]:
    """B0's stages with the widths and depths of ``scale``: widths in multiples of 8, depths rounded up."""
    return tuple(
        stage._replace(
            in_channels=round_channels(stage.in_channels * scale.width),
            out_channels=round_channels(stage.out_channels * scale.width),
            num_blocks=math.ceil(stage.num_blocks * scale.depth),
        )
        for stage in B0
    )


class EfficientNet(nn.Module):
    """See any of ``efficientnet_b0`` to ``b7``: ``features``, global average pooling, dropout, and ``fc``."""

    def __init__(
        self, scale: Scale, *, num_classes: int, in_channels: int, dropout: float, drop_probability: float
    ) -> None:
        super().__init__()
        norm = partial(nn.BatchNorm2d, eps=scale.norm_eps, momentum=scale.norm_momentum)
        conv = partial(conv_norm_act, norm=norm, act=nn.SiLU)
        stages = scaled_stages(scale)
        total = sum(stage.num_blocks for stage in stages)
        self.features = nn.Sequential()
        self.features.add_module("stage1", conv(in_channels, stages[0].in_channels, 3, stride=2, padding=1))
        done = 0
        for number, stage in enumerate(stages, start=2):
            blocks = nn.Sequential()
            for position in range(stage.num_blocks):
                probability = drop_probability * done / total
                block = MBConv(stage, first=position == 0, norm=norm, drop_probability=probability)
                blocks.add_module(f"block{position + 1}", block)
                done += 1
            self.features.add_module(f"stage{number}", blocks)
        last = stages[-1].out_channels
        self.features.add_module("stage9", conv(last, 4 * last, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(4 * last, num_classes)
        initialize(self, partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"))
        bound = 1 / math.sqrt(num_classes)
        initialize(self.fc, partial(nn.init.uniform_, a=-bound, b=bound))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); any H and W."""
        return self.fc(self.dropout(self.flatten(self.pool(self.features(x)))))


DOCSTRING = """EfficientNet-{member}: (N, in_channels, {size}, {size}) -> logits (N, num_classes).

    H and W may be any sizes; {size} is the one that the paper scales this member to. For torchvision's weights:
    ``network.load_state_dict(match_state_dict(network, theirs))`` with ``blocks.match_state_dict``.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        dropout: probability of a zero in front of the linear layer; None: {dropout}, this member's own.
        drop_probability: of the branch of the last block, in training (stochastic depth); it grows linearly from 0 at
            the first.

    Source: Tan and Le 2019, sections 3.3, 4 and 5.2, table 1.

    Differs from the paper: zeros are padded evenly on all sides, where the authors' program pads a side more at
    stride 2; initial weights and the constants of batch normalisation are torchvision's.
    """


def _efficientnet(
    *,
    scale: Scale,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float | None = None,
    drop_probability: float = 0.2,
) -> EfficientNet:
    """A member of the family."""
    return EfficientNet(
        scale,
        num_classes=num_classes,
        in_channels=in_channels,
        dropout=scale.dropout if dropout is None else dropout,
        drop_probability=drop_probability,
    )


for _name, _scale in SCALES.items():
    _member, _side = _name.removeprefix("efficientnet_").upper(), _scale.resolution
    _doc = DOCSTRING.format(member=_member, size=_side, dropout=_scale.dropout)
    register(image=(3, _side, _side), family="EfficientNet", torchvision=_name)(
        member(_efficientnet, _name, _doc, scale=_scale)
    )
