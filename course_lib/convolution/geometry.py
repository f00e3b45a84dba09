"""What all ways share: the arguments checked once, the input padded, and the windows of the kernel as a view."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from course_lib.arithmetic import conv_output_size


class Geometry(NamedTuple):
    """Sizes of one convolution: the batch, the channels, the kernel and the output, each axis by name."""

    batch_size: int
    in_channels: int
    out_channels: int
    kernel_height: int
    kernel_width: int
    output_height: int
    output_width: int

    @property
    def num_windows(self) -> int:
        """Places of the kernel in one image, which is the number of pixels of one output channel."""
        return self.output_height * self.output_width


def geometry(x: Tensor, weight: Tensor, stride: int, padding: int) -> Geometry:
    """Sizes of the convolution of (N, C_in, H, W) with (C_out, C_in, K_h, K_w).

    Raises:
        ValueError: a tensor has not four axes, the channels or the number types differ, the kernel does not fit, or
            ``stride`` or ``padding`` is no integer in its range.
    """
    for name, tensor, axes in (("x", x, "(N, C_in, H, W)"), ("weight", weight, "(C_out, C_in, K_h, K_w)")):
        if tensor.dim() != 4:
            raise ValueError(f"{name} must have the axes {axes}, got shape {tuple(tensor.shape)}")
    if x.shape[1] != weight.shape[1]:
        raise ValueError(f"x and weight must have the same C_in, got {x.shape[1]} and {weight.shape[1]}")
    if x.dtype != weight.dtype or not x.dtype.is_floating_point:
        raise ValueError(f"x and weight must hold floats of one type, got {x.dtype} and {weight.dtype}")
    for name, value in (("stride", stride), ("padding", padding)):
        if isinstance(value, tuple | list):
            raise ValueError(f"{name} must be one integer for both axes, got {name}={value!r}")
    output_height, output_width = conv_output_size(tuple(x.shape[2:]), tuple(weight.shape[2:]), stride, padding)
    return Geometry(x.shape[0], x.shape[1], weight.shape[0], *weight.shape[2:], output_height, output_width)


def pad(x: Tensor, padding: int) -> Tensor:
    """(N, C, H, W) -> (N, C, H + 2 * padding, W + 2 * padding): zeros on all four sides."""
    return F.pad(x, (padding, padding, padding, padding))


def windows(x: Tensor, kernel_height: int, kernel_width: int, stride: int) -> Tensor:
    """(N, C, H, W) -> (N, C, H_out, W_out, K_h, K_w): each place of the kernel, as a view that copies nothing."""
    return x.unfold(2, kernel_height, stride).unfold(3, kernel_width, stride)
