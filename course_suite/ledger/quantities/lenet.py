"""Figures of the LeNet-5 paper: connections, the table of C3, settings of the input and of the squashing function."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from course_suite.ledger.quantities import quantity

if TYPE_CHECKING:
    from torch import nn


@quantity
def lenet_connections(layer: str | None = None, model: str = "lenet5_1998") -> int:
    """Connections of one layer, or of the whole network: one for each input of each unit, its bias among them."""
    found = _connections(model)
    if layer is None:
        return sum(found.values())
    if layer not in found:
        raise ValueError(f"layer must be one of {', '.join(found)}, got {layer!r}")
    return found[layer]


@quantity
def lenet_maps_seen(c3_map: int) -> list[int]:
    """The maps of S2 from which a map of C3 has kernels, as the built layer has them."""
    return [seen for own, seen in _network("lenet5_1998").c3.pairs.T.tolist() if own == c3_map]


@quantity
def lenet_squashing_amplitude() -> float:
    """The A for which A tanh(2x / 3) takes 1 to 1 and -1 to -1, as appendix A asks."""
    return 1 / math.tanh(2 / 3)


@cache
def _network(model: str) -> nn.Module:
    from course_lib.models import build

    return build(model)


@cache
def _connections(model: str) -> dict[str, int]:
    from course_lib.models.lenet_table import layer_table

    return {row.name: row.connections for row in layer_table(_network(model))}


def forget() -> None:
    """Build the networks anew when they are asked for again."""
    _network.cache_clear()
    _connections.cache_clear()
