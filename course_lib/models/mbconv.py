"""EfficientNet's block: an inverted residual with a gate on its channels and with stochastic depth.

Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019, arXiv:1905.11946.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib.models.blocks import conv_norm_act


class Stage(NamedTuple):
    """A row of table 1: ``num_blocks`` MBConv blocks, the first of which has the stride and changes the width."""

    expansion: int
    kernel_size: int
    stride: int
    in_channels: int
    out_channels: int
    num_blocks: int


class SqueezeExcitation(nn.Module):
    """Each channel times a gate between 0 and 1 that depends on the means of all channels: (N, C, H, W) -> the same.

    Source: Hu et al. 2018, arXiv:1709.01507, section 3, with SiLU in place of ReLU.
    """

    def __init__(self, channels: int, squeezed_channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.squeeze = conv_norm_act(channels, squeezed_channels, 1, act=nn.SiLU)
        self.excite = conv_norm_act(squeezed_channels, channels, 1, act=nn.Sigmoid)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return x * self.excite(self.squeeze(self.pool(x)))


class StochasticDepth(nn.Module):
    """In training, each image's branch is dropped with a probability, and scaled up where it stays: same shape.

    Source: Huang et al. 2016, arXiv:1603.09382, section 3; the scaling in training instead of evaluation is later.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def extra_repr(self) -> str:
        return f"probability={self.probability}"

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) -> (N, ...)."""
        if not self.training or self.probability == 0:
            return x
        keep = torch.rand(len(x), *[1] * (x.dim() - 1), dtype=x.dtype, device=x.device) >= self.probability
        return x * keep / (1 - self.probability)


class MBConv(nn.Module):
    """MobileNet v2's inverted residual with squeeze-and-excitation and SiLU.

    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)). The gate squeezes to a quarter of
    the block's input channels. The input is added where both shapes agree.

    Source: Tan and Le 2019, section 4, table 1; Tan et al. 2019, arXiv:1807.11626, figure 7.
    """

    def __init__(self, stage: Stage, *, first: bool, norm: Callable[[int], nn.Module], drop_probability: float) -> None:
        super().__init__()
        in_channels, stride = (stage.in_channels, stage.stride) if first else (stage.out_channels, 1)
        hidden = in_channels * stage.expansion
        conv = partial(conv_norm_act, norm=norm, act=nn.SiLU)
        kernel_size = stage.kernel_size
        depthwise = conv(hidden, hidden, kernel_size, stride=stride, padding=kernel_size // 2, groups=hidden)
        self.branch = nn.Sequential()
        if stage.expansion != 1:
            self.branch.add_module("expand", conv(in_channels, hidden, 1))
        self.branch.add_module("depthwise", depthwise)
        self.branch.add_module("se", SqueezeExcitation(hidden, max(1, in_channels // 4)))
        self.branch.add_module("project", conv(hidden, stage.out_channels, 1, act=None))
        self.stochastic_depth = StochasticDepth(drop_probability)
        self.residual = stride == 1 and in_channels == stage.out_channels

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """The normalisation that ends the branch."""
        return self.branch.project.norm

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        out = self.branch(x)
        return x + self.stochastic_depth(out) if self.residual else out
