"""Inception-v3 as its authors later published it as a program: torchvision's network takes that program's weights.

The paper, arXiv:1512.00567, prints sizes and channels between its groups of modules, not the widths inside them.
The sizes follow from its table 1 by arithmetic alone.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from course_lib import arithmetic
from course_lib.arithmetic import Layer
from course_suite.ledger.quantities import quantity

if TYPE_CHECKING:
    from torch import nn

IMAGE = (3, 299, 299)
# What changes the size in table 1, from the image to the last modules: its rows 1 to 6, and the two reductions.
RESIZING = (Layer(3, 2), Layer(3), Layer(3, padding=1), Layer(3, 2), Layer(3), Layer(3, 2), Layer(3, 2), Layer(3, 2))


@quantity
def inception_v3_least_image_side(maps: int) -> int:
    """The least side of an image from which the last modules get maps of that side, by table 1."""
    for layer in reversed(RESIZING):
        maps = arithmetic.input_sizes(maps, *layer).start
    return maps


@quantity
def inception_v3_params(aux_head: bool = False) -> int:
    """Trainable parameters, without the auxiliary head or with it."""
    return sum(
        parameter.numel()
        for name, parameter in _network().named_parameters()
        if aux_head or not name.startswith("AuxLogits.")
    )


@quantity
def inception_v3_macs() -> int:
    """Multiply-adds of one image of 299 x 299 pixels, without the auxiliary head."""
    return _macs()


@quantity
def inception_v3_channels(layer: str, side: str = "output") -> int:
    """Channels that a convolution or the linear layer takes in or puts out."""
    if side not in ("input", "output"):
        raise ValueError(f"side must be 'input' or 'output', got {side!r}")
    out_channels, in_channels = _network().get_submodule(layer).weight.shape[:2]
    return in_channels if side == "input" else out_channels


@cache
def _network() -> nn.Module:
    from torchvision import models

    from course_lib.complexity import on_meta

    with on_meta():
        return models.inception_v3(init_weights=False).eval()


@cache
def _macs() -> int:
    from course_lib.complexity import analyze

    return sum(row.macs for row in analyze(_network(), IMAGE).rows)


def forget() -> None:
    """Build the network anew when it is asked for again."""
    _network.cache_clear()
    _macs.cache_clear()
