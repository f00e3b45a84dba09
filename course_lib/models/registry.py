"""The dict of builders: each paper's file registers its networks here, ``build`` and ``names`` read it.

A paper's file does no more than this, and is found by itself because it lies in this folder::

    from course_lib.models.registry import register

    @register
    def lenet5(*, num_classes: int = 10) -> LeNet5:
        return LeNet5(num_classes=num_classes)
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import nn

Builder = TypeVar("Builder", bound="Callable[..., nn.Module]")

BUILDERS: dict[str, Callable[..., nn.Module]] = {}


def register(builder: Builder, *, name: str | None = None) -> Builder:
    """Enter ``builder`` under ``name`` (its own name when not given) and return it unchanged.

    Use it as a decorator, or call it with a name for the members of a family that a loop makes.

    Raises:
        ValueError: another builder has that name already.
    """
    name = builder.__name__ if name is None else name
    known = BUILDERS.get(name)
    if known is not None and known.__module__ != builder.__module__:
        raise ValueError(f"network name {name!r} is taken already, by {known.__module__}")
    BUILDERS[name] = builder
    return builder


def find(name: str) -> Callable[..., nn.Module]:
    """The builder of ``name``.

    Raises:
        ValueError: no network has that name; the message lists the known ones, the closest first.
    """
    if name not in BUILDERS:
        raise ValueError(f"unknown network {name!r}; known: {', '.join(closest_first(name, BUILDERS))}")
    return BUILDERS[name]


def closest_first(name: str, known: list[str] | dict[str, object]) -> list[str]:
    """All names of ``known``: first those that look like ``name``, the most alike first, then the others, sorted."""
    close = get_close_matches(str(name).lower(), known, n=5, cutoff=0.6)
    return close + sorted(set(known) - set(close))
