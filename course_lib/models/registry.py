"""What is known of each network, in one place: a paper's file registers its networks here with all that goes with them.

``build``, ``names``, ``input_shape`` and what draws or counts every network read it. A paper's file does no more than
this, and is found by itself because it lies in this folder::

    from course_lib.models.registry import register

    @register(image=(1, 32, 32), family="LeNet-5")
    def lenet5(*, num_classes: int = 10) -> LeNet5:
        return LeNet5(num_classes=num_classes)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from torch import nn

Builder = TypeVar("Builder", bound="Callable[..., nn.Module]")
ImageShape = tuple[int, int, int]

# In the order of their papers. A family's place decides its colour and its sign in every figure.
FAMILIES = (
    "AlexNet", "VGG", "GoogLeNet", "ResNet", "MobileNet v1", "MobileNet v2", "EfficientNet", "ZFNet", "NiN", "LeNet-5",
)  # fmt: skip


class Card(NamedTuple):
    """What is known of a network without building it.

    Attributes:
        image: the shape (C, H, W) that it was made for: counted and drawn where no other size is asked for.
        family: one of ``FAMILIES``; None for a network of the course's own.
        torchvision: the name of torchvision's network that is the same to the last multiply-add; None without one.
    """

    image: ImageShape
    family: str | None
    torchvision: str | None


BUILDERS: dict[str, Callable[..., nn.Module]] = {}
CARDS: dict[str, Card] = {}


def register(
    *, image: ImageShape, family: str | None = None, torchvision: str | None = None
) -> Callable[[Builder], Builder]:
    """A decorator that enters a builder under its own name, with its :class:`Card`, and returns it unchanged.

    Raises:
        ValueError: the family is none of ``FAMILIES``, or another file has registered that name.
    """
    if family is not None and family not in FAMILIES:
        raise ValueError(f"family must be one of {', '.join(FAMILIES)}, got {family!r}")

    def enter(builder: Builder) -> Builder:
        name = builder.__name__
        known = BUILDERS.get(name)
        if known is not None and known.__module__ != builder.__module__:
            raise ValueError(f"network name {name!r} is taken already, by {known.__module__}")
        BUILDERS[name], CARDS[name] = builder, Card(image, family, torchvision)
        return builder

    return enter


def member(
    family: Callable[..., nn.Module],
    name: str,
    docstring: str,
    *,
    defaults: Mapping[str, Any] | None = None,
    **fixed: Any,
) -> Callable[..., nn.Module]:
    """A builder of one member of a family: ``family`` with some options fixed, and others with defaults of their own.

    Its signature shows the options that are left, and it takes no others.
    """
    whole = inspect.signature(family)
    left = [
        parameter.replace(default=(defaults or {}).get(option, parameter.default))
        for option, parameter in whole.parameters.items()
        if option not in fixed
    ]
    signature = whole.replace(parameters=left)

    def builder(*args: Any, **options: Any) -> nn.Module:
        try:
            given = signature.bind(*args, **options)
        except TypeError as error:
            raise TypeError(f"{name}() {error}") from None
        given.apply_defaults()
        return family(**fixed, **given.arguments)

    builder.__name__ = builder.__qualname__ = name
    builder.__module__, builder.__doc__, builder.__signature__ = family.__module__, docstring, signature
    builder.__annotations__ = {key: value for key, value in family.__annotations__.items() if key not in fixed}
    return builder


def find(name: str) -> Callable[..., nn.Module]:
    """The builder of ``name``.

    Raises:
        ValueError: no network has that name; the message lists the known ones, the closest first.
    """
    return _found(name, BUILDERS)


def card(name: str) -> Card:
    """What is known of the network called ``name``.

    Raises:
        ValueError: no network has that name; the message lists the known ones, the closest first.
    """
    return _found(name, CARDS)


def _found(name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise ValueError(f"unknown network {name!r}; known: {', '.join(closest_first(name, known))}")
    return known[name]


def closest_first(name: str, known: list[str] | Mapping[str, object]) -> list[str]:
    """All names of ``known``: first those that look like ``name``, the most alike first, then the others, sorted."""
    close = close_names(name, known)
    return close + sorted(set(known) - set(close))


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """Up to five of ``known`` that look like ``name``, the most alike first."""
    return get_close_matches(str(name).lower(), list(known), n=5, cutoff=0.6)
