"""The layer-by-layer table of a LeNet-5, in the paper's own terms: maps, sizes, trainable parameters, connections."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from course_lib.models.lenet_layers import SparseConv2d, Subsampling
from course_lib.models.lenet_output import EuclideanRBF


class LayerRow(NamedTuple):
    """One layer: kind, number of maps, their size in pixels, trainable parameters, connections.

    A connection is one input of one unit, as the paper counts: a unit of C1 has 25 and its bias, so 26. A parameter
    that many units share is one parameter and many connections.
    """

    name: str
    kind: str
    maps: int
    height: int
    width: int
    parameters: int
    connections: int


def layer_table(model: nn.Module, input_size: int = 32) -> list[LayerRow]:
    """A row per layer with connections, computed from the module and from the shapes that pass through it.

    Args:
        model: a network from ``lenet5_1998`` or ``lenet5``, of any options.
        input_size: pixels per side of the square input.

    Raises:
        ValueError: the network is not defined for that input size.
    """
    x = torch.zeros(1, model.c1.in_channels, input_size, input_size)
    x = x.to(model.c1.weight)
    rows = []
    with torch.no_grad():
        model(x)  # refuses a size that does not fit
        for name, layer in model.named_children():
            x = layer(x)
            maps, height, width = (*x.shape[1:], 1, 1)[:3]
            kind, per_position = _kind_and_connections(layer, maps)
            if kind:
                parameters = sum(p.numel() for p in layer.parameters() if p.requires_grad)
                rows.append(LayerRow(name, kind, maps, height, width, parameters, per_position * height * width))
    return rows


def _kind_and_connections(layer: nn.Module, maps: int) -> tuple[str, int]:
    """What the layer is, and the connections at one place of all its maps; ("", 0) for a squashing and the like."""
    match layer:
        case Subsampling():
            return "subsampling", maps * (2 * 2 + 1)
        case nn.AvgPool2d() | nn.MaxPool2d():
            return "pooling", maps * layer.kernel_size**2
        case EuclideanRBF():
            return "RBF", layer.codes.numel()
        case nn.Conv2d() | SparseConv2d():
            return "convolution", sum(p.numel() for p in layer.parameters())
        case nn.Linear():
            return "full connection", sum(p.numel() for p in layer.parameters())
    return "", 0
