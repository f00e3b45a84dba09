"""Parameters and multiply-adds of layers.

One multiply-add (MAC) is one multiplication and the addition that takes its product in: it counts 1. Biases,
activations and normalisation are not counted. A count is for one image, and multiplications with padding's zeros are
in it. FLOPs, where a paper counts both operations, are twice as many.
"""

from __future__ import annotations

import math

from course_lib.arithmetic._checks import IntOrPair, int_or_pair, one_int


def conv_params(
    in_channels: int, out_channels: int, kernel_size: IntOrPair, *, groups: int = 1, bias: bool = True
) -> int:
    """Parameters of a two-dimensional convolution, and of a transposed one.

    The weight is ``(out_channels, in_channels // groups, height, width)`` of the kernel; an int kernel is square. The
    bias has one parameter per output channel.

    Raises:
        ValueError: an argument is no integer of at least 1, or ``groups`` does not divide both channel counts.
    """
    return _weights(in_channels, out_channels, kernel_size, groups) + (int(out_channels) if bias else 0)


def conv_macs(
    in_channels: int, out_channels: int, kernel_size: IntOrPair, output_size: IntOrPair, *, groups: int = 1
) -> int:
    """Multiply-adds of a two-dimensional convolution: one multiply-add counts 1, bias excluded, one image.

    Each weight is used once per output pixel; an int ``output_size`` is a square image.

    Raises:
        ValueError: an argument is no integer of at least 1, or ``groups`` does not divide both channel counts.
    """
    return _weights(in_channels, out_channels, kernel_size, groups) * _area("output_size", output_size)


def conv_transpose_macs(
    in_channels: int, out_channels: int, kernel_size: IntOrPair, input_size: IntOrPair, *, groups: int = 1
) -> int:
    """Multiply-adds of a transposed convolution: one multiply-add counts 1, bias excluded, one image.

    Each weight is used once per input pixel, so the count takes ``input_size``; an int is a square image. Products
    that the padding then cuts from the output are counted.

    Raises:
        ValueError: an argument is no integer of at least 1, or ``groups`` does not divide both channel counts.
    """
    return _weights(in_channels, out_channels, kernel_size, groups) * _area("input_size", input_size)


def linear_params(in_features: int, out_features: int, *, bias: bool = True) -> int:
    """Parameters of a fully connected layer: ``(N, in_features) -> (N, out_features)``.

    Raises:
        ValueError: a feature count is no integer of at least 1.
    """
    return linear_macs(in_features, out_features) + (int(out_features) if bias else 0)


def linear_macs(in_features: int, out_features: int) -> int:
    """Multiply-adds of a fully connected layer: one multiply-add counts 1, bias excluded, one image.

    Raises:
        ValueError: a feature count is no integer of at least 1.
    """
    return one_int("in_features", in_features, 1) * one_int("out_features", out_features, 1)


def separable_conv_params(in_channels: int, out_channels: int, kernel_size: IntOrPair, *, bias: bool = True) -> int:
    """Parameters of a depthwise separable convolution: one filter per channel, then a 1x1 convolution.

    With ``bias`` both convolutions have one.

    Source: Howard et al. 2017, MobileNets, arXiv:1704.04861, section 3.1.
    Differs from the paper: no batch normalisation, and biases unless ``bias=False``.

    Raises:
        ValueError: an argument is no integer of at least 1.
    """
    channels = one_int("in_channels", in_channels, 1)
    depthwise = conv_params(channels, channels, kernel_size, groups=channels, bias=bias)
    return depthwise + conv_params(channels, out_channels, 1, bias=bias)


def separable_conv_macs(in_channels: int, out_channels: int, kernel_size: IntOrPair, output_size: IntOrPair) -> int:
    """Multiply-adds of a depthwise separable convolution: one counts 1, bias excluded, one image.

    ``output_size`` is that of the depthwise convolution, which the 1x1 convolution keeps.

    Source: Howard et al. 2017, MobileNets, arXiv:1704.04861, section 3.1, equation 5.

    Raises:
        ValueError: an argument is no integer of at least 1.
    """
    channels = one_int("in_channels", in_channels, 1)
    depthwise = conv_macs(channels, channels, kernel_size, output_size, groups=channels)
    return depthwise + conv_macs(channels, out_channels, 1, output_size)


def _weights(in_channels: int, out_channels: int, kernel_size: IntOrPair, groups: int) -> int:
    """Weights of a convolution, its arguments checked."""
    before, after = one_int("in_channels", in_channels, 1), one_int("out_channels", out_channels, 1)
    area, parts = _area("kernel_size", kernel_size), one_int("groups", groups, 1)
    for name, channels in (("in_channels", before), ("out_channels", after)):
        if channels % parts:
            raise ValueError(f"{name} must be divisible by groups, got {name}={channels} (groups={parts})")
    return after * (before // parts) * area


def _area(name: str, value: IntOrPair) -> int:
    """Pixels of a rectangle; an int is a square's side."""
    sides = int_or_pair(name, value, 1)
    return math.prod(sides) if isinstance(sides, tuple) else sides * sides
