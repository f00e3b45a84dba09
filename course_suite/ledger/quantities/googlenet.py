"""Figures of the GoogLeNet paper that no count of one layer gives: its depth, and the number of its building blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_suite.ledger.quantities import quantity
from course_suite.ledger.quantities.networks import analysis, network

if TYPE_CHECKING:
    from torch import nn

NOT_BLOCKS = ("ReLU", "Flatten")  # a convolution's own activation, and a change of shape


@quantity
def googlenet_depth(layers: list[str] | None = None, pooling: bool = False, model: str = "googlenet") -> int:
    """Layers with parameters, on the longest way through some layers one behind the other, or through the network.

    Args:
        layers: names of layers; default: from the image to the logits, without auxiliary heads.
        pooling: count the pooling layers too.
    """
    from torch import nn

    kinds = (nn.Conv2d, nn.Linear) + ((nn.MaxPool2d, nn.AdaptiveAvgPool2d) if pooling else ())
    built = network(model)
    return sum(_depth(built.get_submodule(name), kinds) for name in layers or ["features", "classifier"])


def _depth(module: nn.Module, kinds: tuple[type[nn.Module], ...]) -> int:
    from course_lib.models.inception import Branches

    if isinstance(module, kinds):
        return 1
    depths = [_depth(child, kinds) for child in module.children()]
    return max(depths) if isinstance(module, Branches) else sum(depths)


@quantity
def googlenet_blocks(model: str = "googlenet") -> int:
    """Building blocks, as figure 3 draws them: all layers in training but activations, and a softmax per classifier."""
    blocks = [row for row in analysis(model, training=True).rows if row.type not in NOT_BLOCKS]
    return len(blocks) + 1 + len(network(model).aux_heads)
