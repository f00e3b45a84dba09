"""The networks of the course, one file per paper. ``names()`` lists them, ``build(name, ...)`` makes one.

Importing this package loads no torch: the papers' files are imported by the first call of either function.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_lib.models import registry
from course_lib.models.registry import Card

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Card", "build", "card", "find", "input_shape", "names"]


def build(name: str, *, weights: str | Path | None = None, **kwargs: Any) -> nn.Module:
    """Make the network called ``name``, on the CPU and in training mode, as torch makes every module.

    Args:
        name: one of ``names()``, such as ``"lenet5"``.
        weights: trained ones to start from: "torchvision", "torchvision:IMAGENET1K_V1", or a file; see
            ``course_lib.models.pretrained.read_weights``. With another number of classes than theirs, the layer that
            scores the classes stays fresh.
        **kwargs: the options of that network's builder, such as ``num_classes`` or ``in_channels``; its docstring
            lists them, with the paper it follows and in what it differs.

    Raises:
        ValueError: no network has that name; the message lists the known ones, the closest first. Or the weights
            are not to be had, damaged, or of another network.
    """
    builder = find(name)
    if weights is None:
        return builder(**kwargs)
    from course_lib.models.pretrained import build_pretrained

    return build_pretrained(builder, name, weights, **kwargs)


def names() -> list[str]:
    """The names that ``build`` knows, sorted. No network is built."""
    _import_papers()
    return sorted(registry.BUILDERS)


def find(name: str) -> Callable[..., nn.Module]:
    """The builder of the network called ``name``: its signature shows the options, its docstring explains them.

    Raises:
        ValueError: no network has that name; the message lists the known ones, the closest first.
    """
    _import_papers()
    return registry.find(name)


def card(name: str) -> Card:
    """What is known of the network called ``name`` without building it: image, family, torchvision's name.

    Raises:
        ValueError: no network has that name; the message lists the known ones, the closest first.
    """
    _import_papers()
    return registry.card(name)


def input_shape(name: str) -> tuple[int, int, int]:
    """The shape (C, H, W) of one image for the network ``name``, as built without options.

    Raises:
        ValueError: no network has that name; the message lists the known ones, the closest first.
    """
    return card(name).image


@cache
def _import_papers() -> None:
    """Import each file of this folder once, so that the networks in it are registered."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
