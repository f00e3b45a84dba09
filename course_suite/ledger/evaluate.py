"""Carry out what an entry's ``compute`` says: a named function and its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from course_suite.ledger.ledger import Ledger

UNITS = {
    "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "%": Fraction(1, 100),
}  # fmt: skip


def evaluate(compute: Any, ledger: Ledger) -> Any:
    """The value of a computation: a number, a text, true or false, None, a mapping for a measurement, or a list.

    ``{function: NAME, in: UNIT, ARGUMENT: VALUE}`` calls the function and divides by the unit. A list computes one
    part after the other; None in it is a part that is not attempted. An argument may be a computation itself, and in
    ``of`` a text stands for the printed figure of the entry with that id.

    Raises:
        ValueError: the function or the unit is unknown, or the function refuses its arguments.
    """
    from course_suite.ledger.quantities import find

    if isinstance(compute, list):
        return [None if part is None else evaluate(part, ledger) for part in compute]
    arguments = {name: _argument(name, value, ledger) for name, value in compute.items()}
    name, unit = arguments.pop("function"), arguments.pop("in", None)
    if unit is not None and unit not in UNITS:
        raise ValueError(f"in must be one of {', '.join(UNITS)}, got {unit!r}")
    try:
        value = find(name)(**arguments)
    except Exception as error:  # whatever a function stumbles over, the reader of the message needs to know where
        raise ValueError(f"{name}: {error}") from error
    return _plain(value, UNITS[unit] if unit else None)


def _argument(name: str, value: Any, ledger: Ledger) -> Any:
    if name == "function":
        return value
    if isinstance(value, Mapping) and "function" in value:
        return evaluate(value, ledger)
    if name == "of":
        items = value if isinstance(value, list) else [value]
        return [ledger.printed(item) if isinstance(item, str) else _argument("", item, ledger) for item in items]
    if isinstance(value, list):
        return [_argument("", item, ledger) for item in value]
    return value


def _plain(value: Any, unit: int | Fraction | None) -> Any:
    """Divided by the unit, and in types that YAML has: whole numbers stay whole, other numbers are floats."""
    if isinstance(value, tuple | list):
        return [_plain(part, unit) for part in value]
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        return value
    if unit is not None:
        value = value / unit if isinstance(value, float) else Fraction(value) / unit
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value
