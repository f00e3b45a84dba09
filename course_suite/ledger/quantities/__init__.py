"""The named functions that entries compute with: a dict, filled by a decorator in the files of this folder.

A file does no more than this, and is found by itself because it lies in this folder::

    from course_suite.ledger.quantities import quantity

    @quantity
    def params(model: str) -> int:
        ...

A function takes what YAML can hold and returns an int, a float, a Fraction, a text, a bool, None for what cannot be
had, or a list of these. It imports torch, if at all, when it is called.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from course_lib.models.registry import closest_first

Function = TypeVar("Function", bound=Callable[..., Any])

QUANTITIES: dict[str, Callable[..., Any]] = {}


def quantity(function: Function, *, name: str | None = None) -> Function:
    """Enter a function under its name, or under ``name``, and return it unchanged.

    Raises:
        ValueError: another function has that name already.
    """
    name = function.__name__ if name is None else name
    known = QUANTITIES.get(name)
    if known is not None and (known.__module__, known.__qualname__) != (function.__module__, function.__qualname__):
        raise ValueError(f"the quantity {name!r} is taken already, by {known.__module__}")
    QUANTITIES[name] = function
    return function


def find(name: str) -> Callable[..., Any]:
    """The function called ``name``.

    Raises:
        ValueError: there is none; the message lists the known ones, the closest first.
    """
    _import_files()
    if name not in QUANTITIES:
        raise ValueError(f"unknown function {name!r}; known: {', '.join(closest_first(name, QUANTITIES))}")
    return QUANTITIES[name]


def forget() -> None:
    """Compute everything anew when it is asked for again: calls ``forget`` of each file that has one."""
    for module in _import_files():
        getattr(module, "forget", bool)()


@cache
def _import_files() -> list[ModuleType]:
    return [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
