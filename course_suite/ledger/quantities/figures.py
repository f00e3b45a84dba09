"""Sums, differences and ratios: of printed figures, of computations, of plain numbers.

``of`` is a list of ids of other entries (``an-id``, or ``an-id[1]`` for a part), of computations and of numbers. What
is taken of another entry is its printed figure. The arithmetic is exact: printed decimals are fractions here.
"""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from itertools import pairwise
from typing import Any

from course_suite.ledger.compare import parse_number
from course_suite.ledger.quantities import quantity

RELATIONS = {
    "<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt, "!=": operator.ne,
}  # fmt: skip


def exact(value: Any) -> Fraction:
    """A number, or a printed number such as "60M", as a fraction.

    Raises:
        ValueError: it is neither.
    """
    printed = parse_number(value)
    if printed is None and isinstance(value, Fraction):
        return value
    if printed is None:
        raise ValueError(f"a number is needed, got {value!r}")
    return Fraction(printed.value)


def _pair(of: list[Any], what: str) -> tuple[Fraction, Fraction]:
    if len(of) != 2:
        raise ValueError(f"a {what} is of two numbers, got {len(of)}")
    return exact(of[0]), exact(of[1])


@quantity
def value(of: list[Any]) -> Any:
    """One number, or a list of them, as they are: for repeating a figure that stands elsewhere."""
    numbers = [exact(item) for item in of]
    return numbers[0] if len(numbers) == 1 else numbers


def total(of: list[Any]) -> Fraction:
    """The sum of all."""
    return sum(map(exact, of), Fraction())


def product(of: list[Any]) -> Fraction:
    """The product of all."""
    return math.prod(map(exact, of))


quantity(total, name="sum")
quantity(product)


@quantity
def difference(of: list[Any]) -> Fraction:
    """The first less the second."""
    first, second = _pair(of, "difference")
    return first - second


@quantity
def ratio(of: list[Any]) -> Fraction:
    """The first over the second."""
    first, second = _pair(of, "ratio")
    return first / second


@quantity
def percentage(of: list[Any]) -> Fraction:
    """The first in percent of the second."""
    first, second = _pair(of, "percentage")
    return 100 * first / second


@quantity
def relative_change(of: list[Any]) -> Fraction:
    """By how many percent of the first the second is larger; negative where it is smaller."""
    first, second = _pair(of, "relative change")
    return 100 * (second - first) / first


@quantity
def text_of(template: str, of: list[Any]) -> str:
    """Numbers put into a text, for figures printed in words or as a product: template "{}x{}"."""
    return template.format(*(item if isinstance(item, str) else f"{item:,}".replace(",", "") for item in of))


@quantity
def holds(relation: str, of: list[Any]) -> bool:
    """Whether a relation holds between each number and the next: <, <=, =, >=, > or !=."""
    if relation not in RELATIONS:
        raise ValueError(f"relation must be one of {', '.join(RELATIONS)}, got {relation!r}")
    numbers = [exact(item) for item in of]
    return all(RELATIONS[relation](one, other) for one, other in pairwise(numbers))


@quantity
def all_hold(of: list[Any]) -> bool:
    """Whether all of several statements hold."""
    if not all(isinstance(item, bool) for item in of):
        raise ValueError(f"all_hold takes statements, got {of!r}")
    return all(of)
