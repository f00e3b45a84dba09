"""Figures of the VGG paper: a column of table 1 as a line, and the weights of small kernels against a large one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING

from course_lib import arithmetic
from course_suite.ledger.quantities import quantity

if TYPE_CHECKING:
    from torch import nn


@quantity
def vgg_layout(model: str) -> str:
    """The convolutions of a network in one line: "64x2 M 128x2 (1x1)128 M", M for a pooling of 2x2 with stride 2.

    A number is the width of a 3x3 convolution, x2 says that there are two of it, (1x1) stands before another kernel.

    Raises:
        ValueError: a layer is none of those that the line can say.
    """
    from course_suite.ledger.quantities.networks import network

    runs = [(word, len(list(run))) for word, run in groupby(_words(network(model).features))]
    return " ".join(word if count == 1 else f"{word}x{count}" for word, count in runs)


def _words(features: nn.Sequential) -> Iterator[str]:
    from torch import nn

    for name, layer in features.named_children():
        match layer:
            case nn.Conv2d(kernel_size=(3, 3), stride=(1, 1), padding=(1, 1)):
                yield str(layer.out_channels)
            case nn.Conv2d(kernel_size=(1, 1), stride=(1, 1), padding=(0, 0)):
                yield f"(1x1){layer.out_channels}"
            case nn.LocalResponseNorm():
                yield "LRN"
            case nn.MaxPool2d(kernel_size=2, stride=2, padding=0):
                yield "M"
            case nn.ReLU():
                pass
            case _:
                raise ValueError(f"features.{name} is no layer of table 1: {layer}")


@quantity
def vgg_stack_weights(kernel_size: int, num_layers: int) -> str:
    """Weights of a stack of convolutions from C channels to C, biases left out, as a formula: "27*C^2".

    Raises:
        ValueError: the count does not grow with the square of C.
    """
    factors = {
        Fraction(num_layers * arithmetic.conv_params(channels, channels, kernel_size, bias=False), channels**2)
        for channels in (1, 3, 64, 512)
    }
    if len(factors) != 1:
        raise ValueError(f"no multiple of C^2: {factors}")
    return f"{factors.pop()}*C^2"
