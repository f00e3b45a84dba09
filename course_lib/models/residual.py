"""Residual blocks: the branch of convolutions, the shortcuts A, B and C, and the pre-activation form.

He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, arXiv:1512.03385 (published in 2015);
and by the same, "Identity mappings in deep residual networks", ECCV 2016, arXiv:1603.05027.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.blocks import conv_norm_act

Shortcut = Literal["A", "B", "C", "none"]
StrideIn = Literal["1x1", "3x3"]


class Conv(NamedTuple):
    """A convolution of a branch, with padding that keeps the size at stride 1."""

    in_channels: int
    out_channels: int
    kernel_size: int
    stride: int = 1


def basic_convs(in_channels: int, width: int, stride: int) -> tuple[Conv, ...]:
    """The two 3x3 convolutions of a basic block: in_channels -> width -> width. Figure 5, left."""
    return Conv(in_channels, width, 3, stride), Conv(width, width, 3)


def bottleneck_convs(in_channels: int, width: int, stride: int, stride_in: StrideIn = "3x3") -> tuple[Conv, ...]:
    """The three convolutions of a bottleneck: in_channels -> width -> width -> 4 width. Figure 5, right.

    Args:
        in_channels: channels of the block's input.
        width: channels of its 3x3 convolution.
        stride: of the block.
        stride_in: the convolution that has the stride: the first 1x1 as published, or the 3x3 as torchvision has it.

    Raises:
        ValueError: ``stride_in`` is neither of the two.
    """
    if stride_in not in ("1x1", "3x3"):
        raise ValueError(f"stride_in must be '1x1' (as published) or '3x3' (as in torchvision), got {stride_in!r}")
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    return Conv(in_channels, width, 1, first), Conv(width, width, 3, second), Conv(width, 4 * width, 1)


class ResidualBlock(nn.Module):
    """``relu(branch(x) + shortcut(x))``: (N, C_in, H, W) -> (N, C_out, ceil(H / stride), ceil(W / stride)).

    Batch normalisation behind each convolution; ReLU behind each but the last.

    Args:
        convs: the branch, from ``basic_convs`` or ``bottleneck_convs``.
        shortcut: see ``make_shortcut``.

    Source: He et al. 2015, section 3.2, figures 2 and 5.
    """

    def __init__(self, convs: Sequence[Conv], shortcut: Shortcut) -> None:
        super().__init__()
        self.branch = nn.Sequential()
        for number, conv in enumerate(convs, start=1):
            act = nn.ReLU if number < len(convs) else None
            layer = conv_norm_act(**_options(conv), norm=nn.BatchNorm2d, act=act)
            self.branch.add_module(f"conv{number}", layer)
        self.shortcut = make_shortcut(shortcut, convs, norm=True)
        self.relu = nn.ReLU()

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """The normalisation that ends the branch."""
        return self.branch[-1].norm

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        out = self.branch(x)
        return self.relu(out if self.shortcut is None else out + self.shortcut(x))


class PreActivationBlock(nn.Module):
    """``branch(x) + shortcut(x)`` with normalisation and ReLU in front of each convolution, nothing behind the sum.

    (N, C_in, H, W) -> (N, C_out, ceil(H / stride), ceil(W / stride)). A projection, which has no normalisation, takes
    the pre-activated input; the other shortcuts take the input itself.

    Args:
        convs: the branch, from ``basic_convs`` or ``bottleneck_convs``.
        shortcut: see ``make_shortcut``.
        first: whether the block follows the stem, whose normalisation and ReLU are its pre-activation.

    Source: He et al. 2016, sections 3 and 4, figure 4e, appendix. The projections follow the authors' program.
    """

    def __init__(self, convs: Sequence[Conv], shortcut: Shortcut, *, first: bool = False) -> None:
        super().__init__()
        self.preact = nn.Sequential()
        if not first:
            self.preact.add_module("norm", nn.BatchNorm2d(convs[0].in_channels))
            self.preact.add_module("act", nn.ReLU())
        self.branch = nn.Sequential()
        for number, conv in enumerate(convs, start=1):
            if number > 1:
                self.branch.add_module(f"norm{number}", nn.BatchNorm2d(conv.in_channels))
                self.branch.add_module(f"act{number}", nn.ReLU())
            self.branch.add_module(f"conv{number}", conv_norm_act(**_options(conv), bias=False, act=None))
        self.shortcut = make_shortcut(shortcut, convs, norm=False)
        self.shared = isinstance(self.shortcut, nn.Sequential)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """The last normalisation of the branch, in front of its last convolution."""
        return self.branch[-3]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        activated = self.preact(x)
        out = self.branch(activated)
        return out if self.shortcut is None else out + self.shortcut(activated if self.shared else x)


class ZeroPadShortcut(nn.Module):
    """Shortcut A where the size or the channels change: every ``stride``-th pixel, then channels of zeros.

    (N, C, H, W) -> (N, C + extra_channels, ceil(H / stride), ceil(W / stride)), without parameters.
    """

    def __init__(self, extra_channels: int, stride: int) -> None:
        super().__init__()
        self.extra_channels = extra_channels
        self.stride = stride

    def extra_repr(self) -> str:
        return f"extra_channels={self.extra_channels}, stride={self.stride}"

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C + extra_channels, H', W')."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra_channels))


def make_shortcut(option: Shortcut, convs: Sequence[Conv], *, norm: bool) -> nn.Module | None:
    """The way round a branch.

    Args:
        option: "A", identity, with zeros for the channels that the input lacks; "B", identity, with a projection (1x1
            convolution) where the size or the channels change; "C", projections everywhere; "none", no way round:
            a plain network.
        convs: the branch.
        norm: whether batch normalisation follows a projection.

    Source: He et al. 2015, sections 3.3 and 4.1, table 3.

    Raises:
        ValueError: ``option`` is none of the four, or "A" would have to drop channels.
    """
    if option not in ("A", "B", "C", "none"):
        raise ValueError(f"shortcut must be 'A', 'B', 'C' or 'none', got {option!r}")
    in_channels, out_channels = convs[0].in_channels, convs[-1].out_channels
    stride = max(conv.stride for conv in convs)
    if option == "none":
        return None
    if option != "C" and stride == 1 and in_channels == out_channels:
        return nn.Identity()
    if option == "A":
        if out_channels < in_channels:
            raise ValueError(f"shortcut 'A' can add channels only, got {in_channels} -> {out_channels} channels")
        return ZeroPadShortcut(out_channels - in_channels, stride)
    projection = Conv(in_channels, out_channels, 1, stride)
    return conv_norm_act(**_options(projection), bias=False, norm=nn.BatchNorm2d if norm else None, act=None)


def _options(conv: Conv) -> dict[str, int]:
    """The arguments of ``conv_norm_act`` for ``conv``."""
    return {**conv._asdict(), "padding": conv.kernel_size // 2}
