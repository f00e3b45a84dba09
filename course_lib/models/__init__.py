"""The networks of the course, one file per paper. ``names()`` lists them, ``build(name, ...)`` makes one.

Importing this package loads no torch: the papers' files are imported by the first call of either function.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from course_lib.models import registry

if TYPE_CHECKING:
    from torch import nn

__all__ = ["build", "names"]


def build(name: str, **kwargs: Any) -> nn.Module:
    """Make the network called ``name``, on the CPU and in training mode, as torch makes every module.

    Args:
        name: one of ``names()``, such as ``"lenet5"``.
        **kwargs: the options of that network's builder, such as ``num_classes`` or ``in_channels``; its docstring
            lists them, with the paper it follows and in what it differs.

    Raises:
        ValueError: no network has that name; the message lists the known ones, the closest first.
    """
    _import_papers()
    return registry.find(name)(**kwargs)


def names() -> list[str]:
    """The names that ``build`` knows, sorted. No network is built."""
    _import_papers()
    return sorted(registry.BUILDERS)


@cache
def _import_papers() -> None:
    """Import each file of this folder once, so that the networks in it are registered."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
