"""How the arithmetic reads its arguments: integers and pairs of them, checked once, then used axis by axis."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from numbers import Integral, Rational
from typing import Any, TypeVar

IntOrPair = int | tuple[int, int]
T = TypeVar("T")


def is_integer(value: Any) -> bool:
    """Whether ``value`` is a whole number by type: int or a NumPy integer, but no bool, float or tensor."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_pair(value: Any) -> bool:
    """Whether ``value`` is a tuple or list of two, ``(height, width)``."""
    return isinstance(value, tuple | list) and len(value) == 2


def one_int(name: str, value: Any, minimum: int) -> int:
    """``value`` as an int of at least ``minimum``; ``name`` is for the message of the ``ValueError``."""
    if not is_integer(value) or value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, got {name}={value!r}")
    return int(value)


def int_or_pair(name: str, value: Any, minimum: int) -> IntOrPair:
    """``value`` as an int, or as a tuple of two, each at least ``minimum``; else a ``ValueError``."""
    sides = value if is_pair(value) else (value,)
    if not all(is_integer(side) and side >= minimum for side in sides):
        raise ValueError(f"{name} must be an integer >= {minimum} or a pair of them, got {name}={value!r}")
    return (int(value[0]), int(value[1])) if is_pair(value) else int(value)


def rational_or_pair(name: str, value: Any) -> int | Fraction | tuple[int | Fraction, int | Fraction]:
    """``value`` as an int where it is whole, else as a ``Fraction``, or as a tuple of two; else a ``ValueError``."""
    sides = value if is_pair(value) else (value,)
    if not all(isinstance(side, Rational) and not isinstance(side, bool) for side in sides):
        raise ValueError(f"{name} must be an integer, a Fraction or a pair of them, got {name}={value!r}")
    exact = [int(side) if side.denominator == 1 else Fraction(side) for side in sides]
    return (exact[0], exact[1]) if is_pair(value) else exact[0]


def window(kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> tuple[IntOrPair, ...]:
    """The four arguments of a sliding window, checked as torch checks them, in this order."""
    return (
        int_or_pair("kernel_size", kernel_size, 1),
        int_or_pair("stride", stride, 1),
        int_or_pair("padding", padding, 0),
        int_or_pair("dilation", dilation, 1),
    )


def per_axis(rule: Callable[..., T], *values: Any) -> T | tuple[T, T]:
    """``rule`` of the values when none is a pair; else of the heights and of the widths: a tuple of two."""
    if not any(isinstance(value, tuple) for value in values):
        return rule(*values)
    return _along("height", 0, rule, values), _along("width", 1, rule, values)


def _along(axis: str, index: int, rule: Callable[..., T], values: tuple[Any, ...]) -> T:
    """``rule`` along one axis, which its ``ValueError`` then names."""
    try:
        return rule(*(value[index] if isinstance(value, tuple) else value for value in values))
    except ValueError as error:
        raise ValueError(f"{axis}: {error}") from None


def effective_size(kernel_size: int, dilation: int) -> int:
    """Pixels from the first to the last that a dilated kernel touches, both counted."""
    return dilation * (kernel_size - 1) + 1
