"""Inception modules, naive and with reductions, and GoogLeNet's auxiliary classifier.

Szegedy et al., "Going deeper with convolutions", CVPR 2015, arXiv:1409.4842, sections 4 and 5, figure 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib.models.blocks import conv_norm_act

Norm = Callable[[int], nn.Module] | None


class NaiveInceptionWidths(NamedTuple):
    """Channels that leave each branch of a naive module; ``pool_proj`` None: the pooled input itself is stacked."""

    b1: int
    b3: int
    b5: int
    pool_proj: int | None = None

    def out_channels(self, in_channels: int) -> int:
        """Channels of the stacked output."""
        return self.b1 + self.b3 + self.b5 + (in_channels if self.pool_proj is None else self.pool_proj)


class InceptionWidths(NamedTuple):
    """A row of table 1: the channels that leave each convolution of a module. ``b3_reduce`` feeds ``b3``."""

    b1: int
    b3_reduce: int
    b3: int
    b5_reduce: int
    b5: int
    pool_proj: int

    @property
    def out_channels(self) -> int:
        """Channels of the stacked output."""
        return self.b1 + self.b3 + self.b5 + self.pool_proj


class Branches(nn.Module):
    """Four branches on one input, their outputs stacked: (N, C, H, W) -> (N, sum of the branches' channels, H, W)."""

    def __init__(self, b1: nn.Module, b3: nn.Module, b5: nn.Module, pool: nn.Module) -> None:
        super().__init__()
        self.b1 = b1
        self.b3 = b3
        self.b5 = b5
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H, W)."""
        return torch.cat([self.b1(x), self.b3(x), self.b5(x), self.pool(x)], dim=1)


class NaiveInception(Branches):
    """Figure 2a: 1x1, 3x3 and 5x5 convolutions and a 3x3 max pooling side by side, each on the whole input.

    (N, in_channels, H, W) -> (N, widths.out_channels(in_channels), H, W).

    Args:
        in_channels: channels of the input.
        widths: channels of each branch.
        norm: normalisation behind each convolution, called with its channels; None: biases instead.

    Source: Szegedy et al. 2015, section 4, figure 2a.

    Differs from the paper: a ``pool_proj``, where given, is a 1x1 convolution behind the pooling, which figure 2a
    does not have.
    """

    def __init__(self, in_channels: int, widths: NaiveInceptionWidths, *, norm: Norm = None) -> None:
        pool = nn.Sequential()
        pool.add_module("pool", nn.MaxPool2d(3, stride=1, padding=1))
        if widths.pool_proj is not None:
            pool.add_module("proj", conv_norm_act(in_channels, widths.pool_proj, 1, norm=norm))
        super().__init__(
            b1=conv_norm_act(in_channels, widths.b1, 1, norm=norm),
            b3=conv_norm_act(in_channels, widths.b3, 3, padding=1, norm=norm),
            b5=conv_norm_act(in_channels, widths.b5, 5, padding=2, norm=norm),
            pool=pool,
        )


class Inception(Branches):
    """Figure 2b: the 3x3 and 5x5 convolutions see the input through 1x1 reductions, the pooling is projected.

    (N, in_channels, H, W) -> (N, widths.out_channels, H, W).

    Args:
        in_channels: channels of the input.
        widths: channels of each convolution, a row of table 1.
        norm: normalisation behind each convolution, called with its channels; None: biases instead.
        b5_kernel: 5, or 3 for the variant that torchvision ships.

    Source: Szegedy et al. 2015, section 4, figure 2b.

    Raises:
        ValueError: ``b5_kernel`` is neither 5 nor 3.
    """

    def __init__(self, in_channels: int, widths: InceptionWidths, *, norm: Norm = None, b5_kernel: int = 5) -> None:
        if b5_kernel not in (3, 5):
            raise ValueError(f"b5_kernel must be 5, or 3 for torchvision's variant, got {b5_kernel}")
        super().__init__(
            b1=conv_norm_act(in_channels, widths.b1, 1, norm=norm),
            b3=_reduced(in_channels, widths.b3_reduce, widths.b3, 3, norm),
            b5=_reduced(in_channels, widths.b5_reduce, widths.b5, b5_kernel, norm),
            pool=nn.Sequential(),
        )
        self.pool.add_module("pool", nn.MaxPool2d(3, stride=1, padding=1))
        self.pool.add_module("proj", conv_norm_act(in_channels, widths.pool_proj, 1, norm=norm))


class AuxiliaryHead(nn.Module):
    """A small classifier on a middle layer, which runs in training only: (N, in_channels, H, W) -> (N, num_classes).

    Average pooling to 4 x 4, 1x1 convolution to 128 channels, one hidden layer, dropout, logits.

    Args:
        in_channels: channels of the layer it stands on.
        num_classes: number of logits.
        norm: normalisation behind the convolution; None: a bias instead.
        pool: "window", 5x5 with stride 3 as published: H and W must be 14, 15 or 16; or "adaptive": any H and W.
        hidden_features: units of the hidden layer.
        dropout: probability of a zero in front of the last layer.

    Source: Szegedy et al. 2015, section 5.

    Raises:
        ValueError: ``pool`` is neither of the two.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        norm: Norm = None,
        pool: str = "window",
        hidden_features: int = 1024,
        dropout: float = 0.7,
    ) -> None:
        super().__init__()
        pools = {"window": nn.AvgPool2d(5, stride=3), "adaptive": nn.AdaptiveAvgPool2d(4)}
        if pool not in pools:
            raise ValueError(f"aux_pool must be 'window' or 'adaptive', got {pool!r}")
        self.pool = pools[pool]
        self.conv = conv_norm_act(in_channels, 128, 1, norm=norm)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(128 * 4 * 4, hidden_features)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden_features, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes)."""
        x = self.conv(self.pool(x))
        x = self.relu(self.fc1(self.flatten(x)))
        return self.fc2(self.dropout(x))


def _reduced(in_channels: int, reduce: int, out_channels: int, kernel_size: int, norm: Norm) -> nn.Sequential:
    """A 1x1 convolution to ``reduce`` channels, then one of ``kernel_size`` that keeps the size."""
    branch = nn.Sequential()
    branch.add_module("reduce", conv_norm_act(in_channels, reduce, 1, norm=norm))
    branch.add_module("conv", conv_norm_act(reduce, out_channels, kernel_size, padding=kernel_size // 2, norm=norm))
    return branch
